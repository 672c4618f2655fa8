"""Whether a candidate says what is held out: runs of words of a test or validation row, or of an evaluation set.

Growth reads training rows alone, so what it makes may say a held-out row by chance, or because the parent nearly did. What
the parent shares is not the candidate's: only texts count of which it has more than its parent. What is shared is
counted as `decontaminate` counts it (`corpus.evaluation_sets`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from augment.pairs import Pairs, texts_of
from corpus import evaluation_sets, text
from corpus.evaluation_sets import Index
from corpus.schema import of_splits
from corpus.sources import Source
from corpus.stage import Context


@dataclass(frozen=True)
class Overlap:
    """For each row the greatest share of a held-out text that it has more of than its parent (nan: not asked).

    `other` is where that row stands (-1: none), `place` where the text of an evaluation set does (null: none).
    """

    share: np.ndarray
    other: np.ndarray
    place: pa.StringArray


@dataclass(frozen=True)
class Shares:
    """The words that are compared: runs of `size`, texts of `least` words and more."""

    size: int
    least: int

    def overlap(self, pairs: Pairs, against: Sequence[Source], context: Context) -> Overlap:
        """Return what candidates share with the rows of test and validation, and with evaluation sets."""
        count, chosen = len(pairs.asked), pairs.chosen
        other, places = np.full(count, -1), np.full(count, None, object)
        share = np.zeros(len(chosen))
        mine, theirs = (pa.array(side, pa.string()) for side in pairs.texts())
        rows = self._alike(pairs, mine, theirs)
        if len(rows):
            held = texts_of(pairs.rows, rows)
            best, of = _more(evaluation_sets.index_of(held, held, self.size, self.least), mine, theirs)
            share, other[chosen] = best, np.where(of >= 0, rows[of], -1)
        if against and len(chosen):
            index = evaluation_sets.index(against, context.models, self.size, self.least)
            best, of = _more(index, mine, theirs)
            further = best > share
            share = np.maximum(share, best)
            other[chosen[further]] = -1
            places[chosen[further]] = index.places.take(pa.array(of[further])).to_pylist()
        return Overlap(pairs.spread(share), other, pa.array(places, pa.string()))

    def _alike(self, pairs: Pairs, mine: pa.StringArray, theirs: pa.StringArray) -> np.ndarray:
        """Return the held-out rows (ascending) that have a run of a candidate which its parent has not."""
        rows = pairs.rows
        held = np.flatnonzero(of_splits(rows.table["split"], ["validation", "test"]) & ~rows.candidates)
        keys = _new(mine, theirs, range(min(self.size, self.least), self.size + 1))
        if not len(held) or not len(keys):
            return held[:0]
        met = rows.map(HasRun(keys, self.size, self.least), held)
        found: np.ndarray = held[met.to_numpy(zero_copy_only=False)]
        return found


@dataclass(frozen=True)
class HasRun:
    """Whether a text has one of some runs (`keys`, ascending uint64), as `Rows.map` calls it."""

    keys: np.ndarray
    size: int
    least: int

    def __call__(self, texts: pa.StringArray, context: Context) -> pa.BooleanArray:
        """Return a bool for each text."""
        hashes, begins = text.word_hashes(texts, marks=False)
        span = evaluation_sets.spans(begins, self.size, self.least)
        met = np.zeros(len(texts), bool)
        for length in np.unique(span[span > 0]):
            keys, row = evaluation_sets.runs(hashes, begins, int(length))
            at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
            met[row[(self.keys[at] == keys) & (span[row] == length)]] = True
        return pa.array(met)


def _new(mine: pa.StringArray, theirs: pa.StringArray, lengths: Sequence[int]) -> np.ndarray:
    """Return the keys of the runs that a candidate has and its own parent has not."""
    hashed = [text.word_hashes(side, marks=False) for side in (mine, theirs)]
    found = [np.zeros(0, np.uint64)]
    for length in lengths:
        (keys, row), (known, of) = (evaluation_sets.runs(*side, length) for side in hashed)
        _, code = np.unique(np.r_[keys, known], return_inverse=True)
        pairs = np.r_[row, of] * (code.max(initial=0) + 1) + code
        found.append(keys[~np.isin(pairs[: len(keys)], pairs[len(keys) :])])
    return np.unique(np.concatenate(found))


def _more(index: Index, mine: pa.StringArray, theirs: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Return for each candidate its greatest share of a text that it has more of than its parent, and which (-1: none)."""
    row, of, share = index.met(mine)
    known, theirs_of, had = index.met(theirs)
    width = len(index.runs)
    keys, before = row * width + of, known * width + theirs_of  # ascending
    at = np.minimum(np.searchsorted(before, keys), max(len(before) - 1, 0))
    parents = np.where(before[at] == keys, had[at], 0.0) if len(before) else np.zeros(len(keys))
    more = share > parents
    row, of, share = row[more], of[more], share[more]
    best, which = np.zeros(len(mine)), np.full(len(mine), -1)
    order = np.lexsort((of, -share, row))
    first_row, first = np.unique(row[order], return_index=True)
    best[first_row], which[first_row] = share[order][first], of[order][first]
    return best, which
