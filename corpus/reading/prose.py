"""Records of plain text, one column called `text`: a document, its paragraphs or its lines."""

from collections.abc import Iterator
from typing import BinaryIO, Literal

from corpus.reading.record import Read, Unreadable
from corpus.reading.streams import LINE_LIMIT, Errors, decoded, lines

Unit = Literal["document", "paragraph", "line"]

DOCUMENT_LIMIT = 2**30
"""Bytes of a text that is one row: an Arrow array holds 2 GiB of strings."""

_Piece = tuple[int, bytes | None]


def texts(stream: BinaryIO, errors: Errors, unit: Unit) -> Iterator[Read]:
    """Yield a text unit by unit; blank lines part paragraphs and are no rows themselves.

    A document is all that the file holds, as it stands; an empty file is a reject. Line ends are no part of a
    line, and a newline each inside a paragraph.
    """
    pieces = {"document": _document, "paragraph": _paragraphs, "line": _lines}[unit]
    for row, (line, raw) in enumerate(pieces(stream)):
        if raw is None:
            limit = DOCUMENT_LIMIT if unit == "document" else LINE_LIMIT
            yield Read(row, line, None, "line_too_long", f"a {unit} of more than {limit} bytes")
            continue
        if not raw:
            yield Read(row, None, None, "empty_file", "a document was needed, and there is none")
            continue
        try:
            text = decoded(raw, errors)
        except Unreadable as bad:
            yield Read(row, line, None, bad.reason, bad.what)
        else:
            yield Read(row, line, {"text": text})


def _document(stream: BinaryIO) -> Iterator[_Piece]:
    raw = stream.read(DOCUMENT_LIMIT + 1)
    yield 1, raw if len(raw) <= DOCUMENT_LIMIT else None


def _lines(stream: BinaryIO) -> Iterator[_Piece]:
    for number, line in lines(stream):
        if line is None or not line.isspace():
            yield number, line and line.rstrip(b"\r\n")


def _paragraphs(stream: BinaryIO) -> Iterator[_Piece]:
    start, held, size = 0, list[bytes](), 0
    for number, line in lines(stream):
        if line is not None and line.isspace():
            if start:
                yield start, b"\n".join(held) if size <= LINE_LIMIT else None
            start, held, size = 0, [], 0
            continue
        start = start or number
        size += LINE_LIMIT + 1 if line is None else len(line)
        if line is None or size > LINE_LIMIT:
            held.clear()
        else:
            held.append(line.rstrip(b"\r\n"))
    if start:
        yield start, b"\n".join(held) if size <= LINE_LIMIT else None
