"""Words with what a grammar knows of them, by Apertium's analysers: which lemma, which part of speech, which inflection.

"She was buying her dogs"  ->  [She/prpers<prn><subj><p3><f><sg>] " " [was/be<vbser><past><p3><sg>] " " [buying/buy<vblex><ger>] ...

What is inflected here is inflected as it was: the lemma of one word in the form of another is asked of the same grammar.
"""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from corpus import apertium
from corpus.piecewise import piecewise
from corpus.schema import UserError

ENGLISH = ("eng", "spa")
"""The pair of Apertium whose English grammar is read: a language, and the other of the pair."""

_UNIT = re.compile(r"\^([^/$]*)/([^$]*)\$", re.DOTALL)
_READING = re.compile(r"([^<+]*)((?:<[^>]*>)+)")


@dataclass(frozen=True)
class Word:
    """A word as it is written, and each part of its reading: lemma and tags. A word that nobody knows has no part."""

    surface: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def lemma(self) -> str:
        """The lemma of a word of one part; empty of others."""
        return self.parts[0][0] if len(self.parts) == 1 else ""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of a word of one part, the part of speech first; none of others."""
        return self.parts[0][1] if len(self.parts) == 1 else ()


Analysis = list[str | Word]
"""A text as words and what stands between them; the surfaces together are the text, to the character."""


def analyse(language: str, other: str, texts: Sequence[str]) -> list[Analysis]:
    """Read each text by itself with the grammar that the pair `language`-`other` (Apertium's codes) brings.

    Of several readings of a word the pair's tagger takes one. A text that does not come back as it went, or on which Apertium
    breaks twice (`corpus.piecewise`), is one piece, which nobody can read. Raises `UserError` where the pair is not
    installed, or answers nothing any more.
    """
    before, tagger, _ = apertium.pipeline(language, other)
    if tagger is None:
        raise UserError(
            f"the pair {language}-{other} has no tagger of Apertium's own, and words are to be read by one"
        )
    reader = tagger.replace("apertium-tagger", "apertium-tagger -p", 1)
    sent = [apertium.escaped(text) for text in texts]
    read = piecewise(lambda some: apertium.tag(reader, apertium.run(before, some)), sent, apertium.KNOWN)
    aligned = [
        None if said is None else _aligned(text, _pieces(said))
        for text, said in zip(texts, read, strict=True)
    ]
    return [[text] if pieces is None else pieces for text, pieces in zip(texts, aligned, strict=True)]


def generate(language: str, other: str, words: Sequence[tuple[str, tuple[str, ...]]]) -> list[str | None]:
    """Write each lemma in the form that its tags ask for; None where the grammar cannot, or breaks on it twice."""
    units = [f"^{apertium.escaped(lemma)}{''.join(f'<{tag}>' for tag in tags)}$" for lemma, tags in words]
    generator = _generator(language, other)
    written = piecewise(lambda some: apertium.run(generator, some), units, apertium.KNOWN)
    answers = [answer and apertium.came(answer) for answer in written]
    return [None if answer is None or answer.startswith("#") else answer for answer in answers]


@functools.cache
def _generator(language: str, other: str) -> str:
    """Return the command that writes words of a language: the generator of the mode that translates into it."""
    mode = apertium.mode(other, language).read_text()
    found = re.search(r"'([^']*\.autogen\.bin)'", mode)
    if found is None:
        raise UserError(f"the pair {other}-{language} writes no words: it has no generator")
    return f"lt-proc -z -g '{found[1]}'"


def _pieces(read: str) -> Analysis:
    """Take apart what the tagger says: `^surface/lemma<tag>...$` with blanks between."""
    pieces: Analysis = []
    done = 0
    for found in _UNIT.finditer(read):
        if found.start() > done:
            pieces.append(apertium.came(read[done : found.start()]))
        pieces.append(Word(apertium.came(found[1]), _parts(found[2])))
        done = found.end()
    rest = apertium.came(read[done:])
    return [*pieces, rest] if rest else pieces


def _parts(reading: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if reading.startswith("*"):
        return ()
    return tuple(
        (apertium.came(lemma).lstrip("+"), tuple(re.findall(r"<([^>]*)>", tags)))
        for lemma, tags in _READING.findall(reading)
    )


def _aligned(text: str, pieces: Analysis) -> Analysis | None:
    """Return the pieces as they stand in the text, without blanks that only the analyser put there (hotel 's); None where they do not."""
    found: Analysis = []
    at = 0
    for piece in pieces:
        said = piece if isinstance(piece, str) else piece.surface
        if text.startswith(said, at):
            found.append(piece)
            at += len(said)
        elif said != " ":
            return None
    return found if at == len(text) else None
