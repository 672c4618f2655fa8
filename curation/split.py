"""Rows are set apart for training, validation and test; a family stays on one side."""

import math
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from corpus.schema import UserError
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.verdict import Verdict

_SIDES = ("test", "validation", "train")
"""In the order in which they win."""
_NONE = len(_SIDES)


class Split(CorpusJudge):
    """Give each row that has none a split, by a keyed hash of the fingerprint of its family's first row.

    A split that the source itself states wins, for the row and for its family. Where a source's own splits
    part a family, test keeps its rows before validation and validation before train, and the rows of the
    later sides go as `family_in_test` or `family_in_validation`. Rows of the version that is built on stay
    where they are: their families keep their side, and a row that would join families of two sides goes as
    `family_in_test` (or of the side that comes first).
    """

    chooses: ClassVar[bool] = True

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

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Set `split` on every row."""
        first = rows.first
        earlier = rows.table["earlier"].to_numpy()
        stated = _numbers(rows.table["split"])
        settled = _least(first, stated, earlier)
        torn = settled < -_least(first, -stated, earlier & (stated < _NONE))
        sides = np.where(settled < _NONE, settled, _least(first, stated, ~earlier))
        heads = np.flatnonzero((sides == _NONE) & (first == np.arange(len(first))))
        prints = rows.table["fingerprint"].take(pa.array(heads)).to_pylist()
        sides[heads] = [self._side(context.keyed(one)) for one in prints]
        given = sides[first]
        drop = ~earlier & (((stated < _NONE) & (stated != given)) | torn[first])
        split = pa.array([*_SIDES], pa.string()).take(pa.array(given))
        verdicts = [
            Verdict.where(
                drop & (given == number),
                f"family_in_{side}",
                other=pa.array(np.where(drop, first, -1), mask=~drop),
                columns={"split": split},
            )
            for number, side in enumerate(_SIDES)
        ]
        return verdicts[0] | verdicts[1] | verdicts[2]

    def _side(self, number: float) -> int:
        if number < self.train:
            return _SIDES.index("train")
        return _SIDES.index("validation" if number < self.train + self.validation else "test")


def _numbers(splits: pa.ChunkedArray) -> np.ndarray:
    """Return each row's side as its place in the order in which sides win; `_NONE` for none."""
    places = pc.index_in(splits, pa.array(_SIDES)).fill_null(_NONE)
    found: np.ndarray = places.to_numpy().astype(np.int64)
    return found


def _least(first: np.ndarray, numbers: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return at the place of each family's first row the least number among some of its rows; `_NONE` elsewhere."""
    least = np.full(len(first), _NONE, np.int64)
    np.minimum.at(least, first[among], numbers[among])
    return least
