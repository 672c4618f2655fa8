"""A row's shingles, and what is kept of them: the key of its words, and keys that rows of like sets share.

MinHash and its bands are those of Broder (1997) and of Leskovec, Rajaraman & Ullman, Mining of Massive Datasets,
chapter 3.
"""

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpus import text
from corpus.arrays import values

RECALL = 0.9975
"""Share of the pairs at a threshold that its bands propose."""
_STEP = 0.05
_HASHES = ((0.8, 6), (0.7, 5), (0.6, 4), (0.5, 3), (0.3, 2), (0.0, 1))


@dataclass(frozen=True)
class Bands:
    """So many bands (`count`) of so many hashes (`rows`)."""

    count: int
    rows: int

    @classmethod
    def at(cls, threshold: float) -> "Bands":
        """Return bands that propose `RECALL` of the pairs of similarity `threshold`: 20 of 6 for 0.8 and more.

        There is one shape for each twentieth below 0.8, so that near thresholds are judged from the same measures. The
        more hashes a band has, the fewer strangers it proposes, and the more bands there must be.
        """
        least = min(max(math.floor(threshold / _STEP + 1e-9), 1) * _STEP, 0.8)
        rows = next(rows for bound, rows in _HASHES if least >= bound - 1e-9)
        return cls(math.ceil(math.log(1 - RECALL) / math.log1p(-(least**rows))), rows)

    def proposes(self, similarity: float) -> float:
        """Return the probability that two rows of this Jaccard similarity share a band."""
        return float(1 - (1 - similarity**self.rows) ** self.count)

    @property
    def names(self) -> list[str]:
        """The columns of the band keys."""
        return [f"band{number:02d}" for number in range(self.count)]


def measured(rows: pa.Table, size: int, shape: Bands, apart: np.ndarray | None = None) -> dict[str, pa.Array]:
    """Return what is kept of each row: `said`, the 128-bit key of its words, how many `words`, and LSH band keys (uint64).

    Keys are zero where there is no word. Rows of unlike `apart` (uint64) have no key in common, and so never meet.
    """
    from corpus import shingle_kernels

    asked, answered = text.sides(rows)
    hashes, begins = text.word_hashes(asked)
    found = shingle_kernels.shingles(hashes, begins, size, False)
    said, words = shingle_kernels.sequence_keys(hashes, begins), np.diff(begins)
    if answered is not None:
        hashes, begins = text.word_hashes(answered)
        found = shingle_kernels.beside(*found, *shingle_kernels.shingles(hashes, begins, size, True))
        said ^= shingle_kernels.sequence_keys(hashes, begins) * np.uint64(0x9E3779B97F4A7C15)
        words = words + np.diff(begins)
    keys = band_keys(found[0], found[1], shape)
    if apart is not None:
        keys, said = (np.where(held == 0, held, held ^ apart[:, None]) for held in (keys, said))
    bands = {name: pa.array(np.ascontiguousarray(keys[:, number])) for number, name in enumerate(shape.names)}
    return {"said": values(said), "words": pa.array(words), **bands}


def band_keys(found: np.ndarray, starts: np.ndarray, shape: Bands) -> np.ndarray:
    """Return the band keys of shingle sets, uint64 of shape (rows, bands); one family of hash functions for all corpora."""
    from corpus import shingle_kernels

    generator = np.random.default_rng(20_251_123)
    count = shape.count * shape.rows
    multipliers = generator.integers(0, 2**32, count, np.uint64).astype(np.uint32) | np.uint32(1)
    offsets = generator.integers(0, 2**32, count, np.uint64).astype(np.uint32)
    keys: np.ndarray = shingle_kernels.band_keys(found, starts, multipliers, offsets, shape.count)
    return keys


@dataclass(frozen=True)
class ShingleSets:
    """Each row's set of shingles of `size` words: ascending uint64, what is asked first. What is compared in the end."""

    size: int

    def __call__(self, rows: pa.Table, context: object) -> pa.LargeListArray:
        """Return the sets, aligned with `rows`."""
        from corpus import set_kernels, shingle_kernels

        asked, answered = text.sides(rows)
        said = shingle_kernels.shingles(*text.word_hashes(asked), self.size, False)
        if answered is not None:
            said = shingle_kernels.beside(
                *said, *shingle_kernels.shingles(*text.word_hashes(answered), self.size, True)
            )
        found, starts = set_kernels.sets(*said)
        return pa.LargeListArray.from_arrays(pa.array(starts), pa.array(found))
