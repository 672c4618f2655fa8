"""Rows are said anew: translated into another language and back."""

from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from augment.anew import Maker, Said, anew
from augment.masks import Masked, mask
from corpus import languages
from corpus.asking import PREFIX
from corpus.memo import SLOW
from corpus.models import Models
from corpus.sampled import Sampled
from corpus.schema import UserError
from corpus.stage import Context, Grow
from corpus.translation import INT8

_OF_MODELS = {"back", "temperature", "variants"}


class BackTranslation(Grow):
    """Grow `variants` candidates from each row of `min_words` to `max_words` words, through another language.

    Apertium goes through `pivot`; `apertium:eng-spa` says engine, `language` and `pivot` in one. A Marian model (opus-mt) is named
    by its URI, and another one for the way `back`; both translate sentence by sentence and truncate nothing. An instructed language
    model (`model+` before its URI) is asked for `language` and `pivot` by name, goes both ways where `back` is absent, and reads
    a text of one line as a whole. Without a `temperature` models say what is likeliest, with one they draw, for each candidate anew.

    Links, handles, hashtags, numbers, emoji, code in back-ticks and what is to be filled in (`{name}`) are masked on the way and put back; those that did not come
    back set `masks_lost`. Of a conversation only the messages of `roles` are said anew (prompts, not answers),
    the others are copied. A candidate depends on its text, its number and the seed, so what was translated once is replayed. One
    that is empty or its parent again is returned like any other, and so is one that the engine broke on or came to no end with:
    admission says why it goes. Raises `UserError` where the engine or a language is not there.
    """

    stage: Literal["back_translation"] = "back_translation"
    roles: tuple[str, ...] | None = Field(
        ("text", "user"), description="messages that are said anew; all where absent"
    )
    engine: str = Field(
        "apertium",
        description="what translates: `apertium` (rule-based, offline), `apertium:eng-spa`, or the URI of a Marian model "
        "(`hf://owner/opus-mt-en-de@revision`, `file:folder`; with `ctranslate2+` before it in 8 bits) or of an instructed "
        "language model (`model+hf://owner/name@revision`)",
    )
    back: str | None = Field(
        None,
        description="URI of the model that translates back, where `engine` is a Marian model; of a language model the same where absent",
    )
    temperature: NonNegativeFloat = Field(
        0,
        le=2,
        description="of models: 0 says what is likeliest; from there on pieces are drawn, the more freely the higher",
    )
    variants: PositiveInt = Field(
        1, le=20, description="candidates of each row; more than one need a `temperature`"
    )
    language: str = Field(
        "eng", description="language of the rows, as Apertium calls it (of a language model ISO 639)"
    )
    pivot: str = Field("spa", description="language between there and back, likewise")
    min_words: NonNegativeInt = Field(4, description="words that a row must have to be grown from")
    max_words: PositiveInt = Field(
        1_000, description="words that it may have: nobody checks a document's meaning at once"
    )

    @model_validator(mode="before")
    @classmethod
    def _pair_is_languages(cls, knobs: Any) -> Any:
        """Read `apertium:eng-spa` as engine, language and pivot: one meaning, one spelling in a version's id."""
        engine = knobs.get("engine") if isinstance(knobs, dict) else None
        if not isinstance(engine, str) or not engine.startswith("apertium:"):
            return knobs
        language, _, pivot = engine.removeprefix("apertium:").partition("-")
        if not language or not pivot:
            raise UserError(
                f"back_translation.engine needs a pair as in apertium:eng-spa, and {engine!r} came"
            )
        said = {"language": language, "pivot": pivot}
        other = [name for name, code in said.items() if knobs.get(name, code) != code]
        if other:
            raise UserError(
                f"back_translation.engine is {engine!r}, and {other[0]} {knobs[other[0]]!r}: leave one of the two away"
            )
        return {**knobs, **said, "engine": "apertium"}

    @model_validator(mode="after")
    def _engine_can(self) -> "BackTranslation":
        if self.language == self.pivot and (self._asks or not self._is_model):
            raise UserError(
                f"back_translation needs a pivot other than the rows' language, and both are {self.pivot!r}: name another"
            )
        if not self._is_model:
            self._check_apertium()
            return self
        for name, uri in (("engine", self.engine), ("back", self._back)):
            if uri is None:
                raise UserError(
                    f"back_translation.engine is the model {self.engine}, and `back` is missing: name the model of the way back"
                )
            if uri.startswith(PREFIX):
                languages.translating(self.language, self.pivot)
            if "://" not in uri and not _bare(uri).startswith("file:"):
                raise UserError(
                    f"back_translation.{name} needs apertium, a pair as in apertium:eng-spa, or a model's URI "
                    f"(hf://owner/name@revision, file:folder; model+ before that of a language model), and {uri!r} came"
                )
            if uri.startswith(INT8) and self.temperature:
                raise UserError(
                    f"back_translation.{name} decodes with CTranslate2, whose draws follow no seed of ours: "
                    f"leave `{INT8}` away, or the temperature"
                )
        if self.variants > 1 and not self.temperature:
            raise UserError(
                f"back_translation.variants is {self.variants}, and without a temperature all would be the same: set one"
            )
        return self

    def _check_apertium(self) -> None:
        asked = [
            name
            for name in sorted(_OF_MODELS)
            if getattr(self, name) != type(self).model_fields[name].default
        ]
        if asked:
            raise UserError(
                f"back_translation.{asked[0]} is for models, and Apertium says a text in one way: leave it away"
            )

    @property
    def _is_model(self) -> bool:
        return self.engine != "apertium"

    @property
    def _back(self) -> str | None:
        """The URI of the model that translates back: a language model goes both ways."""
        return self.engine if self.back is None and self.engine.startswith(PREFIX) else self.back

    @property
    def _ways(self) -> tuple[str, str]:
        """The way there and the way back, as `corpus.translation` reads them."""
        there, back = f"{self.language}-{self.pivot}", f"{self.pivot}-{self.language}"
        if self._back is None:
            return f"apertium:{there}", f"apertium:{back}"
        return _way(self.engine, there), _way(self._back, back)

    @property
    def _asks(self) -> bool:
        """Whether a language model is asked, which goes by the names of the languages."""
        return self.engine.startswith(PREFIX) or (self.back or "").startswith(PREFIX)

    @property
    def models(self) -> tuple[str, ...]:
        """The models of both ways, where the engine is a model."""
        return tuple(_bare(uri) for uri in (self.engine, self._back) if self._is_model and uri is not None)

    def identity(self, models: Models) -> dict[str, Any]:
        """Return all knobs written out; of Apertium, which has no use for them, none of those of models."""
        known = super().identity(models)
        return known if self._is_model else {name: known[name] for name in known if name not in _OF_MODELS}

    def ready(self, models: Models) -> None:
        """Raise UserError where the engine or a language is not there."""
        for way in self._ways:
            models.engine_revision(way)

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the candidates of each row that is long enough: parent, operation, messages and how each was made."""
        return anew(
            rows,
            self.roles,
            (self.min_words, self.max_words),
            lambda texts: self._say_anew(texts, context),
            lambda: self._maker(context),
        )

    def _maker(self, context: Context) -> Maker:
        revisions = ", ".join(context.models.engine_revision(way) for way in self._ways)
        licence = "; ".join(dict.fromkeys(context.models.engine_licence(way) for way in self._ways))
        return Maker(self.stage, _plain(self.engine), revisions, self._parameters(context), licence)

    def _parameters(self, context: Context) -> dict[str, Any]:
        pair = {"language": self.language, "pivot": self.pivot}
        if self._back is None:
            return pair
        drawn = {"temperature": self.temperature, "seed": context.seed} if self.temperature else {}
        return {**(pair if self._asks else {}), "back": _plain(self._back), **drawn}

    def _say_anew(self, texts: list[str], context: Context) -> list[list[Said]]:
        masked = [mask(one) for one in texts]
        made = [self._round_trip(masked, n, context) for n in range(self.variants)]
        return [list(ways) for ways in zip(*made, strict=True)]

    def _round_trip(self, masked: list[Masked], n: int, context: Context) -> list[Said]:
        there, back = self._ways
        sampled = Sampled(self.temperature, context.seed, n) if self.temperature else None
        pivots = _translated(there, [one.text for one in masked], sampled, context)
        sent = ["" if pivot is None or pivot["fault"] is not None else pivot["text"] for pivot in pivots]
        returned = _translated(back, sent, sampled, context)
        return [_said(*made) for made in zip(masked, pivots, returned, strict=True)]


def _translated(
    way: str, texts: list[str], sampled: Sampled | None, context: Context
) -> list[dict[str, Any] | None]:
    """Translate texts on a way, or replay what was translated before."""
    drawn = "" if sampled is None else f" {sampled.temperature} {sampled.seed} {sampled.n}"
    made: list[dict[str, Any] | None] = context.replay.recall(
        f"said by {context.models.engine_revision(way)}{drawn}",
        pa.array(texts, pa.string()),
        lambda missing: context.models.translate(way, missing, sampled),
        block=None if way.startswith("apertium:") else SLOW,
    ).to_pylist()
    return made


def _fault(made: dict[str, Any] | None) -> str | None:
    return "not_made" if made is None else made["fault"]


def _said(masked: Masked, pivot: dict[str, Any] | None, back: dict[str, Any] | None) -> Said:
    """Put the masked pieces back into both translations."""
    through, returned = ("" if made is None else made["text"] for made in (pivot, back))
    said, lost = masked.restore(returned)
    return Said(said, lost, {"pivot": masked.restore(through)[0]}, _fault(pivot) or _fault(back))


def _way(uri: str, pair: str) -> str:
    return f"{pair}:{uri}" if uri.startswith(PREFIX) else uri


def _bare(uri: str) -> str:
    return uri.removeprefix(INT8).removeprefix(PREFIX)


def _plain(uri: str) -> str:
    return uri.partition("#sha256=")[0]
