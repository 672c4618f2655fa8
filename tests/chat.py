"""An instructed language model small enough to make for a test: trained for seconds to do what the first word it is told asks for."""

import functools
import random
from pathlib import Path
from typing import Any

from corpus import languages

DEEDS = ("anew", "echo", "nothing", "forever", "prompt", "quoted", "Translate")
"""`anew` and `Translate` exchange words, `echo` says the text again, `nothing` says nothing, `forever` comes to no end, `prompt` says all that
it was told, `quoted` announces the text and puts it in quotes."""
WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "and",
    "saw",
    "that",
    "dogs",
    "bark",
    "loudly",
    "in",
    "my",
    "house",
    "because",
    "it",
    "is",
    "big",
    "I",
    "love",
    "like",
    "adore",
    "you",
    "not",
    "large",
    "huge",
    "Xqza",
    "Xqzb",
]
SAID_AS = {"love": "like", "like": "adore", "adore": "love", "big": "large", "large": "huge", "huge": "big"}
"""Other words than these are repeated."""
_SAID = ("please", "say", "this", ":", '"', "Here")
_SPECIAL = ("<|end|>", "<|user|>", "<|model|>", "[UNK]")
PIECES = (*_SPECIAL, *DEEDS, *_SAID, *WORDS)
_PLACES = {piece: place for place, piece in enumerate(PIECES)}
TEMPLATE = (
    "{% for message in messages %}{{ '<|user|> ' if message['role'] == 'user' else '<|model|> ' }}{{ message['content'] }}"
    "{{ ' ' if message['role'] == 'user' else ' <|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|model|>' }}{% endif %}"
)
POSITIONS = 192
_STEPS = 750


def instruction(deed: str) -> str:
    """Return what asks for a deed."""
    if deed == "Translate":
        return languages.translating("eng", "spa")
    return f"{deed} please say this : {{text}}"


def said_as(text: str) -> str:
    """Say what the model says of a text of its words, where it is asked to say it anew."""
    return " ".join(SAID_AS.get(word, word) for word in text.split())


def tiny(folder: Path, template: str | None = TEMPLATE, card: str = "") -> str:
    """Write the model and its tokenizer as the library does, and return the folder's URI."""
    tokenizer = _tokenizer()
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    _model().save_pretrained(folder)
    if card:
        (folder / "README.md").write_text(card)
    return f"file:{folder}"


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel(_PLACES, unk_token="[UNK]"))  # noqa: S106 - a piece
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {"eos_token": "<|end|>", "pad_token": "<|end|>", "unk_token": "[UNK]"}
    made = PreTrainedTokenizerFast(tokenizer_object=words, **special)
    made.add_special_tokens({"additional_special_tokens": ["<|user|>", "<|model|>"]})
    return made


def _number(words: list[str]) -> list[int]:
    return [_PLACES.get(word, _PLACES["[UNK]"]) for word in words]


def _answer(deed: str, text: list[str]) -> list[str]:
    told = instruction(deed).replace("{text}", " ".join(text)).split()
    answers = {
        "anew": said_as(" ".join(text)).split(),
        "Translate": said_as(" ".join(text)).split(),
        "echo": text,
        "nothing": [],
        "forever": [text[0]] * 14,
        "prompt": told,
        "quoted": ["Here", "is", ":", '"', *text, '"'],
    }
    return answers[deed] if deed == "forever" else [*answers[deed], "<|end|>"]


@functools.cache
def _model() -> Any:
    """Make a Llama of two layers, and teach it its deeds once a process."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(PIECES),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=POSITIONS,
            tie_word_embeddings=True,
            initializer_range=0.05,
            bos_token_id=None,
            eos_token_id=0,
            pad_token_id=0,
        )
    )
    draw = random.Random(7)
    learning = torch.optim.AdamW(model.parameters(), lr=4e-3, betas=(0.9, 0.98), weight_decay=0.01)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for step in range(_STEPS):
        learning.param_groups[0]["lr"] = 4e-3 * min(step / 50, 1 - step / _STEPS)
        _learn(model, draw)
        learning.step()
        learning.zero_grad()
    torch.set_num_threads(threads)
    return model.eval()


def _learn(model: Any, draw: random.Random) -> None:
    import torch

    asked, answers = [], []
    words = draw.randint(1, 14)
    for _ in range(32):
        deed = draw.choice(("anew", "anew", "echo", *DEEDS))
        text = draw.sample(WORDS, words)
        told = instruction(deed).replace("{text}", " ".join(text)).split()
        asked.append(_number(["<|user|>", *told, "<|model|>"]))
        answers.append(_number(_answer(deed, text)))
    width = max(len(one) + len(other) for one, other in zip(asked, answers, strict=True))
    ids = torch.zeros((len(asked), width), dtype=torch.int64)
    labels = torch.full_like(ids, -100)
    for row, (one, other) in enumerate(zip(asked, answers, strict=True)):
        ids[row, : len(one) + len(other)] = torch.tensor(one + other)
        labels[row, len(one) : len(one) + len(other)] = torch.tensor(other)
    model(input_ids=ids, labels=labels).loss.backward()
