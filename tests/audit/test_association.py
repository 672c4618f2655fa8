"""What goes with a group is what stands in its rows more often than by chance, by two measures and a corrected test."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.association import LEAST, npmi, with_labels, with_words
from audit.groups import Membership


def group(rows, name="women", axis="gender"):
    return Membership(axis, name, "mention-lexicon", np.asarray(rows, dtype=bool))


@given(st.lists(st.integers(1, 200), min_size=4, max_size=4))
def test_log_odds_and_their_interval_are_scipys(cells):
    a, b, c, d = cells
    rows = np.repeat([True, True, False, False], cells)
    labels = pa.array(np.repeat(["yes", "no", "yes", "no"], cells))

    found = {each["with"]: each for each in with_labels([group(rows)], labels)}["yes"]

    odds = stats.contingency.odds_ratio([[a, b], [c, d]], kind="sample")
    ends = odds.confidence_interval(0.95)
    assert found["log_odds"] == pytest.approx(math.log(odds.statistic))
    assert (found["log_odds_low"], found["log_odds_high"]) == pytest.approx(
        (math.log(ends.low), math.log(ends.high))
    )
    assert (found["both"], found["n"], found["rate"]) == (a, a + b, pytest.approx(a / (a + b)))


@given(st.data())
def test_npmi_is_boumas(data):
    of = data.draw(st.integers(2, 500))
    one, other = data.draw(st.integers(1, of)), data.draw(st.integers(1, of))
    both = data.draw(st.integers(max(1, one + other - of), min(one, other)))

    value = npmi(both, one, other, of)

    assert -1 <= value <= 1 + 1e-12
    if both < of:
        x, y, xy = one / of, other / of, both / of
        assert value == pytest.approx((math.log(xy) - math.log(x) - math.log(y)) / -math.log(xy), abs=1e-12)


def test_npmi_at_its_ends():
    assert npmi(0, 5, 5, 10) == -1
    assert npmi(5, 5, 5, 10) == pytest.approx(1)
    assert npmi(25, 50, 50, 100) == pytest.approx(0)
    assert npmi(10, 10, 10, 10) == 1
    assert npmi(0, 0, 5, 10) is None


def test_a_label_that_goes_with_a_group_is_told_and_no_other():
    generator = np.random.default_rng(3)
    women, men = generator.random(5_000) < 0.1, generator.random(5_000) < 0.1
    negative = generator.random(5_000) < np.where(women, 0.6, 0.4)
    labels = pa.array(np.where(negative, "negative", "positive"))

    found = with_labels([group(women), group(men, "men")], labels)

    assert {(each["group"], each["with"]) for each in found if each["q"] < 0.05} == {
        ("women", "negative"),
        ("women", "positive"),
    }
    q = stats.false_discovery_control([each["p"] for each in found])
    assert [each["q"] for each in found] == pytest.approx(q.tolist())


def test_a_label_that_never_stands_with_a_group_has_odds_and_an_interval():
    labels = pa.array(["yes"] * 50 + ["no"] * 50)
    found = with_labels([group(np.arange(100) < 20)], labels)

    assert [(each["with"], each["both"], each["npmi"]) for each in found if each["both"] == 0] == [
        ("no", 0, -1.0)
    ]
    assert all(math.isfinite(each["log_odds_low"]) and math.isfinite(each["log_odds_high"]) for each in found)


def test_rows_without_a_label_do_not_count():
    labels = pa.array(["yes", "no", None, None])

    found = with_labels([group([True, False, True, True])], labels)

    assert {(each["with"], each["n"], each["other_n"]) for each in found} == {("yes", 1, 1), ("no", 1, 1)}


@pytest.mark.parametrize("labels", [[None, None], ["one", "one"], []])
def test_without_two_labels_nothing_goes_with_any(labels):
    assert with_labels([group([True, False][: len(labels)])], pa.array(labels, pa.string())) == []


def test_planted_words_are_found_and_the_groups_own_terms_are_not():
    generator = np.random.default_rng(4)
    common = np.array(["the", "crew", "flight", "was", "late", "again", "today", "gate", "seat"])
    women = generator.random(2_000) < 0.1
    texts = []
    for mine in women:
        words = list(generator.choice(common, 6))
        words += ["she"] if mine else []
        words += ["kitchen"] if generator.random() < (0.3 if mine else 0.02) else []
        texts.append(" ".join(words))

    found = with_words([group(women)], pa.array(texts), {("gender", "women"): ["she", "her own"]})

    assert [each["with"] for each in found] == ["kitchen"]
    assert found[0]["q"] < 0.05 < found[0]["npmi"]


def test_words_by_chance_are_hardly_ever_told():
    """Forty corpora in which no word goes with the group."""
    told = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        words = np.array([f"word{chr(97 + at % 26)}{chr(97 + at // 26)}" for at in range(200)])
        texts = pa.array([" ".join(generator.choice(words, 10)) for _ in range(500)])
        told += bool(with_words([group(generator.random(500) < 0.2)], texts, {}))

    assert told <= 4


@pytest.mark.parametrize("texts", [[], ["", ""], ["a word"] * (LEAST - 1), ["!?"] * 50])
def test_texts_without_common_words_say_nothing(texts):
    assert with_words([group([True] * len(texts))], pa.array(texts, pa.string()), {}) == []


def test_a_group_of_all_rows_or_none_has_nobody_to_compare_with():
    labels = pa.array(["yes", "no"] * 10)

    assert with_labels([group([True] * 20), group([False] * 20, "nobody")], labels) == []


def test_terms_are_taken_apart_as_texts_are():
    """The own term african-american stands in texts as two words."""
    texts = pa.array(["an african-american poet here"] * 40 + ["some other words stand here"] * 400)

    found = with_words(
        [group([True] * 40 + [False] * 400)], texts, {("gender", "women"): ["african-american"]}
    )

    assert [each["with"] for each in found] == ["an", "poet"]
