"""Intervals and tests for counts: what stands beside every rate, ratio and difference that Winnow prints.

All of them work on counts, so their cost does not depend on the size of the corpus.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

Z95 = NormalDist().inv_cdf(0.975)
"""Standard errors on each side of a value that hold 95% of a normal distribution."""


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion; (0, 1) where `n` is 0.

    Counts may be fractions (effective counts). Wilson 1927, without continuity correction, as Brown, Cai and
    DasGupta 2001 ("Interval Estimation for a Binomial Proportion", Statistical Science 16) advise.
    """
    assert 0 <= successes <= n, "successes are some of n"
    if n == 0:
        return 0.0, 1.0
    z = _z(level)
    rate = successes / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return low, high


@dataclass(frozen=True)
class Interval:
    """A value with the ends of its interval; `adjusted` where half a count was added to each cell."""

    value: float
    low: float
    high: float
    adjusted: bool = False


def ratio_interval(
    successes: float, n: float, other_successes: float, other_n: float, level: float = 0.95
) -> Interval:
    """Return the ratio of two proportions with its log interval; both `n` must be positive.

    Katz et al. 1978 ("Obtaining confidence intervals for the risk ratio", Biometrics 34). Where one of the
    four cells is zero, one half is added to each of them (Haldane 1956) and `adjusted` is true: the interval
    is then around the adjusted ratio and widened to hold the plain one. The value is the plain ratio; only
    where the other proportion is zero, and the plain ratio does not exist, it is the adjusted one.
    """
    assert n > 0, "a ratio needs a group"
    assert other_n > 0, "a ratio needs rows to compare with"
    cells = (successes, n - successes, other_successes, other_n - other_successes)
    adjusted = min(cells) <= 0
    a, b, c, d = (cell + 0.5 for cell in cells) if adjusted else cells
    ratio = (a / (a + b)) / (c / (c + d))
    spread = _z(level) * math.sqrt(b / (a * (a + b)) + d / (c * (c + d)))
    low, high = ratio * math.exp(-spread), ratio * math.exp(spread)
    plain = ratio if other_successes == 0 else (successes / n) / (other_successes / other_n)
    return Interval(plain, min(low, plain), max(high, plain), adjusted)


def difference_interval(
    successes: float, n: float, other_successes: float, other_n: float, level: float = 0.95
) -> Interval:
    """Return the difference of two independent proportions with its hybrid score interval.

    Method 10 of Newcombe 1998 ("Interval estimation for the difference between independent proportions",
    Statistics in Medicine 17): the two Wilson intervals, squared and added. Both `n` must be positive.
    """
    assert n > 0, "a difference needs a group"
    assert other_n > 0, "a difference needs rows to compare with"
    one = Interval(successes / n, *wilson(successes, n, level))
    return difference_of(one, Interval(other_successes / other_n, *wilson(other_successes, other_n, level)))


def difference_of(one: Interval, other: Interval) -> Interval:
    """Return the difference of two values of independent samples, from their own intervals of one level.

    The method of variance estimates recovery of Zou and Donner 2008 ("Construction of confidence limits about effect
    measures: a general approach", Statistics in Medicine 27): the variance towards each end is what lies between value
    and end, squared, so intervals need not be symmetric. Of values that are positively correlated it is too wide.
    """
    value = one.value - other.value
    return Interval(
        value,
        value - math.hypot(one.value - one.low, other.high - other.value),
        value + math.hypot(one.high - one.value, other.value - other.low),
    )


def difference_p(difference: Interval) -> float:
    """Return the two-sided p of no difference that belongs to a 95% interval: under 0.05 where that leaves 0 out.

    The standard error is the one towards 0 (Zou and Donner 2008), the value over it is referred to the normal distribution.
    """
    value = difference.value
    reach = value - difference.low if value > 0 else difference.high - value
    return math.erfc(Z95 * abs(value) / reach / math.sqrt(2)) if value else 1.0


def stratified_ratio(
    successes: np.ndarray,
    n: np.ndarray,
    other_successes: np.ndarray,
    other_n: np.ndarray,
    level: float = 0.95,
) -> Interval | None:
    """Return the ratio of two proportions that strata have in common, with its log interval; counts by stratum.

    Mantel and Haenszel 1959 in the form for ratios of risks, with the variance of Greenland and Robins 1985
    ("Estimation of a common effect parameter from sparse follow-up data", Biometrics 41), which holds for few large
    strata and for many small ones. Of one stratum it is `ratio_interval`. Strata of one side say nothing; None where
    no other is left, or where one side has no success in any of them.
    """
    both = (n > 0) & (other_n > 0)
    a, c, n, m = (
        np.asarray(counts, dtype=float)[both] for counts in (successes, other_successes, n, other_n)
    )
    total = n + m
    mine, others = float(np.sum(a * m / total)), float(np.sum(c * n / total))
    if min(mine, others) == 0:
        return None
    variance = float(np.sum((n * m * (a + c) - a * c * total) / total**2)) / (mine * others)
    spread = _z(level) * math.sqrt(max(variance, 0.0))
    ratio = mine / others
    return Interval(ratio, ratio * math.exp(-spread), ratio * math.exp(spread))


def two_by_two_p(successes: int, n: int, other_successes: int, other_n: int) -> float:
    """Return the two-sided p of equal proportions: Fisher's exact test, or the G test where counts are large.

    Large means an expected count of at least 5 in each of the four cells (Cochran 1954). G is twice the log
    likelihood ratio, referred to chi-squared with one degree of freedom (Wilks 1938). 1 where a row or a
    column of the table is empty: nothing can differ.
    """
    kept, total = successes + other_successes, n + other_n
    if min(n, other_n, kept, total - kept) == 0:
        return 1.0
    cells = np.array([[successes, n - successes], [other_successes, other_n - other_successes]], dtype=float)
    expected = np.outer([n, other_n], [kept, total - kept]) / total
    if expected.min() >= 5:
        filled = cells > 0
        g = 2 * float(np.sum(cells[filled] * np.log(cells[filled] / expected[filled])))
        return math.erfc(math.sqrt(max(g, 0.0) / 2))
    from scipy.stats import fisher_exact

    return float(fisher_exact(cells.astype(np.int64)).pvalue)


def permutation_p(
    successes: Sequence[int], sizes: Sequence[int], generator: np.random.Generator, draws: int = 10_000
) -> float:
    """Return the p of the gap between the largest and the smallest rate of groups that do not overlap.

    Shuffling which rows succeeded is drawing the groups' successes from a multivariate hypergeometric
    distribution, so a draw costs as little for many rows as for ten (up to 10^9, which is NumPy's limit). The p counts the data as one of
    the draws (Phipson and Smyth 2010, "Permutation P-values should never be zero"). Groups of no rows are
    left out; 1 where fewer than two are left.
    """
    size = np.asarray(sizes, dtype=np.int64)
    hits = np.asarray(successes, dtype=np.int64)[size > 0]
    size = size[size > 0]
    if len(size) < 2:
        return 1.0
    drawn = generator.multivariate_hypergeometric(size, int(hits.sum()), size=draws) / size
    gaps = drawn.max(axis=1) - drawn.min(axis=1)
    rates = hits / size
    # Rates are ratios of the same integers, so equal gaps differ by rounding alone.
    extreme = int(np.count_nonzero(gaps >= rates.max() - rates.min() - 1e-12))
    return (extreme + 1) / (draws + 1)


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """Return the q value of each p: the least false discovery rate at which it is a discovery.

    `q_(i) = min over j >= i of m p_(j) / j`, at most 1 (Benjamini and Hochberg 1995; valid under the
    positive dependence of Benjamini and Yekutieli 2001).
    """
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * len(values) / np.arange(1, len(values) + 1)
    q = np.empty_like(values)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return [float(value) for value in q]


def detectable_difference(
    rate: float, n: float, other_n: float, alpha: float = 0.05, power: float = 0.8
) -> float | None:
    """Return the least difference of two proportions near `rate` that samples so large would show; None if none.

    `(z_{1-alpha/2} + z_power) sqrt(rate (1 - rate) (1/n + 1/other_n))`, the normal approximation under equal
    variances (Fleiss, Levin and Paik 2003, section 4.2), two-sided. None where a sample is empty or the
    answer would be 1 or more: no difference is large enough to be seen.
    """
    if n <= 0 or other_n <= 0:
        return None
    reach = _z(1 - alpha) + NormalDist().inv_cdf(power)
    least = reach * math.sqrt(rate * (1 - rate) * (1 / n + 1 / other_n))
    return least if least < 1 else None


def rows_needed(
    rate: float, gap: float, n: float, other_n: float, alpha: float = 0.05, power: float = 0.8
) -> int | None:
    """Return how many rows more a sample of `n` needs to show a difference of `gap` from the other; 0 if none.

    It is `detectable_difference` solved for the first sample, near `rate`, rounded up. None where no number is enough:
    the other sample is too small by itself, or there is no gap to be seen.
    """
    if gap <= 0 or other_n <= 0:
        return None
    reach = (_z(1 - alpha) + NormalDist().inv_cdf(power)) ** 2 * rate * (1 - rate)
    if reach == 0:
        return 0
    room = gap * gap / reach - 1 / other_n
    return max(0, math.ceil(1 / room - n)) if room > 0 else None


def product_limit(entered: Sequence[int], stayed: Sequence[int]) -> tuple[float, float]:
    """Return the counts (stayed, entered) of one stage that would say what a sequence of stages said together.

    Their ratio is the product of the stages' rates (Kaplan and Meier 1958), which is right also where rows
    leave between stages without being judged, or join late. The size is the one under which a binomial rate has
    Greenwood's variance (the effective sample size of Dorey and Korn 1987). Where each stage was entered by
    exactly those that stayed in the one before, both are the plain counts. Stages must have been entered.
    """
    if all(after == before for after, before in zip(entered[1:], stayed[:-1], strict=True)):
        return stayed[-1], entered[0]
    rate = math.prod(kept / n for kept, n in zip(stayed, entered, strict=True))
    if rate in (0.0, 1.0):
        return rate * min(entered), min(entered)
    greenwood = sum((n - kept) / (n * kept) for kept, n in zip(stayed, entered, strict=True))
    size = (1 - rate) / (rate * greenwood)
    return rate * size, size


def effective_size(sizes: np.ndarray) -> float:
    """Return how many rows clusters of such sizes are worth where the rows of one say the same (Kish 1965).

    `(sum of sizes)^2 / sum of squares`: the number of rows where each stands alone, of clusters where all are as large.
    """
    total = float(np.sum(sizes))
    return total * total / float(np.sum(np.square(sizes, dtype=float))) if total else 0.0


def kappa(one: Sequence[bool], other: Sequence[bool]) -> tuple[float, float, float] | None:
    """Return how far two readers agree beyond chance (Cohen 1960), with its 95% interval; None where nothing could differ.

    1 is always, 0 as often as by chance. The interval is by the standard error of Cohen's paper.
    """
    mine, theirs = np.array(one, bool), np.array(other, bool)
    n = len(mine)
    if not n:
        return None
    same = float((mine == theirs).mean())
    chance = float(mine.mean() * theirs.mean() + (1 - mine.mean()) * (1 - theirs.mean()))
    if chance == 1:
        return None
    value = (same - chance) / (1 - chance)
    error = math.sqrt(same * (1 - same) / n) / (1 - chance)
    return value, max(value - Z95 * error, -1.0), min(value + Z95 * error, 1.0)


def _z(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)
