r"""A chat as the pieces that a model reads, written by its tokenizer's own chat template.

[("user", "the table")]  ->  before ["<|im_start|>", "user", "\n"], content ["the", " table"], after ["<|im_end|>", "\n", ...]
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpus.schema import UserError

_MARK = "\ue000{}\ue001"
"""Stands for a message's content while the chat template is rendered: private-use characters round a number."""


@dataclass(frozen=True)
class Turns:
    """The pieces of each content, of what the template writes before it, and of what it writes behind the last one.

    What people wrote is cut with special pieces split, so a text that spells one, or a turn of the template, stays a text.
    """

    before: tuple[list[int], ...]
    contents: tuple[list[int], ...]
    after: list[int]


def rendered(tokenizer: Any, turns: Sequence[Mapping[str, str]], *, asks: bool = False) -> Turns:
    """Render turns (`role`, `content`); where it `asks`, the begin of the model's own turn stands at the end.

    Raises `UserError` where the tokenizer has no chat template, or one that changes or leaves out a turn.
    """
    if tokenizer.chat_template is None:
        raise UserError(
            "a chat needs a tokenizer with a chat template; this model has none: take a chat model"
        )
    marked = [{"role": turn["role"], "content": _MARK.format(at)} for at, turn in enumerate(turns)]
    # Models that think aloud first are asked not to: other templates do not know the word, and pass it over.
    rest = tokenizer.apply_chat_template(
        marked, tokenize=False, add_generation_prompt=asks, enable_thinking=False
    )
    before = []
    for at in range(len(turns)):
        written, mark, rest = rest.partition(_MARK.format(at))
        if not mark:
            raise UserError(
                f"the model's chat template must render each turn as it is; it changed or left out turn {at}"
            )
        before.append(tokenizer.encode(written, add_special_tokens=False))
    contents = plain(tokenizer, [turn["content"] or "" for turn in turns])
    return Turns(tuple(before), tuple(contents), tokenizer.encode(rest, add_special_tokens=False))


def plain(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Cut texts into pieces, none of them special."""
    if not texts:
        return []
    encoded = tokenizer(list(texts), add_special_tokens=False, split_special_tokens=True, verbose=False)
    return encoded["input_ids"]  # type: ignore[no-any-return]
