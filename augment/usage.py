"""How a word is used where it stands, by the parts of speech of its neighbours: her book and saw her, German beer and a German.

Apertium's tagger takes "her" for a determiner in "gave her a book", so what follows decides, and where that may be either
nobody guesses. English alone.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Literal

from corpus.morphology import Analysis, Word

Use = Literal["adjective", "noun"]

_ALWAYS = frozenset({"own", "best", "worst", "whole", "entire"})
"""Words before which a possessive stands, whether a noun follows or not."""
_NOW = frozenset({"today", "tonight", "tomorrow", "yesterday", "maybe", "please", "lol"})
_TIMES = frozenset(
    ["time", "day", "night", "morning", "evening", "afternoon", "week", "weekend", "month", "year", "hour",
     "minute", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "summer",
     "winter", "spring", "fall", "autumn", "way", "lot", "bit"]
)  # fmt: skip
"""Nouns that say when or how ("saw her last night"); whose they are is not told."""
_TWO_OBJECTS = frozenset(
    ["ask", "bring", "buy", "call", "consider", "cook", "cost", "do", "feed", "find", "get", "give", "hand",
     "have", "hear", "help", "keep", "leave", "lend", "let", "make", "name", "offer", "owe", "pass", "pay",
     "promise", "read", "save", "see", "sell", "send", "show", "teach", "tell", "text", "watch", "wish",
     "write"]
)  # fmt: skip
"""Verbs behind which a person may stand, and a noun or a verb behind that: "gave her money", "saw her smile"."""
_BETWEEN = frozenset({"adj", "adv", "num", "preadv"})
_DETERMINING = frozenset({"det", "adj", "num", "gen"})
_POSSESSIVE = frozenset({"her", "his", "my", "your", "our", "their", "its"})
_COUNTING = frozenset({"many", "few", "several", "other", "various"})
"""Words that the grammar calls determiners, and that stand behind a possessive as adjectives do."""
_SAID_OF = frozenset({"be", "become", "seem", "feel"})
_UNSURE = frozenset({"guio", "lpar", "lquot", "lquest", "apos", "mon", "web"})
"""Dashes, what opens, money and addresses: what stands behind may go on with the phrase."""
_LINKS = frozenset({"http", "https"})
"""What the grammar takes for an acronym, and a link begins with."""
_CLOSING = (("sent",), ("cm",))
"""Full stops and their like, and commas."""
_SAYS = re.compile("[\\w\"'“‘(\\[{<*#@%$`]")
"""What goes on with a phrase, or opens something: letters that nobody could read, quotes, brackets, marks of slots and code."""
_TELLS = {"noun": True, "other": False, "unsure": None}


def before_noun(pieces: Analysis, place: int) -> bool | None:
    """Say whether the word at `place` stands before a noun that it belongs to ("her new book"); None where that cannot be told."""
    words, described = _behind(pieces, place), False
    for word in words:
        says = _says(word)
        if says == "and":
            other = next(words, None)
            return None if other is None or other.surface.lower() in _POSSESSIVE else False
        if says == "verb":
            return False if not described and _before_verb(pieces, place, word) else None
        if says != "on":
            return None if described and says == "other" else _TELLS[says]
        described |= _tags(word)[0] in ("adj", "num", "det")
    return None if described else False


def _says(word: Word) -> str:
    """Say what a word behind another tells of it: that it belongs to a noun, or to nothing, or only what stands behind."""
    said, tags = word.surface.lower(), _tags(word)
    part = tags[0] if tags else ""
    rules = (
        (said in _ALWAYS, "noun"),
        (said in _NOW, "other"),
        (not tags or part in _UNSURE or said in _LINKS or bool({"ger", "pp"} & {*tags}), "unsure"),
        (part in ("n", "np"), "unsure" if word.lemma.lower() in _TIMES else "noun"),
        (part in _BETWEEN or said in _COUNTING or "ord" in tags, "on"),
        (part == "cnjcoo", "and"),
        (part.startswith("v"), "verb"),
    )
    return next((told for holds, told in rules if holds), "other")


def takes_two(pieces: Analysis, place: int) -> bool:
    """Say whether the word before is a verb that may have two objects, so that a noun behind `place` says nothing."""
    before = _before(pieces, place)
    if before is None:
        return False
    lemma, tags = _word(pieces, before).parts[0]
    return tags[0].startswith("vb") and lemma.lower() in _TWO_OBJECTS


def determined(pieces: Analysis, place: int) -> bool:
    """Say whether a determiner, an adjective, a number or a genitive stands before a noun, so that it is no exclamation."""
    before = _before(pieces, place)
    return before is not None and _tags(_word(pieces, before))[0] in _DETERMINING


def use(pieces: Analysis, first: int, last: int) -> Use | None:
    """Say whether what stands from `first` to `last` describes something or names somebody; None where that cannot be told.

    It describes a noun behind it ("German beer"), or what a form of be stands behind ("she is German"). Behind a determiner,
    and without a noun behind it, it names somebody ("a German"). What is neither may be a language ("speaks German").
    """
    attribute = before_noun(pieces, last)
    if attribute is not False:
        return "adjective" if attribute else None
    place = _before(pieces, first)
    while place is not None and _tags(_word(pieces, place))[0] in _BETWEEN:
        place = _before(pieces, place)
    if place is None:
        return None
    lemma, tags = _word(pieces, place).parts[0]
    if tags[0] == "det":
        return "noun"
    return "adjective" if lemma.lower() in _SAID_OF else None


def _before_verb(pieces: Analysis, place: int, verb: Word) -> bool:
    """Say whether a verb stands behind a word as its own phrase: "let her go", "his is better", but not "his last", "her AM flight"."""
    said = _word(pieces, place).surface.lower()
    if said == "her":
        return takes_two(pieces, place)
    return said != "his" or _tags(verb)[0] != "vblex"


def _word(pieces: Analysis, place: int) -> Word:
    word = pieces[place]
    assert isinstance(word, Word), "a place of a word"
    return word


def _tags(word: Word) -> tuple[str, ...]:
    """Return the tags of a word's first part ("isn't" is a form of be); none of a word that nobody knows."""
    return word.parts[0][1] if word.parts else ()


def _before(pieces: Analysis, place: int) -> int | None:
    """Return the place of the known word before another, if at most a blank stands between."""
    place -= 1
    if place >= 0 and pieces[place] == " ":
        place -= 1
    return place if place >= 0 and isinstance(word := pieces[place], Word) and word.parts else None


def _behind(pieces: Analysis, place: int) -> Iterator[Word]:
    """Yield the words behind a place as far as a phrase may go: to an empty line or the end.

    A sign that is no word says nothing of the phrase. Nobody knows what stands behind it, so a word without a reading stands
    for it, unless a sentence or the text ends there.
    """
    sign = ""
    for piece in itertools.islice(pieces, place + 1, None):
        if isinstance(piece, Word):
            yield Word(sign, ()) if sign and not _ends(piece) else piece
            sign = ""
            continue
        sign += piece.strip()
        if _SAYS.search(piece):
            break
        if piece.count("\n") > 1:
            return
    if _SAYS.search(sign):
        yield Word(sign, ())


def _ends(word: Word) -> bool:
    return _tags(word)[:1] in _CLOSING
