"""Whether a candidate is a near-duplicate of any row of any split, or of a candidate that is admitted."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from augment.pairs import Pairs
from corpus import similarity, survival
from corpus.stage import Features, Rows
from corpus.verdict import Verdict


def near_duplicates(features: Features, pairs: Pairs, size: int, threshold: float) -> Verdict:
    """Compare the candidates that are asked with all rows and with each other, by shingles of `size` words.

    `features` are those of `corpus.shingles.measured`. Candidates that were refused before are compared with nothing, and
    those that mean to stay near their parent neither with it nor with one another. Of each that shares a band with another row
    the greatest similarity is kept as `jaccard`.
    """
    rows, asked = pairs.rows, pairs.asked
    settled = similarity.settle(
        features,
        rows,
        size,
        _CandidatesLast(rows, asked),
        threshold,
        fixed=~asked,
        among=~rows.candidates | asked,
        kin=pairs.kin,
    )
    drop = settled.other >= 0
    return Verdict.where(
        drop,
        "near_duplicate",
        score=pa.array(settled.likeness, mask=np.isnan(settled.likeness)),
        threshold=threshold,
        other=pa.array(settled.other, mask=~drop),
    ).told("jaccard", np.where(asked, settled.likeness, np.nan))


@dataclass(frozen=True)
class _CandidatesLast:
    """Candidates come behind all other rows; labels make no difference."""

    rows: Rows
    asked: np.ndarray

    def rank(self, positions: np.ndarray) -> np.ndarray:
        """Return the place of each of these rows."""
        places = survival.rank(self.rows.table.take(pa.array(positions)))
        return places + np.where(self.asked[positions], len(positions), 0)

    def classes(self, positions: np.ndarray) -> np.ndarray:
        """Return one number for all."""
        return np.zeros(len(positions), np.int64)
