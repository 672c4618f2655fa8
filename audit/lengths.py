"""Bands of length as groups: each twice as long as the one before, so that every version and corpus is cut alike."""

import itertools

import numpy as np
import pyarrow as pa

from audit.groups import Told

_EDGES = (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
_NAMES = pa.array(
    [
        f"under {_EDGES[0]} words",
        *(f"{low:,} to {high - 1:,} words" for low, high in itertools.pairwise(_EDGES)),
        f"{_EDGES[-1]:,} words and more",
    ]
)


def lengths(words: np.ndarray) -> Told:
    """Return the axis `length` of rows, by how many words each has (int, row-aligned)."""
    return Told("length", "text-length", _NAMES.take(pa.array(np.searchsorted(_EDGES, words, side="right"))))
