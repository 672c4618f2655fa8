"""Rows of too few or too many words go."""

from typing import Literal

import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from corpus import text
from corpus.schema import UserError
from corpus.stage import Context, Judge
from corpus.verdict import Verdict


class Length(Judge):
    """Keep rows of `min_words` to `max_words` words, both included."""

    stage: Literal["length"] = "length"
    min_words: NonNegativeInt = Field(3, description="words that a row must have")
    max_words: PositiveInt = Field(4_000, description="words that a row may have")

    thresholds = frozenset({"min_words", "max_words"})

    @model_validator(mode="after")
    def _some_length_passes(self) -> "Length":
        if self.min_words > self.max_words:
            raise UserError(
                f"min_words is {self.min_words} and max_words {self.max_words}: no row could pass"
            )
        return self

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Count the words of each row."""
        return pa.table({"words": text.count_words(rows)})

    def judge(self, features: pa.Table, context: Context) -> Verdict:
        """Drop rows outside the band."""
        words = features["words"]
        return Verdict.below("too_short", words, self.min_words) | Verdict.above(
            "too_long", words, self.max_words
        )
