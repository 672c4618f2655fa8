"""Quotes two texts that differ in a few words, these marked, and as much round them as fits."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

LONGEST = 280
"""Characters of a text that are quoted."""
BEFORE = 80
"""Characters before the first marked word, where a text is cut at its beginning."""

Pieces = list[tuple[str, bool]]
"""A text in pieces, each with whether it is marked."""


def quoted(pair: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pair of texts (`audit.probes.Pair`) as a page shows it: both in pieces, and what became of either."""
    words = pair["words"]
    return {
        **{key: pair[key] for key in ("axis", "group", "instead", "before", "after")},
        "text": _pieces(pair["text"], [(begin, end) for begin, end, _, _ in words]),
        "instead_text": _pieces(pair["instead_text"], [(begin, end) for _, _, begin, end in words]),
    }


def _pieces(text: str, marked: Sequence[tuple[int, int]]) -> Pieces:
    """Cut a text at the ends of its marked words, and to `LONGEST` characters round the first of them."""
    first = 0 if len(text) <= LONGEST else max(0, min(marked[0][0] - BEFORE, len(text) - LONGEST))
    last = min(len(text), first + LONGEST)
    inside = {place for words in marked for place in words if first < place < last}
    places = sorted({first, last} | inside)
    pieces = [
        (text[begin:end], any(start <= begin < stop for start, stop in marked))
        for begin, end in pairwise(places)
    ]
    return [
        *([("\u2026", False)] if first else []),
        *pieces,
        *([("\u2026", False)] if last < len(text) else []),
    ]
