"""Says a text anew by exchanging words for others that mean the same, in the same inflection.

"We bought the largest movies"  ->  "We purchased the biggest films"
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from augment import wordnet
from augment.articles import agreed
from corpus.exchange import like
from corpus.morphology import ENGLISH, Analysis, Word, analyse, generate

_PARTS: Mapping[str, wordnet.Part] = {"n": "n", "vblex": "v", "adj": "a", "adv": "r"}
"""Apertium's parts of speech that are exchanged, as WordNet calls them: no names, pronouns, auxiliaries."""

_FIXED = frozenset(
    {"please", "thank", "thanks", "welcome", "fuck", "damn", "like", "right", "well", "so", "too"}
)
"""Lemmas that taggers take for what they are not, in courtesy and in curses, or that stand in a hundred set phrases."""

_PARTICLES = frozenset(
    ["about", "above", "across", "after", "along", "around", "away", "back", "before", "behind", "below", "by", "down",
     "forth", "forward", "here", "home", "in", "inside", "near", "now", "off", "on", "out", "outside", "over", "past",
     "round", "since", "then", "there", "through", "together", "under", "up", "upward"]
)  # fmt: skip
"""Adverbs that belong to a verb ("check in"), not to what they mean alone."""

_LEAST_LETTERS = 4
"""Letters of a synonym: shorter ones are abbreviations (hr, sec)."""

_PLAIN = frozenset({("n", "sg"), ("vblex", "inf"), ("vblex", "pres")})

Lemma = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Readable:
    """A text's words, and for some of them (by place) what could stand there instead, the likeliest first, with its weight."""

    pieces: Analysis
    options: Mapping[int, Sequence[tuple[str, int]]]

    def said(self, share: float, generator: np.random.Generator) -> str:
        """Exchange a share of the words that have options, one at least, each for one of them drawn by weight."""
        places = sorted(self.options)
        pieces = list(self.pieces)
        count = max(1, round(share * len(places))) if places else 0
        for place in generator.permutation(places)[:count]:
            words, weights = zip(*self.options[place], strict=True)
            drawn = words[generator.choice(len(words), p=np.array(weights) / sum(weights))]
            piece = pieces[place]
            assert isinstance(piece, Word)
            pieces[place] = Word(like(piece.surface, drawn), ())
            _agree(pieces, int(place))
        return "".join(piece if isinstance(piece, str) else piece.surface for piece in pieces)


def readable(texts: Sequence[str]) -> list[Readable]:
    """Read each text, and find for its words what could stand there. Raises `UserError` where grammar or WordNet is missing."""
    wordnet.ready()
    read = analyse(*ENGLISH, texts)
    wanted = [_wanted(pieces) for pieces in read]
    forms = _written({form for of_one in wanted for found in of_one.values() for form, _ in found})
    return [
        Readable(
            pieces,
            {
                place: told
                for place, found in of_one.items()
                if (told := [(written, uses) for form, uses in found if (written := forms[form])])
            },
        )
        for pieces, of_one in zip(read, wanted, strict=True)
    ]


def _wanted(pieces: Analysis) -> dict[int, list[tuple[Lemma, int]]]:
    """Return by place what could stand there: lemmas in the form of the word, each with its weight. Verbs of several words are none of it."""
    words = [piece for piece in pieces if isinstance(piece, Word)]
    around = {said for word in words for said in (word.surface.lower(), word.lemma.lower()) if len(said) > 3}
    found: dict[int, list[tuple[Lemma, int]]] = {}
    starts = True
    for place, word in enumerate(pieces):
        if not isinstance(word, Word):
            continue
        first, starts = starts, word.tags[:1] == ("sent",)
        if not word.tags or word.tags[0] not in _PARTS:
            continue
        lemma = word.lemma.lower() if first else word.lemma
        if not lemma.islower() or (word.surface.isupper() and len(word.surface) > 1):
            continue  # a name, or shouted
        if lemma in _FIXED or (word.tags[0] == "adv" and lemma in _PARTICLES):
            continue
        context = frozenset(around - {word.surface.lower(), lemma})
        options = [
            ((one.lemma, word.tags), one.uses)
            for one in wordnet.synonyms(lemma, _PARTS[word.tags[0]], context)
            if len(one.lemma) >= _LEAST_LETTERS and not (word.tags[0] == "vblex" and " " in one.lemma)
        ]
        if options:
            found[place] = options
    return found


def _written(lemmas: Iterable[Lemma]) -> dict[Lemma, str | None]:
    """Write each lemma in its form, one of several words at its end; None where the grammar does not know how."""
    asked = sorted(lemmas)
    ends = [lemma.rsplit(" ", 1)[-1] for lemma, _ in asked]
    inflected = [at for at, (_, tags) in enumerate(asked) if not _plain(tags)]
    answers = dict(
        zip(inflected, generate(*ENGLISH, [(ends[at], asked[at][1]) for at in inflected]), strict=True)
    )
    told: dict[Lemma, str | None] = {}
    for at, (lemma, tags) in enumerate(asked):
        end = ends[at] if _plain(tags) else answers[at]
        told[lemma, tags] = None if end is None else f"{lemma.removesuffix(ends[at])}{end}"
    return told


def _plain(tags: tuple[str, ...]) -> bool:
    """Say whether a form is the lemma itself."""
    return tags in _PLAIN or (tags[0] in ("adj", "adv") and not {"comp", "sup"} & set(tags))


def _agree(pieces: Analysis, place: int) -> None:
    """Let an `a` or `an` before a word that was exchanged sound as that asks for."""
    if place < 2 or pieces[place - 1] != " ":
        return
    article, word = pieces[place - 2], pieces[place]
    if isinstance(article, Word) and isinstance(word, Word) and article.surface.lower() in ("a", "an"):
        pieces[place - 2] = Word(agreed(article.surface, word.surface), article.parts)
