"""What a translator must not touch is put behind placeholders, and verified when it comes back.

"@ann I paid $5 for 2 tickets!! 😂 http://t.co/x"
before  "@ann "      text  "I paid Xqza for Xqzb tickets!!"      after  " 😂 http://t.co/x"
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from augment.kinds import COUNTED, INSIDE, KINDS, PICTURE

_BEGINS = r"(?:(?!(?<=[A-Za-z])[A-Za-z])|(?=https?:|www\.))"
"""Where a piece may begin: inside of a word a link alone, so that most letters are passed at once."""
_HELD = re.compile(rf"{_BEGINS}(?:{'|'.join(f'(?P<{kind}>{pattern})' for kind, pattern in KINDS.items())})")
_ANY = re.compile(rf"{_BEGINS}(?:{'|'.join(KINDS.values())})")
"""The same for who asks for no kind, a quarter faster: what begins with a group is tried at every letter."""
_UNCOUNTED = re.compile(rf"{_BEGINS}(?:{'|'.join(KINDS[kind] for kind in KINDS if kind not in COUNTED)})")
_APART = "|".join(pattern for kind, pattern in KINDS.items() if kind not in INSIDE)
_BEFORE = re.compile(rf"\s*(?:(?:RT\b)?[\s\"“.:-]*+(?>{_APART})[\s:,.\"”-]*+)++(?=\w)")
_AFTER = re.compile(rf"(?:\s++(?>{_APART}))++\s*$")
_EXCHANGED = frozenset({"hashtag"})
"""What growth may exchange that means to stay near its parents ("#women")."""
_PICTURES = re.compile(PICTURE)
_NOSE = re.compile("[-']")
_PLACEHOLDER = re.compile(r"\b[Xx][Qq][Zz]([A-Za-z]+)\b")


@dataclass(frozen=True)
class Piece:
    """What stands behind a placeholder; `joined` says on which sides it touched a word, where spaces were put."""

    kind: str
    text: str
    joined: tuple[bool, bool]


@dataclass(frozen=True)
class Masked:
    """A text to translate, what is to be put around it, and the pieces behind its placeholders, in order."""

    before: str
    text: str
    after: str
    pieces: tuple[Piece, ...]

    def restore(self, translation: str) -> tuple[str, bool]:
        """Put the pieces back; say whether one was lost, came twice or, a number, changed places with another.

        Links, handles and words of that kind may move, as words do in translation; two numbers that change
        places change the meaning. Placeholders of unknown number stay in the text, and count as lost. Where nothing
        came for what was sent, nothing is said.
        """
        if self.text.strip() and not translation.strip():
            return "", bool(self.pieces)
        came = [(_number(found[1]), found.span()) for found in _PLACEHOLDER.finditer(translation)]
        known = [(self.pieces[number], span) for number, span in came if number < len(self.pieces)]
        order = [number for number, _ in came]
        numbers = [
            number for number in order if number < len(self.pieces) and self.pieces[number].kind == "number"
        ]
        whole = sorted(order) == list(range(len(self.pieces))) and numbers == sorted(numbers)
        return f"{self.before}{_put_back(translation, known)}{self.after}", not whole


def mask(text: str) -> Masked:
    """Put links, places, handles, hashtags, numbers, emoji, smileys, code, tags and slots out of a translator's reach.

    Code is what stands in back-ticks and what only code is written like (`user_name`, `f()`, `a::b`); a slot is filled in later (`{name}`, `%s`); a place is a domain, path or file. U+FFFD and endless words are held too.
    What stands before the first word or after the last is no part of a sentence, and is not sent at all (what may be
    part of a sentence is: code, slots, places).
    The others become rare words (`Xqza`, `Xqzb`, ...), which a translator passes as names. Nor is a text sent that says
    nothing beside them: asked for nothing, models answer something.
    """
    if not any(map(str.isalpha, said(text))):
        return Masked(text, "", "", ())
    if not _HELD.search(text):
        return Masked("", text, "", ())
    start = _end(_BEFORE.match(text))
    last = _AFTER.search(text, start)
    stop = len(text) if last is None else last.start()
    pieces: list[Piece] = []
    sent: list[str] = []
    core = text[start:stop]
    done = 0
    for found in _HELD.finditer(core):
        left = found.start() > 0 and (found.start() == done or _is_of_word(core[found.start() - 1]))
        right = found.end() < len(core) and _is_of_word(core[found.end()])
        pieces.append(Piece(str(found.lastgroup), found[0], (left, right)))
        sent += [
            core[done : found.start()],
            " " if left else "",
            f"Xqz{_word(len(pieces) - 1)}",
            " " if right else "",
        ]
        done = found.end()
    return Masked(text[:start], "".join([*sent, core[done:]]), text[stop:], tuple(pieces))


def held(text: str, kinds: Collection[str]) -> list[tuple[int, int]]:
    """Return begin and end of the pieces of some kinds ("link", "email", "handle", "endless", ...), in their order."""
    return [found.span() for found in _HELD.finditer(text) if found.lastgroup in kinds]


def said(text: str) -> str:
    """Return what is left of a text without what `mask` holds: the words that could be said otherwise."""
    return " ".join(_ANY.sub(" ", text).split())


def unheld(text: str) -> str:
    """Return a text with a blank for each of its links, handles, code, slots and their like; what may be a number stays."""
    return _UNCOUNTED.sub(" ", text)


def pieces_lost(candidate: str, parent: str, *, near: bool) -> int:
    """Count the links, places, handles, hashtags, code, slots and their like that are not those of the parent, to the letter.

    As many of each, in any order; of emoji and smileys which ones, not how often. Growth that means to stay `near` its
    parents may put words around them that have others.
    """
    if _UNCOUNTED.findall(candidate) == _UNCOUNTED.findall(parent):
        return 0
    mine, theirs = _carried(candidate), _carried(parent)
    if not near:
        return unlike(mine, theirs)
    if parent in candidate:
        return 0
    return sum(count for (kind, _), count in (theirs - mine).items() if kind not in _EXCHANGED)


def unlike(one: Counter[Any], other: Counter[Any]) -> int:
    """Count what one of two has more often than the other."""
    return (one - other).total() + (other - one).total()


def _carried(text: str) -> Counter[tuple[str, str]]:
    """Count the pieces of a text by kind and spelling."""
    carried: Counter[tuple[str, str]] = Counter()
    for found in _HELD.finditer(text):
        kind, piece = str(found.lastgroup), found[0]
        if kind == "emoji":
            carried |= Counter({(kind, picture) for picture in _PICTURES.findall(piece)})
        elif kind == "smiley":
            carried |= Counter([(kind, _NOSE.sub("", piece))])
        elif kind not in COUNTED:
            carried[kind, piece] += 1
    return carried


def _put_back(translation: str, pieces: list[tuple[Piece, tuple[int, int]]]) -> str:
    """Put pieces where their placeholders stand, and take out the spaces that were put between them and a word."""
    parts: list[str] = []
    done, joined = 0, False
    for piece, (start, stop) in pieces:
        between = translation[done:start].lstrip(" ") if joined else translation[done:start]
        left, joined = piece.joined
        parts += [between.rstrip(" ") if left else between, piece.text]
        done = stop
    return "".join([*parts, translation[done:].lstrip(" ") if joined else translation[done:]])


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _end(found: re.Match[str] | None) -> int:
    return 0 if found is None else found.end()


def _word(number: int) -> str:
    """Spell a number in letters: a to z, aa to zz, and so on."""
    word = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        word = chr(ord("a") + letter) + word
    return word


def _number(word: str) -> int:
    value = 0
    for letter in word.lower():
        value = value * 26 + ord(letter) - ord("a") + 1
    return value - 1
