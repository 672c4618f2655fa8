"""A sentence-transformers model that answers the same for a text, to the bit, whatever stands beside it."""

import functools
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from corpus.threads import one_thread
from corpus.windows import Window, windows

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
        """Return a vector of unit length for each text, as far as the model reads it: float32, (texts, dimensions)."""
        return _of_unit_length(self._vectors(self._pieces(texts), threads))

    def encode_whole(self, texts: list[str]) -> np.ndarray:
        """Return the same vectors, and for what is longer than the model reads the mean of those of its windows."""
        read = self._windows(texts)
        return _together(read, self._vectors([window.pieces for window in read], 1))

    def encode_words(self, texts: list[str]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return what `encode_whole` does, and for each text the vectors of its pieces: int8, (pieces, dimensions)."""
        read = self._windows(texts)
        vectors = self._none(len(read))
        words: list[np.ndarray] = [np.zeros((0, vectors.shape[1]), np.int8)] * len(read)

        def fill(rows: np.ndarray, answer: Any) -> None:
            vectors[rows] = answer["sentence_embedding"].numpy()[: len(rows)]
            every = answer["token_embeddings"].numpy()
            for place, row in enumerate(rows.tolist()):
                mine = slice(read[row].start, read[row].end)
                kept = self._says[np.array(read[row].pieces[mine], np.int64)]
                words[row] = np.rint(127 * _of_unit_length(every[place, mine][kept])).astype(np.int8)

        self._each_batch([window.pieces for window in read], 1, fill)
        firsts = np.searchsorted([window.text for window in read], range(len(texts) + 1))
        return _together(read, vectors), [
            np.concatenate(words[first:last]) for first, last in itertools.pairwise(firsts.tolist())
        ]

    def _vectors(self, pieces: list[list[int]], threads: int) -> np.ndarray:
        vectors = self._none(len(pieces))

        def fill(rows: np.ndarray, answer: Any) -> None:
            vectors[rows] = answer["sentence_embedding"].numpy()[: len(rows)]

        self._each_batch(pieces, threads, fill)
        return vectors

    def _none(self, count: int) -> np.ndarray:
        return np.zeros((count, self.model.get_embedding_dimension()), np.float32)

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
        self, pieces: list[list[int]], threads: int, fill: Callable[[np.ndarray, Any], None]
    ) -> None:
        """Sort pieces of texts into lengths, and fill each batch up with rows that nobody reads."""
        batches = shaped([len(row) for row in pieces], self._limit)

        def run(batch: tuple[int, np.ndarray]) -> None:
            length, rows = batch
            fill(rows, self._forward([pieces[row] for row in rows], length))

        with one_thread() as alone:
            if threads == 1:
                for batch in batches:
                    run(batch)
            else:
                with ThreadPoolExecutor(threads, initializer=alone) as pool:
                    list(pool.map(run, batches))

    @property
    def _limit(self) -> int:
        return int(self.model.max_seq_length)

    def _pieces(self, texts: list[str]) -> list[list[int]]:
        if not texts:
            return []
        found: list[list[int]] = self.model.tokenizer(texts, truncation=True, max_length=self._limit)[
            "input_ids"
        ]
        return found

    def _windows(self, texts: list[str]) -> list[Window]:
        return windows(self.model.tokenizer, texts, self._limit)

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


def _together(read: list[Window], vectors: np.ndarray) -> np.ndarray:
    """Return a vector of unit length for each text: that of its window, or the mean of several by the pieces that count in each."""
    unit = _of_unit_length(vectors)
    of = np.array([window.text for window in read], np.int64)
    count = np.bincount(of)
    whole = np.zeros((len(count), vectors.shape[1]), np.float32)
    alone = count[of] == 1
    whole[of[alone]] = unit[alone]
    weights = np.array([window.end - window.start for window in read], np.float32)
    np.add.at(whole, of[~alone], (weights[:, None] * unit)[~alone])
    whole[count > 1] = _of_unit_length(whole[count > 1])
    return whole


def _of_unit_length(vectors: np.ndarray) -> np.ndarray:
    norms: np.ndarray = np.linalg.norm(vectors, axis=1, keepdims=True)
    long: np.ndarray = vectors / np.maximum(norms, np.float32(1e-12))
    return long
