"""Words of which one says the contrary of the other: more and less, before and after, bought and sold.

"prices went up"  ->  "prices went down"    one side of a pair came, and the other went
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.resources import files

import yaml

_WORD = re.compile(r"[^\W\d_]+")

Side = tuple[int, int]
"""A pair by its number, and which side of it."""


def opposites(candidate: str, parent: str) -> int:
    """Count the sides of pairs that a candidate has gained, its parent has not, and of whose other side something is gone.

    The pairs are ours (`data/opposites/english.yaml`), English, whole words in any case; of phrases the longest counts.
    """
    words, others = ([word.lower() for word in _WORD.findall(text)] for text in (candidate, parent))
    if _vocabulary().isdisjoint({*words}.difference(others)):
        return 0  # no word of a pair came
    mine, theirs = _sides(words), _sides(others)
    return sum((pair, 1 - side) in theirs - mine for pair, side in mine if (pair, side) not in theirs)


def _sides(words: list[str]) -> Counter[Side]:
    """Count the phrases of each side of the pairs."""
    known, most = _table()
    found: Counter[Side] = Counter()
    at = 0
    while at < len(words):
        phrases = (" ".join(words[at : at + size]) for size in range(most.get(words[at], 0), 0, -1))
        phrase = next((one for one in phrases if one in known), "")
        found.update(known.get(phrase, ()))
        at += phrase.count(" ") + 1
    return found


@functools.cache
def _table() -> tuple[Mapping[str, tuple[Side, ...]], Mapping[str, int]]:
    """Return of each phrase the sides that it is of (of a trap none), and of each word how long a phrase it may begin."""
    held = yaml.safe_load((files("data") / "opposites" / "english.yaml").read_text(encoding="utf-8"))
    known: dict[str, tuple[Side, ...]] = {}
    for number, pair in enumerate(held["pairs"]):
        for side, phrases in enumerate(pair):
            for phrase in phrases:
                known[phrase] = (*known.get(phrase, ()), (number, side))
    known.update(dict.fromkeys((phrase for row in held["traps"] for phrase in row), ()))
    return known, _longest(known)


@functools.cache
def _vocabulary() -> frozenset[str]:
    """Return the words of all pairs."""
    known, _ = _table()
    return frozenset(word for phrase, sides in known.items() if sides for word in phrase.split())


def _longest(phrases: Iterable[str]) -> dict[str, int]:
    longest: dict[str, int] = {}
    for phrase in phrases:
        first, *others = phrase.split()
        longest[first] = max(longest.get(first, 0), 1 + len(others))
    return longest
