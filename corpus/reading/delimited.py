"""Records of CSV and TSV. Cells are strings, an empty cell is null; quoting is that of RFC 4180."""

import csv
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from corpus.reading.files import Format
from corpus.reading.record import Read, Unreadable
from corpus.reading.streams import LINE_LIMIT, Errors
from corpus.schema import UserError

DELIMITERS: dict[Format, str] = {"csv": ",", "tsv": "\t"}
"""What parts the cells of a format where a source says nothing else."""

_ESCAPED = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that are not UTF-8."""

_Parsed = tuple[int, list[str], str | None, str]


def delimited(stream: BinaryIO, name: str, delimiter: str, errors: Errors) -> Iterator[Read]:
    """Yield the records under the header line, blank lines left out; nothing where there is no header.

    A record that spans lines stands at its first one. Raises `UserError` for a header that cannot name columns.
    """
    parsed = _parsed(_Lines(stream, errors), delimiter)
    _, header, reason, what = next(parsed, (0, [], None, ""))
    if reason is not None:
        raise UserError(
            f"needed a header line in {name}, but it has {reason} ({what}): correct it or the `encoding:`"
        )
    repeated = {column for column in header if header.count(column) > 1}
    if repeated:
        raise UserError(
            f"needed columns of different names in {name}, but {min(repeated)!r} comes twice in its first line, the header: rename one"
        )
    for row, (line, cells, reason, what) in enumerate(parsed):
        if reason is not None:
            yield Read(row, line, None, reason, what)
        elif len(cells) != len(header):
            yield Read(
                row, line, None, "ragged_row", f"{len(cells)} cells where the header has {len(header)}"
            )
        else:
            yield Read(row, line, {column: cell or None for column, cell in zip(header, cells, strict=True)})


class _Lines:
    """The lines that the csv module asks for one by one: how many it took, and what was wrong with them."""

    def __init__(self, stream: BinaryIO, errors: Errors) -> None:
        kept = "replace" if errors == "replace" else "surrogateescape"
        self._text = io.TextIOWrapper(stream, encoding="utf-8", errors=kept, newline="")
        self.count = 0
        self.undecodable = False
        self.exhausted = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(LINE_LIMIT)
        if not line:
            self.exhausted = True
            raise StopIteration
        self.count += 1
        if len(line) == LINE_LIMIT and not line.endswith(("\r", "\n")):
            while line and not line.endswith(("\r", "\n")):
                line = self._text.readline(LINE_LIMIT)
            raise Unreadable("line_too_long", f"more than {LINE_LIMIT} characters")
        self.undecodable |= not line.isascii() and _ESCAPED.search(line) is not None
        return line


def _parsed(lines: _Lines, delimiter: str) -> Iterator[_Parsed]:
    """Yield each record that is not blank: its first line, its cells, and what was wrong with it."""
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        start = lines.count + 1
        lines.undecodable = False
        before = csv.field_size_limit(
            LINE_LIMIT
        )  # 128 KiB otherwise, less than a document; lent for one record
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield start, [], "line_too_long", str(error)
            continue
        except Unreadable as bad:
            if bad.reason != "line_too_long":
                raise Unreadable(bad.reason, bad.what, start) from bad
            yield start, [], bad.reason, bad.what
            continue
        finally:
            csv.field_size_limit(before)
        if cells is None:
            return
        if lines.exhausted:  # a record is whole at the end of its last line; only an open quote asks for more
            yield (
                start,
                [],
                "open_quote",
                f"a quote is never closed; {lines.count - start + 1} lines are lost in it",
            )
        elif lines.undecodable:
            yield start, [], "bad_encoding", "undecodable bytes"
        elif cells:
            yield start, cells, None, ""
