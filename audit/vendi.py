"""Measures how unlike one another the rows of a group are, and what is left of that after curation.

The Vendi score (Friedman and Dieng 2023, arXiv 2210.02410) is the number of wholly unlike rows that would be as diverse.
It grows with the number of rows, so that groups are compared at an equal number of them.

{"axis": "religion", "group": "muslim", "came": {"value": 21.4, "low": 19.9, "high": 22.9, "n": 51}, "published": {...}}
"""

from typing import Any

import numpy as np

EQUAL = 30
"""Rows that a score is of, whatever the group's size."""

ROWS = 100
"""Rows of a group that are embedded, if it has so many."""

LEAST = 40
"""Rows below which nothing is said: subsets of 30 of fewer are nearly the same subset."""

DRAWS = 200


def vendi(vectors: np.ndarray) -> np.ndarray:
    """Return the Vendi score of each set of unit vectors: (sets, rows, dimensions) to (sets,), from 1 to `rows`.

    The exponential of the entropy of the eigenvalues of the cosines, divided by the number of rows.
    """
    similar = vectors @ np.swapaxes(vectors, -1, -2) / vectors.shape[-2]
    shares = np.clip(np.linalg.eigvalsh(similar.astype(np.float64)), 0, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log(shares), 0.0)
    scores: np.ndarray = np.exp(-terms.sum(axis=-1))
    return scores


def diversity(vectors: np.ndarray, generator: np.random.Generator) -> dict[str, Any] | None:
    """Return the mean score of `EQUAL` of the vectors (rows, dimensions), with its 95% interval; None of under `LEAST` rows.

    `{"value", "low", "high", "n"}`, `n` rows. The mean is over `DRAWS` subsets without replacement; their spread, scaled by
    `EQUAL / (n - EQUAL)`, is the delete-d jackknife's variance (Shao and Wu 1989).
    """
    rows = len(vectors)
    if rows < LEAST:
        return None
    subsets = np.array([generator.permutation(rows)[:EQUAL] for _ in range(DRAWS)])
    scores = vendi(vectors[subsets])
    value = float(scores.mean())
    spread = 1.96 * float(np.sqrt(EQUAL / (rows - EQUAL) * scores.var(ddof=1)))
    low, value, high = np.clip([value - spread, value, value + spread], 1.0, float(EQUAL)).tolist()
    return {"value": value, "low": low, "high": high, "n": rows}
