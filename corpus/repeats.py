"""Which pieces of rows stand in a better row too: found by short keys, settled by long ones, cut out tile by tile.

A stage says what a piece is: it keeps of each row the set of its pieces' 64-bit keys (or of some that no repeat can do
without), and makes their 128-bit keys again for rows that share one. Of a piece the best row keeps it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpus.arrays import pairs
from corpus.spill import Spill
from corpus.stage import Context, Features, Rows

_PARTITIONS = 64


def sets(keys: np.ndarray, begins: np.ndarray) -> pa.LargeListArray:
    """Return what is kept of rows: each one's keys (uint64), ascending and each once."""
    from corpus import set_kernels

    found, starts = set_kernels.sets(keys, begins)
    return pa.LargeListArray.from_arrays(pa.array(starts), pa.array(found))


def proposed(features: Features, name: str, asks: np.ndarray, memory: int) -> np.ndarray:
    """Return the positions (ascending) of rows that may share a key with a row that asks (bool), one of two or both.

    The column `name` holds what `sets` made. All rows that do share one are among them, and some more.
    """
    from corpus import set_kernels

    count = sum(len(keys.values) for keys in _lists(features, name))
    slots = 1 << max(10, int(16 * count).bit_length())
    while slots > 8 and slots // 4 > memory:  # two tables of bits
        slots //= 2
    once, again = np.zeros(slots // 8, np.uint8), np.zeros(slots // 8, np.uint8)
    for turn in (True, False):
        start = 0
        for keys in _lists(features, name):
            mine = np.flatnonzero(asks[start : start + len(keys)] == turn)
            start += len(keys)
            if len(mine):
                chosen = keys.take(pa.array(mine)) if len(mine) < len(keys) else keys
                set_kernels.tally(*_flat(chosen)[:1], once, again, turn)
    met = [set_kernels.tallied(*_flat(keys), again) for keys in _lists(features, name)]
    return np.flatnonzero(np.concatenate([np.zeros(0, bool), *met]))


def _lists(features: Features, name: str) -> Iterator[pa.LargeListArray]:
    yield from features.stream(name)


def _flat(keys: pa.LargeListArray) -> tuple[np.ndarray, np.ndarray]:
    begins = keys.offsets.to_numpy()
    return keys.flatten().to_numpy(), begins - begins[0]


@dataclass(frozen=True)
class Repeats:
    """Pieces that stand in a better row: `row` and `holder` (positions), and the number that the piece has in each of them.

    In the order of row and piece.
    """

    row: np.ndarray
    piece: np.ndarray
    holder: np.ndarray
    held: np.ndarray

    def where(self, some: np.ndarray) -> "Repeats":
        """Return those at places, or where a mask is true."""
        return Repeats(self.row[some], self.piece[some], self.holder[some], self.held[some])


def repeats(
    rows: Rows,
    positions: np.ndarray,
    pieces: Callable[[pa.Table, Context], pa.Array],
    rank: np.ndarray,
) -> Repeats:
    """Find the pieces of the rows at `positions` that a row of better (lesser) rank has too; `rank` is of all rows.

    `pieces` returns a list of fixed_size_binary(16) for each row. What is more than `rows.memory` waits on disk.
    """
    places = rank[positions]
    with rows.scratch() as folder:
        held = Spill(folder, rows.memory)
        start = 0
        for keys in rows.stream(pieces, positions):
            begins = keys.offsets.to_numpy()
            counts = np.diff(begins)
            raw = keys.flatten()
            halves = pairs(raw)
            row = np.repeat(np.arange(start, start + len(keys)), counts)
            piece = np.arange(len(raw)) - np.repeat(begins[:-1] - begins[0], counts)
            start += len(keys)
            held.put(
                (halves[:, 0] % np.uint64(_PARTITIONS)).astype(np.int64),
                pa.record_batch(
                    {
                        "high": np.ascontiguousarray(halves[:, 0]),
                        "low": np.ascontiguousarray(halves[:, 1]),
                        "row": row.astype(np.int32),
                        "piece": piece.astype(np.int32),
                    }
                ),
            )
        found = [_held_better(held.take(number), places) for number in held.numbers]
    row, piece, holder, number = (
        np.concatenate([np.zeros(0, np.int64), *(part[at] for part in found)]) for at in range(4)
    )
    order = np.lexsort((piece, row))
    return Repeats(positions[row[order]], piece[order], positions[holder[order]], number[order])


def _held_better(pieces: pa.Table, places: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return row and piece of the pieces that are not their best row's, the best row, and the piece's number in it."""
    high, low, row, piece = (pieces[name].to_numpy() for name in ("high", "low", "row", "piece"))
    order = np.lexsort((piece, places[row], low, high))
    new = np.r_[True, (high[order][1:] != high[order][:-1]) | (low[order][1:] != low[order][:-1])]
    best = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    mine = row[best] != row[order]
    return row[order][mine], piece[order][mine], row[best][mine], piece[best][mine]
