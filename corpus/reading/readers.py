"""A file to its records, whatever its format: one `Read` a record, readable or not.

Read(row=0, line=2, fields={'text': 'Worst flight ever', 'label': 'negative'}, reason=None, what='')
Read(row=1, line=3, fields=None, reason='ragged_row', what='3 cells where the header has 2')
"""

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import orjson
import pyarrow as pa

from corpus.reading.columnar import PIECE_ROWS, columnar, reads
from corpus.reading.delimited import DELIMITERS, delimited
from corpus.reading.files import File, Form
from corpus.reading.prose import Unit, texts
from corpus.reading.record import Read, Unreadable
from corpus.reading.streams import BLOCK, LINE_LIMIT, Errors, blocks, decoded, lines, opened

Need = Sequence[tuple[str, ...]]
"""Ways to meet a need, each of some columns: one of them is enough."""

FIRST_RECORDS = 100
"""Records whose columns are listed where one is missing."""
DEPTH_LIMIT = 200
"""Levels of nesting in a JSON record; orjson writes 254."""

_BLANK_BEGINS = tuple(b"\n" + space for space in (b" ", b"\t", b"\n", b"\r", b"\x0b", b"\x0c"))
_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
_INTEGERS = range(-(2**63), 2**64)


class How(NamedTuple):
    """How a source has its files read, each format by what concerns it; no delimiter: that of the format."""

    encoding: str
    errors: Errors
    unit: Unit
    delimiter: str | None


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

    def reads(self, errors: Errors) -> Iterator[Read]:
        """Yield the records."""
        return _objects(io.BytesIO(self.raw), errors, self.row, self.line)


@dataclass(frozen=True)
class Records:
    """Records that were read already."""

    held: tuple[Read, ...]
    size: int

    def reads(self, errors: Errors) -> Iterator[Read]:
        """Yield the records."""
        return iter(self.held)


@dataclass(frozen=True)
class Table:
    """Rows of a table, of which the first is record `row` of its file."""

    rows: pa.RecordBatch
    row: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return int(self.rows.nbytes)

    def reads(self, errors: Errors) -> Iterator[Read]:
        """Yield the records."""
        return reads(self.rows, self.row, errors)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the rows alone, not all of the buffers of which they are a slice."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.rows.schema) as writer:  # dictionaries go along
            writer.write_batch(self.rows)
        return _unpickled, (sink.getvalue().to_pybytes(), self.row)


def _unpickled(raw: bytes, row: int) -> Table:
    with pa.ipc.open_stream(pa.py_buffer(raw)) as reader:
        return Table(reader.read_next_batch(), row)


Piece = Lines | Records | Table
"""Some records of a file, that can be handed to another process: what is dear to do with them is not done yet."""


def pieces(file: File, form: Form, how: How, size: int = BLOCK) -> Iterator[Piece]:
    """Yield the records of a file in its order, in pieces of `size` bytes at most or a little more.

    The unread rest of a file that breaks off is one record.

    Here is done what must go on in order: unpacking, finding the ends of lines, decoding tables.
    """
    row = 0
    try:
        for piece in _pieces(file, form, how, size):
            yield piece
            row = _behind(piece)
    except Unreadable as broken:
        what = f"{broken.what}; the rest of the file is not read"
        yield Records((Read(row, broken.line, None, broken.reason, what),), 0)


def _behind(piece: Piece) -> int:
    """Return the number of the first record behind a piece."""
    match piece:
        case Lines(raw, row, _):
            return row + _count_records(raw)
        case Table(rows, row):
            return row + int(rows.num_rows)
        case Records(held, _):
            return len(held) + (held[0].row or 0)


def _count_records(raw: bytes) -> int:
    """Count the lines that are not blank."""
    if raw[:1].isspace() or any(start in raw for start in _BLANK_BEGINS):
        return sum(not line.isspace() or len(line) >= LINE_LIMIT for line in raw.split(b"\n") if line)
    return raw.count(b"\n") + (not raw.endswith(b"\n"))


def _pieces(file: File, form: Form, how: How, size: int) -> Iterator[Piece]:
    if form.format in ("parquet", "dataset"):
        row = 0
        for rows in columnar(file.path, file.name, form.format):
            yield Table(rows, row)
            row += rows.num_rows
        return
    with opened(file.path, form.packing, how.encoding, how.errors) as stream:
        match form.format:
            case "jsonl":
                yield from _lines(stream, size)
            case "text":
                yield from _by_size(texts(stream, how.errors, how.unit), size)
            case table:
                delimiter = DELIMITERS[table] if how.delimiter is None else how.delimiter
                yield from _by_size(delimited(stream, file.name, delimiter, how.errors), size)


def _lines(stream: BinaryIO, size: int) -> Iterator[Piece]:
    row = 0
    for number, raw in blocks(stream, size):
        if raw is None:
            yield Records((_too_long(row, number),), 0)
            row += 1
        else:
            piece = Lines(raw, row, number)
            yield piece
            row = _behind(piece)


def _by_size(found: Iterator[Read], limit: int) -> Iterator[Records]:
    """Put together records up to some number, or `limit` bytes; what came before a break is handed out."""
    held: list[Read] = []
    size = 0
    try:
        for one in found:
            held.append(one)
            size += sum(len(value or "") for value in (one.fields or {}).values())
            if len(held) >= PIECE_ROWS or size >= limit:
                yield Records(tuple(held), size)
                held, size = [], 0
    except Unreadable:
        if held:
            yield Records(tuple(held), size)
        raise
    if held:
        yield Records(tuple(held), size)


def records(file: File, form: Form, how: How) -> Iterator[Read]:
    """Yield the records of a file in its order; the unread rest of one that breaks off is one `Read`."""
    for piece in pieces(file, form, how):
        yield from piece.reads(how.errors)


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


def _columns_of_lines(stream: BinaryIO, errors: Errors, needs: Sequence[Need]) -> set[str] | None:
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
