"""Rows are said anew: translated into another language and back."""

from typing import Literal

import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from augment.anew import Maker, Said, anew
from augment.masks import Masked, mask
from corpus.models import Models
from corpus.schema import UserError
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
        return anew(
            rows,
            self.roles,
            (self.min_words, self.max_words),
            lambda texts: [[said] for said in self._say_anew(texts, context)],
            lambda: self._maker(context),
        )

    def _maker(self, context: Context) -> Maker:
        there = context.models.engine_revision(self.engine, self.language, self.pivot)
        back = context.models.engine_revision(self.engine, self.pivot, self.language)
        parameters = {"language": self.language, "pivot": self.pivot}
        return Maker(self.stage, self.engine, f"{there}, {back}", parameters, _LICENCE[self.engine])

    def _say_anew(self, texts: list[str], context: Context) -> list[Said]:
        masked = [mask(one) for one in texts]
        pivot = self._translate(self.language, self.pivot, [one.text for one in masked], context)
        back = self._translate(self.pivot, self.language, pivot, context)
        return [_said(*made) for made in zip(masked, pivot, back, strict=True)]

    def _translate(self, source: str, target: str, texts: list[str], context: Context) -> list[str]:
        revision = context.models.engine_revision(self.engine, source, target)
        made: list[str] = context.replay.recall(
            f"translate {self.engine} {source} {target} {revision}",
            pa.array(texts, pa.string()),
            lambda missing: context.models.translate(self.engine, source, target, missing),
        ).to_pylist()
        return made


def _said(masked: Masked, pivot: str, back: str) -> Said:
    """Put the masked pieces back into both translations."""
    said, lost = masked.restore(back)
    return Said(said, lost, {"pivot": masked.restore(pivot)[0]})
