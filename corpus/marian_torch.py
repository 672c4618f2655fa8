"""Marian models decoded by transformers: greedily, or drawn with noise of each sentence's own (Gumbel-max).

Every batch has one of a few shapes, whatever is in it, and one thread computes it, so a sentence's translation does not depend on
its neighbours. The likeliest piece of `logits / temperature + Gumbel noise` is a draw from the model's own distribution at
that temperature (Gumbel 1954; Maddison et al. 2014), so that sampling needs no generator that a batch shares.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from corpus.marian import Marian, tokenizer
from corpus.sampled import Sampled
from corpus.threads import one_thread

_BATCH = 16
_LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
REVISION = f"torch {version('torch')}"


@functools.cache
def load(folder: Path, sha256: str) -> Marian:
    """Load a model once a process. It reads sentences of up to half its positions, so that answers may be twice as long."""
    import torch
    from transformers import AutoModelForSeq2SeqLM
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call] # the library's own lack
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
    model.generation_config = _greedy(model.config)
    positions = int(model.config.max_position_embeddings)
    return Marian(tokenizer(folder, sha256), _Decoder(model, positions), positions // 2)


def most(length: int, positions: int) -> int:
    """Return how many pieces an answer may have, its end among them, to a sentence that fits into `length` pieces."""
    return min(2 * length + 16, positions - 1)


def shapes(positions: int) -> list[int]:
    """Return the lengths that sentences are filled up to."""
    return [length for length in _LENGTHS if length < positions // 2] + [positions // 2]


@dataclass(frozen=True)
class _Decoder:
    model: Any
    positions: int

    def decode(
        self, asked: Sequence[tuple[str, Sequence[int]]], sampled: Sampled | None
    ) -> list[tuple[list[int], bool]]:
        lengths = shapes(self.positions)
        shape = np.searchsorted(lengths, [len(pieces) for _, pieces in asked])
        made: list[tuple[list[int], bool]] = [([], False)] * len(asked)
        with one_thread():
            for number, length in enumerate(lengths):
                rows = np.flatnonzero(shape == number)
                for start in range(0, len(rows), _BATCH):
                    batch = rows[start : start + _BATCH]
                    for row, answer in zip(
                        batch, self._batch([asked[row] for row in batch], length, sampled), strict=True
                    ):
                        made[row] = answer
        return made

    def _batch(
        self, asked: list[tuple[str, Sequence[int]]], length: int, sampled: Sampled | None
    ) -> list[tuple[list[int], bool]]:
        """Answer up to `_BATCH` sentences; what is missing is filled up with the first of them, whose end comes no later."""
        import torch

        filled = asked + [asked[0]] * (_BATCH - len(asked))
        ids = np.full((_BATCH, length), self.model.config.pad_token_id, np.int64)
        mask = np.zeros((_BATCH, length), np.int64)
        for row, (_, pieces) in enumerate(filled):
            ids[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = 1
        noise = None if sampled is None else _noise([text for text, _ in filled], sampled)
        with torch.inference_mode():
            answers = self.model.generate(
                input_ids=torch.from_numpy(ids),
                attention_mask=torch.from_numpy(mask),
                max_new_tokens=most(length, self.positions),
                logits_processor=[] if noise is None else [noise],
            )
        return [_ended(row, self.model.config.eos_token_id) for row in answers[: len(asked), 1:].tolist()]


def _greedy(config: Any) -> Any:
    """Say how to decode, in the place of the model's own file, which asks for beams and forces an end on what has none."""
    from transformers import GenerationConfig

    return GenerationConfig(  # type: ignore[no-untyped-call]  # transformers leaves it without types
        num_beams=1,
        do_sample=False,
        bad_words_ids=[[config.pad_token_id]],
        pad_token_id=config.pad_token_id,
        eos_token_id=config.eos_token_id,
        decoder_start_token_id=config.decoder_start_token_id,
    )


def _ended(pieces: list[int], end: int) -> tuple[list[int], bool]:
    return (pieces[: pieces.index(end)], False) if end in pieces else (pieces, True)


def _noise(texts: list[str], sampled: Sampled) -> Callable[[Any, Any], Any]:
    """Return what draws the next piece of each row with the row's own generator."""
    import torch

    generators = [sampled.generator(text) for text in texts]

    def drawn(ids: Any, logits: Any) -> Any:
        waits = np.stack([one.standard_exponential(logits.shape[1], np.float32) for one in generators])
        return logits / sampled.temperature - torch.from_numpy(waits).log()

    return drawn
