"""Words that say another thing once they are exchanged: what a planted candidate gets instead of a number, a unit, a day or its contrary.

"twenty minutes"  ->  "thirty minutes"    "$40"  ->  "£40"    "by Monday"  ->  "by Friday"    "it got worse"  ->  "it got better"
"""

import re

import numpy as np

from augment.masks import held

GROUPS: dict[str, tuple[str, ...]] = {
    "numeral": (
        "two three four five six seven eight nine ten",
        "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        "twenty thirty forty fifty sixty seventy eighty ninety",
        "hundred thousand million billion",
    ),
    "unit": (
        "$ £ €",
        "seconds minutes hours days weeks months years",
        "second minute hour day week month year",
        "secs mins hrs",
        "sec min hr",
        "dollars euros pounds",
        "cents pence",
        "bucks quid",
        "miles kilometers metres inches",
        "mile kilometer metre inch",
        "kg lbs",
        "mph kph",
        "am pm",
        "mb gb tb",
    ),
    "date": (
        "monday tuesday wednesday thursday friday saturday sunday",
        "mondays tuesdays wednesdays thursdays fridays saturdays sundays",
        "january february april june july august september october november december",
    ),
    "opposite": (
        "more less",
        "most least",
        "before after",
        "better worse",
        "best worst",
        "earlier later",
        "higher lower",
        "bigger smaller",
        "faster slower",
        "cheaper dearer",
        "good bad",
        "love hate",
        "loved hated",
        "loves hates",
        "happy sad",
        "early late",
        "always seldom",
        "cheap expensive",
        "easy difficult",
        "easier harder",
        "buy sell",
        "buying selling",
        "bought sold",
        "win lose",
        "won lost",
        "increase decrease",
        "increased decreased",
        "open closed",
        "above below",
        "inside outside",
        "minimum maximum",
        "strong weak",
        "safe dangerous",
    ),
}
"""Words that stand where each other stands; "may", "march", "sun", "one" and "second" alone are often something else."""
KINDS = tuple(GROUPS)

_COUNTS = " ".join(GROUPS["numeral"]).replace(" ", "|")
_BEFORE_UNIT = rf"(?:\d\+?|\b(?:{_COUNTS}|few|several|couple of))[\s-]{{0,2}}"
"""What counts is a unit: "2 days", "a few days", and not "have a nice day"."""


def _pattern(kind: str) -> re.Pattern[str]:
    words = sorted({word for group in GROUPS[kind] for word in group.split() if word.isalpha()})
    plain = rf"(?P<word>{'|'.join(words)})(?![\w’'-])"
    if kind == "unit":
        return re.compile(rf"(?:{_BEFORE_UNIT}{plain})|(?P<sign>[$£€])(?=\d)", re.IGNORECASE)
    return re.compile(rf"(?<![\w’'-]){plain}", re.IGNORECASE)


_PATTERNS = {kind: _pattern(kind) for kind in KINDS}
_UNTOUCHED = frozenset({"link", "email", "place", "slot", "handle", "hashtag", "endless", "code"})


def exchanged(text: str, kind: str, parent: str, generator: np.random.Generator) -> str | None:
    """Return a text with one word of a kind exchanged for another of its group; None where there is none to exchange.

    The word stands in the parent too, and nothing of its group but it in either text: so what is put there is wrong.
    """
    spans = held(text, _UNTOUCHED)
    found = []
    for one in _PATTERNS[kind].finditer(text):
        at = one.span(one.lastgroup or 0)
        others = _others(one[one.lastgroup or 0].lower(), kind, text, parent)
        if others and not any(start <= at[0] < stop for start, stop in spans):
            found.append((at, others))
    if not found:
        return None
    (start, stop), others = found[int(generator.integers(len(found)))]
    other = others[int(generator.integers(len(others)))]
    return f"{text[:start]}{_as(text[start:stop], other)}{text[stop:]}"


def _others(word: str, kind: str, text: str, parent: str) -> list[str]:
    """Return what may stand instead of a word: none where the parent lacks it, or one of the texts has another of its group."""
    here, there = _words(text), _words(parent)
    if word not in there:
        return []
    (group,) = (group.split() for group in GROUPS[kind] if word in group.split())
    others = sorted({*group} - {word})
    return [] if (here | there) & {*others} else others


def _words(text: str) -> set[str]:
    return {*re.findall(r"[^\W\d_]+|[$£€]", text.lower())}


def _as(word: str, other: str) -> str:
    """Return the other word with the capitals of the one."""
    if word.isupper():
        return other.upper()
    return other.capitalize() if word[:1].isupper() else other
