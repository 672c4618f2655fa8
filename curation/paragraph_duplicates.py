"""Paragraphs, or lines, that stand in a better row too are cut."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, PositiveInt

from corpus import repeats, survival, trim
from corpus.arrays import values
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.tiles import Tiles, tiles
from corpus.verdict import Verdict

_Unit = Literal["paragraph", "line"]


class ParagraphDuplicates(CorpusJudge):
    """Of paragraphs of the same words in several rows the best row (`corpus.survival`) keeps its own; the others lose theirs.

    Words are compared whatever their case and punctuation, numbers as they are. Paragraphs are parted by blank lines;
    with `unit: line` each line counts. Those of fewer than `min_words` words stay: "Yes." is no boilerplate.
    A row in which each word is repeated is dropped as `repeated_whole`; what is said twice in one row stays.
    Only messages of role `text` are read, so that chats keep their turns; name `roles` to read others.
    """

    stage: Literal["paragraph_duplicates"] = "paragraph_duplicates"
    roles: tuple[str, ...] | None = Field(
        ("text",), description="messages that are read and cut; all where null"
    )
    unit: _Unit = Field("paragraph", description="what is compared: paragraphs, or single lines")
    min_words: PositiveInt = Field(8, description="words that a repeated paragraph must have to be cut")
    prefer: survival.Prefer = Field(
        "confidence", description="which of two rows keeps what both have: the more confident or the longer"
    )
    priority: tuple[str, ...] = Field((), description=survival.PRIORITY)
    action: trim.Trimming = Field("cut", description=trim.TRIMMING)

    thresholds = frozenset({"prefer", "priority", "action"})

    @property
    def cuts(self) -> bool:
        """Texts are cut unless rows are only marked."""
        return self.action == "cut"

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return each row's number of words, and the set of the 64-bit keys of its paragraphs."""
        found = tiles(rows, self.unit)
        keys, row = _keys(found, self.min_words)
        begins = np.searchsorted(row, np.arange(len(rows) + 1))
        words = np.bincount(found.row, found.words, len(rows)).astype(np.int64)
        return pa.table(
            {"keys": repeats.sets(np.ascontiguousarray(keys[:, 0]), begins), "words": pa.array(words)}
        )

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Cut what a better row holds."""

        def where(laid: trim.Laid, row: np.ndarray, piece: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            wide = np.flatnonzero(laid.words >= self.min_words)
            at = wide[np.searchsorted(laid.row[wide], row) + piece]
            begins = np.r_[0, np.cumsum(laid.words)]
            return begins[at], begins[at + 1]

        return trim.judged(
            features,
            rows,
            pieces=_Pieces(self.unit, self.min_words),
            unit=self.unit,
            where=where,
            roles=self.roles,
            prefer=self.prefer,
            priority=self.priority,
            action=self.action,
        )


def _keys(found: Tiles, min_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the 128-bit keys (uint64, (paragraphs, 2)) of the paragraphs of enough words, and the row of each."""
    from corpus import shingle_kernels

    wide = found.words >= min_words
    return shingle_kernels.sequence_keys(found.hashes, found.begins)[wide], found.row[wide]


@dataclass(frozen=True)
class _Pieces:
    """The 128-bit keys of each row's paragraphs, in their order."""

    unit: _Unit
    min_words: int

    def __call__(self, rows: pa.Table, context: Context) -> pa.ListArray:
        keys, row = _keys(tiles(rows, self.unit), self.min_words)
        begins = np.searchsorted(row, np.arange(len(rows) + 1)).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(begins), values(keys))
