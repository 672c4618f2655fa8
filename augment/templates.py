"""Prompts are asked in other ways: in a template's words or with a template around them, behind examples; the answers stay."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import pyarrow as pa
import yaml
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, model_validator

from augment.anew import Maker, Said, Way, by_row
from augment.request import REQUEST, Request, requests, revision
from corpus.models import Models
from corpus.schema import UserError, digest
from corpus.stage import Context, Grow

_TEXT = "{text}"
_REVISION = "2"
_SIGNED = re.compile(r"(?:, \w+)?[.!?]?")


class Example(BaseModel):
    """A prompt with its answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str = Field(pattern=r"\S", description="the prompt")
    answered: str = Field(pattern=r"\S", description="what answers it")


class Templates(Grow):
    """Grow `variants` candidates from each row, each the same prompt in another template; what answers it is copied.

    It is the first message of `roles` that is asked otherwise; later turns refer to it and stay, and a row in which it is blank
    does not grow. A template with {text} is put around the prompt, whose words stay as they are. One with {request} says the
    prompt's request in its own words: "Please write a poem. Make it rhyme." in "Could you {request}?" becomes "Could you write a
    poem? Make it rhyme." It is for prompts alone that begin with a request in English (`augment.request`; its words are in
    `data/templates`). A question or a statement is not meant to be given to it, and neither is a prompt that stands in it
    already. What a request introduces, behind a colon or in the next line, stays to the character. Which templates a row gets,
    of those that it can be given, depends on its id and the seed alone.

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
        description="ways to ask, each with {text} or {request} once; those of `data/templates` where absent",
    )
    examples: tuple[Example, ...] = Field(
        (), description="prompts with their answers, of which `shots` are shown"
    )
    shots: NonNegativeInt = Field(0, description="examples that stand before each prompt")
    variants: PositiveInt = Field(
        1, description="candidates of each row, each with a template of its own; fewer where fewer suit it"
    )
    min_words: NonNegativeInt = Field(1, description="words that a row must have to be grown from")
    max_words: PositiveInt = Field(1_000, description="words that it may have")

    @model_validator(mode="after")
    def _templates_are_sound(self) -> "Templates":
        held = self._held
        for one in held:
            if REQUEST in one and not _SIGNED.fullmatch(one.partition(REQUEST)[2]):
                raise UserError(
                    f"behind {REQUEST} a template has a sign, or a comma, a word and a sign, got {one!r}: write one such as 'Could you {REQUEST}?'"
                )
            if one.count(_TEXT) + one.count(REQUEST) != 1 or one.strip() in (_TEXT, REQUEST):
                raise UserError(
                    f"a template needs {_TEXT} or {REQUEST} once and words around it, got {one!r}; "
                    f"write one such as 'Please answer: {_TEXT}' or 'Could you {REQUEST}?'"
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
        """Return the knobs with the templates themselves, and what requests are known by where a template says one."""
        words = {"requests": revision()} if any(REQUEST in one for one in self._held) else {}
        return {**super().identity(models), "templates": [*self._held], **words}

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the candidates of each row whose prompt is long enough: parent, operation, messages and the template."""
        examples = _prompts([one.asked for one in self.examples])
        return by_row(
            rows,
            self.roles,
            (self.min_words, self.max_words),
            lambda ids, texts: [
                self._ways(row_id, said, prompt, examples, context)
                for row_id, said, prompt in zip(
                    ids, texts, _prompts([said[0] for said in texts]), strict=True
                )
            ],
        )

    def _ways(
        self,
        row_id: str,
        said: Sequence[str],
        prompt: "_Prompt",
        examples: Sequence["_Prompt"],
        context: Context,
    ) -> list[Way]:
        if not prompt.said.strip():
            return []
        others = [
            (one, example.answered)
            for one, example in zip(examples, self.examples, strict=True)
            if _plain(one.said) != _plain(prompt.said)
        ]
        suiting = [
            template
            for template in self._held
            if prompt.suits(template) and (not self.shots or len(_shown(template, others)) >= self.shots)
        ]
        drawn = context.generator(row_id).permutation(len(suiting))[: self.variants]
        return [self._way(row_id, suiting[place], said, prompt, others, context) for place in drawn.tolist()]

    def _way(
        self,
        row_id: str,
        template: str,
        said: Sequence[str],
        prompt: "_Prompt",
        others: Sequence[tuple["_Prompt", str]],
        context: Context,
    ) -> Way:
        """Return the row's prompt in a template, behind `shots` of the examples that can be asked in it too."""
        some = _shown(template, others) if self.shots else []
        drawn = context.generator(f"{row_id} {template}").permutation(len(some))[: self.shots]
        shown = "".join(some[place] for place in drawn.tolist())
        first = Said(f"{shown}{prompt.asked(template)}", shown=len(shown))
        return Way([first, *map(Said, said[1:])], self._maker(template, shown, context))

    def _maker(self, template: str, shown: str, context: Context) -> Maker:
        whose = (
            "Winnow's own templates (Apache-2.0)" if self.templates is None else "the recipe's own templates"
        )
        licence = f"{whose}, the recipe's own examples" if self.shots else whose
        examples = {"shots": self.shots, "examples": digest(shown).hex()} if self.shots else {}
        parameters = {"template": template, **examples, "seed": context.seed}
        return Maker(self.stage, "templates", _REVISION, parameters, licence, near=True)


@dataclass(frozen=True)
class _Prompt:
    """What is asked, and its request where it begins with one."""

    said: str
    request: Request | None

    def asked(self, template: str) -> str | None:
        """Return the prompt in a template, None where the template is for requests and there is none."""
        if _TEXT in template:
            return template.replace(_TEXT, self.said)
        return None if self.request is None else self.request.said(template)

    def suits(self, template: str) -> bool:
        """Tell whether the prompt can be asked in a template, and does not stand in it but for a sign already."""
        asked = self.asked(template)
        return asked is not None and _bare(asked) != _bare(self.said)


def _prompts(texts: Sequence[str]) -> list[_Prompt]:
    return [_Prompt(text, request) for text, request in zip(texts, requests(texts), strict=True)]


def _shown(template: str, examples: Sequence[tuple[_Prompt, str]]) -> list[str]:
    """Write each example that a template suits: behind a colon the answer follows at once, else in the next line."""
    asked = [(one.asked(template), answer) for one, answer in examples]
    return [
        f"{prompt}{' ' if prompt.endswith(':') else chr(10)}{answer}\n\n"
        for prompt, answer in asked
        if prompt is not None
    ]


def _bare(asked: str) -> str:
    return _plain(asked).rstrip(".!?")


def _plain(asked: str) -> str:
    return " ".join(asked.split()).casefold()


@functools.cache
def ours() -> tuple[str, ...]:
    """Return the templates that ship with Winnow."""
    held = yaml.safe_load((files("data") / "templates" / "prompts.yaml").read_text(encoding="utf-8"))
    return tuple(held["templates"])
