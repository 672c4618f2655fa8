"""The numbers of a text with their sign and unit, however they are written.

"twenty-five hrs, $5 or -3%"  ->  ["25 hour", "5 dollar", "-3 percent"]

English. Words that only sometimes count ("one of them", "a second", "at first", "once") do so where it is plain.
"""

import re
from decimal import Decimal

from augment.masks import unheld

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_ORDINALS = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth",
)  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {
    **{word: number for words in (_SMALL, _ORDINALS) for number, word in enumerate(words)},
    **{word: 10 * number for number, word in enumerate(_TENS, 2)},
    **{f"{word[:-1]}ieth": 10 * number for number, word in enumerate(_TENS, 2)},
}
_LARGE = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 1_000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
_PARTS = {"half": "0.5", "½": "0.5", "¼": "0.25", "¾": "0.75"}
_FRACTIONS = {"1/2": "0.5", "1/4": "0.25", "3/4": "0.75"}
_ORDINAL = frozenset([*_ORDINALS, *(f"{word[:-1]}ieth" for word in _TENS)])
_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_OFTEN = re.compile(r"\s+(?:an?|per|each|every|daily|weekly|monthly|yearly)\b", re.IGNORECASE)
"""Behind "once" where it counts: "once a week", and not "once I was there"."""
_UNSURE = frozenset({"one", "zero"})
"""Words of which only some are numbers ("no one", "one of them")."""
_OWNED = frozenset(["the", "my", "your", "his", "her", "its", "our", "their"])
"""Behind what "second" is no time."""

_UNITS = {
    spelling: unit
    for unit, spellings in {
        "percent": "% percent pct",
        "dollar": "$ us$ usd dollar dollars buck bucks",
        "euro": "€ eur euro euros",
        "pound": "£ gbp pound pounds lb lbs quid",
        "yen": "¥ jpy yen",
        "cent": "¢ cent cents",
        "kg": "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes",
        "gram": "g gram grams",
        "mg": "mg milligram milligrams",
        "ounce": "oz ounce ounces",
        "ton": "ton tons tonne tonnes",
        "km": "km kms kilometer kilometers kilometre kilometres",
        "meter": "m meter meters metre metres",
        "cm": "cm centimeter centimeters centimetre centimetres",
        "mm": "mm millimeter millimeters millimetre millimetres",
        "mile": "mi mile miles",
        "foot": "ft foot feet",
        "inch": "inch inches",
        "yard": "yd yds yard yards",
        "mph": "mph",
        "kmh": "kmh kph",
        "second": "sec secs second seconds",
        "minute": "min mins minute minutes",
        "hour": "h hr hrs hour hours",
        "day": "day days",
        "week": "wk wks week weeks",
        "month": "mth mths month months",
        "year": "yr yrs year years",
        "am": "am a.m",
        "pm": "pm p.m",
        "degree": "° degree degrees",
        "liter": "l liter liters litre litres",
        "gallon": "gal gallon gallons",
        "kb": "kb", "mb": "mb megabyte megabytes", "gb": "gb gigabyte gigabytes", "tb": "tb terabyte terabytes",
    }.items()
    for spelling in spellings.split()
}  # fmt: skip
"""Pounds of money and of weight are written alike, and are one here."""

_LETTERS = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+|[½¼¾]")
_MANY = frozenset(f"{word}s" for word in _LARGE)
"""No numbers, but none may become another: "thousands of people"."""
_DIGITS = re.compile(r"[\d½¼¾]")
_COUNTING = frozenset([*_VALUES, *_LARGE, *_PARTS, *_MANY, *_TIMES])
_PLAIN = str.maketrans({"≤": "<=", "≥": ">="})
"""Signs that are held like emoji."""
_COMPARED = re.compile(r"([<>]=?)\s?\Z")
_SIGN = re.compile(r"(?:(?<![\w)\]])-|\bminus\s)\Z", re.IGNORECASE)
_MONEY = re.compile(r"(?:US\$|[$€£¥]|\b(?:USD|EUR|GBP|JPY)\s?)\Z")
_HALF_MORE = re.compile(r"\s?½|[\s-]and[\s-]a[\s-]half\b", re.IGNORECASE)
_AT_FIRST = re.compile(r",|\s+(?:of all|off)\b", re.IGNORECASE)
_AN = re.compile(r"\s(?:of\s)?an?(?=\s)", re.IGNORECASE)
_UNIT = re.compile(
    r"\s?([%$€£¢°])(?!\d)|(\s|-|\s?(?:of )?an? )?(per cent|[ap]\.m\b|[^\W\d_]+)", re.IGNORECASE
)
_JOINS = frozenset({" ", "-"})


def numbers(text: str) -> list[str]:
    """Return the numbers that a text names in digits or words, in their order, each with its sign and unit, and with what compares it ("<").

    Numbers of the same value are written the same, and so are units; thousands' commas do not count. Times and dates in
    digits stay as they are. What links, handles, code and slots hold is none of the text's.
    """
    said = unheld(text.translate(_PLAIN)) if _counts(text) else ""
    if not _counts(said):
        return []
    words, found, at = list(_WORD.finditer(said)), [], 0
    while at < len(words):
        value, behind, ordinal = (
            _digits(said, words, at) if words[at][0][0].isdigit() else _spelled(said, words, at)
        )
        if value is None:
            at += 1
            continue
        stop = words[behind - 1].end()
        if not ordinal and isinstance(value, Decimal) and (more := _HALF_MORE.match(said, stop)):
            value, stop = value + Decimal("0.5"), more.end()
        if words[at][0].lower() in _PARTS and (article := _AN.match(said, stop)):
            stop = article.end()
        unit = "" if ordinal else _unit(said, words[at].start(), stop)
        found.append(f"{_sign(said, words[at].start())}{_plain(value)}{unit}")
        at = behind
        while at < len(words) and words[at].start() < stop:
            at += 1
    return found


def _counts(text: str) -> bool:
    """Say whether a text may name a number at all, which most do not."""
    return bool(_DIGITS.search(text)) or not _COUNTING.isdisjoint(_LETTERS.findall(text.lower()))


Words = list[re.Match[str]]
Read = tuple[Decimal | str | None, int, bool]
"""A number or how it is written, where the word behind it stands, and whether it is an ordinal; None where a word is no number."""


def _digits(said: str, words: Words, at: int) -> Read:
    """Read a number in digits: "5,000", "5k", "5 million", "2nd", "7:30"."""
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", words[at][0])
    plain = _FRACTIONS.get(plain, plain)
    if not re.fullmatch(r"(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?", plain):
        return plain, at + 1, False
    value, behind = Decimal(plain), at + 1
    if behind < len(words):
        gap, word = said[words[at].end() : words[behind].start()], words[behind][0].lower()
        if not gap and word in ("st", "nd", "rd", "th"):
            return value, behind + 1, True
        if not gap and word == "k":
            return value * 1000, behind + 1, False
        if (not gap or gap in _JOINS) and word in _LARGE:
            return value * _LARGE[word], behind + 1, False
    return value, behind, False


def _spelled(said: str, words: Words, at: int) -> Read:
    """Read a number in words, as far as it goes: "two hundred and five", "twenty-first", "half"."""
    alone = _alone(said, words[at])
    if alone is not None:
        return alone, at + 1, False
    whole, part, last, place = 0, 0, 0, at
    while place < len(words):
        word = words[place][0].lower()
        if place > at and said[words[place - 1].end() : words[place].start()] not in _JOINS:
            break
        if (
            word == "and"
            and last >= 100
            and place + 1 < len(words)
            and words[place + 1][0].lower() in _VALUES
        ):
            place += 1
            continue
        if (word not in _VALUES and word not in _LARGE) or (
            place > at and not _goes_on(words[place - 1][0].lower(), word, last, part)
        ):
            break
        last = _LARGE.get(word) or _VALUES[word]
        if word in _VALUES:
            part += last
        else:
            whole, part = (whole, (part or 1) * last) if last <= 100 else (whole + (part or 1) * last, 0)
        place += 1
        if word in _ORDINAL:
            break
    if place == at or (place == at + 1 and not _is_number(said, words, at)):
        return None, at + 1, False
    return Decimal(whole + part), place, words[place - 1][0].lower() in _ORDINAL


def _alone(said: str, word: re.Match[str]) -> Decimal | str | None:
    """Read a word that is a number with no other: "half", "thousands", "twice"."""
    low = word[0].lower()
    if low in _PARTS:
        return Decimal(_PARTS[low])
    if low in _TIMES and (low != "once" or _OFTEN.match(said, word.end())):
        return Decimal(_TIMES[low])
    return low if low in _MANY else None


def _goes_on(before: str, word: str, last: int, part: int) -> bool:
    """Say whether a word of a number belongs to what was read: "two million" is one number, "million million" two."""
    if word in _LARGE:
        return part > 0 and not {before, word} <= {"dozen", "hundred"}
    return last >= 100 or (last in range(20, 100, 10) and 0 < _VALUES[word] < 10)


def _is_number(said: str, words: Words, at: int) -> bool:
    """Say whether a word that alone may be no number is one where it stands."""
    word, before = words[at][0].lower(), words[at - 1][0].lower() if at else ""
    if word in _UNSURE:
        return bool(_HALF_MORE.match(said, words[at].end()))
    if word == "second":
        return before in _OWNED
    if word == "first":
        return before in _OWNED or (before != "at" and not _AT_FIRST.match(said, words[at].end()))
    return True


def _sign(said: str, start: int) -> str:
    """Return a number's sign, behind the sign by which something is compared with it: "x > -5"."""
    before = said[max(start - 12, 0) : start]
    bare = _MONEY.sub("", before)
    minus = next((one for one in (before, bare) if _SIGN.search(one)), None)
    compared = _COMPARED.search(bare if minus is None else _SIGN.sub("", minus))
    return f"{compared[1] if compared else ''}{'' if minus is None else '-'}"


def _unit(said: str, start: int, stop: int) -> str:
    """Return a blank and the unit that stands beside a number: a currency before it, or what stands behind; nothing where there is none."""
    money = _MONEY.search(_SIGN.sub("", said[max(start - 12, 0) : start]))
    if money is not None:
        return f" {_UNITS[money[0].strip().lower()]}"
    found = _UNIT.match(said, stop)
    if found is None:
        return ""
    word = (found[1] or found[3]).lower()
    if word == "per cent":
        return " percent"
    apart = bool(found[2]) and len(word) == 1
    return f" {_UNITS[word]}" if word in _UNITS and not apart else ""


def _plain(value: Decimal | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
