"""Counts, before anything heavy runs, how many tokens each row would train on.

A row whose prompt fills the model's window trains on nothing, and trainers say nothing of it: the loss reads
0.0 and the run "succeeds" (huggingface/trl issues 3927 and 6668).
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from corpus.schema import UserError
from tuning.examples import Examples
from tuning.template import Template

_NAMED = 3


@dataclass(frozen=True)
class Unsupervised:
    """A row that would train on no token, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Preflight:
    """What training on some rows comes to; `supervised` of their `tokens` bear the loss."""

    rows: int
    tokens: int
    supervised: int
    truncated: int
    unsupervised: tuple[Unsupervised, ...]

    def require(self, policy: Literal["stop", "skip"]) -> None:
        """Raise UserError where rows would train on nothing and the policy is to stop, or where all of them would."""
        if not self.unsupervised or (policy == "skip" and len(self.unsupervised) < self.rows):
            return
        named = "; ".join(f"{row.id}: {row.reason}" for row in self.unsupervised[:_NAMED])
        more = len(self.unsupervised) - _NAMED
        raise UserError(
            f"each training row needs a token that bears the loss; {len(self.unsupervised)} of {self.rows} rows have none"
            f" ({named}{f'; and {more} more' if more > 0 else ''}): mend or drop them, raise tuning.max_tokens,"
            " or set tuning.unsupervised: skip"
        )


def inspect(examples: Examples) -> Preflight:
    """Return what training on the examples comes to."""
    return Preflight(
        rows=len(examples),
        tokens=len(examples.tokens),
        supervised=int(examples.supervised.sum()),
        truncated=int(examples.truncated.sum()),
        unsupervised=tuple(
            Unsupervised(row, reason)
            for row, reason in zip(examples.ids, examples.reasons, strict=True)
            if reason is not None
        ),
    )


def preflight(rows: pa.Table, template: Template) -> Preflight:
    """Return what training on `rows` would come to; it needs a tokenizer (`open_tokenizer`) and no model."""
    return inspect(template.encode(rows))
