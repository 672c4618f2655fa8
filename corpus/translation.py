"""A way from one language into another by URI: a pair of Apertium, a Marian model, or a language model that is asked for a pair.

apertium:eng-spa                                 a pair of Apertium
hf://Helsinki-NLP/opus-mt-en-de@main             a Marian model; with ctranslate2+ before it in 8 bits
eng-deu:model+hf://owner/name@revision           a language model that is asked to translate
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from corpus import apertium, asking, languages, marian, marian_int8, marian_torch, model_card
from corpus.answers import ANSWERED, column
from corpus.asking import Ask
from corpus.fetch import Fetched, fetch
from corpus.instructed import Instructed
from corpus.sampled import Sampled
from corpus.schema import UserError

INT8 = "ctranslate2+"
"""Stands before a model's URI that CTranslate2 shall decode."""

_ASKED = re.compile(rf"([^-:/+]+)-([^-:/+]+):{re.escape(asking.PREFIX)}(.+)")
_APERTIUM = re.compile(r"apertium:([^-]+)-([^-]+)")
_OPUS = "CC-BY-4.0"
_GRAMMARS = {
    frozenset({"eng", "spa"}): "GPL-2.0",
    frozenset({"en", "gl"}): "GPL-2.0",
    frozenset({"en", "eo"}): "GPL-2.0",
    frozenset({"eng", "cat"}): "GPL-3.0",
}


class Way(Protocol):
    """What translates."""

    @property
    def revision(self) -> str:
        """What a translation depends on beside its text."""

    @property
    def licence(self) -> str:
        """Under which licence a translation stands."""

    def translate(self, texts: pa.StringArray, sampled: Sampled | None) -> pa.StructArray:
        """Translate each text by itself: `ANSWERED`."""


def find(way: str, base: Path, cache: Path) -> Way:
    """Return what a URI means; models are fetched. Raises `UserError` where it is not there, or translates nothing."""
    pair = _APERTIUM.fullmatch(way)
    if pair is not None:
        apertium.mode(pair[1], pair[2])
        return _Pair(pair[1], pair[2])
    if way.startswith("apertium"):
        raise UserError(f"needed a pair of languages as in apertium:eng-spa, and {way!r} came: name one")
    asked = _ASKED.fullmatch(way)
    if asked is not None:
        instruction = languages.translating(asked[1], asked[2])
        return _Asked(Instructed(asked[3], base, cache), instruction)
    found = fetch(way.removeprefix(INT8), base, cache)
    marian.check(found.path, found.uri)
    return _Model(found, cache, way.startswith(INT8))


@dataclass(frozen=True)
class _Pair:
    source: str
    target: str

    @property
    def revision(self) -> str:
        return apertium.revision(self.source, self.target)

    @property
    def licence(self) -> str:
        known = _GRAMMARS.get(frozenset(code.partition("_")[0] for code in (self.source, self.target)))
        return f"made with Apertium and its language data ({known or 'its licence: the copyright file of the pair'})"

    def translate(self, texts: pa.StringArray, sampled: Sampled | None) -> pa.StructArray:
        assert sampled is None
        said = apertium.translate(self.source, self.target, texts)
        fault = pa.nulls(len(said), pa.string())
        return pa.StructArray.from_arrays([said, fault], fields=list(ANSWERED), mask=pc.is_null(said))


@dataclass(frozen=True)
class _Model:
    found: Fetched
    cache: Path
    int8: bool

    @property
    def revision(self) -> str:
        decoder = marian_int8.revision() if self.int8 else marian_torch.REVISION
        return f"{marian.revision(self.found.sha256)}, {decoder}"

    @property
    def licence(self) -> str:
        usual = _OPUS if "opus-mt" in self.found.uri else "its card names no licence"
        return f"made with {self.found.uri} ({model_card.licence(self.found.path) or usual})"

    def translate(self, texts: pa.StringArray, sampled: Sampled | None) -> pa.StructArray:
        path, sha256 = self.found.path, self.found.sha256
        model = marian_int8.load(path, sha256, self.cache) if self.int8 else marian_torch.load(path, sha256)
        return column(model.translate(texts, sampled))


@dataclass(frozen=True)
class _Asked:
    model: Instructed
    instruction: str

    @property
    def revision(self) -> str:
        return f"{self.model.revision}, asked {self.instruction!r}"

    @property
    def licence(self) -> str:
        return self.model.licence

    def translate(self, texts: pa.StringArray, sampled: Sampled | None) -> pa.StructArray:
        return column(self.model.answer([Ask(self.instruction, text, sampled) for text in texts.to_pylist()]))
