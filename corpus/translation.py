"""A way from one language into another by URI: a pair of Apertium, or a Marian model, as it is or with weights of 8 bits.

apertium:eng-spa        hf://Helsinki-NLP/opus-mt-en-de@main        ctranslate2+hf://Helsinki-NLP/opus-mt-en-de@main

A language model that is asked to translate is no way yet.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from corpus import apertium, marian, marian_int8, marian_torch, model_card
from corpus.fetch import Fetched, fetch
from corpus.sampled import Sampled
from corpus.schema import UserError

TRANSLATED = pa.struct([("text", pa.string()), ("endless", pa.bool_())])
"""A translation, and whether the model came to no end; null where none could be made."""
INT8 = "ctranslate2+"
"""Stands before a model's URI that CTranslate2 shall decode."""

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
        """Translate each text by itself: `TRANSLATED`."""


def find(way: str, base: Path, cache: Path) -> Way:
    """Return what a URI means; models are fetched. Raises `UserError` where it is not there, or translates nothing."""
    pair = _APERTIUM.fullmatch(way)
    if pair is not None:
        apertium.mode(pair[1], pair[2])
        return _Pair(pair[1], pair[2])
    if way.startswith("apertium"):
        raise UserError(f"needed a pair of languages as in apertium:eng-spa, and {way!r} came: name one")
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
        ended = pa.repeat(pa.scalar(value=False), len(said))
        return pa.StructArray.from_arrays([said, ended], fields=list(TRANSLATED), mask=pc.is_null(said))


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
        answers = model.translate(texts, sampled)
        return pa.array(
            [None if one is None else {"text": one.text, "endless": one.endless} for one in answers],
            TRANSLATED,
        )
