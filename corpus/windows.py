"""Long texts in windows that a model can read, so that each piece of them is read once with what stands around it.

limit 6:  "a b c d e f g"  ->  [CLS] a b c d [SEP]  of which counts  a b c
                               [CLS] d e f g [SEP]                   d e f g
"""

import itertools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Window:
    """`pieces` of the text at a place, special ones included; of them those from `start` to `end` count."""

    text: int
    pieces: list[int]
    start: int
    end: int


def windows(tokenizer: Any, texts: list[str], limit: int) -> list[Window]:
    """Cut texts into windows of at most `limit` pieces, in the order of the texts.

    A text that fits is one window, and all of it counts. Those of a longer one are full, and share half of their pieces or
    more with the next: each piece counts in the window in which it is farther from an end, so that what stands before it
    moves its vector little.
    """
    if not texts:
        return []
    found = []
    for place, whole in enumerate(tokenizer(texts, truncation=True, max_length=limit)["input_ids"]):
        room = limit - tokenizer.num_special_tokens_to_add()
        pieces = _alone(tokenizer, texts[place]) if len(whole) == limit else []
        if len(pieces) <= room:
            found.append(Window(place, whole, 0, len(whole)))
            continue
        head = _head(whole, pieces, room)
        starts = _starts(len(pieces), room)
        ends = [(start + room + after) // 2 for start, after in itertools.pairwise(starts)]
        for start, first, end in zip(starts, [0, *ends], [*ends, len(pieces)], strict=True):
            read = [*whole[:head], *pieces[start : start + room], *whole[head + room :]]
            found.append(Window(place, read, head + first - start, head + end - start))
    return found


def _alone(tokenizer: Any, text: str) -> list[int]:
    """Return all pieces of a text, without the special ones around it."""
    found: list[int] = tokenizer(text, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
    return found


def _head(whole: list[int], pieces: list[int], room: int) -> int:
    """Say how many special pieces stand before the text in what a tokenizer cut at either end."""
    kept = (pieces[:room], pieces[-room:])
    return next(head for head in range(len(whole) - room + 1) if whole[head : head + room] in kept)


def _starts(count: int, room: int) -> list[int]:
    """Return where windows of `room` begin, evenly spread from the first piece to the last."""
    steps = -(-(count - room) // max(room // 2, 1))
    return [step * (count - room) // steps for step in range(steps + 1)]
