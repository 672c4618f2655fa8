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
_POLITE = re.compile(r",\s+(?:please|thanks|thank you)$", re.IGNORECASE)
"""Behind a comma alone: "a letter to say thank you" asks for what it ends in."""
_UNSOUND = re.compile(
    r"\b(?:do not|don['’]t|does not|never|let['’]s|please|thanks?)\b|\bor (?:should|do|does|is|are|will|can|would|not)\b"
    r"|\s[-–—]+\s|[`\t|<>{}=:]|, (?:i|you|he|she|it|we|they)\b|\b(?:attached|enclosed)\b",
    re.IGNORECASE,
)
"""An order of its own that no other frame can hold ("and do not rhyme"), a dash or a comma before an input, code, and what a letter says ("find attached")."""
_UNMARKED = re.compile(
    r"\s(?:You|He|She|It|We|They|My|What|Where|How|Why|Who|When|Are|Is|Do|Does|Did|Can)\s"
    r"|\b(?:sentence|phrase|text|tweet|review|question|statement)s?,? (?:I\b|[A-Z])"
)
"""An input that nothing marks ("for this sentence What a day")."""
_UNMARKED_LOW = re.compile(
    r"\b(?:this|these|the following)\s+(?:[\w-]+\s+){0,2}?"
    r"(?:article|clause|email|essay|headline|line|message|paragraph|passage|phrase|poem|question|quote|review|sentence|statement|text|title|tweet|word)s?"
    r"\s+(?!(?:about|above|after|and|are|as|at|based|before|below|between|by|can|containing|could|for|from|given|has|have|if|in|into|is|of|on|or|so|that|to|using|was|were|when|where|which|while|who|whose|with|within|without|would)\b)\w"
    r"|\b(?:this|these)\s+(?:he|i|she|they|we|you)\b",
    re.IGNORECASE,
)
"""The same in small letters ("correct this sentence he go home"): what goes on in none of the ways that a request does."""
_ABBREVIATED = re.compile(r"\b(?:vs|e\.g|i\.e|cf|approx|no|fig|\w)\.$", re.IGNORECASE)
"""A full stop that ends no sentence ("Compare A vs. B")."""
_FINITE = re.compile(
    r"\b(?:is|are|was|were|am|has|have|had|does|do|did|not|will|fails?|failed|works?|happens?|seems?|shows?)\b"
)
_SUBORDINATE = re.compile(
    r"\b(?:and|as|because|but|how|if|so|that|what|when|where|whether|which|while|who|whom|whose|why)\b"
)
_FOR_ME = re.compile(r"\b(?:for|help) (?:me|us)\b")
_DEICTIC = re.compile(r"(?:this|these|the following|the above|the text|my|our)\b")
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
    what may stand around them, are in `data/templates/requests.yaml`. A verb that is also a noun, or stands before one in names,
    counts before a determiner and the like alone: "List the rivers" asks, "List prices rose" and "Merge conflicts happen" do not.
    What could be a question of ability ("Can you give a dog ibuprofen?"), an exclamation, or a sentence that holds its own input
    is left alone; some of it is not seen.
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
    asked, opening = _opened(bare)
    question = opening in _lexicon().questions or opening in _lexicon().abilities
    if end not in (("", ".", "?", ":") if question else ("", ".", ":")) or not _sound(asked, opening):
        return None
    if behind.strip() and _ABBREVIATED.search(sentence):
        return None
    goes_on = not end and behind.lstrip()[:1].islower()  # a line that was broken within a sentence
    if goes_on or (end == ":" and not _introduces(asked)):
        return None
    return Request(asked[0].lower() + asked[1:], end == ":", before, behind)


def _opened(sentence: str) -> tuple[str, str]:
    """Return what stands behind the words that open a request, and these words, if any."""
    low = sentence.lower().replace("’", "'")
    for opening in _lexicon().openings:
        if low.startswith(opening) and re.match(r",?\s+", sentence[len(opening) :]):
            return _POLITE.sub("", sentence[len(opening) :].lstrip(", ")), opening
    return _POLITE.sub("", sentence), ""


def _sound(asked: str, opening: str) -> bool:
    """Tell whether a sentence is a request from its first word on, and ends in a word that a sign may follow."""
    words = _WORD.findall(asked.lower())
    if len(words) < 2 or not asked.lower().startswith(f"{words[0]} ") or not asked[1:2].islower():
        return False
    if any(unsound.search(asked) for unsound in (_UNSOUND, _UNMARKED, _UNMARKED_LOW)):
        return False
    if not _lexicon().foreign.isdisjoint(_WORD.findall(asked)):
        return False
    pairs = all(asked.count(one) == asked.count(other) for one, other in ("“”", "«»", "()", "[]"))
    if not pairs or asked.count('"') % 2 or len(_OPENERS.findall(asked)) != len(_CLOSERS.findall(asked)):
        return False
    return _begins(asked.lower(), words[0], words[1], opening) and bool(
        asked == asked.rstrip() and _PLAIN.fullmatch(asked.rsplit(maxsplit=1)[-1])
    )


def _begins(asked: str, verb: str, following: str, opening: str) -> bool:
    """Tell whether the first word is a verb that asks: less is taken for one where nothing opens the request."""
    lexicon = _lexicon()
    if following in ("me", "us"):
        return verb in lexicon.helping or verb in lexicon.verbs or verb in lexicon.nouns
    if verb in lexicon.helping or following in lexicon.finite:
        return False
    if opening in lexicon.abilities:
        about = bool(_DEICTIC.match(asked.partition(" ")[2].lstrip()))
        mine = bool(_FOR_ME.search(asked))
        return verb in lexicon.asked or (about and verb in lexicon.texts) or (mine and verb in lexicon.verbs)
    if following in lexicon.followed:
        return verb in lexicon.verbs or verb in lexicon.nouns
    if following in ("to", "into", "from") and verb in lexicon.texts:
        return not _states(asked)
    return verb in lexicon.verbs and (bool(opening) or (verb in lexicon.plain and not _states(asked)))


def _states(asked: str) -> bool:
    """Tell whether a sentence says something with a verb of its own: "Write speed is slow"; in "write code that is fast" it is another's."""
    finite = _FINITE.search(asked)
    return finite is not None and not _SUBORDINATE.search(asked[: finite.start()])


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
    texts: frozenset[str]
    helping: frozenset[str]
    verbs: frozenset[str]
    plain: frozenset[str]
    nouns: frozenset[str]
    followed: frozenset[str]
    finite: frozenset[str]
    foreign: frozenset[str]


@functools.cache
def _lexicon() -> _Lexicon:
    held = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    names = ("asked", "texts", "helping", "verbs", "plain", "nouns", "followed", "finite", "foreign")
    openings = sorted([*held["openings"], *held["questions"], *held["abilities"]], key=len, reverse=True)
    asking = frozenset(held["questions"]), frozenset(held["abilities"])
    return _Lexicon(tuple(openings), *asking, *(frozenset(held[name].split()) for name in names))
