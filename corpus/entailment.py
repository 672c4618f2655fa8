"""Whether one text follows from another, as a model of natural language inference sees it: the same for a pair in any company."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from corpus.encoder import BATCH, shaped
from corpus.schema import UserError
from corpus.threads import one_thread


def check(folder: Path, uri: str) -> int:
    """Return which class of a model is entailment; raises `UserError` where it is no model that infers."""
    from transformers import AutoConfig

    try:
        labels = {name.casefold(): at for at, name in AutoConfig.from_pretrained(folder).id2label.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(
            f"entailment is asked of a model of natural language inference, and {uri} is no model of transformers"
        ) from error
    if "entailment" not in labels:
        raise UserError(
            f"entailment is asked of a model with a class `entailment`, and {uri} has {', '.join(labels)}: name another"
        )
    return int(labels["entailment"])


@functools.cache
def load(folder: Path, revision: str, uri: str) -> "Entailment":
    """Load a model once a process; `revision` tells a folder that has changed."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call] # the library's own lack
    entails = check(folder, uri)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    return Entailment(model, AutoTokenizer.from_pretrained(folder), entails)


@dataclass(frozen=True)
class Entailment:
    """What `corpus.models` asks."""

    model: Any
    tokenizer: Any
    entailment: int

    def ask(self, premises: Sequence[str], hypotheses: Sequence[str]) -> np.ndarray:
        """Return how likely each hypothesis follows from the premise beside it (float64); nan where both are longer than the model reads."""
        import torch

        told = np.full(len(premises), np.nan)
        if not len(premises):
            return told
        pieces = self.tokenizer(list(premises), list(hypotheses))
        limit = int(min(self.model.config.max_position_embeddings, self.tokenizer.model_max_length))
        lengths = [len(row) for row in pieces["input_ids"]]
        fits = np.flatnonzero(np.array(lengths) <= limit)
        with one_thread(), torch.inference_mode():
            for length, rows in shaped([lengths[at] for at in fits], limit):
                mine = fits[rows]
                fed = {name: _filled([held[at] for at in mine], length) for name, held in pieces.items()}
                fed["attention_mask"][len(mine) :, 0] = 1  # rows that nobody reads
                said = self.model(**{name: torch.from_numpy(held) for name, held in fed.items()}).logits
                told[mine] = said.double().softmax(dim=-1)[: len(mine), self.entailment].numpy()
        return told


def _filled(rows: Sequence[Sequence[int]], length: int) -> np.ndarray:
    held = np.zeros((BATCH, length), np.int64)
    for at, row in enumerate(rows):
        held[at, : len(row)] = row
    return held
