"""Which rows are alike: hashing proposes, exact similarity decides, the better row stays.

Shared by the duplicates stages and by admission. MinHash and its bands are those of Broder (1997) and of
Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter 3: `bands` bands of `rows` hashes propose a
pair of Jaccard similarity s with probability 1 - (1 - s^rows)^bands, which is 0.998 at 0.8 for 20 of 6.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import text

BANDS, ROWS_PER_BAND = 20, 6
CAP = 32
"""Rows that stay with which a row is compared in one bucket, the best first; bounds a bucket's work."""


def band_keys(texts: pa.StringArray, size: int) -> pa.FixedSizeBinaryArray:
    """Return each text's LSH band keys: `BANDS` uint64 side by side, zeros where there is no shingle."""
    from corpus import kernels

    hashes, begins = text.word_hashes(texts)
    found, starts = kernels.shingles(hashes, begins, size)
    generator = np.random.default_rng(20_251_123)  # one family of hash functions for all corpora
    count = BANDS * ROWS_PER_BAND
    multipliers = generator.integers(0, 2**32, count, np.uint64).astype(np.uint32) | np.uint32(1)
    offsets = generator.integers(0, 2**32, count, np.uint64).astype(np.uint32)
    keys = kernels.band_keys(found, starts, multipliers, offsets, BANDS)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(8 * BANDS), len(texts), [None, pa.py_buffer(keys.tobytes())]
    )


@dataclass(frozen=True)
class ShingleSets:
    """Each text's set of shingles of `size` words: ascending uint64. What is compared in the end."""

    size: int

    def __call__(self, texts: pa.StringArray, context: object) -> pa.LargeListArray:
        """Return the sets, aligned with `texts`."""
        from corpus import kernels

        found, starts = kernels.shingles(*text.word_hashes(texts), self.size)
        return pa.LargeListArray.from_arrays(pa.array(starts), pa.array(found))


def buckets(keys: pa.ChunkedArray | pa.Array, among: np.ndarray) -> np.ndarray:
    """Number the band keys that two rows or more share: (rows, bands) int64, -1 where nobody shares.

    A bucket without a row of `among` (bool) settles nothing, and gets no number.
    """
    whole = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    held = np.frombuffer(whole.buffers()[1], np.uint64) if len(whole) else np.zeros(0, np.uint64)
    table = held.reshape(-1, BANDS)[whole.offset : whole.offset + len(whole)]
    numbers = np.full(table.shape, -1, np.int64)
    if among.all():
        return _numbered(table, numbers)
    near = among.copy()
    for band in range(BANDS):
        column = np.ascontiguousarray(table[:, band])
        near |= pc.is_in(pa.array(column), pa.array(column[among])).to_numpy(zero_copy_only=False)
    met = np.flatnonzero(near)
    some = _numbered(table[met], np.full((len(met), BANDS), -1, np.int64))
    present = np.zeros(some.max(initial=-1) + 2, bool)
    present[some[among[met]]] = True
    present[-1] = False
    numbers[met] = np.where(present[some], some, -1)
    return numbers


def _numbered(table: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    count = 0
    for band in range(BANDS):
        column = table[:, band]
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        new = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, bool)
        group = np.cumsum(new) - 1
        shared = (np.bincount(group)[group] > 1) & (ordered != 0) if len(ordered) else new
        _, dense = np.unique(group[shared], return_inverse=True)
        numbers[order[shared], band] = count + dense
        count += int(dense.max()) + 1 if len(dense) else 0
    return numbers


@dataclass(frozen=True)
class Settled:
    """Of the rows judged: the row each fell against (-1: it stays), the likeness met, the family's first row."""

    other: np.ndarray
    likeness: np.ndarray
    family: np.ndarray


def settle(
    numbers: np.ndarray,
    look: Callable[[np.ndarray], pa.LargeListArray],
    rank: np.ndarray,
    classes: np.ndarray,
    threshold: float,
    *,
    fixed: np.ndarray,
) -> Settled:
    """Drop each row that is at least `threshold` alike a better row that stays and shares a bucket with it.

    All arrays are aligned with the rows; `rank` (0 is best) is the survivor order, `fixed` rows never fall.
    `look` returns the shingle sets of the rows at positions: of those that share a bucket, nobody else's.
    """
    from corpus import kernels

    shared = np.flatnonzero((numbers >= 0).any(axis=1))
    order = np.argsort(rank[shared], kind="stable")
    rows = shared[order]
    ordered = look(shared).take(pa.array(order))
    present, dense = np.unique(numbers[rows], return_inverse=True)
    bucket = dense.reshape(numbers[rows].shape) - (1 if len(present) and present[0] == -1 else 0)
    other, best, parents = kernels.settle(
        bucket.astype(np.int64),
        len(present),
        ordered.values.to_numpy(),
        ordered.offsets.to_numpy(),
        fixed[rows],
        classes[rows],
        threshold,
        CAP,
    )
    count = len(numbers)
    found = Settled(np.full(count, -1), np.full(count, np.nan), np.arange(count))
    found.other[rows] = np.where(other >= 0, rows[other], -1)
    found.likeness[rows] = best
    found.family[rows] = rows[parents]
    return found
