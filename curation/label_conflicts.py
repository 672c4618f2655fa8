"""Rows of the same words that are labelled differently."""

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from corpus import survival, text
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.verdict import Verdict


class LabelConflicts(CorpusJudge):
    """Drop rows whose words (whatever their case and punctuation) stand elsewhere under another label.

    `keep: none` drops all sides; `most_confident` keeps the side of the highest confidence where no other
    side is as confident. Rows without a label take no side. `other` is the best row of another side, by
    confidence and then by content; it may itself have gone, and says so in its own line.
    """

    stage: Literal["label_conflicts"] = "label_conflicts"
    keep: Literal["none", "most_confident"] = Field("none", description="which side of a conflict stays")

    thresholds = frozenset({"keep"})

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the 128-bit key of the row's words."""
        return pa.table({"words": text.word_keys(text.contents(rows))})

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Drop the losing sides of each conflict."""
        count = rows.table.num_rows
        met = survival.meeting(features["words"], rows.table)
        sided = met[rows.table["label"].is_valid().to_numpy()[met]]
        table = rows.table.take(pa.array(sided))
        rank, label = survival.rank(table), survival.codes(table["label"])
        confidence = table["confidence"].to_numpy()
        high, low = text.halves(features["words"].take(pa.array(sided)))
        best = survival.best(rank, high, low)
        drop, other, family = np.zeros(count, bool), np.full(count, -1), np.arange(count)
        torn = np.isin(best, best[label != label[best]])
        order = np.flatnonzero(torn)[np.lexsort((rank[torn], best[torn]))]
        for group in np.split(order, np.flatnonzero(np.diff(best[order])) + 1) if len(order) else []:
            first = group[0]
            against = group[label[group] != label[first]]
            wins = self.keep == "most_confident" and confidence[first] > np.nanmax(
                np.r_[-np.inf, confidence[against]]
            )
            mine = label[group] == label[first]
            family[sided[group]] = sided[first]
            other[sided[group]] = np.where(mine, sided[against[0]], sided[first])
            drop[sided[group]] = ~mine | (not wins)
        return Verdict.where(
            drop,
            "conflicting_label",
            other=pa.array(other, mask=~drop),
            family=pa.array(family),
            detail=_sides(rows.table["label"], other, drop),
        )


def _sides(labels: pa.ChunkedArray, other: np.ndarray, drop: np.ndarray) -> pa.Array:
    """Say the two labels of each drop."""
    mine = labels.combine_chunks()
    theirs = mine.take(pa.array(other, mask=~drop))
    return pc.binary_join_element_wise(mine, theirs, " against ")
