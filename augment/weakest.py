"""The weakest word of a candidate and its parent: what one of them says and the other does not, hidden in a text that is else alike.

"never again with three wives"  ->  "never again with three trucks"  0.31, at "trucks", where the texts' cosine is 0.7
"""

from dataclasses import dataclass

import numpy as np

from augment.embedded import Embedded
from augment.pairs import Pairs
from corpus.arrays import matrix
from corpus.models import EncodeWords

_BLOCK = 4_096
"""Pairs whose word pieces are held at a time: some 100 MB."""


@dataclass(frozen=True)
class Worded:
    """Candidates and their parents with their vectors, and the `weakest` cosine of each candidate that is asked (nan where one of the two has no word)."""

    embedded: Embedded
    weakest: np.ndarray


def worded(pairs: Pairs, model: str) -> Worded:
    """Embed candidates and parents with their word pieces, each text in one pass.

    Each piece of either text is compared with all of the other, as BERTScore does (Zhang et al. 2020), in the vectors
    that pieces have where they stand. Not the mean of the best cosines counts but the least of them: one word that turned is
    lost in a mean.
    """
    mine, theirs = pairs.chosen, pairs.theirs
    weakest = np.full(len(mine), np.nan)
    positions, vectors = [np.zeros(0, np.int64)], []
    for start in range(0, len(mine), _BLOCK):
        own, other = (side[start : start + _BLOCK] for side in (mine, theirs))
        here = np.unique(np.r_[own, other])
        told = pairs.rows.map(EncodeWords(model), here)
        held = matrix(told.field("vector"))
        pieces = [_pieces(one.as_py(), held.shape[1]) for one in told.field("pieces")]
        weakest[start : start + _BLOCK] = [
            _weakest(pieces[one], pieces[two])
            for one, two in zip(np.searchsorted(here, own), np.searchsorted(here, other), strict=True)
        ]
        new = ~np.isin(here, np.concatenate(positions))
        positions.append(here[new])
        vectors.append(held[new])
    if not vectors:
        return Worded(Embedded(positions[0], np.zeros((0, 1), np.float32)), weakest)
    every, order = np.concatenate(positions), np.argsort(np.concatenate(positions))
    return Worded(Embedded(every[order], np.concatenate(vectors)[order]), weakest)


def _pieces(held: bytes, dimensions: int) -> np.ndarray:
    return np.frombuffer(held, np.int8).reshape(-1, dimensions).astype(np.float32) / np.float32(127)


def _weakest(one: np.ndarray, other: np.ndarray) -> float:
    if not len(one) or not len(other):
        return float("nan")
    cosines = one @ other.T
    return float(min(cosines.max(axis=0).min(), cosines.max(axis=1).min()))
