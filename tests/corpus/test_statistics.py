"""Intervals hold the truth as often as they claim, and p values are those of independent computations."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corpus.statistics import (
    Interval,
    benjamini_hochberg,
    detectable_difference,
    difference_interval,
    difference_of,
    difference_p,
    effective_size,
    kappa,
    permutation_p,
    ratio_interval,
    rows_needed,
    two_by_two_p,
    wilson,
)


@st.composite
def proportions(draw, largest=400):
    n = draw(st.integers(1, largest))
    return draw(st.integers(0, n)), n


@given(proportions(), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_is_scipys(proportion, level):
    successes, n = proportion

    low, high = wilson(successes, n, level)

    expected = stats.binomtest(successes, n).proportion_ci(level, "wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)


def test_wilson_reaches_the_end_where_all_or_none_succeed():
    assert wilson(0, 50)[0] == 0.0
    assert wilson(50, 50)[1] == 1.0


@given(proportions(), proportions())
def test_the_ratio_interval_is_scipys_where_no_cell_is_zero(one, other):
    (a, n), (c, m) = one, other
    if min(a, n - a, c, m - c) == 0:
        return

    ratio = ratio_interval(a, n, c, m)

    expected = stats.contingency.relative_risk(a, n, c, m)
    ends = expected.confidence_interval(0.95)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx(
        (expected.relative_risk, ends.low, ends.high)
    )
    assert not ratio.adjusted


def test_a_zero_cell_gets_one_half_and_says_so():
    """By hand: 0 of 10 against 5 of 20 becomes 0.5 of 11 against 5.5 of 21."""
    ratio = ratio_interval(0, 10, 5, 20)

    adjusted = (0.5 / 11) / (5.5 / 21)
    spread = stats.norm.ppf(0.975) * math.sqrt(1 / 0.5 - 1 / 11 + 1 / 5.5 - 1 / 21)
    assert (ratio.value, ratio.low, ratio.adjusted) == (0.0, 0.0, True)
    assert ratio.high == pytest.approx(adjusted * math.exp(spread))


def test_a_ratio_to_nothing_is_the_adjusted_one():
    assert ratio_interval(10, 20, 0, 30).value == pytest.approx((10.5 / 21) / (0.5 / 31))


@given(proportions(), proportions())
def test_intervals_hold_their_value_and_swap_with_their_samples(one, other):
    ratio, difference = ratio_interval(*one, *other), difference_interval(*one, *other)
    swapped = difference_interval(*other, *one)

    assert ratio.low <= ratio.value <= ratio.high
    assert -1 <= difference.low <= difference.value <= difference.high <= 1
    assert (-swapped.high, -swapped.low) == pytest.approx((difference.low, difference.high))


def test_the_difference_interval_is_newcombes():
    """Newcombe 1998, table II, contrast (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339."""
    difference = difference_interval(56, 70, 48, 80)

    assert (round(difference.low, 4), round(difference.high, 4)) == (0.0524, 0.3339)


@given(proportions(), proportions())
def test_the_difference_of_two_intervals_recovers_each_variance_towards_its_end(one, other):
    """Zou and Donner 2008, by the score interval's own definition: its ends solve (p - end)^2 = z^2 end (1 - end) / n."""
    z = stats.norm.ppf(0.975)

    def interval(successes, n):
        rate = successes / n
        low, high = np.sort(np.roots([1 + z * z / n, -(2 * rate + z * z / n), rate * rate]).real)
        return Interval(rate, low, high)

    a, b = interval(*one), interval(*other)
    found = difference_of(a, b)

    assert (found.value - found.low) ** 2 == pytest.approx(
        (a.value - a.low) ** 2 + (b.high - b.value) ** 2, abs=1e-9
    )
    assert (found.high - found.value) ** 2 == pytest.approx(
        (a.high - a.value) ** 2 + (b.value - b.low) ** 2, abs=1e-9
    )
    whole = difference_interval(*one, *other)
    assert (found.low, found.high) == pytest.approx((whole.low, whole.high), abs=1e-6)
    assert (difference_p(found) < 0.05) == (found.low > 0 or found.high < 0)


def test_p_of_a_symmetric_interval_is_that_of_its_z():
    one, other = Interval(1.0, 1.0 - 0.3, 1.0 + 0.3), Interval(0.6, 0.6 - 0.4, 0.6 + 0.4)

    found = difference_of(one, other)

    error = math.hypot(0.3, 0.4) / stats.norm.ppf(0.975)
    assert difference_p(found) == pytest.approx(2 * stats.norm.sf(0.4 / error))
    assert difference_p(difference_of(other, one)) == pytest.approx(difference_p(found))
    assert difference_p(difference_of(one, one)) == 1.0


@pytest.mark.parametrize(("rate", "other_rate", "n", "other_n"), [(0.9, 0.7, 60, 400), (0.5, 0.45, 150, 150)])
def test_intervals_of_95_percent_hold_the_truth_in_95_percent(rate, other_rate, n, other_n):
    generator = np.random.default_rng(20)
    draws = 4_000
    ones, others = generator.binomial(n, rate, draws), generator.binomial(other_n, other_rate, draws)

    pairs = list(zip(ones.tolist(), others.tolist(), strict=True))
    held = {
        "wilson": np.mean([low <= rate <= high for low, high in (wilson(a, n) for a, _ in pairs)]),
        "ratio": np.mean(
            [
                i.low <= rate / other_rate <= i.high
                for i in (ratio_interval(a, n, b, other_n) for a, b in pairs)
            ]
        ),
        "difference": np.mean(
            [
                i.low <= rate - other_rate <= i.high
                for i in (difference_interval(a, n, b, other_n) for a, b in pairs)
            ]
        ),
    }

    assert {name: 0.93 <= share <= 0.97 for name, share in held.items()} == dict.fromkeys(held, True)


@given(proportions(largest=12), proportions(largest=12))
def test_small_tables_are_tested_exactly(one, other):
    """Against the sum of all tables of the same margins that are no likelier than the one seen."""
    (a, n), (c, m) = one, other
    kept, total = a + c, n + m
    if kept in (0, total) or min(n, m) * min(kept, total - kept) / total >= 5:
        return

    p = two_by_two_p(a, n, c, m)

    ways = [math.comb(n, x) * math.comb(m, kept - x) for x in range(max(0, kept - m), min(n, kept) + 1)]
    seen = math.comb(n, a) * math.comb(m, c)
    assert p == pytest.approx(sum(way for way in ways if way <= seen) / math.comb(total, kept))


def test_large_tables_are_tested_by_g():
    table = [[70, 30], [820, 180]]

    p = two_by_two_p(70, 100, 820, 1_000)

    expected = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert p == pytest.approx(expected.pvalue)


def test_where_nothing_can_differ_p_is_one():
    assert [two_by_two_p(5, 5, 9, 9), two_by_two_p(0, 5, 0, 9), two_by_two_p(0, 0, 3, 9)] == [1.0, 1.0, 1.0]


def test_the_permutation_p_is_that_of_all_shuffles():
    """Against each way of choosing which 6 of 12 rows succeeded."""
    sizes, successes = [3, 4, 5], [3, 1, 2]
    bounds = [(0, 3), (3, 7), (7, 12)]

    p = permutation_p(successes, sizes, np.random.default_rng(0), draws=200_000)

    def gap(chosen):
        rates = [sum(low <= row < high for row in chosen) / (high - low) for low, high in bounds]
        return max(rates) - min(rates)

    gaps = [gap(chosen) for chosen in itertools.combinations(range(12), 6)]
    exact = np.mean([value >= gap((0, 1, 2, 3, 7, 8)) - 1e-12 for value in gaps])
    assert p == pytest.approx(exact, abs=0.004)


def test_the_permutation_p_is_uniform_or_rarer_under_equal_rates():
    generator = np.random.default_rng(3)
    sizes = [400, 300, 250, 40, 10]

    p = np.array([permutation_p(generator.binomial(sizes, 0.8), sizes, generator, 400) for _ in range(600)])

    assert [bool((p <= level).mean() <= level + 0.03) for level in (0.05, 0.2, 0.5)] == [True, True, True]


def test_groups_without_rows_do_not_count_in_the_permutation():
    assert permutation_p([4, 0], [9, 0], np.random.default_rng(0)) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_q_values_are_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p).tolist())


def test_no_p_values_have_no_q_values():
    assert benjamini_hochberg([]) == []


@pytest.mark.parametrize(("rate", "slack"), [(0.5, 0.02), (0.8, 0.07)])
def test_the_detectable_difference_is_detected_with_its_power(rate, slack):
    """Exactly so at one half; elsewhere the lower of the two rates varies more than the formula grants it."""
    n, other_n = 200, 2_000
    least = detectable_difference(rate, n, other_n)
    generator = np.random.default_rng(5)

    ones = generator.binomial(n, rate - least, 3_000)
    others = generator.binomial(other_n, rate, 3_000)
    found = np.mean(
        [two_by_two_p(a, n, b, other_n) < 0.05 for a, b in zip(ones.tolist(), others.tolist(), strict=True)]
    )

    assert found == pytest.approx(0.8, abs=slack)


def test_nothing_is_detectable_in_samples_too_small():
    assert (detectable_difference(0.5, 0, 10), detectable_difference(0.5, 1, 2)) == (None, None)


@given(st.floats(0.01, 0.99), st.floats(0.02, 0.5), st.integers(1, 2_000), st.integers(10, 100_000))
def test_the_rows_needed_are_the_fewest_that_show_the_gap(rate, gap, n, other_n):
    needed = rows_needed(rate, gap, n, other_n)

    if needed is None:
        least = detectable_difference(rate, 10**12, other_n)
        assert least is None or least >= gap * (1 - 1e-6)
    else:
        assert detectable_difference(rate, n + needed, other_n) <= gap * (1 + 1e-9)
        if needed:
            fewer = detectable_difference(rate, n + needed - 1, other_n)
            assert fewer is None or fewer > gap * (1 - 1e-9)


def test_no_rows_show_a_gap_that_is_none():
    assert rows_needed(0.5, 0.0, 10, 10) is None
    assert rows_needed(0.5, 0.1, 10, 0) is None
    assert rows_needed(1.0, 0.1, 10, 10) == 0


@given(st.integers(1, 50), st.integers(1, 9))
def test_clusters_all_as_large_are_worth_one_row_each(clusters, size):
    assert effective_size(np.full(clusters, size)) == pytest.approx(clusters)


def test_the_variance_of_a_mean_over_clusters_is_that_of_so_many_rows():
    """Rows of one cluster say the same: the spread of their mean is that of as many rows as the clusters are worth."""
    generator, sizes = np.random.default_rng(1), np.array([1, 1, 2, 5, 9])

    means = (generator.random((100_000, 5)) < 0.5) @ sizes / sizes.sum()

    assert 0.25 / means.var() == pytest.approx(effective_size(sizes), rel=0.02)
    assert effective_size(np.array([0, 0])) == 0


def test_kappa_is_that_of_scikit_learn_and_covers_what_it_should():
    from sklearn.metrics import cohen_kappa_score

    draw = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        truth = draw.random(200) < 0.7
        one, other = (np.where(draw.random(200) < 0.1, ~truth, truth) for _ in range(2))
        value, low, high = kappa(one, other)
        assert value == pytest.approx(cohen_kappa_score(one, other))
        covered += low <= (0.82 - 0.5512) / (1 - 0.5512) <= high  # each says yes of 0.66, and 0.82 agree
    assert covered / 300 > 0.92
    assert kappa([True] * 5, [True] * 5) is None
    assert kappa([], []) is None
