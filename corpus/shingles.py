"""A row's shingles, and what is kept of them: the key of its words, and keys that rows of like sets share.

MinHash and its bands are those of Broder (1997) and of Leskovec, Rajaraman & Ullman, Mining of Massive Datasets,
chapter 3: `BANDS` bands of `ROWS_PER_BAND` hashes propose a pair of Jaccard similarity s with probability
1 - (1 - s^rows)^bands, which is 0.998 at 0.8 for 20 of 6.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpus import text
from corpus.arrays import values

BANDS, ROWS_PER_BAND = 20, 6
BAND = [f"band{number:02d}" for number in range(BANDS)]
"""The columns of the band keys."""


def measured(rows: pa.Table, size: int, apart: np.ndarray | None = None) -> dict[str, pa.Array]:
    """Return what is kept of each row: `said`, the 128-bit key of its words, how many `words`, and LSH band keys (uint64).

    Keys are zero where there is no word. Rows of unlike `apart` (uint64) have no key in common, and so never meet.
    """
    from corpus import text_kernels

    asked, answered = text.sides(rows)
    hashes, begins = text.word_hashes(asked)
    found = text_kernels.shingles(hashes, begins, size, False)
    said, words = text_kernels.sequence_keys(hashes, begins), np.diff(begins)
    if answered is not None:
        hashes, begins = text.word_hashes(answered)
        found = text_kernels.beside(*found, *text_kernels.shingles(hashes, begins, size, True))
        said ^= text_kernels.sequence_keys(hashes, begins) * np.uint64(0x9E3779B97F4A7C15)
        words = words + np.diff(begins)
    keys = band_keys(*found)
    if apart is not None:
        keys, said = (np.where(held == 0, held, held ^ apart[:, None]) for held in (keys, said))
    bands = {name: pa.array(np.ascontiguousarray(keys[:, number])) for number, name in enumerate(BAND)}
    return {"said": values(said), "words": pa.array(words), **bands}


def band_keys(found: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the band keys of shingle sets, uint64 of shape (rows, `BANDS`); one family of hash functions for all corpora."""
    from corpus import text_kernels

    generator = np.random.default_rng(20_251_123)
    count = BANDS * ROWS_PER_BAND
    multipliers = generator.integers(0, 2**32, count, np.uint64).astype(np.uint32) | np.uint32(1)
    offsets = generator.integers(0, 2**32, count, np.uint64).astype(np.uint32)
    keys: np.ndarray = text_kernels.band_keys(found, starts, multipliers, offsets, BANDS)
    return keys


@dataclass(frozen=True)
class ShingleSets:
    """Each row's set of shingles of `size` words: ascending uint64, what is asked first. What is compared in the end."""

    size: int

    def __call__(self, rows: pa.Table, context: object) -> pa.LargeListArray:
        """Return the sets, aligned with `rows`."""
        from corpus import set_kernels, text_kernels

        asked, answered = text.sides(rows)
        said = text_kernels.shingles(*text.word_hashes(asked), self.size, False)
        if answered is not None:
            said = text_kernels.beside(
                *said, *text_kernels.shingles(*text.word_hashes(answered), self.size, True)
            )
        found, starts = set_kernels.sets(*said)
        return pa.LargeListArray.from_arrays(pa.array(starts), pa.array(found))
