"""The weakest word of a candidate and its parent: what one of them says and the other does not, hidden in a text that is else alike.

"never again with three wives"  ->  "never again with three trucks"  0.31, at "trucks", where the texts' cosine is 0.7
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from augment.embedded import Embedded
from augment.pairs import Pairs
from corpus.arrays import matrix
from corpus.models import EncodeWords

_BLOCK = 1_000_000
"""Characters of the pairs whose word pieces are held at a time: some 100 MB."""
_SIDE = 1_024
"""Pieces that are compared at a time with all of the other text."""


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
    for start, end in _blocks(pairs):
        own, other = mine[start:end], theirs[start:end]
        here = np.unique(np.r_[own, other])
        told = pairs.rows.map(EncodeWords(model), here)
        held = matrix(told.field("vector"))
        pieces = [
            np.frombuffer(one.as_py(), np.int8).reshape(-1, held.shape[1]) for one in told.field("pieces")
        ]
        weakest[start:end] = [
            _weakest(_unit(pieces[one]), _unit(pieces[two]))
            for one, two in zip(np.searchsorted(here, own), np.searchsorted(here, other), strict=True)
        ]
        new = ~np.isin(here, np.concatenate(positions))
        positions.append(here[new])
        vectors.append(held[new])
    if not vectors:
        return Worded(Embedded(positions[0], np.zeros((0, 1), np.float32)), weakest)
    every, order = np.concatenate(positions), np.argsort(np.concatenate(positions))
    return Worded(Embedded(every[order], np.concatenate(vectors)[order]), weakest)


def _blocks(pairs: Pairs) -> Iterator[tuple[int, int]]:
    """Yield where blocks of pairs begin and end: of so many characters, or one pair."""
    sizes = [len(one) + len(other) for one, other in zip(*pairs.texts(), strict=True)]
    start, held = 0, 0
    for place, size in enumerate(sizes):
        if place > start and held + size > _BLOCK:
            yield start, place
            start, held = place, 0
        held += size
    if sizes:
        yield start, len(sizes)


def _unit(pieces: np.ndarray) -> np.ndarray:
    return pieces.astype(np.float32) / np.float32(127)


def _weakest(one: np.ndarray, other: np.ndarray) -> float:
    if not len(one) or not len(other):
        return float("nan")
    least, best = np.float32(np.inf), np.full(len(other), -np.inf, np.float32)
    for start in range(0, len(one), _SIDE):
        cosines = one[start : start + _SIDE] @ other.T
        least = min(least, cosines.max(axis=1).min())
        best = np.maximum(best, cosines.max(axis=0))
    return float(min(best.min(), least))
