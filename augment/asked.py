"""Rows are said anew by an instructed language model: each candidate by an instruction and at a temperature drawn for it."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from augment.anew import Maker, Said, Way
from augment.masks import Masked, mask
from corpus.asking import PREFIX, Ask
from corpus.memo import SLOW
from corpus.sampled import Sampled
from corpus.schema import digest
from corpus.stage import Context


@dataclass(frozen=True)
class Asked:
    """A model at `uri`, instructions by name, temperatures, and how many candidates each row gets.

    Each row takes the pairs of instruction and temperature in an order of its own, from the first again once all are taken.
    The order and all draws depend on what the row says, the number and the seed: more variants leave the first ones as they were.
    """

    operation: str
    uri: str
    templates: Mapping[str, str]
    temperatures: tuple[float, ...]
    variants: int

    def ways(self, rows: Sequence[Sequence[str]], context: Context) -> list[list[Way]]:
        """Return the ways in which the chosen messages of each row are said anew, all asked at once."""
        model = context.models.instructed(self.uri)
        revision, licence = model.revision, model.licence
        ways = [self._drawn(texts, context.seed) for texts in rows]
        masked = [[mask(text) for text in texts] for texts in rows]
        asks = [
            Ask(self.templates[name], one.text, Sampled(temperature, context.seed, n)).spelled()
            for of_row, texts in zip(ways, masked, strict=True)
            for n, (name, temperature) in enumerate(of_row)
            for one in texts
        ]
        answers = iter(
            context.replay.recall(
                f"asked of {revision}",
                pa.array(asks, pa.string()),
                lambda missing: context.models.ask(self.uri, missing),
                block=SLOW,
            ).to_pylist()
        )
        return [
            [
                Way([_said(one, next(answers)) for one in texts], self._maker(revision, licence, *way, context), n)
                for n, way in enumerate(of_row)
            ]
            for of_row, texts in zip(ways, masked, strict=True)
        ]  # fmt: skip

    def _drawn(self, texts: Sequence[str], seed: int) -> list[tuple[str, float]]:
        pairs = list(itertools.product(self.templates, self.temperatures))
        generator = np.random.default_rng(list(digest(str(seed), "asked", *texts)))
        order = generator.permutation(len(pairs)).tolist()
        return [pairs[order[n % len(pairs)]] for n in range(self.variants)]

    def _maker(
        self, revision: str, licence: str, template: str, temperature: float, context: Context
    ) -> Maker:
        parameters = {
            "template": template,
            "instruction": self.templates[template],
            "temperature": temperature,
            "seed": context.seed,
        }
        return Maker(
            self.operation, f"{PREFIX}{self.uri.partition('#sha256=')[0]}", revision, parameters, licence
        )


def _said(masked: Masked, answer: dict[str, Any] | None) -> Said:
    if answer is None:
        return Said("", fault="not_made")
    return Said(*masked.restore(answer["text"]), fault=answer["fault"])


@functools.cache
def ours() -> Mapping[str, str]:
    """Return the instructions that ship with Winnow, by name."""
    held = yaml.safe_load((files("data") / "templates" / "paraphrase.yaml").read_text(encoding="utf-8"))
    return dict(held["templates"])
