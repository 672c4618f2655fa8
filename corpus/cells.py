"""Which vectors are alike, where they are too many for memory: only near cells are compared, and what that misses is measured.

Each vector lives in the cell of its nearest centre (spherical k-means of a sample) and asks the cells that are nearest to
it: an inverted file as in Jégou, Douze & Schmid (2011). Two are compared where one asks the cell of the other, exactly, by
the loop that `corpus.nearest` uses; only with rows that stay, block by block in survivor order, so a crowd of alike rows
takes no longer than others. Vectors may stay on disk; in memory are their first principal dimensions.

Products that choose cells are those of whole numbers below 2^24 in float32, so they are the same in whatever order a
library adds them up: the same rows fall on every machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from corpus import nearest
from corpus.nearest import Compared, Fate, Nearest, Screen, Some, Vectors, comparing
from corpus.statistics import wilson

ASKED = 8
"""Cells that a vector asks, its own among them."""
OF_A_CELL = 4_000
"""Vectors of a cell, about."""
MOST = 16_000
"""Rows that stay of those that live in a cell, and of those that ask it from elsewhere, with which a row is compared: the first."""
LEARNED = 64
"""Vectors from which a centre is learned."""
TURNS = 8
CHECKED = 2_000
"""Rows that are compared with all others, to measure what is missed."""
BLOCK = 8 * nearest.BLOCK
"""Rows that are settled among themselves once they met those before them."""
_SCALE = 4_000
_CHUNK = 20_000


@dataclass(frozen=True)
class Recall:
    """Of `of` checked rows that are alike a row that stays, `found` fell; with the 95% interval of the share (Wilson)."""

    found: int
    of: int

    def told(self) -> dict[str, float | int | None]:
        """Return the share, its interval and the counts; no share where no checked row is alike another."""
        if not self.of:
            return {"share": None, "low": None, "high": None, "found": 0, "of": 0}
        low, high = wilson(self.found, self.of)
        share = self.found / self.of
        return {
            "share": round(share, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "found": self.found,
            "of": self.of,
        }


def settle(held: Vectors, threshold: float) -> tuple[Nearest, Recall]:
    """Return what `corpus.nearest.settle` does of the pairs that cells propose, and what these miss.

    What is measured is how many of the rows that fall by `corpus.nearest` fall here, seen from those that stay here; kin
    that is missed, rows of unlike classes, is not counted.
    """
    fate = Fate.of(held)
    if not len(held):
        return fate.settled(), Recall(0, 0)
    centres = _centres(held.vectors)
    asked = np.concatenate(
        [_nearest_cells(held.vectors[start : start + _CHUNK], centres) for start in _starts(len(held))]
    )
    members = [_Stays() for _ in centres]
    guests = [_Stays() for _ in centres]
    fixed = int(held.fixed.sum())
    _enter(np.arange(fixed), asked, members, guests)
    with comparing(held, threshold, Screen.of(held.vectors, threshold)) as compared:
        for start in range(fixed, len(held), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(held)))
            fate.meet(compared(_met(rows, asked, members, guests)))
            fate.settle(compared, np.zeros(0, np.int64), start, int(rows[-1]) + 1)
            _enter(rows[fate.other[rows] < 0], asked, members, guests)
        return fate.settled(), _checked(held, fate.other, compared)


class _Stays:
    """Rows that stay, in survivor order: the first `MOST` of those that are added."""

    def __init__(self) -> None:
        self._held = np.empty(64, np.int32)
        self._count = 0

    def add(self, rows: np.ndarray) -> None:
        """Add rows behind the others."""
        count = min(self._count + len(rows), MOST)
        if count > len(self._held):
            self._held = np.concatenate([self._held, np.empty(count, np.int32)])
        self._held[self._count : count] = rows[: count - self._count]
        self._count = count

    @property
    def rows(self) -> np.ndarray:
        """The rows (int64)."""
        return self._held[: self._count].astype(np.int64)


def _by_cell(asked: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each cell that is asked with the places, ascending, of those that ask it."""
    flat = asked.ravel()
    if not len(flat):
        return
    order = np.argsort(flat, kind="stable")
    found, starts = np.unique(flat[order], return_index=True)
    yield from zip(found.tolist(), np.split(order // asked.shape[1], starts[1:]), strict=True)


def _enter(rows: np.ndarray, asked: np.ndarray, members: list[_Stays], guests: list[_Stays]) -> None:
    """Add rows that stay to the cells that they ask: to one as members, to the others as guests."""
    for cell, mine in _by_cell(asked[rows, :1]):
        members[cell].add(rows[mine])
    for cell, mine in _by_cell(asked[rows, 1:]):
        guests[cell].add(rows[mine])


def _met(rows: np.ndarray, asked: np.ndarray, members: list[_Stays], guests: list[_Stays]) -> Iterator[Some]:
    """Yield the rows that ask a cell with its members, and those that live there with its guests."""
    for cells, stays in ((asked[rows], members), (asked[rows, :1], guests)):
        for cell, mine in _by_cell(cells):
            for start in range(0, len(mine), nearest.BLOCK):
                yield rows[mine[start : start + nearest.BLOCK]], stays[cell].rows


def _starts(count: int) -> range:
    return range(0, count, _CHUNK)


def _whole(vectors: np.ndarray) -> np.ndarray:
    """Return vectors as whole numbers, of length `_SCALE`."""
    return np.rint(vectors * np.float32(_SCALE)).astype(np.float32)


def _centres(vectors: np.ndarray) -> np.ndarray:
    """Learn centres from rows that lie evenly over all."""
    cells = max(1, len(vectors) // OF_A_CELL)
    step = max(1, len(vectors) // (cells * LEARNED))
    sample = _whole(vectors[::step])
    centres = sample[:: max(1, len(sample) // cells)][:cells]
    for _ in range(TURNS):
        cell = np.concatenate(
            [(sample[start : start + _CHUNK] @ centres.T).argmax(axis=1) for start in _starts(len(sample))]
        )
        sums = np.zeros(centres.shape)
        np.add.at(sums, cell, sample)  # sums of whole numbers are the same in any order
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(length > 0, _whole((sums / np.maximum(length, 1)).astype(np.float32)), centres)
    return centres


def _nearest_cells(vectors: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the cells that each vector asks, the nearest first, int32 of shape (rows, cells)."""
    products = _whole(vectors) @ centres.T
    return np.argsort(-products, axis=1, kind="stable")[:, :ASKED].astype(np.int32)


def _checked(held: Vectors, other: np.ndarray, compared: Compared) -> Recall:
    """Compare some rows, which lie evenly over all, with every row that stays."""
    stays = np.flatnonzero(other < 0)
    rows = np.unique(np.linspace(0, len(held) - 1, CHECKED).astype(np.int64))
    rows = rows[~held.fixed[rows]]
    missed = np.zeros(len(held), bool)
    blocks = (rows[start : start + nearest.BLOCK] for start in range(0, len(rows), nearest.BLOCK))
    for ones, twos, _ in compared((block, stays) for block in blocks):
        missed[ones[held.classes[ones] == held.classes[twos]]] = True
    fell = other[rows] >= 0
    return Recall(int(fell.sum()), int((fell | missed[rows]).sum()))
