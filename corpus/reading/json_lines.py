"""Records of JSON lines."""

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from corpus.reading.record import Read, Records, Unreadable, the_rest
from corpus.reading.streams import LINE_LIMIT, Errors, blocks, decoded, lines

Need = Sequence[tuple[str, ...]]
"""Ways to meet a need, each of some columns: one of them is enough."""

FIRST_RECORDS = 100
"""Records whose columns are listed where one is missing."""
DEPTH_LIMIT = 200
"""Levels of nesting in a JSON record; orjson writes 254."""

_BLANK_BEGINS = tuple(b"\n" + space for space in (b" ", b"\t", b"\n", b"\r", b"\x0b", b"\x0c"))
_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
_INTEGERS = range(-(2**63), 2**64)


@dataclass(frozen=True)
class Lines:
    """Whole lines of JSON, as they stand; the first is line `line` of the file and begins its record `row`."""

    raw: bytes
    row: int
    line: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.raw)

    @property
    def behind(self) -> int:
        """The number of the first record behind it."""
        if self.raw[:1].isspace() or any(start in self.raw for start in _BLANK_BEGINS):
            return self.row + sum(
                not line.isspace() or len(line) >= LINE_LIMIT for line in self.raw.split(b"\n") if line
            )
        return self.row + self.raw.count(b"\n") + (not self.raw.endswith(b"\n"))

    def reads(self, errors: Errors) -> Iterator[Read]:
        """Yield the records."""
        return _objects(io.BytesIO(self.raw), errors, self.row, self.line)


def pieces(stream: BinaryIO, size: int) -> Iterator[Lines | Records]:
    """Cut a stream at the ends of lines, about every `size` bytes; a line that is too long is a record of its own."""
    row = 0
    for number, raw in blocks(stream, size):
        piece = Records((_too_long(row, number),), 0) if raw is None else Lines(raw, row, number)
        yield piece
        row = piece.behind


def columns_of(stream: BinaryIO, errors: Errors, needs: Sequence[Need]) -> set[str] | None:
    """Return the columns of the first records, and of any later one that meets one of `needs`; None without records."""
    seen: set[str] = set()
    spelled = _spellings(needs, seen)
    found = 0

    def is_telling(line: bytes) -> bool:
        return found < FIRST_RECORDS or any(map(line.__contains__, spelled))

    for read in _to_the_break(_objects(stream, errors, wanted=is_telling)):
        if read.fields is not None:
            found += 1
            seen |= read.fields.keys()
            spelled = _spellings(needs, seen)
        if found >= FIRST_RECORDS and not spelled:
            break
    return seen if found else None


def _to_the_break(reads: Iterator[Read]) -> Iterator[Read]:
    row = 0
    try:
        for row, read in enumerate(reads, start=1):  # noqa: B007 - the count so far is told when reading breaks off
            yield read
    except Unreadable as broken:
        yield the_rest(row, broken)


def _objects(
    stream: BinaryIO,
    errors: Errors,
    row: int = 0,
    first: int = 1,
    wanted: Callable[[bytes], bool] | None = None,
) -> Iterator[Read]:
    """Yield the JSON object of each line that is not blank and `wanted`; numbers begin at `row` and `first`."""
    for number, line in lines(stream, first=first):
        if line is None:
            yield _too_long(row, number)
        elif line.isspace() or (wanted is not None and not wanted(line)):
            continue
        else:
            try:
                fields = _object(line, errors)
            except Unreadable as bad:
                yield Read(row, number, None, bad.reason, bad.what)
            else:
                yield Read(row, number, fields)
        row += 1


def _too_long(row: int, number: int) -> Read:
    return Read(row, number, None, "line_too_long", f"more than {LINE_LIMIT} bytes")


def _object(line: bytes, errors: Errors) -> dict[str, Any]:
    """Parse a line that must be an object, with no key twice and no integer that would be rounded."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        line = decoded(line, errors).encode()
        value = _loads(line)
    if not isinstance(value, dict):
        raise Unreadable("bad_json", f"an object was needed, not {type(value).__name__}")
    if len(_KEY_ENDS.findall(line)) != _count_keys(value, 0):  # strings may look like keys: then look exactly
        json.loads(line, object_pairs_hook=_without_repeats, parse_int=_fitting)
    return value


def _loads(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Unreadable("bad_json", str(error)) from error


def _count_keys(value: Any, depth: int) -> int:
    """Count the keys at any depth; one less for each float that orjson may have rounded an integer to."""
    if depth > DEPTH_LIMIT:
        raise Unreadable("bad_json", f"nested more than {DEPTH_LIMIT} levels deep")
    held, count = (value.values(), len(value)) if type(value) is dict else (value, 0)
    for inner in held:
        kind = type(inner)
        if kind is dict or kind is list:
            count += _count_keys(inner, depth + 1)
        elif kind is float and abs(inner) >= 2**63:
            count -= 1
    return count


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise Unreadable("repeated_key_in_object", f"the key {repeated!r} comes twice")
    return fields


def _fitting(digits: str) -> int:
    if len(digits) > len(str(_INTEGERS.start)) or int(digits) not in _INTEGERS:
        raise Unreadable("bad_json", f"the integer {digits[:40]} does not fit 64 bits; write it as a string")
    return int(digits)


def _spellings(needs: Sequence[Need], seen: set[str]) -> set[bytes]:
    """Return the columns that would meet an unmet need, as JSON spells them, with escapes and without."""
    unmet = {
        column
        for need in needs
        if not any(seen.issuperset(way) for way in need)
        for way in need
        for column in way
    }
    return {spelled for name in unmet for spelled in (orjson.dumps(name), json.dumps(name).encode())}
