"""A file to its records, whatever its format: one `Read` a record, readable or not.

Read(row=0, line=2, fields={'text': 'Worst flight ever', 'label': 'negative'}, reason=None, what='')
Read(row=1, line=3, fields=None, reason='ragged_row', what='3 cells where the header has 2')
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from corpus.reading import json_lines
from corpus.reading.columnar import PIECE_ROWS, Groups, Table, columnar
from corpus.reading.delimited import DELIMITERS, delimited
from corpus.reading.files import File, Form
from corpus.reading.json_lines import Lines, Need
from corpus.reading.prose import Unit, texts
from corpus.reading.record import Read, Records, Unreadable, the_rest
from corpus.reading.streams import BLOCK, Errors, opened


class How(NamedTuple):
    """How a source has its files read, each format by what concerns it; no delimiter: that of the format."""

    encoding: str
    errors: Errors
    unit: Unit
    delimiter: str | None


Piece = Lines | Records | Table | Groups
"""Some records of a file, that can be handed to another process: what is dear to do with them is not done yet."""


def pieces(file: File, form: Form, how: How, size: int = BLOCK) -> Iterator[Piece]:
    """Yield the records of a file in its order, in pieces of `size` bytes at most or a little more.

    The unread rest of a file that breaks off is one record.

    Here is done what must go on in order: unpacking, finding the ends of lines, decoding what has no row groups.
    """
    row = 0
    try:
        for piece in _pieces(file, form, how, size):
            yield piece
            row = piece.behind
    except Unreadable as broken:
        yield Records((the_rest(row, broken),), 0)


def _pieces(file: File, form: Form, how: How, size: int) -> Iterator[Piece]:
    if form.format in ("parquet", "dataset"):
        yield from columnar(file.path, file.name, form.format, size)
        return
    with opened(file.path, form.packing, how.encoding, how.errors) as stream:
        match form.format:
            case "jsonl":
                yield from json_lines.pieces(stream, size)
            case "text":
                yield from _by_size(texts(stream, how.errors, how.unit), size)
            case table:
                delimiter = DELIMITERS[table] if how.delimiter is None else how.delimiter
                yield from _by_size(delimited(stream, file.name, delimiter, how.errors), size)


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
        return json_lines.columns_of(stream, how.errors, needs)
