"""Which vectors are alike, all of them compared: the better row stays. Exact, in blocks; most pairs are ruled out early.

Vectors are turned so that their first dimensions tell most (principal axes of a sample). A product of these alone, with
the most that the others can add, rules nearly all pairs out; what is left is compared in full. What is returned is what
comparing each with each would give, to the bit.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

BLOCK, CHUNK = 1024, 4096
SAMPLE = 2_000
_WIDTHS = (16, 32, 48, 64, 96, 128, 192, 256)
_AT_ONCE = 20_000
_FULL_COST = 6_000
"""What a comparison in full costs beside one multiplication of a product, as it was measured."""


Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Alike rows, the later one first (int64), and their cosines; by the later row, then by the earlier one."""
Some = tuple[np.ndarray, np.ndarray]
"""Rows, and those with which they are compared where these come before them (int64, ascending)."""


@dataclass(frozen=True)
class Nearest:
    """Of each row the row it fell against (-1: it stays), their cosine (nan where none was met), and the first of its kin."""

    other: np.ndarray
    likeness: np.ndarray
    kin: np.ndarray


@dataclass(frozen=True)
class Vectors:
    """What is compared: rows stand in survivor order, and arrays are aligned with them.

    `vectors` are float32 of shape (rows, dimensions) and of unit length, or zero; `answers` are like them, or have no row:
    of a pair the lesser cosine counts. Rows that are `fixed` stand first and never fall. Rows of unlike `classes` (int64)
    are kin and stay; those of unlike `apart` (uint64) are not compared.
    """

    vectors: np.ndarray
    answers: np.ndarray
    classes: np.ndarray
    apart: np.ndarray
    fixed: np.ndarray

    @classmethod
    def alike(cls, vectors: np.ndarray) -> "Vectors":
        """Return vectors of rows of one class, of which each may fall."""
        count = len(vectors)
        return cls(
            vectors,
            np.zeros((0, 1), np.float32),
            np.zeros(count, np.int64),
            np.zeros(count, np.uint64),
            np.zeros(count, bool),
        )

    def __len__(self) -> int:
        return len(self.vectors)


def settle(held: Vectors, threshold: float) -> Nearest:
    """Drop each row that is at least `threshold` alike a row before it that stays, against the most alike of these.

    Rows are kin that are alike where the one before stays.
    """
    fate = Fate.of(held)
    with comparing(held, threshold) as compared:
        fate.settle(compared, np.flatnonzero(held.fixed), int(held.fixed.sum()), len(held))
    return fate.settled()


@dataclass(frozen=True)
class Fate:
    """What became of rows so far: the row that each fell against, their cosine, and a forest of kin."""

    held: Vectors
    other: np.ndarray
    likeness: np.ndarray
    parents: np.ndarray = field(repr=False)

    @classmethod
    def of(cls, held: Vectors) -> "Fate":
        """Return that of rows that all stay."""
        return cls(held, np.full(len(held), -1), np.full(len(held), np.nan), np.arange(len(held)))

    def settle(self, compared: "Compared", kept: np.ndarray, start: int, stop: int) -> None:
        """Settle the rows from `start` to `stop` in survivor order, against `kept` and one another."""
        for first in range(start, stop, BLOCK):
            rows = np.arange(first, min(first + BLOCK, stop))
            self.meet(compared((rows, some) for some in (kept, rows)))
            kept = np.r_[kept, rows[self.other[rows] < 0]]

    def meet(self, found: Iterable[Pairs]) -> None:
        """Let rows fall by pairs; the earlier row's own fate is sealed when a pair comes, or stands before in the same."""
        from corpus import vector_kernels

        for ones, twos, cosines in found:
            vector_kernels.fall(
                ones,
                twos,
                cosines,
                self.held.classes,
                self.held.fixed,
                self.other,
                self.likeness,
                self.parents,
            )

    def settled(self) -> Nearest:
        """Return what became of all."""
        from corpus import set_kernels

        set_kernels.flatten(self.parents)
        return Nearest(self.other, self.likeness, self.parents)


Compared = Callable[[Iterable[Some]], Iterator[Pairs]]
"""Yields the alike pairs of rows and others, in the order in which these come, `CHUNK` of the others at a time."""


@contextmanager
def comparing(held: Vectors, threshold: float, screen: "Screen | None" = None) -> Iterator[Compared]:
    """Lend what compares rows with those before them, on every core."""
    from threadpoolctl import threadpool_limits

    from corpus import vector_kernels

    seen = Screen.of(held.vectors, threshold) if screen is None else screen
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool, threadpool_limits(1, "blas"):

        def one(rows: np.ndarray, some: np.ndarray) -> Pairs:
            products = seen.first[rows] @ seen.first[some].T
            ones, twos, found = vector_kernels.alike(
                held.vectors, held.answers, products, seen.rest, held.apart, rows, some, threshold
            )
            return rows[ones], some[twos], found

        def compared(asked: Iterable[Some]) -> Iterator[Pairs]:
            waiting: deque[Future[Pairs]] = deque()
            for rows, others in asked:
                for start in range(0, len(others), CHUNK):
                    waiting.append(pool.submit(one, rows, others[start : start + CHUNK]))
                    if len(waiting) > 2 * cores:  # what is found waits in memory
                        yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        yield compared


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
