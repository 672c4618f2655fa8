"""Measures whose rows growth made rows of: how many a group's parents got, against all others.

{"axis": "gender", "group": "women", "origin": "mention-lexicon", "parents": 400, "grown": 120, "rate": 0.3, "low": 0.26,
 "high": 0.35, "other_parents": 3600, "other_grown": 1800, "other_rate": 0.5, "ratio": 0.6, "ratio_low": 0.51,
 "ratio_high": 0.7, "p": 0.0001, "q": 0.002}
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from audit.groups import Membership
from corpus.schema import digest
from corpus.statistics import ratio_interval, wilson

DRAWS = 10_000


def yields(
    children: np.ndarray, most: int, memberships: Sequence[Membership], seed: int
) -> list[dict[str, Any]]:
    """Return how many rows each group's parents got, per parent; `children` counts them (int, row-aligned with the groups).

    `rate` is their mean. Its interval, and that of the `ratio` to the others' (None where these got none), are those of
    shares of the `most` rows that one parent could get: what lies between none and all varies no more than what is none
    or all (Bhatia and Davis 2000), so they hold whatever the children of one parent have in common. p is of the
    difference, by permutation over the parents (Phipson and Smyth 2010), and None where there is nobody to compare with.
    """
    assert not len(children) or children.max() <= most, "nobody got more than could be"
    values, sizes = np.unique(children, return_counts=True)
    found = []
    for group in memberships:
        n, others = int(group.rows.sum()), int((~group.rows).sum())
        grown = int(children[group.rows].sum())
        other_grown = int(children.sum()) - grown
        if not n:
            continue
        low, high = wilson(grown / most, n)
        ratio = (
            ratio_interval(grown / most, n, other_grown / most, others) if others and other_grown else None
        )
        generator = np.random.default_rng(list(digest(str(seed), "yields", group.axis, group.group)))
        found.append(
            {
                "axis": group.axis,
                "group": group.group,
                "origin": group.origin,
                "parents": n,
                "grown": grown,
                "rate": grown / n,
                "low": most * low,
                "high": most * high,
                "other_parents": others,
                "other_grown": other_grown,
                "other_rate": other_grown / others if others else None,
                "ratio": ratio and ratio.value,
                "ratio_low": ratio and ratio.low,
                "ratio_high": ratio and ratio.high,
                "p": _permutation_p(grown, n, values, sizes, generator) if others else None,
            }
        )
    return found


def _permutation_p(
    grown: int, n: int, values: np.ndarray, sizes: np.ndarray, generator: np.random.Generator
) -> float:
    """Return how often `n` parents drawn from all, of whom `sizes` got `values` rows, differ as much from the mean."""
    drawn = generator.multivariate_hypergeometric(sizes, n, size=DRAWS) @ values
    mean = n * float(values @ sizes) / int(sizes.sum())
    # Sums are of whole rows, so equal distances differ by rounding alone.
    extreme = int(np.count_nonzero(np.abs(drawn - mean) >= abs(grown - mean) - 1e-9))
    return (extreme + 1) / (DRAWS + 1)
