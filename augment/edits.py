"""Says a text anew by small edits that know no language: words that change places, go or come again, letters that are mistyped.

Easy data augmentation (Wei and Zou 2019) without its synonyms, which are the engine `wordnet`; so what is inserted is a word of
the text itself. Of all ways of growing rows it is the likeliest to change a label, so negations, numbers, words in capitals and
what is masked are neither moved, nor taken out, nor said again, and nothing is put behind them.
"""

import re
import string
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

Kind = Literal["swap", "delete", "typo", "insert"]
KINDS: tuple[Kind, ...] = get_args(Kind)
USUAL: tuple[Kind, ...] = ("swap", "delete", "typo")
"""Those of which evidence was published; another would be drawn in the place of these."""

_FIXED = re.compile(
    r"(?i:\b(?:no|not|nor|never|none|nothing|nobody|without|but|\w+n['’]t|cannot)\b)|\d|\b[A-Z]{2,}\b"
    r"|(?i:xqz)"  # what stands for a link or a number (augment.masks)
)
_WORD = re.compile(r"\S+")
_SIGNS = f"{string.punctuation}…“”‘’«»„¿¡"
_LETTERS = re.compile(r"[^\W\d_]{4,}")


def edited(
    text: str, share: float, generator: np.random.Generator, kinds: Sequence[Kind] = USUAL
) -> str:  # fmt: skip
    """Edit a share of a text's words, one at least, each in one of some kinds drawn by chance.

    A word of four letters or more is mistyped by two neighbouring letters inside it that change places; one that is inserted is
    said again behind another, without the signs at its ends. Where a kind cannot be, the word is mistyped. Space and line
    breaks stay as they are; a text of one word is at most mistyped.
    """
    words, spaces = _WORD.findall(text), _WORD.split(text)
    free = [at for at, word in enumerate(words) if not _FIXED.search(word)]
    if not free:
        return text
    again: list[list[str]] = [[] for _ in words]  # what is inserted behind each
    for place in generator.permutation(free)[: max(1, round(share * len(words)))].tolist():
        kind = kinds[int(generator.integers(len(kinds)))]
        after = place + 1
        if kind == "swap" and after in free and words[place] and words[after]:
            words[place], words[after] = words[after], words[place]
        elif kind == "delete" and sum(map(bool, words)) > 2:
            words[place] = ""
        elif kind == "insert" and len(free) > 1:
            behind = [at for at in free if at != place]
            again[behind[int(generator.integers(len(behind)))]].append(words[place].strip(_SIGNS))
        else:
            words[place] = _mistyped(words[place], generator)
    said = [" ".join(filter(None, [word, *more])) for word, more in zip(words, again, strict=True)]
    return _joined(said, spaces)


def _mistyped(word: str, generator: np.random.Generator) -> str:
    found = _LETTERS.search(word)
    if found is None:
        return word
    at = int(generator.integers(found.start() + 1, found.end() - 2))
    return f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"


def _joined(words: Sequence[str], spaces: Sequence[str]) -> str:
    """Put words between their spaces; a word that went takes the space behind it along, the last one that before it."""
    said = spaces[0]
    for word, space in zip(words, spaces[1:], strict=True):
        said += f"{word}{space}" if word else ""
    return said if words[-1] else said.rstrip(" ")
