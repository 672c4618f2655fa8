"""Which vectors are alike, all of them compared: the better row stays. Exact, in blocks; most pairs are ruled out early.

Vectors are turned so that their first dimensions tell most (principal axes of a sample). A product of these alone, with
the most that the others can add, rules nearly all pairs out; what is left is compared in full. What is returned is what
comparing each with each would give, to the bit.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

BLOCK, CHUNK = 1024, 4096
SAMPLE = 2_000
_WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256)
_AT_ONCE = 20_000
_FULL_COST = 6_000
"""What a comparison in full costs beside one multiplication of a product, as it was measured."""


Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Alike rows, the later one first (int64), and their cosines."""
_NO_PAIRS = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True)
class Nearest:
    """Of each row the row it fell against (-1: it stays), their cosine (nan where none was met), and the pairs that are kin."""

    other: np.ndarray
    likeness: np.ndarray
    kin: np.ndarray


def settle(
    vectors: np.ndarray,
    answers: np.ndarray,
    threshold: float,
    *,
    classes: np.ndarray,
    apart: np.ndarray,
    fixed: np.ndarray,
) -> Nearest:
    """Drop each row that is at least `threshold` alike a row before it that stays; rows stand in survivor order.

    `vectors` are float32 of shape (rows, dimensions) and of unit length, or zero; `answers` are like them, or have no row:
    of a pair the lesser cosine counts. Rows that are `fixed` stand first and
    never fall. Rows of unlike `classes` are kin and stay; those of unlike `apart` (uint64) are not compared. `kin` has
    all pairs that are alike, of which the second stays (int64, (pairs, 2)).
    """
    from corpus import vector_kernels

    count = len(vectors)
    other, best = np.full(count, -1), np.full(count, np.nan)
    kept = np.flatnonzero(fixed)
    kin: list[np.ndarray] = []
    with compared(vectors, answers, threshold, Screen.of(vectors, threshold), apart) as pairs:
        for start in range(len(kept), count, BLOCK):
            rows = np.arange(start, min(start + BLOCK, count))
            ones, twos, found = in_order(pairs(rows, np.r_[kept, rows]))
            are = vector_kernels.fall(ones, twos, found, classes, apart, fixed, other, best)
            kin.append(np.stack([ones[are], twos[are]], axis=1))
            kept = np.r_[kept, rows[other[rows] < 0]]
    return Nearest(other, best, np.concatenate([np.zeros((0, 2), np.int64), *kin]))


@contextmanager
def compared(
    vectors: np.ndarray,
    answers: np.ndarray,
    threshold: float,
    screen: "Screen",
    apart: np.ndarray,
    chunk: int = CHUNK,
) -> Iterator[Callable[[np.ndarray, np.ndarray], Iterator[Pairs]]]:
    """Lend what compares some rows with `others` that come before them, `chunk` of these at a time on every core."""
    from threadpoolctl import threadpool_limits

    from corpus import vector_kernels

    with ThreadPoolExecutor(os.cpu_count()) as pool, threadpool_limits(1, "blas"):

        def pairs(rows: np.ndarray, others: np.ndarray) -> Iterator[Pairs]:
            mine = screen.first[rows]

            def one(some: np.ndarray) -> Pairs:
                products = mine @ screen.first[some].T
                ones, twos, found = vector_kernels.alike(
                    vectors, answers, products, screen.rest, apart, rows, some, threshold
                )
                return rows[ones], some[twos], found

            yield from pool.map(
                one, [others[start : start + chunk] for start in range(0, len(others), chunk)]
            )

        yield pairs


def in_order(found: Iterable[Pairs]) -> Pairs:
    """Put pairs together, by the later row and then by the earlier one."""
    ones, twos, cosines = (np.concatenate(part) for part in zip(_NO_PAIRS, *found, strict=True))
    order = np.lexsort((twos, ones))
    return ones[order], twos[order], cosines[order]


@dataclass(frozen=True)
class Screen:
    """The `first` principal dimensions of each vector (as many as pay), and its length in the others (`rest`)."""

    first: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, threshold: float) -> "Screen":
        """Choose the dimensions by a sample."""
        step = max(1, len(vectors) // SAMPLE)
        sample = np.ascontiguousarray(vectors[::step][:SAMPLE])
        if not len(sample):
            return cls(vectors, np.zeros(0, np.float32))
        axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))[1][:, ::-1].astype(np.float32)
        turned = sample @ axes
        lengths = np.linalg.norm(sample, axis=1)
        costs = {}
        for width in [width for width in _WIDTHS if width < vectors.shape[1]]:
            rest = _rest(lengths, turned[:, :width])
            may = turned[:, :width] @ turned[:, :width].T + np.outer(rest, rest) >= threshold
            costs[width] = width + _FULL_COST * may.mean()
        width = min(costs, key=lambda one: costs[one]) if costs else vectors.shape[1]
        chosen = np.ascontiguousarray(axes[:, :width])
        first = np.empty((len(vectors), width), np.float32)
        rest = np.empty(len(vectors), np.float32)
        for start in range(0, len(vectors), _AT_ONCE):
            some = vectors[start : start + _AT_ONCE]
            first[start : start + _AT_ONCE] = some @ chosen
            rest[start : start + _AT_ONCE] = _rest(
                np.linalg.norm(some, axis=1), first[start : start + _AT_ONCE]
            )
        return cls(first, rest)


def _rest(lengths: np.ndarray, first: np.ndarray) -> np.ndarray:
    rest: np.ndarray = np.sqrt(np.maximum(lengths**2 - np.einsum("ij,ij->i", first, first), 0))
    return rest.astype(np.float32)
