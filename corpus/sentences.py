r"""Texts as sentences that a translator can read, put together again with the white space that stood around them.

"Hi Ann.\n\nI am late "  ->  Sentences(("Hi Ann.", "I am late"), ("", "\n\n", " "))
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from corpus.tiles import cut

_WORD = re.compile(r"\S+\s*")


@dataclass(frozen=True)
class Sentences:
    """The sentences of a text without the white space around them, and what stands before, between and after them."""

    said: tuple[str, ...]
    spaces: tuple[str, ...]

    def joined(self, said: tuple[str, ...]) -> str:
        """Put other sentences in their places."""
        assert len(said) == len(self.said)
        return self.spaces[0] + "".join(
            sentence + space for sentence, space in zip(said, self.spaces[1:], strict=True)
        )


def sentences(texts: pa.StringArray) -> list[Sentences]:
    """Cut each text where `corpus.tiles` ends a sentence: where that cannot be told, two are one."""
    tiles, counts = cut(texts, "sentence")
    flat, ends = tiles.to_pylist(), np.cumsum(counts)
    return [_parted(flat[end - count : end]) for end, count in zip(ends, counts, strict=True)]


def fitted(text: Sentences, pieces: Callable[[str], int], limit: int) -> Sentences | None:
    """Cut sentences of more than `limit` pieces between words, as late as they allow; None where a word alone has more."""
    parts: list[str] = [text.spaces[0]]
    for sentence, space in zip(text.said, text.spaces[1:], strict=True):
        if pieces(sentence) <= limit:
            parts.append(sentence + space)
            continue
        packed = _packed(_WORD.findall(sentence + space), pieces, limit)
        if packed is None:
            return None
        parts += packed
    return _parted(parts)


def _packed(words: list[str], pieces: Callable[[str], int], limit: int) -> list[str] | None:
    """Join as many words as fit, again and again; what fits is found by halving, so that few are counted twice."""
    packed = []
    while words:
        least, most = 0, min(len(words), limit)  # a word has a piece at least
        while least < most:
            middle = (least + most + 1) // 2
            fits = pieces("".join(words[:middle]).strip()) <= limit
            least, most = (middle, most) if fits else (least, middle - 1)
        if not least:
            return None
        packed.append("".join(words[:least]))
        words = words[least:]
    return packed


def _parted(parts: list[str]) -> Sentences:
    """Part what is said from the white space around it."""
    said: list[str] = []
    spaces = [""]
    for part in parts:
        bare = part.strip()
        if not bare:
            spaces[-1] += part
            continue
        start = part.index(bare)
        spaces[-1] += part[:start]
        said.append(bare)
        spaces.append(part[start + len(bare) :])
    return Sentences(tuple(said), tuple(spaces))
