"""A sentence-transformers model that answers the same for a text, to the bit, whatever stands beside it."""

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from corpus.threads import one_thread

BATCH = 16
"""Texts in a batch, those that fill it up included."""
_LENGTHS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 128, 192, 256, 384, 512)
"""Fixed shapes make a row's bits independent of its neighbours; of those tried on tweets these were fastest."""


@functools.cache
def load(folder: Path, revision: str) -> "Encoder":
    """Load a model once a process; `revision` tells a folder that has changed."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call] # the library's own lack
    return Encoder(SentenceTransformer(str(folder), device="cpu", local_files_only=True).eval())


@dataclass(frozen=True)
class Encoder:
    """What `corpus.models` asks for vectors."""

    model: Any

    def encode(self, texts: list[str], threads: int) -> np.ndarray:
        """Return a vector of unit length for each text: float32, (texts, dimensions)."""
        vectors = self._none(texts)

        def fill(rows: np.ndarray, pieces: list[list[int]], answer: Any) -> None:
            vectors[rows] = answer["sentence_embedding"].numpy()[: len(rows)]

        self._each_batch(texts, threads, fill)
        return _of_unit_length(vectors)

    def encode_words(self, texts: list[str]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the same vectors, and for each text those of its pieces: int8, (pieces, dimensions)."""
        vectors = self._none(texts)
        words: list[np.ndarray] = [np.zeros((0, vectors.shape[1]), np.int8)] * len(texts)

        def fill(rows: np.ndarray, pieces: list[list[int]], answer: Any) -> None:
            vectors[rows] = answer["sentence_embedding"].numpy()[: len(rows)]
            every = answer["token_embeddings"].numpy()
            for place, (row, found) in enumerate(zip(rows.tolist(), pieces, strict=True)):
                kept = self._says[np.array(found, np.int64)]
                each = _of_unit_length(every[place, : len(found)][kept])
                words[row] = np.rint(127 * each).astype(np.int8)

        self._each_batch(texts, 1, fill)
        return _of_unit_length(vectors), words

    def _none(self, texts: list[str]) -> np.ndarray:
        return np.zeros((len(texts), self.model.get_embedding_dimension()), np.float32)

    @cached_property
    def _says(self) -> np.ndarray:
        """Which pieces of the vocabulary have a letter or digit, and mark no end of a text."""
        tokenizer = self.model.tokenizer
        special = set(tokenizer.all_special_ids)
        pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
        return np.array(
            [any(map(str.isalnum, piece)) and number not in special for number, piece in enumerate(pieces)]
        )

    def _each_batch(
        self, texts: list[str], threads: int, fill: Callable[[np.ndarray, list[list[int]], Any], None]
    ) -> None:
        """Sort texts into lengths, and fill each batch up with rows that nobody reads."""
        pieces, limit = self._pieces(texts)
        batches = shaped([len(row) for row in pieces], limit)

        def run(batch: tuple[int, np.ndarray]) -> None:
            length, rows = batch
            mine = [pieces[row] for row in rows]
            fill(rows, mine, self._forward(mine, length))

        with one_thread() as alone:
            if threads == 1:
                for batch in batches:
                    run(batch)
            else:
                with ThreadPoolExecutor(threads, initializer=alone) as pool:
                    list(pool.map(run, batches))

    def _pieces(self, texts: list[str]) -> tuple[list[list[int]], int]:
        limit = int(self.model.max_seq_length)
        if not texts:
            return [], limit
        return self.model.tokenizer(texts, truncation=True, max_length=limit)["input_ids"], limit

    def _forward(self, pieces: list[list[int]], length: int) -> Any:
        import torch

        ids = np.full((BATCH, length), self.model.tokenizer.pad_token_id, np.int64)
        mask = np.zeros((BATCH, length), np.int64)
        mask[:, 0] = 1
        for row, found in enumerate(pieces):
            ids[row, : len(found)] = found
            mask[row, : len(found)] = 1
        with torch.inference_mode():
            return self.model({"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)})


def shaped(lengths: Sequence[int], limit: int) -> list[tuple[int, np.ndarray]]:
    """Sort texts of at most `limit` pieces into batches of one of a few lengths each; return it with the texts' places."""
    shapes = [length for length in _LENGTHS if length < limit] + [limit]
    shape = np.searchsorted(shapes, lengths)
    return [
        (length, rows[start : start + BATCH])
        for number, length in enumerate(shapes)
        for rows in [np.flatnonzero(shape == number)]
        for start in range(0, len(rows), BATCH)
    ]


def _of_unit_length(vectors: np.ndarray) -> np.ndarray:
    norms: np.ndarray = np.linalg.norm(vectors, axis=1, keepdims=True)
    long: np.ndarray = vectors / np.maximum(norms, np.float32(1e-12))
    return long
