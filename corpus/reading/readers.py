"""A file to its records, whatever its format: one `Read` a record, readable or not.

Read(row=0, line=2, fields={'text': 'Worst flight ever', 'label': 'negative'}, reason=None, what='')
Read(row=1, line=3, fields=None, reason='ragged_row', what='3 cells where the header has 2')
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import orjson

from corpus.reading.columnar import columnar
from corpus.reading.delimited import DELIMITERS, delimited
from corpus.reading.files import File, Form
from corpus.reading.prose import Unit, texts
from corpus.reading.record import Read, Unreadable
from corpus.reading.streams import LINE_LIMIT, Errors, decoded, lines, opened

Need = Sequence[tuple[str, ...]]
"""Ways to meet a need, each of some columns: one of them is enough."""

FIRST_RECORDS = 100
"""Records whose columns are listed where one is missing."""
DEPTH_LIMIT = 200
"""Levels of nesting in a JSON record; orjson writes 254."""

_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
_INTEGERS = range(-(2**63), 2**64)


class How(NamedTuple):
    """How a source has its files read, each format by what concerns it; no delimiter: that of the format."""

    encoding: str
    errors: Errors
    unit: Unit
    delimiter: str | None


def records(file: File, form: Form, how: How) -> Iterator[Read]:
    """Yield the records of a file in its order; the unread rest of one that breaks off is one `Read`."""
    if form.format in ("parquet", "dataset"):
        yield from _to_the_break(columnar(file.path, file.name, form.format, how.errors))
        return
    with opened(file.path, form.packing, how.encoding, how.errors) as stream:
        match form.format:
            case "jsonl":
                reads = _objects(stream, how.errors)
            case "text":
                reads = texts(stream, how.errors, how.unit)
            case table:
                delimiter = DELIMITERS[table] if how.delimiter is None else how.delimiter
                reads = delimited(stream, file.name, delimiter, how.errors)
        yield from _to_the_break(reads)


def columns_of(file: File, form: Form, how: How, needs: Sequence[Need]) -> set[str] | None:
    """Return the columns of a file, None where no record can be read.

    A table has those of its header, plain text has `text`. JSON lines have those of their first records and
    of any later one that meets one of `needs`, so whether it is met does not depend on the records' order.
    """
    if form.format == "text":
        return {"text"}
    if form.format != "jsonl":
        return next((set(read.fields) for read in records(file, form, how) if read.fields), None)
    with opened(file.path, form.packing, how.encoding, how.errors) as stream:
        return _columns_of_lines(stream, how.errors, needs)


def _to_the_break(reads: Iterator[Read]) -> Iterator[Read]:
    row = 0
    try:
        for row, read in enumerate(reads, start=1):  # noqa: B007 - the count so far is told when reading breaks off
            yield read
    except Unreadable as broken:
        yield Read(row, broken.line, None, broken.reason, f"{broken.what}; the rest of the file is not read")


def _objects(
    stream: BinaryIO, errors: Errors, wanted: Callable[[bytes], bool] | None = None
) -> Iterator[Read]:
    """Yield the JSON object of each line that is not blank and `wanted`."""
    row = 0
    for number, line in lines(stream):
        if line is None:
            yield Read(row, number, None, "line_too_long", f"more than {LINE_LIMIT} bytes")
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


def _columns_of_lines(stream: BinaryIO, errors: Errors, needs: Sequence[Need]) -> set[str] | None:
    seen: set[str] = set()
    spelled = _spellings(needs, seen)
    found = 0

    def is_telling(line: bytes) -> bool:
        return found < FIRST_RECORDS or any(map(line.__contains__, spelled))

    for read in _to_the_break(_objects(stream, errors, is_telling)):
        if read.fields is not None:
            found += 1
            seen |= read.fields.keys()
            spelled = _spellings(needs, seen)
        if found >= FIRST_RECORDS and not spelled:
            break
    return seen if found else None


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
