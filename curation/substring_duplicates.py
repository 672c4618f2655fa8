"""Sentences are cut where they lie in a run of words that a better row has too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from corpus import repeats, survival, trim
from corpus.arrays import values
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.tiles import Tiles, tiles
from corpus.verdict import Verdict


class SubstringDuplicates(CorpusJudge):
    """Cut the sentences of which every word lies in a run of `min_words` words that stands in a better row too.

    Runs are found wherever they begin and end, across sentences and paragraphs of a message (words are compared whatever
    their case and punctuation); what is cut are whole sentences (`corpus.tiles`), so none is broken. The best row
    (`corpus.survival`) keeps what several have; a row in which a run covers no whole sentence (text without full stops is one)
    stays as it is and is marked as `repeated_not_cut`. A row in which each word is repeated is dropped as `repeated_whole`;
    what is said twice in one row stays. Only messages of role `text` are read; name `roles` to read others.
    """

    stage: Literal["substring_duplicates"] = "substring_duplicates"
    roles: tuple[str, ...] | None = Field(
        ("text",), description="messages that are read and cut; all where null"
    )
    min_words: int = Field(50, ge=4, description="words that follow one another in both rows")
    prefer: survival.Prefer = Field(
        "confidence", description="which of two rows keeps what both have: the more confident or the longer"
    )
    priority: tuple[str, ...] = Field((), description=survival.PRIORITY)
    action: trim.Trimming = Field("cut", description=trim.TRIMMING)

    thresholds = frozenset({"prefer", "priority", "action"})
    exempt: ClassVar[Mapping[str, str]] = {
        "idempotence": "where a sentence is cut its neighbours meet, and the run over their border may stand elsewhere too",
    }

    @property
    def cuts(self) -> bool:
        """Texts are cut unless rows are only marked."""
        return self.action == "cut"

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return each row's number of words, and a sample of the keys of its runs of half the length.

        Of runs that follow one another the least key is kept (`corpus.shingle_kernels.anchors`): rows that have
        `min_words` words in common have a key in common.
        """
        from corpus import shingle_kernels

        found = tiles(rows, "sentence")
        half = (self.min_words + 1) // 2
        begins, row = _messages(found)
        keys, starts = shingle_kernels.grams(found.hashes, begins, half)
        some, places = shingle_kernels.anchors(
            np.ascontiguousarray(keys[:, 0]), starts, self.min_words - half + 1
        )
        of_row = places[np.searchsorted(row, np.arange(len(rows) + 1))]
        words = np.bincount(found.row, found.words, len(rows)).astype(np.int64)
        return pa.table({"keys": repeats.sets(some, of_row), "words": pa.array(words)})

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Cut what a better row holds."""

        def where(laid: trim.Laid, row: np.ndarray, piece: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            at = _words(laid, row, piece, self.min_words)
            return at, at + self.min_words

        return trim.judged(
            features,
            rows,
            pieces=_Pieces(self.min_words),
            unit="sentence",
            where=where,
            roles=self.roles,
            prefer=self.prefer,
            priority=self.priority,
            action=self.action,
        )


def _messages(found: Tiles) -> tuple[np.ndarray, np.ndarray]:
    """Return where the words of each message that has tiles begin (int64, messages + 1), and the row of each."""
    new = np.r_[True, (found.row[1:] != found.row[:-1]) | (found.message[1:] != found.message[:-1])]
    first = np.flatnonzero(new[: len(found.row)])
    return np.r_[found.begins[first], found.begins[-1]], found.row[first]


def _words(laid: trim.Laid, row: np.ndarray, run: np.ndarray, size: int) -> np.ndarray:
    """Return where runs of `size` words begin among the words of all tiles: the `run`-th of the runs of a `row`."""
    begins = np.r_[0, np.cumsum(laid.words)]
    new = np.r_[True, (laid.row[1:] != laid.row[:-1]) | (laid.message[1:] != laid.message[:-1])]
    first = np.flatnonzero(new[: len(laid.row)])
    words = np.r_[begins[first], begins[-1]]
    runs = np.r_[0, np.cumsum(np.maximum(np.diff(words) - size + 1, 0))]  # before each message
    before = runs[np.searchsorted(laid.row[first], row)]  # before the first message of the row
    message = np.searchsorted(runs, before + run, side="right") - 1
    found: np.ndarray = words[message] + before + run - runs[message]
    return found


@dataclass(frozen=True)
class _Pieces:
    """The 128-bit keys of all runs of words of each row, message by message."""

    min_words: int

    def __call__(self, rows: pa.Table, context: Context) -> pa.ListArray:
        from corpus import shingle_kernels

        found = tiles(rows, "sentence")
        begins, row = _messages(found)
        keys, starts = shingle_kernels.grams(found.hashes, begins, self.min_words)
        of_row = starts[np.searchsorted(row, np.arange(len(rows) + 1))].astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(of_row), values(keys))
