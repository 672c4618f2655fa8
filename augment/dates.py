"""The weekdays and months that a text names, in full or short.

"Mon to friday, in March"  ->  {monday: 1, friday: 1, march: 1}        "we may march on in the sun"  ->  {}
"""

import re
from collections import Counter

from augment.masks import unheld

_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_DATES = {
    **{spelling: day for day in (*_WEEKDAYS, *_MONTHS) for spelling in (day, day[:3])},
    **{f"{day}s": day for day in _WEEKDAYS},
    "tues": "tuesday", "thur": "thursday", "thurs": "thursday", "sept": "september",
}  # fmt: skip
_IN_FULL = frozenset([*_WEEKDAYS, *_MONTHS, *(f"{day}s" for day in _WEEKDAYS)])
_WORDS_TOO = frozenset(["may", "march", "mar", "sun", "sat"])
"""Dates only behind a word that says so, or beside a number, and with a capital."""
_DATING = frozenset(
    ["in", "of", "on", "since", "until", "till", "last", "next", "by", "early", "late", "mid", "every", "each"]
)  # fmt: skip

_WORD = re.compile(r"\d+(?:st|nd|rd|th)?|[^\W\d_]+|[^\w\s'’.-]|\.(?=\s)")


def dates(text: str) -> Counter[str]:
    """Count the weekdays and months of a text, by their full names; short ones need a capital. English."""
    if _DATES.keys().isdisjoint(_WORD.findall(text.lower())):
        return Counter()
    words = [found[0] for found in _WORD.finditer(unheld(text))]
    around = zip(["", *words], words, [*words[1:], ""], strict=False)
    return Counter(_DATES[word.lower()] for before, word, behind in around if _is_date(before, word, behind))


def _is_date(before: str, word: str, behind: str) -> bool:
    said = word.lower()
    if said not in _DATES:
        return False
    if said in _WORDS_TOO:
        return word[0].isupper() and (
            before.lower() in _DATING or before[:1].isdigit() or behind[:1].isdigit()
        )
    return said in _IN_FULL or (word[0].isupper() and word[1:].islower())
