"""What a row that was said anew must still say: as many numbers, as many negations, the same names, about as many words.

"I did not pay $40 to Anna"  ->  numbers ["40"], negations 1, names {"anna"}

Each is a question to both texts, without a model. They are asked of the words that are compared everywhere, so a link or a
handle, which admission asks about by itself, is none of it.
"""

import re
from collections import Counter
from collections.abc import Collection
from typing import Literal

from augment.masks import said

Kept = Literal["numbers", "negations", "names"]

_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_COUNTED = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNTED)} | {
    "hundred": "100",
    "thousand": "1000",
    "million": "1000000",
    "billion": "1000000000",
}
_UNSURE = frozenset({"one", "zero"})
"""Words of which only some are numbers ("no one", "one of them")."""

_NEGATIONS = frozenset(
    ["no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "cannot", "without", "nope", "hardly",
     "barely"]
)  # fmt: skip
_CONTRACTED = re.compile(r"n['’]?t$", re.IGNORECASE)
_BARE = frozenset(
    ["aint", "arent", "cant", "couldnt", "didnt", "doesnt", "dont", "hadnt", "hasnt", "havent", "isnt", "shouldnt", "wasnt",
     "werent", "wont", "wouldnt"]
)  # fmt: skip


def numbers(text: str) -> list[str]:
    """Return the numbers that a text names in digits or in words, in their order; thousands' commas do not count."""
    found = []
    for word in re.findall(r"\d+(?:[.,:/]\d+)*|[A-Za-z]+", text):
        if word[0].isdigit():
            found.append(re.sub(r"(?<=\d),(?=\d{3}\b)", "", word))
        elif word.lower() in _NUMBERS and word.lower() not in _UNSURE:
            found.append(_NUMBERS[word.lower()])
    return found


def negations(text: str) -> int:
    """Count the words of a text that deny ("not", "don't", "nothing", "without")."""
    return sum(
        word in _NEGATIONS or word in _BARE or bool(_CONTRACTED.search(word) and ("'" in word or "’" in word))
        for word in (one.lower() for one in _WORDS.findall(text))
    )


def names(text: str) -> Counter[str]:
    """Count the names in a text, in lower case: words with a capital that do not begin a sentence.

    None where most words of the text have one: a headline and a shout do not tell names from other words.
    """
    words = [(found[0], found.start()) for found in _WORDS.finditer(text) if found[0][0].isalpha()]
    capital = [(word, at) for word, at in words if word[0].isupper() and len(word) > 1]
    if 2 * len(capital) > len(words):
        return Counter()
    return Counter(
        _bare(word)
        for word, at in capital
        if not re.search(r"(?:^|[.!?:;\n\"“(>-])\s*$", text[:at]) and not word.startswith(("I'", "I’"))
    )


def _bare(word: str) -> str:
    return re.sub(r"['’]s$", "", word).lower()


def lost(candidate: str, parent: str, asked: Collection[Kept]) -> str | None:
    """Say what a candidate does not keep of its parent: a reason of `admission`, or None.

    `number_changed`: other numbers, or in another order. `negation_changed`: one denies an even, the other an odd number of
    times, or one of them not at all. `name_lost`: a name of the parent that the candidate does not have in any case.
    """
    mine, theirs = said(candidate), said(parent)
    if "numbers" in asked and numbers(candidate) != numbers(parent):
        return "number_changed"
    denies, denied = negations(mine), negations(theirs)
    if "negations" in asked and (denied % 2 != denies % 2 or bool(denied) != bool(denies)):
        return "negation_changed"
    if "names" in asked:
        words = Counter(_bare(word) for word in _WORDS.findall(mine))
        has = words | Counter(piece.lower() for piece in re.findall(r"[^\W_]+", mine))
        if any(has[name] < count for name, count in names(theirs).items()):
            return "name_lost"
    return None


def word_ratio(candidate: str, parent: str) -> float:
    """Return how many times as many words a candidate has as its parent, links and their like left out."""
    mine, theirs = (len(_WORDS.findall(said(text))) for text in (candidate, parent))
    return mine / theirs if theirs else float(mine > 0) or 1.0
