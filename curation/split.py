"""Rows are set apart for training, validation and test; a family stays on one side."""

import math
from typing import Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from corpus.schema import SPLITS, UserError
from corpus.stage import Context, CorpusJudge, Rows, Verdict

_ORDER = {"test": 0, "validation": 1, "train": 2}


class Split(CorpusJudge):
    """Give each row that has none a split, by a keyed hash of the fingerprint of its family's first row.

    A split that the source itself states wins, for the row and for its family. Where a source's own splits
    part a family, test keeps its rows before validation and validation before train, and the rows of the
    later sides go as `family_in_test` or `family_in_validation`.
    """

    stage: Literal["split"] = "split"
    train: float = Field(0.8, ge=0, le=1, description="share of families for training")
    validation: float = Field(0.1, ge=0, le=1, description="share of families for validation")
    test: float = Field(0.1, ge=0, le=1, description="share of families for the test")

    thresholds = frozenset({"train", "validation", "test"})

    @model_validator(mode="after")
    def _shares_add_up(self) -> "Split":
        total = self.train + self.validation + self.test
        if not math.isclose(total, 1, abs_tol=1e-9):
            raise UserError(f"train, validation and test must add up to 1; they add up to {total:g}")
        return self

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Nothing: the runner keeps every row's fingerprint."""
        return pa.table({})

    def judge(self, features: pa.Table, rows: Rows, context: Context) -> Verdict:
        """Set `split` on every row."""
        stated = rows.table["split"].to_pylist()
        prints = rows.table["fingerprint"].to_pylist()
        first = rows.first
        sides: dict[int, str] = {}
        for row, side in enumerate(stated):
            if side is not None:
                known = sides.get(int(first[row]), side)
                sides[int(first[row])] = min(known, side, key=_ORDER.__getitem__)
        for head in np.unique(first):
            if int(head) not in sides:
                sides[int(head)] = self._side(context.keyed(prints[head]))
        given = [sides[int(head)] for head in first]
        drop = np.array(
            [side is not None and side != family for side, family in zip(stated, given, strict=True)], bool
        )
        verdicts = [
            Verdict.where(
                drop & np.array([family == side for family in given], bool),
                f"family_in_{side}",
                other=pa.array(np.where(drop, first, -1), mask=~drop),
                columns={"split": pa.array(given, pa.string())},
            )
            for side in SPLITS
        ]
        return verdicts[0] | verdicts[1] | verdicts[2]

    def _side(self, number: float) -> str:
        if number < self.train:
            return "train"
        return "validation" if number < self.train + self.validation else "test"
