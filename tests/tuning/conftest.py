"""A language model small enough to be made, trained and judged within a test."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.schema import MESSAGE, ROW, Split, conform
from tuning.rows import Shards

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
)
WORDS = ("good", "bad", "plain", "lovely", "awful", "table", "very", "the", "enough", "fine", "sad", "wall")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Matrices so small are not worth a second thread, least of all where it must wait for a processor."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """A byte-level BPE whose filler is its end of sequence, as SmolLM2's is."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(
        [" ".join(WORDS), "the user asked the assistant\nLabel: positive\nLabel: negative"] * 9, trainer
    )
    special = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>"}
    made = PreTrainedTokenizerFast(tokenizer_object=bpe, **special)
    made.chat_template = CHAT_TEMPLATE
    return made


@pytest.fixture(scope="session")
def model_folder(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Llama of two layers and random weights, saved as transformers saves models."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny-llama")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=True,
        initializer_range=0.3,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def model(model_folder: Path) -> Any:
    """A fresh copy of the small model."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)


def labelled(pairs: list[tuple[str, str | None]], split: Split = "train", first: int = 0) -> pa.Table:
    """Rows of plain text with a class each; their ids are numbers of eight digits."""
    return _rows(
        [[{"role": "text", "content": text}] for text, _ in pairs],
        [label for _, label in pairs],
        split,
        first,
    )


def chats(turns: list[list[tuple[str, str]]], split: Split = "train", first: int = 0) -> pa.Table:
    """Rows of a chat, without classes."""
    messages = [[{"role": role, "content": content} for role, content in chat] for chat in turns]
    return _rows(messages, [None] * len(turns), split, first)


def write(folder: Path, **splits: pa.Table) -> Shards:
    """Write each split to two shards, as a published version holds them."""
    shards: dict[Split, list[Path]] = {}
    for split in ("train", "validation", "test"):
        rows = splits.get(split)
        if rows is None:
            continue
        files = [folder / f"{split}-0000{number}.parquet" for number in (0, 1)]
        half = rows.num_rows // 2
        pq.write_table(rows.slice(0, half), files[0])
        pq.write_table(rows.slice(half), files[1])
        shards[split] = files
    return shards


def _rows(
    messages: list[list[dict[str, str]]], labels: list[str | None], split: Split, first: int
) -> pa.Table:
    columns = {
        "id": pa.array([f"{first + row:08d}" for row in range(len(messages))]),
        "messages": pa.array(messages, pa.list_(MESSAGE)),
        "label": pa.array(labels, pa.string()),
        "split": pa.array([split] * len(messages)),
    }
    return conform(columns, ROW)
