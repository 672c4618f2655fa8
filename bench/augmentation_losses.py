"""What candidates of any system changed and lost, counted by admission's questions and by plain expressions beside them."""

import re
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from augment.kept import lost
from augment.masks import held, said
from corpus.statistics import wilson

PIECES = ("link", "email", "handle", "hashtag")
ENOUGH = 0.2
"""Share of its words that a candidate shall change."""

_LINK = re.compile(r"(?:https?://|www\.)[^\s]*[^\s.,:;!?'\")\]]")
_TAG = re.compile(r"[@#]\w+")
_DIGITS = re.compile(r"\d+(?:[.,:]\d+)*")
_DENIES = re.compile(
    r"\b(?:no|not|never|cannot|nothing|nobody|none|without|neither|nor)\b|n['’]t\b", re.IGNORECASE
)
_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True)
class Made:
    """What a system made of each row (null: nothing came of it, or it was refused), its errors, and its seconds."""

    made: list[list[str] | None]
    errors: list[str]
    start_seconds: float
    seconds: float
    versions: Mapping[str, str] = field(default_factory=dict)


def changed(parent: str, candidate: str, words: Callable[[str], list[str]]) -> float:
    """Return the share of words that differ: of the longer text, those that no common order has; `words` cuts a text into them."""
    one, two = words(parent), words(candidate)
    common = sum(
        block.size for block in SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
    )
    longer = max(len(one), len(two))
    return 1 - common / longer if longer else 0.0


def plain_words(text: str) -> list[str]:
    """Return the words without their marks, links, handles and hashtags left out: those of `augmentation_peers.json`.

    Marks count in the other way to cut: of the 150 admitted lines of `augmentation_sheet.csv` 85 changed
    a fifth of these words, and 79 a fifth of `masked_words`.
    """
    return _WORD.findall(_TAG.sub(" ", _LINK.sub(" ", text.lower())))


def masked_words(text: str) -> list[str]:
    """Return what stands between spaces once all that admission masks is out, numbers too: those of `augmentation_sheet.json`."""
    return said(text).casefold().split()


def plain_piece(parent: str, candidate: str) -> bool:
    """Say whether a link, handle or hashtag of the parent is not in the candidate, or not as often."""
    one, two = (
        Counter(_LINK.findall(said) + _TAG.findall(_LINK.sub(" ", said))) for said in (parent, candidate)
    )
    return bool(one - two)


def plain_number(parent: str, candidate: str) -> bool:
    """Say whether digits of the parent, those in links and handles left out, are not in the candidate, or not as often."""
    one, two = (Counter(_DIGITS.findall(_TAG.sub(" ", _LINK.sub(" ", said)))) for said in (parent, candidate))
    return bool(one - two)


def plain_negation(parent: str, candidate: str) -> bool:
    """Say whether one of the two denies something and the other nothing."""
    one, two = (bool(_DENIES.search(said)) for said in (parent, candidate))
    return one != two


def _piece(parent: str, candidate: str) -> bool:
    one, two = (
        Counter(said[first:last] for first, last in held(said, PIECES)) for said in (parent, candidate)
    )
    return bool(one - two)


_ASKED: dict[str, Callable[[str, str], bool]] = {
    "link_handle_or_hashtag_lost": _piece,
    "link_handle_or_hashtag_lost_plain": plain_piece,
    "number_changed": lambda parent, candidate: lost(candidate, parent, ("numbers",)) is not None,
    "number_changed_plain": plain_number,
    "negation_changed": lambda parent, candidate: lost(candidate, parent, ("negations",)) is not None,
    "negation_changed_plain": plain_negation,
}


def losses(parents: Sequence[str], made: Made) -> dict[str, Any]:
    """Return what is to be told of a system: rates with Wilson's intervals, of the candidates that there are."""
    pairs = [(parent, one[0]) for parent, one in zip(parents, made.made, strict=True) if one]
    shares = [changed(*pair, plain_words) for pair in pairs]
    return {
        "rows": len(parents),
        "candidates": len(pairs),
        "rows_without_one": sum(not one for one in made.made),
        "rows_with_several": sum(len(one or ()) > 1 for one in made.made),
        "empty": sum(not candidate.strip() for _, candidate in pairs),
        "errors": made.errors[:5],
        "start_seconds": round(made.start_seconds, 2),
        "seconds": round(made.seconds, 3),
        "rows_per_second": round(len(parents) / made.seconds, 1),
        "left_as_it_was": rate([parent == candidate for parent, candidate in pairs]),
        "words_changed": {
            "median": round(statistics.median(shares), 3) if shares else None,
            "at_least_a_fifth": rate([share >= ENOUGH for share in shares]),
        },
        **{name: rate([ask(*pair) for pair in pairs]) for name, ask in _ASKED.items()},
    }


def rate(found: Sequence[bool]) -> dict[str, Any]:
    """Return a share with its count and its Wilson interval."""
    low, high = wilson(sum(found), len(found))
    value = round(sum(found) / len(found), 4) if found else None
    return {"value": value, "low": round(low, 4), "high": round(high, 4), "n": len(found)}
