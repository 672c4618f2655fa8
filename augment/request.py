"""A prompt that asks for something to be done, and the same asked otherwise: as an order, a wish or a question. English alone.

"Please write a poem. Make it rhyme."  in  "Could you {request}?"  ->  "Could you write a poem? Make it rhyme."
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import pyarrow as pa
import yaml

from corpus.schema import digest
from corpus.sentences import Sentences, sentences

REQUEST = "{request}"
"""Stands in a template for what is asked for, from its verb on."""

_FILE = files("data") / "templates" / "requests.yaml"
_ENDS = re.compile(r"[.!?:]*$")
_INPUT = re.compile(r":(?![\d/])|\n")
"""Behind a colon, or in the next line, stands what the request is about: no word of it is touched."""
_PLAIN = re.compile(r"""["(\[“‘']*[^\W_][\w'’-]*[")\]”’']*$""")
_UNSOUND = re.compile(
    r"\b(?:do not|don['’]t|does not|never|let['’]s)\b|\s[-–—]+\s|[`\t|<>{}=]", re.IGNORECASE
)
"""An order of its own that no other frame can hold ("and do not rhyme"), a dash before an input, code."""
_POLITE = re.compile(r",?\s+please$", re.IGNORECASE)
_WORD = re.compile(r"[^\W_][\w'’-]*")


@dataclass(frozen=True)
class Request:
    """What is asked for ("write a poem"), whether a colon ends it, and what stands before and behind its sentence."""

    asked: str
    introduces: bool
    before: str
    behind: str

    def said(self, template: str) -> str:
        """Return the prompt with its request in a template's words; a colon stays where it introduced something."""
        first, last = template.split(REQUEST)
        asked = self.asked if first.strip() else self.asked[:1].upper() + self.asked[1:]
        sentence = first + asked + last
        return (
            self.before + (_ENDS.sub(":", sentence, count=1) if self.introduces else sentence) + self.behind
        )


def requests(texts: Sequence[str]) -> list[Request | None]:
    """Return the request that each text begins with, None where it begins with none or where that cannot be told.

    A request is an English sentence of a verb that prompts begin with, after "please" or "could you" or nothing: the verbs, and
    what may stand around them, are in `data/templates/requests.yaml`. A verb that is also a noun counts before a determiner
    and the like alone: "List the rivers" asks, "List prices rose" does not.
    """
    return [
        _read(text, parted)
        for text, parted in zip(texts, sentences(pa.array(texts, pa.string())), strict=True)
    ]


def revision() -> str:
    """Return a digest of the words by which requests are found: what is found depends on them and on this module alone."""
    return digest(_FILE.read_text(encoding="utf-8")).hex()


def _read(text: str, parted: Sentences) -> Request | None:
    if not parted.said:
        return None
    before, sentence = parted.spaces[0], parted.said[0]
    found = _INPUT.search(sentence)
    if found:
        sentence = sentence[: found.start() + (found[0][0] == ":")]
    behind = text[len(before) + len(sentence) :]
    bare = _ENDS.sub("", sentence, count=1)
    end = sentence[len(bare) :]
    asked, question = _opened(bare)
    if not _sound(asked) or end not in (("", ".", "?", ":") if question else ("", ".", "!", ":")):
        return None
    return Request(asked[0].lower() + asked[1:], end == ":", before, behind)


def _opened(sentence: str) -> tuple[str, bool]:
    """Return what stands behind the words that open a request, and whether these ask."""
    lexicon, low = _lexicon(), sentence.lower().replace("’", "'")
    for opening in lexicon.openings:
        if low.startswith(opening) and re.match(r",?\s+", sentence[len(opening) :]):
            return _POLITE.sub("", sentence[len(opening) :].lstrip(", ")), opening in lexicon.questions
    return _POLITE.sub("", sentence), False


def _sound(asked: str) -> bool:
    """Tell whether a sentence is a request from its first word on, and ends in a word that a sign may follow."""
    lexicon, words = _lexicon(), _WORD.findall(asked.lower())
    if len(words) < 2 or not asked.lower().startswith(f"{words[0]} ") or _UNSOUND.search(asked):
        return False
    if asked.count('"') % 2 or any(
        asked.count(one) != asked.count(other) for one, other in ("“”", "()", "[]")
    ):
        return False
    heads = words[0] in lexicon.verbs and words[1] not in lexicon.finite
    heads |= words[0] in lexicon.nouns and words[1] in lexicon.followed
    return heads and bool(_PLAIN.fullmatch(asked.rsplit(maxsplit=1)[-1]))


@dataclass(frozen=True)
class _Lexicon:
    openings: tuple[str, ...]
    questions: frozenset[str]
    verbs: frozenset[str]
    nouns: frozenset[str]
    followed: frozenset[str]
    finite: frozenset[str]


@functools.cache
def _lexicon() -> _Lexicon:
    held = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    words = (frozenset(held[name].split()) for name in ("verbs", "nouns", "followed", "finite"))
    openings = sorted([*held["openings"], *held["questions"]], key=len, reverse=True)
    return _Lexicon(tuple(openings), frozenset(held["questions"]), *words)
