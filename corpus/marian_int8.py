"""Marian models decoded by CTranslate2 with weights of 8 bits, greedily alone.

Sentences are sent one by one with one thread: in a batch a sentence's shapes, and so its sums, would follow from its neighbours.
CTranslate2 draws from a generator that a process's threads keep, which no seed of ours reaches, so there is no sampling.
"""

import functools
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from corpus.marian import Marian, tokenizer
from corpus.marian_torch import most, shapes
from corpus.sampled import Sampled
from corpus.schema import UserError


def revision() -> str:
    """Name the library; raises `UserError` where it is not installed."""
    try:
        return f"ctranslate2 {version('ctranslate2')} int8"
    except PackageNotFoundError as error:
        raise UserError(
            "ctranslate2+ needs the package ctranslate2, and it is not installed: pip install 'winnow[ctranslate2]', "
            "or leave the prefix away for transformers"
        ) from error


@functools.cache
def load(folder: Path, sha256: str, cache: Path) -> Marian:
    """Load a model once a process; it is converted once and kept in `cache/ctranslate2/<sha256>-<version>`."""
    import ctranslate2
    from transformers import AutoConfig

    kept = cache / "ctranslate2" / f"{sha256}-{version('ctranslate2')}"
    if not kept.exists():
        _convert(folder, kept)
    positions = int(AutoConfig.from_pretrained(folder, local_files_only=True).max_position_embeddings)
    translator = ctranslate2.Translator(
        str(kept), device="cpu", compute_type="int8", inter_threads=1, intra_threads=1
    )
    words = tokenizer(folder, sha256)
    return Marian(words, _Decoder(words, translator, positions), positions // 2)


def _convert(folder: Path, kept: Path) -> None:
    """Write the model aside and rename it; of two that do so at once, one wins and the other's is the same."""
    from ctranslate2.converters import TransformersConverter

    kept.parent.mkdir(parents=True, exist_ok=True)
    aside = kept.with_name(f".{uuid.uuid4().hex}")
    TransformersConverter(str(folder)).convert(str(aside), quantization="int8")
    try:
        aside.rename(kept)
    except OSError:
        if not kept.exists():
            raise
        shutil.rmtree(aside)


@dataclass(frozen=True)
class _Decoder:
    tokenizer: Any
    translator: Any
    positions: int

    def decode(
        self, asked: Sequence[tuple[str, Sequence[int]]], sampled: Sampled | None
    ) -> list[tuple[list[int], bool]]:
        assert sampled is None
        return [self._one(pieces) for _, pieces in asked]

    def _one(self, pieces: Sequence[int]) -> tuple[list[int], bool]:
        length = next(length for length in shapes(self.positions) if len(pieces) <= length)
        answer = self.translator.translate_batch(
            [self.tokenizer.convert_ids_to_tokens(pieces)],
            beam_size=1,
            max_input_length=0,
            max_decoding_length=most(length, self.positions),
            return_end_token=True,
        )[0].hypotheses[0]
        ended = bool(answer) and answer[-1] == self.tokenizer.eos_token
        return self.tokenizer.convert_tokens_to_ids(answer[:-1] if ended else answer), not ended
