"""Candidates beside their parents, as the gates of admission ask about them: fewer after each gate."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from augment.masks import said
from corpus.stage import Context, Rows
from corpus.verdict import Verdict


@dataclass(frozen=True)
class Pairs:
    """`asked` says which rows are candidates that passed so far, `parents` where each row's parent stands (-1: nowhere).

    `near` says which of them mean to stay near their parent.
    """

    rows: Rows
    asked: np.ndarray
    parents: np.ndarray
    near: np.ndarray
    _words: dict[int, str] = field(default_factory=dict)
    """What rows say without links and their like, as far as it was asked for."""

    @classmethod
    def of(cls, rows: Rows, near: np.ndarray) -> "Pairs":
        """Return all candidates; whose parent fell has fallen with it (`corpus.offspring`)."""
        found = pc.index_in(rows.table["parent"].combine_chunks(), rows.table["id"].combine_chunks())
        parents = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        assert (parents[rows.candidates] >= 0).all(), "a candidate without its parent would pass unasked"
        return cls(rows, rows.candidates, parents, near)

    def after(self, verdict: Verdict) -> "Pairs":
        """Return those that a verdict lets pass."""
        return replace(self, asked=self.asked & verdict.reason.is_null().to_numpy(zero_copy_only=False))

    @cached_property
    def chosen(self) -> np.ndarray:
        """The positions of the candidates that are asked (ascending)."""
        found: np.ndarray = np.flatnonzero(self.asked)
        return found

    @property
    def theirs(self) -> np.ndarray:
        """The positions of their parents, one for each."""
        found: np.ndarray = self.parents[self.chosen]
        return found

    @cached_property
    def of_parent(self) -> pa.Array:
        """For each row where its parent stands: what a gate names as the other row."""
        return pa.array(self.parents, mask=self.parents < 0)

    def texts(self) -> tuple[list[str], list[str]]:
        """Return what the candidates that are asked say, and what the parent of each says."""
        ascending, back = np.unique(self.theirs, return_inverse=True)
        found = texts_of(self.rows, ascending).to_pylist()
        return texts_of(self.rows, self.chosen).to_pylist(), [found[place] for place in back]

    def words(self) -> tuple[list[str], list[str]]:
        """Return the same without links and their like (`augment.masks.said`), which each gate asks for again."""
        known = self._words
        for rows, texts in zip((self.chosen, self.theirs), self.texts(), strict=True):
            known.update(
                (row, said(text)) for row, text in zip(rows.tolist(), texts, strict=True) if row not in known
            )
        return [known[row] for row in self.chosen.tolist()], [known[row] for row in self.theirs.tolist()]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return a number for each row: of those that are asked the one they have, else nan."""
        spread = np.full(len(self.asked), np.nan)
        spread[self.chosen] = values
        return spread

    def where(self, refused: np.ndarray, reason: str) -> Verdict:
        """Refuse the asked candidates where `refused` (bool, one a candidate) is true."""
        mask = np.zeros(len(self.asked), bool)
        mask[self.chosen] = refused
        return Verdict.where(mask, reason, other=self.of_parent)

    def counted(self, changes: np.ndarray, reason: str) -> Verdict:
        """Refuse the asked candidates of which `changes` (int, one a candidate) counts any; the ledger has the count."""
        return self._by(self.spread(changes), self.spread(changes) > 0, 1, reason)

    def at_least(self, name: str, score: np.ndarray, least: float, reason: str) -> Verdict:
        """Refuse those whose score (one a row) is `least` or more; all are kept under `name`."""
        return self._by(score, score >= least, least, reason).told(name, score)

    def below(
        self, name: str, score: np.ndarray, least: float, reason: str, *, but_near: bool = False
    ) -> Verdict:
        """Refuse those whose score (one a row) is less than `least` (`but_near`: not those that mean to stay near their parent)."""
        return self._by(score, (score < least) & ~(self.near & but_near), least, reason).told(name, score)

    def band(
        self, name: str, score: np.ndarray, limits: tuple[float, float], reasons: tuple[str, str], *, but_near: bool = False
    ) -> Verdict:  # fmt: skip
        """Refuse those whose score (one a row) is less than the first limit, or more than the second (`but_near`: not the near ones)."""
        (low, high), (under, over) = limits, reasons
        above = (score > high) & ~(self.near & but_near)
        below = self._by(score, score < low, low, under)
        return (below | self._by(score, above, high, over)).told(name, score)

    @property
    def kin(self) -> np.ndarray:
        """For each row the parent that it and others near it have in common, itself where it is that parent; -1 of all others."""
        kin = np.full(len(self.asked), -1)
        near = self.near & (self.parents >= 0)
        kin[near] = kin[self.parents[near]] = self.parents[near]
        return kin

    def _by(self, score: np.ndarray, refused: np.ndarray, threshold: float, reason: str) -> Verdict:
        known = pa.array(score, mask=np.isnan(score))
        return Verdict.where(
            self.asked & refused, reason, score=known, threshold=threshold, other=self.of_parent
        )


def texts_of(rows: Rows, positions: np.ndarray) -> pa.StringArray:
    """Return the texts of the rows at positions (ascending)."""
    return rows.map(_same, positions)


def _same(texts: pa.StringArray, context: Context) -> pa.StringArray:
    return texts
