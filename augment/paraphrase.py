"""Rows are said in other words of the same language."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from augment import synonyms, wordnet
from augment.anew import Maker, Said, anew, by_row
from augment.asked import Asked, ours
from augment.edits import KINDS, USUAL, Kind, edited
from augment.masks import mask
from corpus import asking
from corpus.asking import PREFIX
from corpus.models import Models
from corpus.morphology import ENGLISH
from corpus.schema import UserError, digest
from corpus.stage import Context, Grow

_WITHOUT_MODEL = ("wordnet", "edits")
_OF_MODELS = {"templates", "temperatures"}


class Paraphrase(Grow):
    """Grow `variants` candidates from each row of `min_words` to `max_words` words, by an engine.

    `wordnet` exchanges words for synonyms of the sense that they have in the text, in the same inflection (English alone:
    Apertium's grammar reads and writes the words); where no sense is clear the row comes back as it is. `edits` moves, takes
    out and mistypes words, in any language, and with the kind `insert` says some again; it may change a label, since it knows no
    meaning, and each row says so (`label_risk`). `model+` before a URI asks an
    instructed language model, in its own chat template, with one of `templates` at one of `temperatures` for each candidate; it
    is spelled as an engine of `back_translation` is, URI and all, so that the engine of a row is one name. A text in
    one line that is not long is asked as a whole, another sentence by sentence; nothing is truncated. "Here is ...:" and quotes
    round an answer are taken off (`corpus.reply`). Of a model of 0.1 billion parameters little is usable: of
    40 candidates by SmolLM2-135M that were read 2 kept the meaning, and admission let 1 pass, which was one of these.

    Links, handles, hashtags, numbers and emoji are masked and put back. A candidate depends on its text, the engine's knobs, its
    number and the seed, so it is replayed, and no other row changes it. One that a model came to no end with, or in which it said
    its instruction, is returned like any other: admission says why it goes. Raises `UserError` where an engine's parts are missing.
    """

    stage: Literal["paraphrase"] = "paraphrase"
    roles: tuple[str, ...] | None = Field(
        ("text", "user"), description="messages that are said anew; all where absent"
    )
    engine: str = Field(
        "wordnet",
        description="what says anew: `wordnet` (synonyms), `edits` (they know no meaning), or an instructed language model "
        "(`model+hf://owner/name@revision`, `model+file:folder`)",
    )
    templates: dict[str, str] | None = Field(
        None,
        min_length=1,
        description="of models: instructions by name, each with {text} once; those of `data/templates` where absent",
    )
    temperatures: tuple[Annotated[float, Field(gt=0, le=2)], ...] = Field(
        (0.4, 0.8),
        min_length=1,
        description="of models: how freely pieces are drawn, the more freely the higher",
    )
    share: float = Field(
        0.6,
        gt=0,
        le=1,
        description="share of the words that are changed; of `wordnet`, of those that have synonyms",
    )
    kinds: tuple[Kind, ...] = Field(
        USUAL, min_length=1, description=f"of `edits`: what is done to words, of {', '.join(KINDS)}"
    )
    variants: PositiveInt = Field(1, le=20, description="candidates of each row, each drawn anew")
    min_words: NonNegativeInt = Field(4, description="words that a row must have to be grown from")
    max_words: PositiveInt = Field(1_000, description="words that it may have")

    @field_validator("kinds")
    @classmethod
    def _in_order(cls, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        """Return each kind once, in one order: one meaning, one spelling in a version's id."""
        return tuple(kind for kind in KINDS if kind in kinds)

    @model_validator(mode="after")
    def _engine_can(self) -> "Paraphrase":
        if not self._is_model and self.engine not in _WITHOUT_MODEL:
            raise UserError(
                f"paraphrase.engine needs {', '.join(_WITHOUT_MODEL)} or the URI of an instructed language model behind "
                f"`{PREFIX}` ({PREFIX}hf://owner/name@revision), and {self.engine!r} came"
            )
        if self._is_model and "://" not in self._uri and not self._uri.startswith("file:"):
            raise UserError(
                f"paraphrase.engine needs a URI behind `{PREFIX}` (hf://owner/name@revision, file:folder), and {self._uri!r} came"
            )
        foreign = [
            name
            for name in sorted(self._others)
            if getattr(self, name) != type(self).model_fields[name].default
        ]
        if foreign:
            raise UserError(
                f"paraphrase.{foreign[0]} is of no use to the engine {self.engine}: leave it away"
            )
        for instruction in self._instructions.values():
            asking.check(instruction)
        return self

    @property
    def _is_model(self) -> bool:
        return self.engine.startswith(PREFIX)

    @property
    def _others(self) -> set[str]:
        """The knobs that the engine has no use for."""
        if self._is_model:
            return {"share", "kinds"}
        return _OF_MODELS if self.engine == "edits" else {*_OF_MODELS, "kinds"}

    @property
    def _uri(self) -> str:
        return self.engine.removeprefix(PREFIX)

    @property
    def _instructions(self) -> Mapping[str, str]:
        return ours() if self.templates is None else self.templates

    @property
    def models(self) -> tuple[str, ...]:
        """The language model, where one is asked."""
        return (self._uri,) if self._is_model else ()

    def identity(self, models: Models) -> dict[str, Any]:
        """Return the knobs that the engine has a use for, the instructions themselves among them."""
        known = super().identity(models)
        told = {name: known[name] for name in known if name not in self._others}
        return {**told, "templates": dict(self._instructions)} if self._is_model else told

    def ready(self, models: Models) -> None:
        """Raise UserError where WordNet, Apertium or its grammar is not installed, or the model cannot be asked."""
        if self._is_model:
            models.instructed(self._uri).revision  # noqa: B018  # it raises
        if self.engine == "wordnet":
            wordnet.ready()
            for source, target in (ENGLISH, ENGLISH[::-1]):
                models.engine_revision(f"apertium:{source}-{target}")

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the candidates of each row that is long enough: parent, operation, messages and how each was made."""
        if self._is_model:
            asked = Asked(self.stage, self._uri, self._instructions, self.temperatures, self.variants)
            words = (self.min_words, self.max_words)
            return by_row(rows, self.roles, words, lambda _, texts: asked.ways(texts, context))
        return anew(
            rows,
            self.roles,
            (self.min_words, self.max_words),
            lambda texts: self._ways(texts, context),
            lambda: self._maker(context),
        )

    def _maker(self, context: Context) -> Maker:
        parameters = {"share": self.share, **self._chosen_kinds, "seed": context.seed}
        revision = self._revision(context)
        if self.engine == "wordnet":
            return Maker(self.stage, self.engine, revision, parameters, wordnet.LICENCE)
        licence = "made by Winnow's own edits (Apache-2.0)"
        risk = f"{', '.join(self.kinds)}: by chance, whatever the words mean"
        return Maker(self.stage, self.engine, revision, parameters, licence, label_risk=risk)

    @property
    def _chosen_kinds(self) -> dict[str, str]:
        """The kinds of edits, where they are not the usual ones: those made rows, ids and all, before there were others."""
        return {} if self.kinds == USUAL else {"kinds": "+".join(self.kinds)}

    def _revision(self, context: Context) -> str:
        if self.engine == "edits":
            return "1"
        grammar, back = ENGLISH, ENGLISH[::-1]
        told = [context.models.engine_revision(f"apertium:{'-'.join(pair)}") for pair in (grammar, back)]
        return f"WordNet 3.0, nltk {version('nltk')}, {', '.join(told)}"

    def _ways(self, texts: list[str], context: Context) -> list[list[Said]]:
        masked = [mask(text) for text in texts]
        drawn = " ".join(
            [*self._chosen_kinds.values(), str(self.share), str(self.variants), str(context.seed)]
        )
        maker = f"paraphrase {self.engine} {self._revision(context)} {drawn}"
        made = context.replay.recall(
            maker,
            pa.array([one.text for one in masked], pa.string()),
            lambda missing: pa.array(self._made(missing.to_pylist(), context.seed), pa.list_(pa.string())),
        ).to_pylist()
        return [[Said(*one.restore(text)) for text in ways] for one, ways in zip(masked, made, strict=True)]

    def _made(self, texts: list[str], seed: int) -> list[list[str]]:
        """Say each text anew, `variants` times."""
        if self.engine == "edits":
            return [
                [
                    edited(text, self.share, _generator(seed, text, n), self.kinds)
                    for n in range(self.variants)
                ]
                for text in texts
            ]
        return [
            [read.said(self.share, _generator(seed, text, n)) for n in range(self.variants)]
            for text, read in zip(texts, synonyms.readable(texts), strict=True)
        ]


def _generator(seed: int, text: str, n: int) -> np.random.Generator:
    """Return a generator of each candidate's own: what is drawn for it depends on no other row."""
    return np.random.default_rng(list(digest(str(seed), "paraphrase", text, str(n))))
