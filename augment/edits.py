"""Says a text anew by small edits that know no language: words that change places or go, letters that are mistyped.

Easy data augmentation (Wei and Zou 2019) without its synonyms, which are the engine `wordnet`. Of all ways of growing rows it is
the likeliest to change a label, so negations, numbers, words in capitals and what is masked are neither moved nor taken out.
"""

import re
from collections.abc import Sequence

import numpy as np

KINDS = ("swap", "delete", "typo")

_FIXED = re.compile(
    r"(?i:\b(?:no|not|nor|never|none|nothing|nobody|without|but|\w+n['’]t|cannot)\b)|\d|\b[A-Z]{2,}\b"
    r"|(?i:xqz)"  # what stands for a link or a number (augment.masks)
)
_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]{4,}")


def edited(text: str, share: float, generator: np.random.Generator) -> str:
    """Edit a share of a text's words, one at least, each in one of `KINDS` drawn by chance.

    A word of four letters or more is mistyped by two neighbouring letters inside it that change places. Space and line breaks
    stay as they are; a text of one word is at most mistyped.
    """
    words, spaces = _WORD.findall(text), _WORD.split(text)
    free = [at for at, word in enumerate(words) if not _FIXED.search(word)]
    if not free:
        return text
    for place in generator.permutation(free)[: max(1, round(share * len(words)))].tolist():
        kind = KINDS[int(generator.integers(len(KINDS)))]
        after = place + 1
        if kind == "swap" and after in free and words[place] and words[after]:
            words[place], words[after] = words[after], words[place]
        elif kind == "delete" and sum(map(bool, words)) > 2:
            words[place] = ""
        else:
            words[place] = _mistyped(words[place], generator)
    return _joined(words, spaces)


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
