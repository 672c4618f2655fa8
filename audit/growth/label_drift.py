"""Measures whether growth changes the mix of labels: what it read, what it made, and both together.

{"labels": [{"label": "positive", "before": {"value": 0.31, "low": 0.29, "high": 0.33, "n": 1200}, "grown": {...}, "after": {...}}],
 "distance": {"grown": 0.12, "after": 0.03, "by_chance": 0.02}, "p": 0.0004}
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import whole
from corpus.schema import digest
from corpus.statistics import effective_size, wilson

DRAWS = 10_000


def label_drift(labels: pa.Array | pa.ChunkedArray, children: np.ndarray, seed: int) -> dict[str, Any] | None:
    """Compare the labels of the rows that were read with those of their children, and with both together.

    `labels` (string, null where a row has none) and `children` (int, how many rows grew of it and were admitted) are
    row-aligned; a child has its parent's label. Shares are of rows with a label, with Wilson's intervals, for as many
    rows as families are worth, a parent and its children being one. `distance` is the total variation distance of two
    mixes, from 0 to 1, and `by_chance` what that of the children would be on average if it did not depend on its label
    who gets them; p is of that, by permutation over the parents. None without two labels, or without children.
    """
    flat = whole(labels)
    known = pc.is_valid(flat).to_numpy(zero_copy_only=False)
    coded = flat.drop_null().dictionary_encode()
    codes, mine = coded.indices.to_numpy(zero_copy_only=False), children[known]
    names = coded.dictionary.to_pylist()
    if len(names) < 2 or not mine.any():
        return None
    before = np.bincount(codes, minlength=len(names))
    grown = np.bincount(codes, weights=mine, minlength=len(names)).astype(np.int64)
    sizes = (float(len(codes)), effective_size(mine), effective_size(1 + mine))
    distance = _distance(before, grown)
    generator = np.random.default_rng(list(digest(str(seed), "label drift")))
    drawn = _distance(before, _shuffled(before, mine, generator))
    extreme = int(np.count_nonzero(drawn >= distance - 1e-12))
    return {
        "labels": [
            {
                "label": names[at],
                **{
                    what: _share(counts[at], counts.sum(), size)
                    for what, counts, size in zip(
                        ("before", "grown", "after"), (before, grown, before + grown), sizes, strict=True
                    )
                },
            }
            for at in sorted(range(len(names)), key=lambda at: (-before[at], names[at]))
        ],
        "distance": {
            "grown": float(distance),
            "after": float(_distance(before, before + grown)),
            "by_chance": float(drawn.mean()),
        },
        "p": (extreme + 1) / (DRAWS + 1),
    }


def _share(hits: int, n: int, size: float) -> dict[str, Any]:
    low, high = wilson(hits / n * size, size)
    return {"value": float(hits / n), "low": low, "high": high, "n": int(n)}


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the total variation distance of mixes, given as counts over the last dimension."""
    shares = one / one.sum(axis=-1, keepdims=True) - other / other.sum(axis=-1, keepdims=True)
    found: np.ndarray = np.abs(shares).sum(axis=-1) / 2
    return found


def _shuffled(before: np.ndarray, children: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return how many children each label has where labels are dealt anew to the parents: shape (draws, labels).

    Parents with as many children are alike, so each such number draws its labels from those that are left, label by
    label, from hypergeometric distributions.
    """
    left = np.tile(before.astype(np.int64), (DRAWS, 1))
    dealt = np.zeros_like(left)
    for times, parents in zip(*np.unique(children, return_counts=True), strict=True):
        if not times:
            continue
        wanted = np.full(DRAWS, parents, dtype=np.int64)
        behind = left.sum(axis=1)
        for label in range(left.shape[1]):
            behind -= left[:, label]
            drawn = generator.hypergeometric(left[:, label], behind, wanted)
            left[:, label] -= drawn
            wanted -= drawn
            dealt[:, label] += times * drawn
    return dealt
