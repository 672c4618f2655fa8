"""Rows that between them stand for all: greedy facility location over vectors, done lazily.

A row's gain is how much it raises the sum, over the rows that are to be covered, of each one's cosine to the nearest chosen row.
The greedy choice is within 1 - 1/e of the best (Nemhauser et al. 1978). A gain only shrinks as rows are chosen (Minoux 1978), so
a row whose gain, brought up to date, still leads is the next.
"""

import heapq
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

SCALE = 4096
"""Similarities are compared in steps of 1/4096, as integers: sums of them do not depend on their order."""

_NONE = np.empty(0, np.int64)
_AT_ONCE = 4_096


def cover(
    vectors: np.ndarray, keep: int, place: np.ndarray, *, fixed: np.ndarray = _NONE
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose `keep` of the vectors (float32, (rows, dimensions), unit length) that cover all of them.

    The positions `fixed` are chosen already, and are not among the rows that are returned as chosen. `place` settles
    ties. Returns the rows chosen, for each row the chosen or fixed row nearest to it, and their cosine.
    """
    alike = steps(vectors, vectors)
    best = alike[fixed].max(axis=0, initial=-SCALE)
    free = np.setdiff1d(np.arange(len(vectors)), fixed)
    picked = list(islice(greedy(alike, best, free, place), keep))
    among = np.array(sorted([*picked, *fixed], key=lambda row: place[row]), np.int64)
    nearest = among[np.argmax(alike[:, among], axis=1)] if len(among) else np.full(len(vectors), -1)
    return np.array(picked, np.int64), nearest, np.einsum("ij,ij->i", vectors, vectors[nearest])


def greedy(
    alike: np.ndarray,
    best: np.ndarray,
    free: np.ndarray,
    place: np.ndarray,
    allowed: Callable[[int], bool] = lambda _: True,
) -> Iterator[int]:
    """Yield the rows of `free` by what each adds to those before it, most first; `place` settles ties.

    `alike` (int16, (rows, covered)) is what `steps` returns, `best` (int16, (covered)) how near each that is to be covered is
    to what is chosen already. A row of which `allowed` says no when its turn comes is passed over for good.
    """
    best = best.copy()
    gains = _gains(alike, best)
    heap = [(-int(gains[row]), int(place[row]), int(row), 0) for row in free]
    heapq.heapify(heap)
    count = 0
    while heap:
        _, rank, row, seen = heapq.heappop(heap)
        if not allowed(row):
            continue
        if seen == count:
            yield row
            count += 1
            np.maximum(best, alike[row], out=best)
        else:
            fresh = np.maximum(alike[row], best).sum(dtype=np.int64) - best.sum(dtype=np.int64)
            heapq.heappush(heap, (-int(fresh), rank, row, count))


def _gains(alike: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Return what each row adds to what is chosen, some rows at a time."""
    found = [
        np.maximum(alike[start : start + _AT_ONCE], best).sum(axis=1, dtype=np.int64)
        for start in range(0, len(alike), _AT_ONCE)
    ]
    gains: np.ndarray = np.concatenate([np.zeros(0, np.int64), *found]) - best.sum(dtype=np.int64)
    return gains


def steps(vectors: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the cosines of each of the vectors with each of the others in whole steps (int16, (vectors, others))."""
    found: np.ndarray = np.rint(vectors @ others.T * SCALE).astype(np.int16)
    return found


def nearest(vectors: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Return in whole steps how near each of the `covered` vectors is to the nearest of the vectors; -1 where there is none."""
    best = np.full(len(covered), -SCALE, np.int16)
    for start in range(0, len(vectors), _AT_ONCE):
        np.maximum(best, steps(vectors[start : start + _AT_ONCE], covered).max(axis=0), out=best)
    return best
