"""Prompts are asked in other ways: a template is put around what the user says, and the answers stay."""

import functools
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal

import pyarrow as pa
import yaml
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from augment.anew import Maker, Said, Way, by_row
from corpus.models import Models
from corpus.schema import UserError
from corpus.stage import Context, Grow

_TEXT = "{text}"
_REVISION = "1"


class Templates(Grow):
    """Grow `variants` candidates from each row, each the same prompt in another template; what answers it is copied.

    The template is put around the first message of `roles`, whose words stay as they are; later turns refer to it and stay
    too; a row in which it is blank does not grow. Which templates a row gets depends on its id and the seed alone.

    Candidates are near their parents, and `admission` knows that; a template that brings a number or a negation has its
    candidates refused there, since the parent has none. Few-shot prompts are not made: a part's rows are all that growth
    sees, so they would depend on the part, and what is forgotten takes along what grew of it as its one parent.
    """

    stage: Literal["templates"] = "templates"
    roles: tuple[str, ...] | None = Field(
        ("user",), description="messages of which the first is asked otherwise; all where absent"
    )
    templates: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="ways to ask, each with {text} once; those of `data/templates` where absent",
    )
    variants: PositiveInt = Field(1, description="candidates of each row, each with a template of its own")
    min_words: NonNegativeInt = Field(1, description="words that a row must have to be grown from")
    max_words: PositiveInt = Field(1_000, description="words that it may have")

    @model_validator(mode="after")
    def _templates_are_sound(self) -> "Templates":
        held = self._held
        for one in held:
            if one.count(_TEXT) != 1 or not one.replace(_TEXT, "").strip():
                raise UserError(
                    f"a template needs {_TEXT} once and words around it, got {one!r}; write one such as 'Please answer: {_TEXT}'"
                )
        if len({*held}) < len(held):
            raise UserError(f"two templates are the same among {', '.join(map(repr, held))}: take one out")
        if self.variants > len(held):
            raise UserError(
                f"variants is {self.variants} and there are {len(held)} templates: write more, or ask for fewer"
            )
        return self

    @property
    def _held(self) -> Sequence[str]:
        return ours() if self.templates is None else self.templates

    def identity(self, models: Models) -> dict[str, Any]:
        """Return the knobs, with the templates themselves."""
        return {**super().identity(models), "templates": [*self._held]}

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the candidates of each row whose prompt is long enough: parent, operation, messages and the template."""
        return by_row(
            rows,
            self.roles,
            (self.min_words, self.max_words),
            lambda ids, texts: [
                self._ways(row_id, said, context) for row_id, said in zip(ids, texts, strict=True)
            ],
        )

    def _ways(self, row_id: str, said: Sequence[str], context: Context) -> list[Way]:
        if not said[0].strip():
            return []
        drawn = context.generator(row_id).permutation(len(self._held))[: self.variants]
        return [
            Way(
                [Said(template.replace(_TEXT, said[0])), *map(Said, said[1:])],
                self._maker(template, context),
            )
            for template in (self._held[place] for place in drawn.tolist())
        ]

    def _maker(self, template: str, context: Context) -> Maker:
        licence = (
            "Winnow's own templates (Apache-2.0)" if self.templates is None else "the recipe's own templates"
        )
        parameters = {"template": template, "seed": context.seed}
        return Maker(self.stage, "templates", _REVISION, parameters, licence, near=True)


@functools.cache
def ours() -> tuple[str, ...]:
    """Return the templates that ship with Winnow."""
    held = yaml.safe_load((files("data") / "templates" / "prompts.yaml").read_text(encoding="utf-8"))
    return tuple(held["templates"])
