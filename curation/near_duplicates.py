"""Rows that share most of their word shingles with a better row go."""

from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, PositiveInt

from corpus import similarity, survival, text
from corpus.similarity import ShingleSets
from corpus.stage import Context, CorpusJudge, Rows, Verdict


class NearDuplicates(CorpusJudge):
    """Drop a row whose Jaccard similarity with a better row that stays is `threshold` or more.

    What is compared are sets of shingles of `shingle_words` words (2 for rows as short as tweets, 5 for
    documents); a row of fewer words is one shingle. Numbers are words like others. MinHash proposes pairs
    (`corpus.similarity`), the sets themselves decide, so each drop's `score` is exact and was compared
    directly with `other`, a row that stays. Rows of unlike label become kin and stay.
    """

    stage: Literal["near_duplicates"] = "near_duplicates"
    threshold: float = Field(
        0.8, gt=0, le=1, description="Jaccard similarity of the shingle sets at which a row goes"
    )
    shingle_words: PositiveInt = Field(5, le=50, description="words in a shingle")
    prefer: survival.Prefer = Field(
        "confidence", description="which of two rows stays: the more confident or the longer"
    )

    thresholds = frozenset({"threshold", "prefer"})

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return LSH band keys and the number of words."""
        return pa.table(
            {
                "bands": similarity.band_keys(text.contents(rows), self.shingle_words),
                "words": text.count_words(rows),
            }
        )

    def judge(self, features: pa.Table, rows: Rows, context: Context) -> Verdict:
        """Settle the rows that share a band with another, best first."""
        earlier = rows.table["earlier"].to_numpy()
        numbers = similarity.buckets(features["bands"], ~earlier)
        near = np.flatnonzero((numbers >= 0).any(axis=1))
        rank = np.zeros(len(numbers), np.int64)
        words = features["words"].to_numpy()[near]
        rank[near] = survival.rank(rows.table.take(pa.array(near)), self.prefer, words)
        settled = similarity.settle(
            numbers,
            lambda shared: rows.map(ShingleSets(self.shingle_words), shared),
            rank,
            survival.codes(rows.table["label"]),
            self.threshold,
            fixed=earlier,
        )
        drop = settled.other >= 0
        return Verdict.where(
            drop,
            "near_duplicate",
            score=pa.array(settled.likeness, mask=np.isnan(settled.likeness)),
            threshold=self.threshold,
            other=pa.array(settled.other, mask=~drop),
            family=pa.array(settled.family),
        )
