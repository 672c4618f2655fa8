"""What a text says of two groups, exchanged: terms and given names, both ways at once, and what agrees with them.

"Anna sold a Christian her car. I thanked her."  gender  ->  "Andrew sold a Christian his car. I thanked him."
"""

import re
from collections.abc import Sequence

from augment import articles
from augment.terms import Axis, Term
from augment.usage import before_noun, determined, takes_two, use
from corpus.exchange import Put, like, put
from corpus.morphology import Analysis, Word

_POSSESSIVES = frozenset({"her", "his"})
_ARTICLE = re.compile(r"(?<!\w)(an?)\s+\Z", re.IGNORECASE)
_CAPITAL_BEFORE = re.compile(r"(?<!\w)([^\W\d_a-z][\w.'\u2019-]*) \Z")
_PLURAL_GENITIVE = re.compile(r"['\u2019](?=\s\w)")
_GENITIVE = re.compile(r"(['\u2019])s(?!\w)", re.IGNORECASE)
_CURLY = re.compile("[\u2019\u2018\u02bc]")
_NEAR = 40
"""Characters before a term in which its article or a name stands."""


def exchanged(axis: Axis, text: str, pieces: Analysis, group: str, instead: str) -> str | None:
    """Return a text that says of each of two groups what it said of the other; None where that cannot be done throughout.

    `pieces` are the text's words as a grammar reads them. Each term needs one that stands for it there; of "her", "his" and
    adjectives it must be clear how they are used (`augment.usage`); a name must not be the last of several, and where names
    are exchanged none must be left that the grammar knows as one of a gender. Capitals stay; articles and genitives agree.
    A text that has no term comes back, but none comes back that has a word which nothing stands for (`Axis.unpaired`).
    """
    if axis.unpaired(text):
        return None
    if axis.given and any(
        _is_given(piece) and piece.surface.lower() not in axis.given
        for piece in pieces
        if isinstance(piece, Word)
    ):
        return None
    starts = _starts(pieces)
    puts: list[Put] = []
    for one in axis.found(text):
        if one.group not in (group, instead):
            if axis.holds(one.term) & {group, instead}:
                return None  # "trans woman" can neither be exchanged for the other nor stay beside it
            continue
        there = instead if one.group == group else group
        if one.term in axis.given and _last_name(text, one.start, pieces, starts):
            return None
        other = _other(axis, one, pieces, starts, there)
        if other is None:
            return None
        said = text[one.start : one.stop]
        curly = _CURLY.search(said)
        puts.append((one.start, one.stop, like(said, other.replace("'", curly[0]) if curly else other)))
    return put(text, _agreeing(text, puts))


def _other(axis: Axis, one: Term, pieces: Analysis, starts: dict[int, int], instead: str) -> str | None:
    """Return what stands for a term where the text is of another group."""
    options = axis.options(one.term, one.group, instead)
    growth = axis.lexicon.growth
    pronoun = one.term in _POSSESSIVES and len(options) > 1
    exclaimed = one.term in growth.exclamations
    if not options or not (pronoun or exclaimed or growth.adjectives & {one.term, options[0]}):
        return next(iter(options), None)
    places = _places(pieces, starts, one)
    if places is None:
        return None
    if pronoun:
        return _pronoun(one.term, options, pieces, places[0])
    if exclaimed:
        return options[0] if determined(pieces, places[0]) else None
    used = use(pieces, *places)
    if used == "noun" and axis.names_people(one.term, one.group):
        return next((option for option in options if axis.names_people(option, instead)), None)
    return options[0] if used == "adjective" else None


def _pronoun(term: str, options: Sequence[str], pieces: Analysis, place: int) -> str | None:
    """Return the pronoun of the other gender: his or him for her, her or hers for his."""
    attribute = before_noun(pieces, place)
    if attribute is None or (attribute and term == "her" and takes_two(pieces, place)):
        return None
    return next((option for option in options if (option in _POSSESSIVES) == attribute), None)


def _is_given(word: Word) -> bool:
    return word.tags[:2] == ("np", "ant")


def _starts(pieces: Analysis) -> dict[int, int]:
    """Return the place of each piece by where it begins in the text."""
    starts, at = {}, 0
    for place, piece in enumerate(pieces):
        starts[at] = place
        at += len(piece if isinstance(piece, str) else piece.surface)
    return starts


def _places(pieces: Analysis, starts: dict[int, int], one: Term) -> tuple[int, int] | None:
    """Return the places of a term's first and last word; None where the grammar read other words."""
    first, behind = starts.get(one.start), starts.get(one.stop, len(pieces))
    if first is None or (one.stop not in starts and max(starts) >= one.stop):
        return None
    last = behind - 1
    return (first, last) if isinstance(pieces[first], Word) and isinstance(pieces[last], Word) else None


def _last_name(text: str, start: int, pieces: Analysis, starts: dict[int, int]) -> bool:
    """Say whether a name stands behind another, or behind a word with a capital that nobody knows ("Elton John")."""
    before = _CAPITAL_BEFORE.search(text[max(start - _NEAR, 0) : start])
    if before is None:
        return False
    place = starts.get(start - len(before[0]))
    word = None if place is None else pieces[place]
    return not isinstance(word, Word) or not word.parts or word.parts[0][1][:1] == ("np",)


def _agreeing(text: str, puts: Sequence[Put]) -> list[Put]:
    """Add the articles before what is put, and the genitives behind it, where they change."""
    found: list[Put] = []
    for start, stop, other in puts:
        article = _ARTICLE.search(text[max(start - _NEAR, 0) : start])
        if article is not None:
            at = max(start - _NEAR, 0) + article.start(1)
            found.append((at, at + len(article[1]), articles.agreed(article[1], other)))
        found.append((start, stop, other))
        was, behind = text[stop - 1].lower() == "s", text[stop:]
        genitive = _GENITIVE.match(behind)
        if not was and other[-1:].lower() == "s" and genitive is not None:
            found.append((stop, stop + 2, genitive[1]))
        elif was and other[-1:].lower() != "s" and (bare := _PLURAL_GENITIVE.match(behind)):
            found.append((stop, stop + 1, f"{bare[0]}s"))
    return found
