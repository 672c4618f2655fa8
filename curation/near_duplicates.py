"""Rows that share most of their word shingles with a better row go."""

from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, PositiveInt

from corpus import shingles, similarity, survival, text
from corpus.shingles import Bands
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.verdict import ACTION, Action, Verdict


class NearDuplicates(CorpusJudge):
    """Drop a row whose Jaccard similarity with a better row that stays is `threshold` or more.

    What is compared are sets of shingles of `shingle_words` words (2 for rows as short as tweets, 5 for
    documents); a row of fewer words is one shingle. Numbers are words like others; but rows that `numbers` means and
    whose numbers differ, or the operators beside them, are never alike. MinHash proposes pairs
    (`corpus.similarity`), the sets themselves decide, so each drop's `score` is exact and was compared
    directly with `other`, a row that stays. What is asked and what an assistant answers are compared apart, and the lesser
    similarity counts: the same question with another answer is no duplicate. Rows of unlike label become kin and stay.
    """

    stage: Literal["near_duplicates"] = "near_duplicates"
    threshold: float = Field(
        0.8, gt=0, le=1, description="Jaccard similarity of the shingle sets at which a row goes"
    )
    shingle_words: PositiveInt = Field(5, le=50, description="words in a shingle")
    keep: PositiveInt = Field(
        1, description="alike rows that may stay: 3 leaves up to three rows of a template, whose words differ"
    )
    numbers: text.Numbers = Field("prompts", description=text.NUMBERS)
    prefer: survival.Prefer = Field(
        "confidence", description="which of two rows stays: the more confident or the longer"
    )
    priority: tuple[str, ...] = Field((), description=survival.PRIORITY)
    action: Action = Field("drop", description=ACTION)

    thresholds = frozenset({"action", "keep", "threshold", "prefer", "priority"})

    @property
    def measuring(self) -> dict[str, Any]:
        """The knobs, and the bands that the threshold asks for."""
        return {**super().measuring, "bands": Bands.at(self.threshold).count}

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the key of the words, their number, and LSH band keys."""
        apart = text.numbers_apart(rows, self.numbers)
        return pa.table(shingles.measured(rows, self.shingle_words, Bands.at(self.threshold), apart))

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Settle the rows that may be alike, best first."""
        settled = similarity.settle(
            features,
            rows,
            self.shingle_words,
            survival.Survivors(rows, features["words"].to_numpy(), self.prefer, self.priority),
            self.threshold,
            fixed=rows.table["earlier"].to_numpy(),
            keep=self.keep,
        )
        drop = settled.other >= 0
        return Verdict.where(
            drop,
            "near_duplicate",
            action=self.action,
            score=pa.array(settled.likeness, mask=np.isnan(settled.likeness)),
            threshold=self.threshold,
            other=pa.array(settled.other, mask=~drop),
            family=pa.array(settled.family, mask=settled.family == np.arange(len(drop))),
        )
