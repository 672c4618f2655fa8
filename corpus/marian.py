"""Marian models (opus-mt and their like): sentence by sentence, the same for a sentence whatever stands beside it.

A sentence that the model may not read whole is cut between words, never truncated. What has no letter ("...", "-") is passed as it
is: asked for it, models say what nobody said (transformers #14337). Text that spells `</s>` or `<pad>` is text.
"""

import functools
import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from corpus.answers import Answer, joined
from corpus.sampled import Sampled
from corpus.schema import UserError
from corpus.sentences import fitted, sentences


class Decoder(Protocol):
    """What makes pieces of a translation from the pieces of a sentence."""

    def decode(
        self, asked: Sequence[tuple[str, Sequence[int]]], sampled: Sampled | None
    ) -> list[tuple[list[int], bool]]:
        """Return for each sentence (its text and pieces, the end among them) the pieces of its translation, without the end.

        And whether it came to no end before twice the sentence's length and some: a model that repeats itself stops there.
        """


@dataclass(frozen=True)
class Marian:
    """A tokenizer and a decoder. `limit` is how many pieces of a sentence are read at once."""

    tokenizer: Any
    decoder: Decoder
    limit: int

    def translate(self, texts: pa.StringArray, sampled: Sampled | None) -> list[Answer | None]:
        """Translate each text; None where a word of it has more pieces than the model reads."""
        cut = [fitted(text, self._count, self.limit) for text in sentences(texts)]
        said = {sentence for text in cut if text is not None for sentence in text.said}
        asked = sorted(sentence for sentence in said if any(map(str.isalpha, sentence)))
        made = self.decoder.decode([(sentence, self._pieces(sentence)) for sentence in asked], sampled)
        answers = {
            sentence: Answer(
                self.tokenizer.decode(pieces, skip_special_tokens=True), "endless" if endless else None
            )
            for sentence, (pieces, endless) in zip(asked, made, strict=True)
        }
        return [None if text is None else joined(text, answers) for text in cut]

    def _pieces(self, sentence: str) -> list[int]:
        pieces: list[int] = self.tokenizer(sentence, split_special_tokens=True, verbose=False)["input_ids"]
        return pieces

    def _count(self, sentence: str) -> int:
        return len(self._pieces(sentence))


def check(folder: Path, uri: str) -> None:
    """Raise `UserError` where a folder holds no Marian model of one target language, or what reads it is missing."""
    try:
        kind = json.loads((folder / "config.json").read_text())["model_type"]
        pieces = json.loads((folder / "vocab.json").read_text())
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(
            f"translation needs a Marian model (a folder with config.json and vocab.json), and {uri} is none: name another"
        ) from error
    if kind != "marian":
        raise UserError(f"translation needs a Marian model, and {uri} is of the type {kind!r}: name another")
    codes = [piece for piece in pieces if piece.startswith(">>") and piece.endswith("<<")]
    if codes:
        raise UserError(
            f"translation needs a model of one target language, and {uri} asks for one of {len(codes)} "
            f"({', '.join(codes[:3])}): name a model of one pair"
        )
    try:
        version("sentencepiece")
    except PackageNotFoundError as error:
        raise UserError(
            "Marian models need sentencepiece, and it is not installed: pip install sentencepiece"
        ) from error


def revision(sha256: str) -> str:
    """Name what an answer depends on beside the decoder: the model's digest and the libraries that cut texts into pieces."""
    libraries = (f"{name} {version(name)}" for name in ("transformers", "sentencepiece"))
    return f"Marian {sha256}, {', '.join(libraries)}"


@functools.cache
def tokenizer(folder: Path, sha256: str) -> Any:
    """Load a model's tokenizer once a process; `sha256` tells a folder that has changed."""
    from transformers import AutoTokenizer

    with warnings.catch_warnings():
        # It would straighten quotes, in a method that tokenizing does not call.
        warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
