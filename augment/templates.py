"""Prompts are asked in other ways: a template is put around what the user says, examples before it, and the answers stay."""

import functools
from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Literal

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from augment.anew import Maker, Said, Way, by_row
from corpus.models import Models
from corpus.schema import UserError, digest
from corpus.stage import Context, Grow

_TEXT = "{text}"
_REVISION = "1"


class Example(BaseModel):
    """A prompt with its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str = Field(pattern=r"\S", description="the prompt")
    answered: str = Field(pattern=r"\S", description="what answers it")


class Templates(Grow):
    """Grow `variants` candidates from each row, each the same prompt in another template; what answers it is copied.

    The template is put around the first message of `roles`, whose words stay as they are; later turns refer to it and stay
    too; a row in which it is blank does not grow. Which templates a row gets depends on its id and the seed alone.

    With `shots` as many of the recipe's `examples` stand before it, drawn by the row and the template, each asked in the same
    template and answered: a few-shot prompt. An example that is the row's own prompt is not shown to it, and where too few are
    left the row does not grow. They are the recipe's and not drawn of the corpus: a prompt that held other rows would outlive
    them where they are forgotten. What shows examples does not grow again.

    Candidates are near their parents, and `admission` knows that; a template that brings a number or a negation has its
    candidates refused there, since the parent has none. Examples may hold both. A short prompt in a long template has more than
    twice its words: raise admission's `max_word_ratio` for it.
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
    examples: tuple[Example, ...] = Field(
        (), description="prompts with their answers, of which `shots` are shown"
    )
    shots: NonNegativeInt = Field(0, description="examples that stand before each prompt")
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
        if self.shots > len(self.examples):
            raise UserError(
                f"shots is {self.shots} and there are {len(self.examples)} examples: write more, or ask for fewer"
            )
        if self.examples and not self.shots:
            raise UserError("examples are given and shots is 0, so none would be shown: say how many")
        asked = [_plain(one.asked) for one in self.examples]
        if len({*asked}) < len(asked):
            raise UserError("two examples ask the same, and would be shown side by side: take one out")
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
        ways = (self._way(row_id, self._held[place], said, context) for place in drawn.tolist())
        return [way for way in ways if way is not None]

    def _way(self, row_id: str, template: str, said: Sequence[str], context: Context) -> Way | None:
        """Return the row's prompt in a template, behind its examples; None where too few of these are left."""
        others = [one for one in self.examples if _plain(one.asked) != _plain(said[0])]
        if len(others) < self.shots:
            return None
        drawn = context.generator(f"{row_id} {template}").permutation(len(others))[: self.shots]
        shown = "".join(_answered(template, others[place]) for place in drawn.tolist())
        first = Said(shown + template.replace(_TEXT, said[0]), shown=len(shown))
        return Way([first, *map(Said, said[1:])], self._maker(template, shown, context))

    def _maker(self, template: str, shown: str, context: Context) -> Maker:
        whose = (
            "Winnow's own templates (Apache-2.0)" if self.templates is None else "the recipe's own templates"
        )
        licence = f"{whose}, the recipe's own examples" if self.shots else whose
        examples = {"shots": self.shots, "examples": digest(shown).hex()} if self.shots else {}
        parameters = {"template": template, **examples, "seed": context.seed}
        return Maker(self.stage, "templates", _REVISION, parameters, licence, near=True)


def _answered(template: str, example: Example) -> str:
    """Write an example as its template asks: behind a colon the answer follows at once, else in the next line."""
    asked = template.replace(_TEXT, example.asked)
    return f"{asked}{' ' if asked.endswith(':') else chr(10)}{example.answered}\n\n"


def _plain(asked: str) -> str:
    return " ".join(asked.split()).casefold()


@functools.cache
def ours() -> tuple[str, ...]:
    """Return the templates that ship with Winnow."""
    held = yaml.safe_load((files("data") / "templates" / "prompts.yaml").read_text(encoding="utf-8"))
    return tuple(held["templates"])
