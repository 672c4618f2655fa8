"""Terms of one group exchanged for those of another: whole words, each with the capitals of the one that it stands for.

"A Mosque"  ->  [(2, 8, "Church")]  ->  "A Church"
"""

import re
from collections.abc import Iterable, Mapping, Sequence

Slots = Sequence[Mapping[str, str]]
"""Terms that stand for one another, by value: {muslim: mosque, christian: church, jewish: synagogue}."""

Put = tuple[int, int, str]
"""Begin and end in a text, and what stands there instead."""


def counterparts(slots: Slots, group: str, instead: str) -> dict[str, str]:
    """Return the terms of a group, in lower case, each with that of the other group; of two slots of a term the first counts."""
    terms: dict[str, str] = {}
    for slot in slots:
        if group in slot and instead in slot:
            terms.setdefault(slot[group].lower(), slot[instead])
    return terms


def whole_words(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of some patterns as whole words in any case, the longest first."""
    longest_first = sorted(patterns, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)


def replaced(text: str, slots: Slots, group: str, instead: str) -> list[Put]:
    """Return what is exchanged for the terms of another group: begin and end in the text, and what stands there then.

    Whole words alone are exchanged, and a term keeps its capitals. Where one of the group's terms stands in two slots the
    first counts. Letters that only a pattern takes for those of a term ("ſhe") make another word.
    """
    terms = counterparts(slots, group, instead)
    if not terms:
        return []
    return [
        (found.start(), found.end(), like(found[0], terms[found[0].lower()]))
        for found in whole_words(map(re.escape, terms)).finditer(text)
        if found[0].lower() in terms
    ]


def exchanged(text: str, slots: Slots, group: str, instead: str) -> str | None:
    """Return the text with the group's terms exchanged for those of another; None where there is nothing to exchange."""
    found = replaced(text, slots, group, instead)
    return put(text, found) if found else None


def put(text: str, found: Sequence[Put]) -> str:
    """Put what is exchanged into a text; places are ascending and do not overlap."""
    said, end = [], 0
    for start, stop, other in found:
        said += [text[end:start], other]
        end = stop
    return "".join([*said, text[end:]])


def like(term: str, other: str) -> str:
    """Give a term the capitals of the one that it stands for."""
    if term.isupper() and len(term) > 1:
        return other.upper()
    return other[:1].upper() + other[1:] if term[:1].isupper() else other
