"""Which vectors are alike, where they are too many for memory: only near cells are compared, and what that misses is measured.

Each vector lives in the cell of its nearest centre (spherical k-means of a sample) and asks the members of the cells that
are nearest to it: an inverted file as in Jégou, Douze & Schmid (2011). Pairs that are proposed are compared exactly, by the
loop that `corpus.nearest` uses. Vectors stay on disk; in memory are their first principal dimensions.

Products that choose cells are those of whole numbers below 2^24 in float32, so they are the same in whatever order a
library adds them up: the same rows fall on every machine.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus import nearest
from corpus.nearest import Nearest, Pairs, Screen
from corpus.spill import Spill
from corpus.statistics import wilson

ASKED = 8
"""Cells that a vector asks, its own among them."""
OF_A_CELL = 4_000
"""Vectors of a cell, about."""
LEARNED = 64
"""Vectors from which a centre is learned."""
TURNS = 8
CAP = 32
"""Pairs of a row that a cell proposes: those with the rows that come first in survivor order."""
CHECKED = 2_000
"""Rows that are compared with all others, to measure what is missed."""
_SCALE = 4_000
_CHUNK = 20_000
_BLOCK = 100_000


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


def settle(
    vectors: np.ndarray,
    answers: np.ndarray,
    threshold: float,
    *,
    classes: np.ndarray,
    apart: np.ndarray,
    fixed: np.ndarray,
    scratch: Callable[[], AbstractContextManager[Path]],
    memory: int,
) -> tuple[Nearest, Recall]:
    """Return what `corpus.nearest.settle` does of the pairs that cells propose, and what these miss.

    `vectors` and `answers` may be mapped from disk. About `memory` bytes of pairs are held at a time.
    """
    from corpus import vector_kernels

    count = len(vectors)
    if not count:
        return Nearest(np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 2), np.int64)), Recall(0, 0)
    centres = _centres(vectors)
    asked = np.concatenate(
        [_nearest_cells(vectors[start : start + _CHUNK], centres) for start in _starts(count)]
    )
    screen = Screen.of(vectors, threshold)
    other, best = np.full(count, -1), np.full(count, np.nan)
    kin: list[np.ndarray] = []
    with scratch() as folder:
        spill = Spill(folder, memory)
        for ones, twos, found in _pairs(vectors, answers, threshold, asked, screen, apart, len(centres)):
            spill.put(ones // _BLOCK, pa.record_batch({"one": ones, "two": twos, "cosine": found}))
        for number in spill.numbers:  # rows of a block fall before those of the next ask whether they stay
            held = spill.take(number)
            ones, twos, found = nearest.in_order([tuple(held[name].to_numpy() for name in held.column_names)])
            new = np.r_[True, (ones[1:] != ones[:-1]) | (twos[1:] != twos[:-1])]
            ones, twos, found = ones[new], twos[new], found[new]
            are = vector_kernels.fall(ones, twos, found, classes, apart, fixed, other, best)
            kin.append(np.stack([ones[are], twos[are]], axis=1))
    settled = Nearest(other, best, np.concatenate([np.zeros((0, 2), np.int64), *kin]))
    return settled, _checked(vectors, answers, threshold, screen, settled, classes, apart, fixed)


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


def _pairs(
    vectors: np.ndarray,
    answers: np.ndarray,
    threshold: float,
    asked: np.ndarray,
    screen: Screen,
    apart: np.ndarray,
    cells: int,
) -> Iterator[Pairs]:
    """Yield alike pairs, the later row first, cell by cell: of each row `CAP` at most, with those that come first."""
    order = np.argsort(asked.ravel(), kind="stable")
    bounds = np.searchsorted(asked.ravel()[order], np.arange(cells + 1))
    with nearest.compared(vectors, answers, threshold, screen, apart, OF_A_CELL // 4) as pairs:
        for cell in range(cells):
            entries = order[bounds[cell] : bounds[cell + 1]]
            rows = np.sort(entries // asked.shape[1])
            members = rows[asked[rows, 0] == cell]
            guests = rows[asked[rows, 0] != cell]
            for mine, others in ((rows, members), (members, guests)):
                for start in range(0, len(mine), nearest.BLOCK):
                    found = _first(*nearest.in_order(pairs(mine[start : start + nearest.BLOCK], others)))
                    if len(found[0]):
                        yield found


def _first(ones: np.ndarray, twos: np.ndarray, found: np.ndarray) -> Pairs:
    """Leave each of `ones`, which are in order, its `CAP` first of `twos`."""
    _, starts, counts = np.unique(ones, return_index=True, return_counts=True)
    few = np.arange(len(ones)) - np.repeat(starts, counts) < CAP
    return ones[few], twos[few], found[few]


def _checked(
    vectors: np.ndarray,
    answers: np.ndarray,
    threshold: float,
    screen: Screen,
    settled: Nearest,
    classes: np.ndarray,
    apart: np.ndarray,
    fixed: np.ndarray,
) -> Recall:
    """Compare some rows, which lie evenly over all, with every row that stays."""
    stays = np.flatnonzero(settled.other < 0)
    rows = np.arange(0, len(vectors), max(1, len(vectors) // CHECKED))
    rows = rows[~fixed[rows]]
    missed = np.zeros(len(vectors), bool)
    with nearest.compared(vectors, answers, threshold, screen, apart, OF_A_CELL // 4) as pairs:
        for start in range(0, len(rows), nearest.BLOCK):
            for ones, twos, _ in pairs(rows[start : start + nearest.BLOCK], stays):
                alike = classes[ones] == classes[twos]
                missed[ones[alike]] = True
    fell = settled.other[rows] >= 0
    return Recall(int(fell.sum()), int((fell | missed[rows]).sum()))
