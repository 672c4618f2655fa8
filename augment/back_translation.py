"""Rows are said anew: translated into another language and back."""

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import rfc8785
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from augment.masks import Masked, mask
from corpus import text
from corpus.models import Models
from corpus.schema import ROW, UserError, conform, grown_id
from corpus.segment import rows_with_roles
from corpus.stage import Context, Grow

_LICENCE = {"apertium": "made with Apertium and its language data (GPL-2.0)"}


class BackTranslation(Grow):
    """Grow one candidate from each row of `min_words` to `max_words` words, through the language `pivot`.

    Links, handles, hashtags, numbers and emoji are masked on the way and put back; those that did not come
    back set `masks_lost`. Of a conversation only the messages of `roles` are said anew (prompts, not answers),
    the others are copied. The engine is deterministic, so a row has one candidate, and a candidate that is
    empty or its parent again is returned like any other: admission says why it goes. What was translated once
    is replayed. Raises `UserError` where the engine or a language is not installed.
    """

    stage: Literal["back_translation"] = "back_translation"
    roles: tuple[str, ...] | None = Field(
        ("text", "user"), description="messages that are said anew; all where absent"
    )
    engine: Literal["apertium"] = Field(
        "apertium", description="what translates: Apertium, rule-based and offline"
    )
    language: str = Field("eng", description="language of the rows, as the engine calls it")
    pivot: str = Field("spa", description="language between there and back, as the engine calls it")
    min_words: NonNegativeInt = Field(4, description="words that a row must have to be grown from")
    max_words: PositiveInt = Field(
        1_000, description="words that it may have: nobody checks a document's meaning at once"
    )

    @model_validator(mode="after")
    def _pivot_is_another_language(self) -> "BackTranslation":
        if self.language == self.pivot:
            raise UserError(
                f"back_translation needs a pivot other than the rows' language, and both are {self.pivot!r}: name another"
            )
        return self

    def ready(self, models: Models) -> None:
        """Raise UserError where the engine or a language is not installed."""
        models.engine_revision(self.engine, self.language, self.pivot)
        models.engine_revision(self.engine, self.pivot, self.language)

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return a candidate for each row that is long enough: parent, operation, messages and how it was made."""
        words = text.count_words(rows_with_roles(rows, self.roles)).to_numpy()
        parents = rows.filter(
            pa.array((words >= max(self.min_words, 1)) & (words <= self.max_words))
        ).combine_chunks()
        if not parents.num_rows:
            return ROW.empty_table()
        messages = parents["messages"].combine_chunks()
        flat = messages.flatten()
        chosen = (
            pc.is_in(flat.field("role"), pa.array(self.roles))
            if self.roles is not None
            else pc.is_valid(flat)
        )
        said = self._say_anew(flat.field("content").filter(chosen), context)
        content = pc.replace_with_mask(
            flat.field("content"), chosen, pa.array([one.text for one in said], pa.string())
        )
        lengths = pc.list_value_length(messages).to_numpy()
        held = np.repeat(np.arange(len(parents)), lengths)[chosen.to_numpy(zero_copy_only=False)]
        ends = np.searchsorted(held, np.arange(len(parents) + 1))
        revision = self._revision(context)
        offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
        return conform(
            {
                "id": pa.array(
                    [
                        grown_id(parent, self.stage, self._parameters, 0)
                        for parent in parents["id"].to_pylist()
                    ]
                ),
                "messages": pa.ListArray.from_arrays(
                    offsets, pa.StructArray.from_arrays([flat.field("role"), content], ["role", "content"])
                ).cast(ROW.field("messages").type),
                "parent": parents["id"].combine_chunks(),
                "operation": pa.repeat(self.stage, len(parents)),
                "extra": pa.array(
                    [self._made(said[first:last], revision) for first, last in itertools.pairwise(ends)],
                    pa.string(),
                ),
            }
        )

    @property
    def _parameters(self) -> tuple[str, ...]:
        return (self.engine, f"language={self.language}", f"pivot={self.pivot}")

    def _revision(self, context: Context) -> str:
        there = context.models.engine_revision(self.engine, self.language, self.pivot)
        back = context.models.engine_revision(self.engine, self.pivot, self.language)
        return f"{there}, {back}"

    def _say_anew(self, texts: pa.StringArray, context: Context) -> "list[_Said]":
        masked = [mask(one) for one in texts.to_pylist()]
        pivot = self._translate(self.language, self.pivot, [one.text for one in masked], context)
        back = self._translate(self.pivot, self.language, pivot, context)
        return [_Said.of(*made) for made in zip(masked, pivot, back, strict=True)]

    def _translate(self, source: str, target: str, texts: list[str], context: Context) -> list[str]:
        revision = context.models.engine_revision(self.engine, source, target)
        made: list[str] = context.replay.recall(
            f"translate {self.engine} {source} {target} {revision}",
            pa.array(texts, pa.string()),
            lambda missing: context.models.translate(self.engine, source, target, missing),
        ).to_pylist()
        return made

    def _made(self, said: "list[_Said]", revision: str) -> str:
        return rfc8785.dumps(
            {
                "grown": {
                    "engine": self.engine,
                    "revision": revision,
                    "parameters": {"language": self.language, "pivot": self.pivot},
                    "n": 0,
                    "pivot": "\n".join(one.pivot for one in said),
                    "licence": _LICENCE[self.engine],
                    "masks_lost": any(one.masks_lost for one in said),
                }
            }
        ).decode()


@dataclass(frozen=True)
class _Said:
    """A message said anew, what it was in between, and whether a mask was lost."""

    text: str
    pivot: str
    masks_lost: bool

    @classmethod
    def of(cls, masked: Masked, pivot: str, back: str) -> "_Said":
        """Put the masked pieces back into both translations."""
        said, lost = masked.restore(back)
        return cls(said, masked.restore(pivot)[0], lost)
