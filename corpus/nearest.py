"""Which vectors are alike, all of them compared: the better row stays. Exact, in blocks; most pairs are ruled out early.

Vectors are turned so that their first dimensions tell most (principal axes of a sample). A product of these alone, with
the most that the others can add, rules nearly all pairs out; what is left is compared in full. What is returned is what
comparing each with each would give, to the bit.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

BLOCK, CHUNK = 1024, 4096
SAMPLE = 2_000
_WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256)
_FULL_COST = 6_000
"""What a comparison in full costs beside one multiplication of a product, as it was measured."""


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
    from threadpoolctl import threadpool_limits

    from corpus import vector_kernels

    count = len(vectors)
    other, best = np.full(count, -1), np.full(count, np.nan)
    first, rest = _turned(vectors, threshold)
    kept = np.flatnonzero(fixed)
    kin: list[np.ndarray] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool, threadpool_limits(1, "blas"):

        def pairs(
            rows: np.ndarray, others: np.ndarray
        ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
            """Yield alike pairs, chunk by chunk of `others`."""
            chunks = [others[start : start + CHUNK] for start in range(0, len(others), CHUNK)]
            mine = first[rows]

            def one(chunk: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
                products = mine @ first[chunk].T
                ones, twos, found = vector_kernels.alike(
                    vectors, answers, products, rest, apart, rows, chunk, threshold
                )
                return rows[ones], chunk[twos], found

            yield from pool.map(one, chunks)

        for start in range(len(kept), count, BLOCK):
            rows = np.arange(start, min(start + BLOCK, count))
            ones, twos, found = (
                np.concatenate(part) for part in zip(*pairs(rows, np.r_[kept, rows]), strict=True)
            )
            before = twos < ones
            ones, twos, found = ones[before], twos[before], found[before]
            order = np.lexsort((twos, ones))
            ones, twos, found = ones[order], twos[order], found[order]
            are = vector_kernels.fall(ones, twos, found, classes, apart, fixed, other, best)
            kin.append(np.stack([ones[are], twos[are]], axis=1))
            kept = np.r_[kept, rows[other[rows] < 0]]
    return Nearest(other, best, np.concatenate([np.zeros((0, 2), np.int64), *kin]))


def _turned(vectors: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the first principal dimensions of each vector (as many as pay), and its length in the others."""
    step = max(1, len(vectors) // SAMPLE)
    sample = vectors[::step][:SAMPLE]
    if not len(sample):
        return vectors, np.zeros(0, np.float32)
    axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))[1][:, ::-1].astype(np.float32)
    turned = sample @ axes
    lengths = np.linalg.norm(sample, axis=1)
    costs = {}
    for width in [width for width in _WIDTHS if width < vectors.shape[1]]:
        rest = _rest(lengths, turned[:, :width])
        may = turned[:, :width] @ turned[:, :width].T + np.outer(rest, rest) >= threshold
        costs[width] = width + _FULL_COST * may.mean()
    width = min(costs, key=lambda one: costs[one]) if costs else vectors.shape[1]
    first = vectors @ np.ascontiguousarray(axes[:, :width])
    return first, _rest(np.linalg.norm(vectors, axis=1), first)


def _rest(lengths: np.ndarray, first: np.ndarray) -> np.ndarray:
    rest: np.ndarray = np.sqrt(np.maximum(lengths**2 - np.einsum("ij,ij->i", first, first), 0))
    return rest.astype(np.float32)
