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
_LONGEST = 600
"""Characters of a sentence that is looked at: what is longer is a document without signs."""
_ENDS = re.compile(r"[.!?:]*$")
_INPUT = re.compile(r":(?=\s|$)|[\n\r\v\f\x85\u2028\u2029]")
"""Behind a colon, or in the next line, stands what the request is about: no word of it is touched."""
_PLAIN = re.compile(r"""["(\[“‘']*[^\W_][\w'’-]*[")\]”’']*""")
_WORD = re.compile(r"[^\W_][\w'’-]*")
_POLITE = re.compile(r",?\s+(?:please|thanks|thank you)$", re.IGNORECASE)
_UNSOUND = re.compile(
    r"\b(?:do not|don['’]t|does not|never|let['’]s|please|thanks?)\b|\bor (?:should|do|does|is|are|will|can|would|not)\b"
    r"|\s[-–—]+\s|[`\t|<>{}=:]|, (?:i|you|he|she|it|we|they)\b",
    re.IGNORECASE,
)
"""An order of its own that no other frame can hold ("and do not rhyme"), a dash or a comma before an input, code."""
_UNMARKED = re.compile(
    r"\s(?:You|He|She|It|We|They|My|What|Where|How|Why|Who|When|Are|Is|Do|Does|Did|Can)\s"
    r"|\b(?:sentence|phrase|text|tweet|review|question|statement)s?,? (?:I\b|[A-Z])"
)
"""An input that nothing marks ("for this sentence What a day")."""
_OPENERS, _CLOSERS = re.compile(r"(?<!\w)['‘](?=\w)"), re.compile(r"(?<=[\w.!?,])['’](?!\w)")


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
    and the like alone: "List the rivers" asks, "List prices rose" does not. What could be a question of ability ("Can you divide
    by zero?"), an exclamation, or a sentence that holds its own input is left alone; some of it is not seen.
    """
    return [
        _read(text, parted)
        for text, parted in zip(texts, sentences(pa.array(texts, pa.string())), strict=True)
    ]


def revision() -> str:
    """Return a digest of the words by which requests are found."""
    return digest(_FILE.read_text(encoding="utf-8")).hex()


def _read(text: str, parted: Sentences) -> Request | None:
    if not parted.said:
        return None
    before, sentence = parted.spaces[0], parted.said[0]
    found = _INPUT.search(sentence)
    if found:
        sentence = sentence[: found.start() + (found[0] == ":")]
    if len(sentence) > _LONGEST:
        return None
    behind = text[len(before) + len(sentence) :]
    bare = _ENDS.sub("", sentence, count=1)
    end = sentence[len(bare) :]
    asked, question = _opened(bare)
    if end not in (("", ".", "?", ":") if question else ("", ".", ":")) or not _sound(asked, question):
        return None
    goes_on = not end and behind.lstrip()[:1].islower()  # a line that was broken within a sentence
    if goes_on or (end == ":" and not _introduces(asked)):
        return None
    return Request(asked[0].lower() + asked[1:], end == ":", before, behind)


def _opened(sentence: str) -> tuple[str, str]:
    """Return what stands behind the words that open a request, and these where they ask."""
    lexicon, low = _lexicon(), sentence.lower().replace("’", "'")
    for opening in lexicon.openings:
        if low.startswith(opening) and re.match(r",?\s+", sentence[len(opening) :]):
            asks = opening in lexicon.questions or opening in lexicon.abilities
            return _POLITE.sub("", sentence[len(opening) :].lstrip(", ")), opening if asks else ""
    return _POLITE.sub("", sentence), ""


def _sound(asked: str, question: str) -> bool:
    """Tell whether a sentence is a request from its first word on, and ends in a word that a sign may follow."""
    lexicon, words = _lexicon(), _WORD.findall(asked.lower())
    if len(words) < 2 or not asked.lower().startswith(f"{words[0]} ") or not asked[1:2].islower():
        return False
    if (
        _UNSOUND.search(asked)
        or _UNMARKED.search(asked)
        or not lexicon.foreign.isdisjoint(_WORD.findall(asked))
    ):
        return False
    pairs = all(asked.count(one) == asked.count(other) for one, other in ("“”", "«»", "()", "[]"))
    if not pairs or asked.count('"') % 2 or len(_OPENERS.findall(asked)) != len(_CLOSERS.findall(asked)):
        return False
    return _begins(words[0], words[1], question in lexicon.abilities) and bool(
        asked == asked.rstrip() and _PLAIN.fullmatch(asked.rsplit(maxsplit=1)[-1])
    )


def _begins(verb: str, following: str, ability: bool) -> bool:
    lexicon = _lexicon()
    if verb in lexicon.helping:
        return following in ("me", "us")
    if ability and verb not in lexicon.asked:
        return False
    return (verb in lexicon.verbs and following not in lexicon.finite) or (
        verb in lexicon.nouns and following in lexicon.followed
    )


def _introduces(asked: str) -> bool:
    """Tell a colon before an input from one in a name: "to French:" and not "of Star Wars:"."""
    *_, previous, last = asked.split()
    return not last[:1].isupper() or previous in ("to", "into", "in", "from")


@dataclass(frozen=True)
class _Lexicon:
    openings: tuple[str, ...]
    questions: frozenset[str]
    abilities: frozenset[str]
    asked: frozenset[str]
    helping: frozenset[str]
    verbs: frozenset[str]
    nouns: frozenset[str]
    followed: frozenset[str]
    finite: frozenset[str]
    foreign: frozenset[str]


@functools.cache
def _lexicon() -> _Lexicon:
    held = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    names = ("asked", "helping", "verbs", "nouns", "followed", "finite", "foreign")
    openings = sorted([*held["openings"], *held["questions"], *held["abilities"]], key=len, reverse=True)
    asking = frozenset(held["questions"]), frozenset(held["abilities"])
    return _Lexicon(tuple(openings), *asking, *(frozenset(held[name].split()) for name in names))
