"""Rows of equal text and label go, but for the best of each."""

from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field

from corpus import survival, text
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.verdict import ACTION, Action, Verdict


class ExactDuplicates(CorpusJudge):
    """Of rows with equal text and label, keep the first in survivor order (`corpus.survival`).

    Of chats the turns must be equal: the roles, and where one ends and the next begins.
    Rows of equal text and unlike label become kin and stay: `label_conflicts` judges them. `score` is 1,
    `other` the row that stays.
    """

    stage: Literal["exact_duplicates"] = "exact_duplicates"
    match: Literal["text", "words"] = Field(
        "text",
        description="what must be equal: the text to the byte, or its words, whatever their case and punctuation",
    )
    priority: tuple[str, ...] = Field((), description=survival.PRIORITY)
    action: Action = Field("drop", description=ACTION)

    thresholds = frozenset({"action", "priority"})

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the 128-bit key of what must be equal."""
        return pa.table(
            {"key": text.fingerprints(rows) if self.match == "text" else text.word_keys(text.turns(rows))}
        )

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Drop all but the best of each key and label."""
        met = survival.meeting(features["key"], rows.table)
        chosen = pa.array(met)
        rank = survival.rank(rows.table.take(chosen), priority=self.priority)
        high, low = text.halves(features["key"].take(chosen))
        stays, kin = np.arange(rows.table.num_rows), np.arange(rows.table.num_rows)
        stays[met] = met[survival.best(rank, high, low, survival.codes(rows.table["label"].take(chosen)))]
        kin[met] = met[survival.best(rank, high, low)]
        drop = stays != np.arange(len(stays))
        return Verdict.where(
            drop,
            "exact_duplicate",
            action=self.action,
            score=pa.array(drop.astype(np.float64), mask=~drop),
            threshold=1.0,
            other=pa.array(stays, mask=~drop),
            family=pa.array(kin),
        )
