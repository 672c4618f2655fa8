"""Where a text speaks of the groups of an axis, by a lexicon's terms and given names, and what may stand there of another.

"Anna's mosque"  gender: [(0, 4, anna, women)]  religion: [(7, 13, mosque, muslim)]
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from augment.masks import held
from corpus.exchange import whole_words
from corpus.lexicon import Lexicon

_UNTOUCHED = frozenset({"link", "email", "place", "slot", "handle", "endless"})
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_APOSTROPHES = re.compile("['\u2019\u2018\u02bc]")
_BETWEEN_WORDS = re.compile(r"[^\w]+")

Spans = list[tuple[int, int]]


class Term(NamedTuple):
    """A term where it stands: begin and end in the text, how the lexicon writes it, and whose it is."""

    start: int
    stop: int
    term: str
    group: str


@dataclass(frozen=True)
class Axis:
    """The terms of one axis of a lexicon, those that growth alone exchanges and given names included."""

    lexicon: Lexicon
    name: str

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups whose terms may stand for those of others, in the lexicon's order."""
        some = {group for slot in self._slots for group in slot}
        return tuple(group for group in self.lexicon.axes[self.name] if group in some)

    def found(self, text: str) -> list[Term]:
        """Return the terms in a text, ascending; of those that overlap the first, and of these the longest.

        Whole words count, names with a capital, outside of links, handles, code, and phrases that mean something else.
        """
        found = [
            Term(*one.span(), term, self._owners[term])
            for one in self._pattern.finditer(text)
            if (term := _plain(one[0])) in self._owners and not (term in self.given and one[0].islower())
        ]
        if not found:
            return []
        untouched = _left(text)
        traps = {
            group: [phrase.span() for phrase in pattern.finditer(text)]
            for group, pattern in self._traps.items()
        }
        return [
            one
            for one in found
            if not _within(one, untouched)
            and not _within(one, traps.get(one.group, []))
            and not unicodedata.category(text[one.stop : one.stop + 1] or " ").startswith("M")
        ]

    def unpaired(self, text: str) -> bool:
        """Say whether a text has a word beside its terms that tells of a group and that nothing stands for ("seniors")."""
        words = self.lexicon.growth.unpaired.get(self.name)
        told = [] if words is None else [one.span() for one in self._unpaired.finditer(text)]
        if not told:
            return False
        known = [*_left(text), *((one.start, one.stop) for one in self.found(text))]
        return any(not any(start < end and begin < stop for begin, end in known) for start, stop in told)

    def options(self, term: str, group: str, instead: str) -> tuple[str, ...]:
        """Return what may stand for a group's term where it is said of another, the first in the lexicon first."""
        return self._options.get((group, instead), {}).get(term, ())

    def names_people(self, term: str, group: str) -> bool:
        """Say whether a term may be a noun: if it is no adjective, or has a plural."""
        return term not in self.lexicon.growth.adjectives or self._owners.get(f"{term}s") == group

    def holds(self, term: str) -> set[str]:
        """Return the groups of the terms that are words of a longer one ("trans woman")."""
        words = f" {_BETWEEN_WORDS.sub(' ', term)} "
        return {group for one, group in self._owners.items() if one != term and f" {one} " in words}

    @cached_property
    def given(self) -> frozenset[str]:
        """The given names."""
        names = self.lexicon.growth.names.get(self.name, ())
        return frozenset(_plain(name) for slot in names for name in slot.values())

    @cached_property
    def _slots(self) -> tuple[Mapping[str, str], ...]:
        growth = self.lexicon.growth
        left = growth.traps.get(self.name, {})
        return tuple(
            {group: term for group, term in slot.items() if term not in left.get(group, ())}
            for slots in (self.lexicon.swaps, growth.swaps, growth.names)
            for slot in slots.get(self.name, ())
        )

    @cached_property
    def _owners(self) -> dict[str, str]:
        """Each term, and the group that has it; of several the first."""
        listed = [(group, term) for group, terms in self.lexicon.axes[self.name].items() for term in terms]
        listed += [entry for slot in self._slots for entry in slot.items()]
        return {_plain(term): group for group, term in reversed(listed)}

    @cached_property
    def _options(self) -> dict[tuple[str, str], dict[str, tuple[str, ...]]]:
        options: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {}
        for slot in self._slots:
            for (group, term), (instead, other) in itertools.permutations(slot.items(), 2):
                known = options.setdefault((group, instead), {})
                known[_plain(term)] = tuple(dict.fromkeys((*known.get(_plain(term), ()), other)))
        return options

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return _any(self._owners)

    @cached_property
    def _unpaired(self) -> re.Pattern[str]:
        return _any(self.lexicon.growth.unpaired[self.name])

    @cached_property
    def _traps(self) -> dict[str, re.Pattern[str]]:
        listed: dict[str, list[str]] = {}
        for traps in (self.lexicon.traps, self.lexicon.growth.traps):
            for group, phrases in traps.get(self.name, {}).items():
                listed.setdefault(group, []).extend(phrases)
        return {group: _any(phrases) for group, phrases in listed.items()}


def _plain(term: str) -> str:
    """Return a term in lower case, with single blanks and straight apostrophes."""
    return _APOSTROPHES.sub("'", " ".join(term.lower().split()))


def _any(terms: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of some terms, whatever their blanks and apostrophes."""
    return whole_words(
        r"\s+".join(re.escape(word).replace("'", _APOSTROPHES.pattern) for word in _plain(term).split())
        for term in terms
    )


def _left(text: str) -> Spans:
    """Return where links, handles, places and code stand, which are left as they are."""
    return [*held(text, _UNTOUCHED), *(code.span() for code in _CODE.finditer(text))]


def _within(one: Term, spans: Spans) -> bool:
    return any(start < one.stop and one.start < stop for start, stop in spans)
