"""Among rows of the same length and source a group's ratio is what the stage does to the group alone."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.findings import settle
from audit.groups import AuditSettings, Membership
from audit.page.words import sentence
from audit.retention import retention
from audit.steps import Step
from audit.strata import BANDS, Strata, adjusted, multiplied, strata
from corpus.statistics import ratio_interval, stratified_ratio

COUNTS = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def group(rows):
    return Membership("gender", "g", "mention-lexicon", rows)


def everybody(kept):
    return Step("length", np.ones(len(kept), dtype=bool), kept)


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=4))
def test_the_common_ratio_is_that_of_the_textbook(tables):
    """Rothman, Greenland and Lash 2008, formulas 15-18 and 15-20, in plain Python."""
    above = sum(a * m / (n + m) for (a, n), (c, m) in tables)
    below = sum(c * n / (n + m) for (a, n), (c, m) in tables)
    spread = sum(((a + c) * n * m - a * c * (n + m)) / (n + m) ** 2 for (a, n), (c, m) in tables)
    counts = [np.array(column) for column in zip(*((a, n, c, m) for (a, n), (c, m) in tables), strict=True)]

    found = stratified_ratio(*counts)

    if 0 in (above, below):
        assert found is None
    else:
        error = 1.959964 * math.sqrt(spread / (above * below))
        assert found.value == pytest.approx(above / below)
        assert (found.low, found.high) == pytest.approx(
            (above / below * math.exp(-error), above / below * math.exp(error)), rel=1e-6
        )


def test_of_one_stratum_it_is_the_plain_ratio():
    one = stratified_ratio(*(np.array([count]) for count in (63, 100, 810, 900)))

    plain = ratio_interval(63, 100, 810, 900)
    assert (one.value, one.low, one.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_its_interval_holds_the_truth_as_often_as_it_says():
    """A ratio of 0.8 in ten strata that keep from 10% to 90%, the group being in the poor ones."""
    generator, held = np.random.default_rng(5), 0
    rates, n, m = np.linspace(0.1, 0.9, 10), np.linspace(60, 6, 10).astype(int), np.full(10, 200)
    for _ in range(2_000):
        found = stratified_ratio(generator.binomial(n, 0.8 * rates), n, generator.binomial(m, rates), m)
        held += found.low <= 0.8 <= found.high

    assert 0.935 <= held / 2_000 <= 0.965


def test_a_filter_of_length_is_told_from_one_of_people():
    """Short rows go, whoever wrote them, and the group writes shortly."""
    generator = np.random.default_rng(1)
    words = generator.integers(1, 101, 20_000)
    of = generator.random(20_000) < np.where(words <= 20, 0.4, 0.1)
    step = everybody(words > 20)
    cut = strata(words, pa.array(["shop"] * 20_000))

    found, _ = settle(retention([step], [group(of)], AuditSettings(), 1, cut), AuditSettings())[:2]

    assert cut.by == ("length",)
    assert found["high"] < 0.8
    assert found["within"]["ratio"] == pytest.approx(1, abs=0.02)
    assert "among rows of the same length 1.0" in sentence(found)


def test_a_ratio_that_turns_round_is_flagged():
    """In either source the group is kept more often, but it is mostly in the one that loses half."""
    at = np.arange(12_000)
    harsh = at < 6_000
    of = (at < 5_000) | (at >= 11_000)
    kept = np.where(harsh, at % 100 < np.where(of, 55, 45), at % 100 < np.where(of, 99, 90))
    cut = strata(np.full(12_000, 7), pa.array(np.where(harsh, "forum", "news")))

    found = retention([everybody(kept)], [group(of)], AuditSettings(), 1, cut)[0]

    assert cut.by == ("source",)
    assert found["high"] < 1 < found["within"]["low"]
    assert found["turned"]
    assert "turns round" in sentence(settle([found], AuditSettings())[0])


def of_two_stages(seed):
    """Rows of which the first stage sees all and the second one half, the group being in short rows mostly."""
    generator = np.random.default_rng(seed)
    words = generator.integers(1, 41, 6_000)
    of = generator.random(6_000) < np.where(words <= 10, 0.4, 0.1)
    first = Step(
        "first", np.ones(6_000, dtype=bool), generator.random(6_000) < np.where(words <= 10, 0.5, 0.9)
    )
    second = Step("second", first.kept & (generator.random(6_000) < 0.5), generator.random(6_000) < 0.1)
    cut = Strata(("length",), (words > 10).astype(np.int64), 2)
    return first, second, of, cut


def test_of_the_whole_pipeline_it_is_the_product_as_the_plain_ratio_is():
    """A stage that sees some rows alone counts as much as its rows say, in either."""
    first, second, of, cut = of_two_stages(3)

    *stages, total = retention([first, second], [group(of)], AuditSettings(), 1, cut)

    alike = [one["within"] for one in stages]
    assert total["within"]["ratio"] == pytest.approx(math.prod(one["ratio"] for one in alike))
    assert total["ratio"] == pytest.approx(math.prod(one["ratio"] for one in stages))
    spreads = [math.log(one["high"] / one["low"]) for one in alike]
    assert math.log(total["within"]["high"] / total["within"]["low"]) == pytest.approx(math.hypot(*spreads))
    assert (total["within"]["by"], total["within"]["strata"]) == (["length"], 2)


def test_the_product_holds_the_truth_as_often_as_it_says():
    """Within a stratum the group is treated as all are: the ratio among rows alike is 1."""
    held = 0
    for seed in range(300):
        first, second, of, cut = of_two_stages(seed)
        within = retention([first, second], [group(of)], AuditSettings(), 1, cut)[-1]["within"]
        held += within["low"] <= 1 <= within["high"]

    assert 0.92 <= held / 300 <= 0.98


def test_a_stage_that_cannot_tell_leaves_the_product_untold():
    first, _, of, cut = of_two_stages(4)
    nothing = Step("nothing", first.kept, np.ones(6_000, dtype=bool))
    gone = Step("gone", first.kept, ~of)

    assert retention([first, nothing], [group(of)], AuditSettings(), 1, cut)[-1]["within"] is not None
    assert retention([first, gone], [group(of)], AuditSettings(), 1, cut)[-1]["within"] is None
    assert multiplied([]) is None


def test_where_nothing_cuts_the_rows_there_is_nothing_to_say():
    cut = strata(np.full(10, 7), pa.array(["shop"] * 10))

    assert (cut.by, cut.count) == ((), 1)
    assert adjusted(everybody(np.arange(10) < 5), [group(np.arange(10) < 2)], cut) == [None]
    assert strata(np.empty(0, dtype=np.int64), pa.array([], pa.string())).count == 0


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_it_is_the_ratio_of_the_rows_counted_one_by_one(seed):
    generator = np.random.default_rng(seed)
    rows = 200
    cut = Strata(("length",), generator.integers(0, 4, rows), 4)
    step = Step("s", generator.random(rows) < 0.8, generator.random(rows) < 0.5)
    of = generator.random(rows) < 0.3

    (found,) = adjusted(step, [group(of)], cut)

    tables = np.zeros((4, 4), dtype=int)
    for row in np.flatnonzero(step.entered):
        side = 0 if of[row] else 2
        tables[side + 1, cut.codes[row]] += 1
        tables[side, cut.codes[row]] += step.kept[row]
    expected = stratified_ratio(*tables)
    assert (found["ratio"], found["low"], found["high"]) == (expected.value, expected.low, expected.high)


def test_bands_hold_as_many_rows_each():
    cut = strata(np.arange(1_000), pa.array(["a"] * 1_000))

    assert np.bincount(cut.codes).tolist() == [1_000 // BANDS] * BANDS
