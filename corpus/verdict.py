"""What a stage answers: a verdict on each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import nulls, whole

Action = Literal["drop", "mark"]
"""What becomes of a row that is judged: it goes, or it stays and says so (`extra.marks`, the ledger)."""
ACTION = "what becomes of such a row: it goes, or it stays and is marked"


@dataclass(frozen=True)
class Verdict:
    """What a stage says of each row. `reason` null keeps the row; `other` and `family` are positions.

    `action` is `drop`, or `mark` where the row stays all the same; null where `reason` is.
    `score` and `threshold` (float64, null where there is none) are given for kept rows too, so that a row's
    biography can say by how much it passed. `family` links a row to another that it is kin to. `columns` are
    set by the runner on the rows that stay.
    """

    reason: pa.Array
    action: pa.Array
    score: pa.Array
    threshold: pa.Array
    other: pa.Array
    detail: pa.Array
    family: pa.Array
    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    cuts: pa.ListArray | None = None
    """What is cut out of the texts of rows that stay (lists of `corpus.amend.CUT`, messages numbered as they were read)."""
    measured: Mapping[str, Any] = field(default_factory=dict)
    """What the stage measured of its own work, for the table of stages."""
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)
    """What the stage measured of each row beside `score`, by name (float64, nan where it was not asked): kept beside the ledger."""

    @classmethod
    def keep(cls, rows: int) -> Verdict:
        """Return a verdict that keeps `rows` rows."""
        text, number, position = pa.string(), pa.float64(), pa.int64()
        return cls(*(nulls(rows, kind) for kind in (text, text, number, number, position, text, position)))

    @classmethod
    def where(
        cls,
        drop: np.ndarray,
        reason: str,
        *,
        action: Action = "drop",
        score: pa.Array | None = None,
        threshold: float | None = None,
        other: pa.Array | None = None,
        detail: pa.Array | None = None,
        family: pa.Array | None = None,
        columns: Mapping[str, pa.Array] | None = None,
        measured: Mapping[str, Any] | None = None,
    ) -> Verdict:
        """Drop the rows where `drop` is true, for one reason; or mark them."""
        rows = len(drop)
        kept = cls.keep(rows)
        limit = pa.scalar(threshold, pa.float64())
        fell, none = pa.array(drop), pa.scalar(None, pa.string())
        return cls(
            reason=pc.if_else(fell, pa.scalar(reason), none),
            action=pc.if_else(fell, pa.scalar(action), none),
            score=kept.score if score is None else score.cast(pa.float64()),
            threshold=pa.repeat(limit, rows),
            other=kept.other if other is None else other,
            detail=kept.detail if detail is None else detail,
            family=kept.family if family is None else family,
            columns=columns or {},
            measured=measured or {},
        )

    @classmethod
    def below(cls, reason: str, score: pa.Array | pa.ChunkedArray, threshold: float) -> Verdict:
        """Drop the rows whose score is less than `threshold`; a null score keeps its row."""
        flat = whole(score)
        drop = pc.fill_null(pc.less(flat, threshold), False)
        return cls.where(drop.to_numpy(zero_copy_only=False), reason, score=flat, threshold=threshold)

    @classmethod
    def above(cls, reason: str, score: pa.Array | pa.ChunkedArray, threshold: float) -> Verdict:
        """Drop the rows whose score is greater than `threshold`; a null score keeps its row."""
        flat = whole(score)
        drop = pc.fill_null(pc.greater(flat, threshold), False)
        return cls.where(drop.to_numpy(zero_copy_only=False), reason, score=flat, threshold=threshold)

    def __or__(self, later: Verdict) -> Verdict:
        """The first reason stands, with the score that belongs to it; columns, families and named scores are united."""
        mine = pc.or_(pc.is_valid(self.reason), pc.is_null(later.reason))
        return replace(
            self,
            **{
                name: pc.if_else(mine, getattr(self, name), getattr(later, name))
                for name in ("reason", "action", "score", "threshold", "other", "detail")
            },
            family=pc.coalesce(self.family, later.family),
            columns={**later.columns, **self.columns},
            scores={**self.scores, **later.scores},
            cuts=later.cuts if self.cuts is None else self.cuts,
        )

    def says(self, action: Action) -> np.ndarray:
        """Say of which rows the verdict is `action` (bool)."""
        said: np.ndarray = pc.fill_null(pc.equal(self.action, action), False).to_numpy(zero_copy_only=False)
        return said

    def explained(self, detail: pa.Array) -> Verdict:
        """The same verdict, saying `detail` where it drops."""
        return replace(self, detail=pc.if_else(pc.is_valid(self.reason), detail, self.detail))

    def told(self, name: str, score: np.ndarray) -> Verdict:
        """The same verdict, with a score of each row (nan where there is none) to be kept under `name`."""
        return replace(self, scores={**self.scores, name: score})

    def on(self, rows: np.ndarray) -> Verdict:
        """The same verdict where `rows` is true; elsewhere the row is kept. Kinship is told of all."""
        if rows.all():
            return self
        mask = pa.array(rows)
        return replace(
            self,
            reason=pc.if_else(mask, self.reason, pa.scalar(None, pa.string())),
            action=pc.if_else(mask, self.action, pa.scalar(None, pa.string())),
            other=pc.if_else(mask, self.other, pa.scalar(None, pa.int64())),
            cuts=None if self.cuts is None else self.cuts.take(pa.array(np.arange(len(rows)), mask=~rows)),
        )
