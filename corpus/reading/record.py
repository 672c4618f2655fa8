"""A record as a source holds it, before it is a row: its fields, its canonical form, its digest.

{'text': 'Ça va', 'stars': 4, 'at': datetime(2024, 1, 2)}  ->  {"at":"2024-01-02T00:00:00","stars":4,"text":"Ça va"}
"""

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from typing import Any, NamedTuple

import orjson

_JSON = frozenset({str, int, bool, type(None)})
"""Types that JSON holds as they are."""


class Unreadable(Exception):  # noqa: N818 - it ends as a row of the ledger, not as an error
    """A record, or the rest of a stream, that cannot be read: becomes a reject with this reason."""

    def __init__(self, reason: str, what: str, line: int | None = None) -> None:
        super().__init__(reason, what)
        self.reason = reason
        self.what = what
        self.line = line


class Read(NamedTuple):
    """A record as it was read: its number from 0, its first line from 1, its fields; or why it has none.

    `line` is None in formats without lines, `row` too where a whole file is not read.
    """

    row: int | None
    line: int | None
    fields: dict[str, Any] | None
    reason: str | None = None
    what: str = ""


@dataclass(frozen=True)
class Records:
    """Some records of a file, as they were read."""

    held: tuple[Read, ...]
    size: int
    """Their bytes, about."""

    @property
    def behind(self) -> int:
        """The number of the first record behind them."""
        return len(self.held) + (self.held[0].row or 0)

    def reads(self, errors: object) -> Iterator[Read]:
        """Yield the records."""
        return iter(self.held)


def the_rest(row: int, broken: Unreadable, of: str = "file") -> Read:
    """Return the record that stands for all that is lost from `row` on."""
    what = f"{broken.what}; the rest of the {of} is not read"
    return Read(row, broken.line, None, broken.reason, what)


def plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that hold something, as JSON values.

    A null column and an absent one are the same record, at any depth, since Parquet cannot tell them apart.
    Bytes become base64; dates, times and timestamps ISO 8601; decimals, durations and the floats that JSON
    lacks their usual text (`NaN`, `Infinity`, `-Infinity`).
    """
    return {
        name: value if type(value) in _JSON else _plain(value)
        for name, value in fields.items()
        if value is not None
    }


def canonical(record: dict[str, Any]) -> bytes:
    """Return the JSON of plain fields with sorted keys: equal records have equal bytes whatever the format."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def as_text(value: Any) -> str:
    """Return a string as it is, another plain value as its JSON text: true, 4, 0.5."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _JSON:
        return value
    if kind is float:
        return value if math.isfinite(value) else json.dumps(value)
    if kind is dict:
        return {name: _plain(held) for name, held in value.items() if held is not None}
    if kind in (list, tuple):
        return [_plain(held) for held in value]
    return _stated(value)


def _stated(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if isinstance(value, (date, time)) else str(value)
