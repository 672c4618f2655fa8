"""Words that mean the same, by WordNet 3.0: of the sense that a word has in its text, and only those that mean it most of all.

synonyms("purchase", "v", {"ticket", "shop"})  ->  [("buy", 102)]

WordNet (Miller 1995) lists a synset's words whatever else they mean; put in blindly they make nonsense ("a bang-up machine"). So a
word is exchanged only where its sense is clear, and only for words that people who tagged texts used in that sense, more
often than in all their others.
"""

import functools
import io
import re
import warnings
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from corpus.schema import UserError

FOLDER = Path("/usr/share/wordnet")
"""Where Debian's `wordnet-base` lies."""

LICENCE = "made with WordNet 3.0 (WordNet License, Princeton University)"

Part = Literal["n", "v", "a", "r"]
"""Noun, verb, adjective, adverb, as WordNet calls them."""

CLEAR = 0.6
"""Share of a word's tagged uses that its first sense must have where the text does not tell the sense."""

TELLS = 2
"""Words that a sense's gloss must share with the text, more than the first sense's does, to be taken for it (Lesk 1986)."""

FAITHFUL = 0.5
"""Share of a synonym's tagged uses that must be in the sense."""

# Debian leaves the file out; the names and their order are those of lexnames(5WN).
LEXNAMES = [
    "adj.all",
    "adj.pert",
    "adv.all",
    "noun.Tops",
    "noun.act",
    "noun.animal",
    "noun.artifact",
    "noun.attribute",
    "noun.body",
    "noun.cognition",
    "noun.communication",
    "noun.event",
    "noun.feeling",
    "noun.food",
    "noun.group",
    "noun.location",
    "noun.motive",
    "noun.object",
    "noun.person",
    "noun.phenomenon",
    "noun.plant",
    "noun.possession",
    "noun.process",
    "noun.quantity",
    "noun.relation",
    "noun.shape",
    "noun.state",
    "noun.substance",
    "noun.time",
    "verb.body",
    "verb.change",
    "verb.cognition",
    "verb.communication",
    "verb.competition",
    "verb.consumption",
    "verb.contact",
    "verb.creation",
    "verb.emotion",
    "verb.motion",
    "verb.perception",
    "verb.possession",
    "verb.social",
    "verb.stative",
    "verb.weather",
    "adj.ppl",
]


@dataclass(frozen=True)
class Synonym:
    """A word of a sense, as it is written in between ("motion picture"), and how often people tagged it so."""

    lemma: str
    uses: int


def ready(folder: Path = FOLDER) -> None:
    """Raise `UserError` where WordNet is not installed."""
    if not (folder / "data.noun").exists():
        raise UserError(f"synonyms need WordNet, and {folder} is not there: apt-get install wordnet-base")


@functools.lru_cache(maxsize=50_000)
def senses(lemma: str, part: Part) -> tuple[Any, ...]:
    """Return the synsets of a lemma, the commonest first; adjectives' satellites among them. None of an unknown word."""
    ready()
    return tuple(_reader().synsets(lemma.lower().replace(" ", "_"), part))


def synonyms(lemma: str, part: Part, context: AbstractSet[str]) -> list[Synonym]:
    """Return the words that may stand for a lemma in a text of which `context` holds the other words in lower case.

    The sense is the first, the commonest, if it has `CLEAR` of the uses that were tagged, or whichever's gloss and examples
    share `TELLS` words more with the text; else it is not clear, and there are none. The commonest synonym comes first.
    """
    sense = _sense(lemma, part, context)
    if sense is None:
        return []
    found = []
    for one in sense.lemmas():
        name = one.name()
        if not re.fullmatch(r"[a-z]+(?:[_-][a-z]+)*", name) or name == lemma.lower().replace(" ", "_"):
            continue
        if one.count() and one.count() >= FAITHFUL * _uses(name, part):
            found.append(Synonym(name.replace("_", " "), one.count()))
    return sorted(found, key=lambda one: (-one.uses, one.lemma))


def _sense(lemma: str, part: Part, context: AbstractSet[str]) -> Any | None:
    known = senses(lemma, part)
    if not known:
        return None
    shared = [len(_gloss(sense) & context) for sense in known]
    best = max(range(len(known)), key=lambda at: (shared[at], -at))
    if best and shared[best] >= shared[0] + TELLS:
        return known[best]
    uses = [_count(sense, lemma) for sense in known]
    if len(known) == 1 or uses[0] >= CLEAR * max(1, sum(uses)):
        return known[0]
    return None


@functools.lru_cache(maxsize=50_000)
def _gloss(sense: Any) -> frozenset[str]:
    """Return the longer words of a sense's gloss, examples and names."""
    said = " ".join([sense.definition(), *sense.examples(), *sense.lemma_names()])
    return frozenset(re.findall(r"[a-z]{4,}", said.lower()))


def _count(sense: Any, lemma: str) -> int:
    name = lemma.lower().replace(" ", "_")
    return sum(one.count() for one in sense.lemmas() if one.name().lower() == name)


@functools.lru_cache(maxsize=50_000)
def _uses(name: str, part: Part) -> int:
    """Return how often a word was tagged, in all its senses of a part of speech."""
    return sum(_count(sense, name) for sense in senses(name, part))


@functools.cache
def _reader() -> Any:
    import nltk.data
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    class Reader(WordNetCorpusReader):  # type: ignore[misc]  # NLTK has no types
        """NLTK's reader over a folder that lacks `lexnames` and has no other version to be mapped to."""

        def open(self, file: str) -> Any:
            if file == "lexnames":
                return io.StringIO("".join(f"{at}\t{name}\t1\n" for at, name in enumerate(LEXNAMES)))
            return super().open(file)

        def map_wn(self, version: str = "wordnet") -> None:
            return None

    nltk.data.path.append(str(FOLDER))  # NLTK opens nothing outside its own folders
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has one language, which NLTK warns of
        return Reader(nltk.data.FileSystemPathPointer(str(FOLDER)), None)
