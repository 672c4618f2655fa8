"""Which column of a source is what, and a record as the parts of a row.

{'body': 'Great crew', 'rating': 5, 'region': 'EU', 'plane': 'A320'}, groups=('region',), label='rating'
->  roles ['text'], contents ['Great crew'], label '5', groups [('region', 'EU')], extra '{"plane":"A320"}'
"""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from corpus.reading.files import SPLIT_NAMES
from corpus.reading.record import Unreadable, as_text, canonical, plain
from corpus.schema import Split, UserError, digest

Way = tuple[str, ...]


class Parts(NamedTuple):
    """What a row is made of; `record` is the digest of all fields of its record."""

    record: bytes
    key: str | None
    roles: list[str]
    contents: list[str]
    label: str | None
    confidence: float | None
    split: Split | None
    groups: list[tuple[str, str]]
    extra: str | None


@dataclass(frozen=True)
class Columns:
    """The column of each part of a row. A record is read in the first of the three ways whose columns it has."""

    text: Way = ("text",)
    messages: Way = ("messages",)
    turns: Way = ("prompt", "completion")
    label: str = "label"
    confidence: str = "confidence"
    split: str = "split"
    key: str | None = None
    groups: tuple[str, ...] = ()

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        """The ways in which this source may hold text."""
        return tuple(way for way in (self.text, self.messages, self.turns) if way)

    @cached_property
    def taken(self) -> Mapping[Way, frozenset[str]]:
        """For each way the columns that are not `extra`."""
        used = {self.label, self.confidence, self.split, *self.groups} | ({self.key} if self.key else set())
        return {way: frozenset(used.union(way)) for way in self.ways}

    def check(self, named: Mapping[str, str], seen: set[str], where: str) -> None:
        """Raise `UserError` where the columns `seen` lack one that a knob names, or any way to hold text."""
        listed = ", ".join(map(repr, sorted(seen)))
        for column, knob in named.items():
            if column not in seen:
                near = difflib.get_close_matches(column, sorted(seen), n=3)
                meant = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
                raise UserError(
                    f"needed the column {column!r} (`{knob}`), but {where} has {listed}: {meant}name one that is there"
                )
        if not any(seen.issuperset(way) for way in self.ways):
            raise UserError(
                f"needed a column of text, but {where} has {listed}: name one with `text:` "
                "(or `messages:`, or `prompt:` and `completion:`)"
            )

    def parts(self, fields: dict[str, Any]) -> Parts:
        """Return the parts of a row; raise `Unreadable` for a record that cannot be one."""
        record = plain(fields)
        whole = digest(canonical(record))
        way = self._way(record)
        roles, contents = _messages(fields[way[0]]) if way == self.messages else _spoken(way, fields)
        rest = record.keys() - self.taken[way]
        return Parts(
            whole,
            None if self.key is None else _key(record, self.key),
            roles,
            contents,
            _scalar(record, self.label, "bad_label"),
            _confidence(record, self.confidence),
            _split(record, self.split),
            _groups(record, self.groups) if self.groups else [],
            canonical({name: record[name] for name in rest}).decode() if rest else None,
        )

    def _way(self, record: Mapping[str, Any]) -> Way:
        for way in self.ways:
            if way[0] in record and way[-1] in record:
                return way
        absent = [column for column in self.ways[0] if column not in record]
        others = " and ".join(" with ".join(map(repr, way)) for way in self.ways[1:])
        too = f", and so are {others}" if others else ""
        raise Unreadable("text_missing", f"{' and '.join(map(repr, absent))} is null or absent{too}")


def _spoken(way: Way, fields: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    for column in way:
        if not isinstance(fields[column], str):
            raise Unreadable("text_not_a_string", f"{column!r} holds {type(fields[column]).__name__}")
    return (["text"] if len(way) == 1 else ["user", "assistant"]), [fields[column] for column in way]


def _key(record: Mapping[str, Any], column: str) -> str:
    key = _scalar(record, column, "bad_key")
    if key is None:
        raise Unreadable("null_key", f"{column!r} is null or absent")
    return key


def _groups(record: Mapping[str, Any], axes: tuple[str, ...]) -> list[tuple[str, str]]:
    values = [(axis, _scalar(record, axis, "bad_group")) for axis in axes]
    return [(axis, value) for axis, value in values if value is not None]


def _messages(messages: Any) -> tuple[list[str], list[str]]:
    if not isinstance(messages, list) or not messages:
        raise Unreadable("bad_messages", "a list of at least one message was needed")
    for number, message in enumerate(messages):
        if not isinstance(message, dict):
            raise Unreadable("bad_messages", f"message {number} is {type(message).__name__}, not an object")
        others = sorted(
            name for name, value in message.items() if name not in ("role", "content") and value is not None
        )
        if others:
            raise Unreadable(
                "bad_messages", f"message {number} has {', '.join(others)} beside role and content"
            )
        for part in ("role", "content"):
            if not isinstance(message.get(part), str):
                raise Unreadable("bad_messages", f"message {number} has no string as {part}")
    return [message["role"] for message in messages], [message["content"] for message in messages]


def _scalar(record: Mapping[str, Any], column: str, reason: str) -> str | None:
    value = record.get(column)
    if value is None or type(value) is str:
        return value
    if isinstance(value, (list, dict)):
        raise Unreadable(reason, f"{column!r} holds {type(value).__name__}, not one value")
    return as_text(value)


def _confidence(record: Mapping[str, Any], column: str) -> float | None:
    value = record.get(column)
    if value is None:
        return None
    try:
        number = math.nan if isinstance(value, (bool, list, dict)) else float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable("bad_confidence", f"{column!r} holds {as_text(value)[:40]}, not a finite number")
    return number


def _split(record: Mapping[str, Any], column: str) -> Split | None:
    value = record.get(column)
    if value is None:
        return None
    if not isinstance(value, str) or value not in SPLIT_NAMES:
        raise Unreadable(
            "bad_split", f"{column!r} holds {as_text(value)[:40]}, not one of {', '.join(SPLIT_NAMES)}"
        )
    return SPLIT_NAMES[value]
