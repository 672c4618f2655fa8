"""Language models decoded by transformers: greedily, or drawn with noise of each prompt's own (Gumbel-max).

As in `corpus.marian_torch`: every batch has one of a few shapes, whatever is in it, and one thread computes it, so what comes next
depends on the prompt alone. Prompts are filled up on the left, where no piece looks.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus.chat import FILLED, Chat, Prompt
from corpus.threads import one_thread

_BATCH = 16
_UNSTATED = 2_048
"""Positions of a model that names no limit (ALiBi)."""


@functools.cache
def load(folder: Path, sha256: str) -> Chat:
    """Load a model once a process, in float32 on the processor; `sha256` tells a folder that has changed."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call] # the library's own lack
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    stated = model.generation_config.eos_token_id
    ends = {tokenizer.eos_token_id, *(stated if isinstance(stated, list) else [stated])} - {None}
    filler = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    # In the place of the model's own file, which may ask for draws of its own and for penalties.
    model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]  # transformers leaves it without types
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None) or _UNSTATED
    return Chat(tokenizer, _Causal(model.eval(), tuple(sorted(ends)), filler), int(positions))


@dataclass(frozen=True)
class _Causal:
    """A model of transformers. `ends` are the pieces that end an answer, `filler` is one that nobody reads."""

    model: Any
    ends: tuple[int, ...]
    filler: int

    def decode(self, prompts: Sequence[Prompt]) -> list[tuple[list[int], bool]]:
        """Return for each prompt the pieces that come next, without the end, and whether there was none."""
        made: list[tuple[list[int], bool]] = [([], True)] * len(prompts)
        shapes = np.array(
            [(_filled(len(one.pieces)), _filled(one.most)) for one in prompts], np.int64
        ).reshape(-1, 2)
        with one_thread():
            for length, most in np.unique(shapes, axis=0).tolist():
                rows = np.flatnonzero((shapes == (length, most)).all(axis=1))
                for start in range(0, len(rows), _BATCH):
                    batch = rows[start : start + _BATCH]
                    answers = self._batch([prompts[row] for row in batch], length, most)
                    for row, answer in zip(batch, answers, strict=True):
                        made[row] = answer
        return made

    def _batch(self, prompts: list[Prompt], length: int, most: int) -> list[tuple[list[int], bool]]:
        """Answer up to `_BATCH` prompts; what is missing is filled up with the first of them, whose end comes no later."""
        import torch

        filled = prompts + [prompts[0]] * (_BATCH - len(prompts))
        ids = np.full((_BATCH, length), self.filler, np.int64)
        mask = np.zeros((_BATCH, length), np.int64)
        for row, one in enumerate(filled):
            ids[row, length - len(one.pieces) :] = one.pieces
            mask[row, length - len(one.pieces) :] = 1
        drawn = any(one.sampled is not None for one in prompts)
        with torch.inference_mode():
            answers = self.model.generate(
                input_ids=torch.from_numpy(ids),
                attention_mask=torch.from_numpy(mask),
                max_new_tokens=most,
                num_beams=1,
                do_sample=False,
                eos_token_id=list(self.ends),
                pad_token_id=self.filler,
                logits_processor=[_noise(filled)] if drawn else [],
            )
        said = answers[: len(prompts), length:].tolist()
        return [self._ended(row[: one.most]) for row, one in zip(said, prompts, strict=True)]

    def _ended(self, pieces: list[int]) -> tuple[list[int], bool]:
        end = next((at for at, piece in enumerate(pieces) if piece in self.ends), None)
        return (pieces, True) if end is None else (pieces[:end], False)


def _filled(pieces: int) -> int:
    return -(-pieces // FILLED) * FILLED


def _noise(prompts: list[Prompt]) -> Callable[[Any, Any], Any]:
    """Return what draws the next piece of each row with the row's own generator; a row without one takes the likeliest."""
    import torch

    drawn = [
        (row, one.sampled.temperature, one.sampled.generator(one.text))
        for row, one in enumerate(prompts)
        if one.sampled is not None
    ]

    def noisy(ids: Any, logits: Any) -> Any:
        scores = logits.clone()
        for row, temperature, generator in drawn:
            waits = torch.from_numpy(generator.standard_exponential(logits.shape[1], np.float32))
            scores[row] = logits[row] / temperature - waits.log()
        return scores

    return noisy
