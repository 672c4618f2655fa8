"""Candidates that are bad on purpose, to see whether who reads a sheet would notice: one that denies, one with another number.

"the crew was kind"  ->  "the crew was not kind"        "10 of 12 seats"  ->  "10 of 17 seats"
"""

import re
from collections.abc import Callable

import numpy as np

from augment.kept import negations
from augment.masks import held

_AUXILIARY = re.compile(
    r"\b(is|are|was|were|am|can|could|will|would|should|must|do|does|did|has|have|had)\b(?!\s+not\b|n['’]?t\b)",
    re.IGNORECASE,
)
_NOT = re.compile(r"\s+not\b|n['’]t\b", re.IGNORECASE)
_CANNOT = re.compile(r"\bcan(?:not|['’]t)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.,:/#@])\d{1,4}(?![\w.,:/])")
_UNTOUCHED = frozenset({"link", "email", "place", "slot", "handle", "hashtag", "endless"})


def negated(text: str) -> str | None:
    """Return a text that says the contrary: its one "not" is taken out, or a first auxiliary gets one; None where there is neither."""
    free = _free(text)
    if negations(text) > 1:
        return None
    for pattern, instead in ((_CANNOT, "can"), (_NOT, "")):
        found = [one for one in pattern.finditer(text) if free(one.start())]
        if found:
            return f"{text[: found[0].start()]}{instead}{text[found[0].end() :]}"
    found = [] if negations(text) else [one for one in _AUXILIARY.finditer(text) if free(one.start())]
    return None if not found else f"{text[: found[0].end()]} not{text[found[0].end() :]}"


def renumbered(text: str, generator: np.random.Generator) -> str | None:
    """Return a text with one of its numbers of one to four digits changed to another of as many; None where it has none."""
    free = _free(text)
    found = [one for one in _NUMBER.finditer(text) if free(one.start())]
    if not found:
        return None
    one = found[int(generator.integers(len(found)))]
    least = 10 ** (len(one[0]) - 1)
    others = [number for number in range(least, 10 * least) if number != int(one[0])]
    return f"{text[: one.start()]}{others[int(generator.integers(len(others)))]}{text[one.end() :]}"


def _free(text: str) -> Callable[[int], bool]:
    """Say of a place whether it stands outside of links, handles and hashtags."""
    spans = held(text, _UNTOUCHED)
    return lambda place: not any(start <= place < stop for start, stop in spans)
