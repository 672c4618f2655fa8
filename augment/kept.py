"""What a row that was said anew must still say: the same numbers, as many negations, the same names and persons, no opposites, about as many words.

"I did not pay $40 to Anna"  ->  numbers ["40 dollar"], negations 1, names {"anna"}, persons {"i"}

Each is a question to both texts, without a model. The words are English. They are asked of the words that are compared everywhere, so a link or a
handle, which admission asks about by itself, is none of it.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from augment.amounts import numbers
from augment.dates import dates
from augment.masks import held, said, unlike
from augment.opposites import opposites
from augment.order import moved
from corpus.lexicon import Lexicon

Kept = Literal["numbers", "negations", "names", "persons", "senses", "opposites", "groups"]
OF_OTHERS: frozenset[Kept] = frozenset({"names", "persons", "opposites", "groups"})
"""What growth exchanges that means to stay near its parents otherwise."""
REASONS = (
    "number_changed",
    "negation_changed",
    "name_lost",
    "person_changed",
    "order_changed",
    "sense_turned",
    "opposite_said",
)
"""What `lost` may say."""

_WORDS = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NEGATIONS = frozenset(
    ["no", "not", "never", "none", "nobody", "nothing", "nowhere", "neither", "nor", "cannot", "without", "nope", "hardly",
     "barely"]
)  # fmt: skip
_ENDS = frozenset('.!?:;"“(>-')
"""Behind what a sentence begins."""
_CONTRACTED = re.compile(r"n['’]?t$", re.IGNORECASE)
_BARE = frozenset(
    ["aint", "arent", "cant", "couldnt", "didnt", "doesnt", "dont", "hadnt", "hasnt", "havent", "isnt", "shouldnt", "wasnt",
     "werent", "wont", "wouldnt"]
)  # fmt: skip

_PERSONS = {
    word: person
    for person, words in {
        "i": "i me my mine myself im ive",
        "you": "you your yours yourself yourselves youre u ur ya",
        "he": "he him his himself hes",
        "she": "she her hers herself shes",
        "it": "it its itself",
        "we": "we us our ours ourselves weve",
        "they": "they them their theirs themselves theyre theyve em",
    }.items()
    for word in words.split()
}
_THANKS = re.compile(r"\bthank\s+(?:you|u)\b", re.IGNORECASE)
"""Speaks of nobody: "thanks" is as good."""
_SENSES = (re.compile(r"\bjust\b", re.IGNORECASE), re.compile(r"\bneeds?\b(?!\s+to\b)", re.IGNORECASE))
"""Words of two senses that a translator takes one for the other: "just sent it" comes back as "only sent it", "needs help" as
"must help". Of 90 candidates that went through Esperanto and were read, 8 of the 17 whose meaning had turned were of these."""


def negations(text: str) -> int:
    """Count the words of a text that deny ("not", "don't", "nothing", "without")."""
    return sum(
        word in _NEGATIONS
        or word in _BARE
        or (("'" in word or "’" in word) and bool(_CONTRACTED.search(word)))
        for word in map(str.lower, _WORDS.findall(text))
    )


def names(text: str) -> Counter[str]:
    """Count the names in a text, in lower case: words with a capital that do not begin a sentence.

    None where most words of the text have one: a headline and a shout do not tell names from other words.
    """
    words = [(found[0], found.start()) for found in _WORDS.finditer(text) if found[0][0].isalpha()]
    capital = [(word, at) for word, at in words if word[0].isupper() and len(word) > 1]
    if 2 * len(capital) > len(words):
        return Counter()
    return Counter(
        _bare(word) for word, at in capital if not _begins(text[:at]) and not word.startswith(("I'", "I’"))
    )


def persons(text: str) -> list[str]:
    """Return of whom a text speaks in pronouns, as they come: "i", "you", "he", "she", "it", "we", "they"."""
    found = _WORDS.findall(_THANKS.sub("thanks", text))
    words = (word.lower().replace("’", "'") for word in found if word != "US")
    told = ("we" if word == "let's" else _PERSONS.get(word.partition("'")[0]) for word in words)
    return [person for person in told if person is not None]


def _turned(mine: str, theirs: str) -> int:
    return sum(bool(word.search(theirs) and not word.search(mine)) for word in _SENSES)


def _begins(before: str) -> bool:
    """Say whether a sentence begins behind a text."""
    bare = before.rstrip()
    return not bare or bare[-1] in _ENDS or "\n" in before[len(bare) :]


def _bare(word: str) -> str:
    return (word[:-2] if word.endswith(("'s", "’s")) else word).lower()


class Change(NamedTuple):
    """What a candidate does not keep of its parent: a reason of `admission`, and how many things are not alike."""

    reason: str
    size: int


def lost(
    candidate: str, parent: str, asked: Collection[Kept], words: tuple[str, str] | None = None
) -> Change | None:
    """Say what a candidate does not keep of its parent first, or None.

    `number_changed`: other numbers or units, or in another order, or other weekdays or months. `negation_changed`: one denies an even, the other an odd number of
    times, or one of them not at all. `name_lost`: a name of the parent that the candidate does not have in any case.
    `person_changed`: pronouns of other persons. `order_changed`: names, handles or persons change places (`augment.order`). `sense_turned`: a word that translators take in another of its senses is gone.
    `opposite_said`: a word came that says the contrary of one that went. `groups` is not asked here: it needs a lexicon (`groups_changed`).
    `words` are both without links and their like (`augment.masks.said`), where they are known already.
    """
    return next(_changes(candidate, parent, asked, words or (said(candidate), said(parent))), None)


def _changes(
    candidate: str, parent: str, asked: Collection[Kept], words: tuple[str, str]
) -> Iterator[Change]:
    """Yield what changed, the cheap questions first."""
    mine, theirs = words
    if "numbers" in asked and (count := _amounts_unlike(candidate, parent)):
        yield Change("number_changed", count)
    denies, denied = negations(mine), negations(theirs)
    if "negations" in asked and (denied % 2 != denies % 2 or bool(denied) != bool(denies)):
        yield Change("negation_changed", abs(denied - denies))
    named = names(theirs) if "names" in asked else Counter()
    if named:
        has = Counter(_bare(word) for word in _WORDS.findall(mine))
        has |= Counter(piece.lower() for piece in re.findall(r"[^\W_]+", mine))
        if count := (named - has).total():
            yield Change("name_lost", count)
    spoken, of = (persons(mine), persons(theirs)) if "persons" in asked else ([], [])
    if count := len({*spoken} ^ {*of}):
        yield Change("person_changed", count)
    if count := moved(spoken, of) + (_names_moved(candidate, parent, named) if "names" in asked else 0):
        yield Change("order_changed", count)
    if "senses" in asked and (count := _turned(mine, theirs)):
        yield Change("sense_turned", count)
    if "opposites" in asked and (count := opposites(mine, theirs)):
        yield Change("opposite_said", count)


def _names_moved(candidate: str, parent: str, named: Collection[str]) -> int:
    """Count names and handles of the parent that change places; where there is one alone it cannot."""
    count = 0
    if len(named) > 1:
        count += moved(
            *(
                [word for word in map(_bare, _WORDS.findall(text)) if word in named]
                for text in (candidate, parent)
            )
        )
    if parent.count("@") > 1:
        count += moved(
            *([text[start:stop] for start, stop in held(text, ["handle"])] for text in (candidate, parent))
        )
    return count


def _amounts_unlike(candidate: str, parent: str) -> int:
    mine, theirs = numbers(candidate), numbers(parent)
    count = unlike(Counter(mine), Counter(theirs)) + unlike(dates(candidate), dates(parent))
    return count or sum(one != other for one, other in zip(mine, theirs, strict=True))  # in another order


def groups_changed(candidates: list[str], parents: list[str], known: Lexicon) -> np.ndarray:
    """Count for each candidate the groups of people that it mentions and its parent does not, or the other way (int64)."""
    mine, theirs = (known.mentions(pa.array(texts, pa.string())) for texts in (candidates, parents))
    changed = np.zeros(len(candidates), np.int64)
    for name in mine.column_names:
        changed += pc.not_equal(mine[name], theirs[name]).to_numpy()
    return changed


def word_ratio(candidate: str, parent: str) -> float:
    """Return how many times as many words a candidate has as its parent, both without links and their like (`augment.masks.said`)."""
    mine, theirs = (len(_WORDS.findall(text)) for text in (candidate, parent))
    return mine / theirs if theirs else float(mine > 0) or 1.0
