"""Where two axes cross every row is counted, what is large enough is judged, and nothing is told twice."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.crossings import crossed, crossings
from audit.findings import settle, worst
from audit.groups import AuditSettings, Membership, partition
from audit.page.maps import maps
from audit.page.words import sentence
from audit.retention import retention
from audit.steps import Step

SETTINGS = AuditSettings()


def group(axis, name, rows, origin="mention-lexicon"):
    return Membership(axis, name, origin, np.asarray(rows, dtype=bool))


@given(st.lists(st.lists(st.booleans(), min_size=12, max_size=12), min_size=4, max_size=4))
def test_each_two_groups_of_different_axes_are_counted_as_sets_would_be(masks):
    groups = [group(axis, name, rows) for (axis, name), rows in zip(
        [("b", "x"), ("b", "y"), ("a", "x"), ("c", "z")], masks, strict=True
    )]  # fmt: skip

    found = {tuple(map(tuple, each.sides)): set(each.rows.tolist()) for each in crossings(groups)}

    sets = {(each.axis, each.group): {at for at in range(12) if each.rows[at]} for each in groups}
    assert found == {
        (one, other): sets[one] & sets[other]
        for one in sets
        for other in sets
        if one[0] < other[0] and sets[one] & sets[other]
    }


def test_what_is_said_of_texts_and_what_is_missing_does_not_cross():
    everybody = np.ones(5, dtype=bool)
    texts = ["label", "source-metadata", "text-length", "language-model", "embedding-clusters"]
    groups = [group("gender", "women", everybody), group("region", "(missing)", everybody, "declared")]
    groups += [group(origin, "x", everybody, origin) for origin in texts]

    assert list(crossings(groups)) == []


@pytest.fixture
def corpus():
    """600 rows; of 40 that are of both groups a stage keeps a fifth, of all others nine in ten."""
    at = np.arange(600)
    women, muslim = at < 200, (at >= 160) & (at < 300)
    both = women & muslim
    kept = np.where(both, at % 5 == 0, at % 10 != 0)
    step = Step("filter", at >= 0, kept, pa.array(["rule"] * 600))
    other = [group("gender", "women", women), group("religion", "muslim", muslim)]
    return (
        step,
        [*other, group("religion", "few", at % 20 == 7), group("gender", "men", at >= 480)],
        kept,
        both,
    )


def test_a_crossing_is_measured_as_its_rows_alone_would_be(corpus):
    step, groups, kept, both = corpus

    told = crossed([step], groups, kept, SETTINGS, 1)
    found, counts = told.measured, told.counts

    (alone,) = [
        each
        for each in retention([step], [group("gender & religion", "women & muslim", both)], SETTINGS, 1)
        if each["stage"] == "total"
    ]
    assert found == [alone | {"sides": [["gender", "women"], ["religion", "muslim"]]}]
    assert {"axes": ["gender", "religion"], "groups": ["women", "muslim"], "n": 40, "kept": 8} in counts
    assert {"axes": ["gender", "religion"], "groups": ["women", "few"], "n": 10, "kept": 8} in counts


def test_who_fails_only_where_two_groups_meet_is_named(corpus):
    step, _, kept, both = corpus
    rng = np.random.default_rng(4)
    groups = [group("gender", "women", both | (rng.random(600) < 0.6)),
              group("religion", "muslim", both | (rng.random(600) < 0.6))]  # fmt: skip
    kept = np.where(groups[0].rows & groups[1].rows, np.arange(600) % 2 == 0, True)
    step = Step("filter", step.entered, kept)

    found = crossed([step], groups, kept, AuditSettings(min_impact_ratio=0.6), 1).measured
    told = settle(found, AuditSettings(min_impact_ratio=0.6))

    assert [each["verdict"] for each in told] == ["FAIL"]
    assert "rows of both women and muslim (gender & religion)" in sentence(worst(told)[0])


def test_of_a_group_that_fails_by_itself_its_crossings_say_nothing_more(corpus):
    step, groups, kept, _ = corpus
    strict = AuditSettings(min_impact_ratio=0.9)
    found = crossed([step], groups, kept, strict, 1).measured

    told = settle([*retention([step], groups, strict, 1), *found], strict)

    failed = {(each["axis"], each["group"]) for each in told if each["verdict"] == "FAIL"}
    assert {("religion", "muslim"), ("gender & religion", "women & muslim")} <= failed
    assert ("gender & religion", "women & muslim") not in {
        (each["axis"], each["group"]) for each in worst(told)
    }


def test_a_map_tells_ratios_and_hatches_what_is_too_small(corpus):
    step, groups, kept, _ = corpus
    told = crossed([step], groups, kept, SETTINGS, 1)
    found, counts = told.measured, told.counts

    (drawn,) = maps(counts, settle(found, SETTINGS), least=SETTINGS.min_group)

    assert f"{found[0]['ratio']:.2f}!" in drawn
    assert "url(#h" in drawn, "what is too small is hatched"
    assert ">10</text>" in drawn, "with its rows"


def test_a_map_escapes_what_groups_are_called():
    hostile = "<script>alert(1)</script> $x^2$ \u202e"
    rows = np.ones(40, dtype=bool)
    groups = [group("a<b>", hostile, rows), group('c"d', "</svg>", rows)]

    (drawn,) = maps(crossed([], groups, rows, SETTINGS, 1).counts, [], least=30)

    assert "<script" not in drawn
    assert drawn.count("</svg>") == 1
    assert "\u202e" not in drawn


def test_no_axis_or_one_has_no_map():
    labels = partition(pa.array(["x", "y"]), "label", "label")

    told = crossed([], labels, np.ones(2, bool), SETTINGS, 1)
    found, counts = told.measured, told.counts

    assert (found, counts, maps(counts, found, least=30)) == ([], [], [])


def test_names_that_look_like_two_are_not_taken_for_others():
    at = np.arange(400)
    groups = [group("a", "x & y", at < 100, "declared"), group("b", "z", at < 100, "declared"),
              group("a", "x", at >= 300, "declared"), group("b", "y & z", at >= 300, "declared")]  # fmt: skip
    kept = (at >= 100) | (at % 10 == 0)

    found = crossed([Step("filter", at >= 0, kept)], groups, kept, SETTINGS, 1).measured

    sides = {tuple(map(tuple, each["sides"])): each["ratio"] for each in found}
    assert sides[("a", "x & y"), ("b", "z")] < 0.2
    assert sides[("a", "x"), ("b", "y & z")] > 1
    assert len({each["group"] for each in found}) == len(found)


def test_a_crossing_of_a_few_rows_is_not_told():
    few = np.arange(400) < 4
    groups = [group("a", "x", few, "declared"), group("b", "z", few, "declared")]

    told = crossed([], groups, few, SETTINGS, 1)

    assert (told.measured, told.counts) == ([], [])
    assert told.of_few == ["a & b"]
