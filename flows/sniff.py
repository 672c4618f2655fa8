"""Tells from the first bytes of a text file what it is in and what parts its cells."""

import codecs
import csv
import io
from contextlib import suppress
from itertools import islice

from corpus.reading.delimited import DELIMITERS
from corpus.reading.files import File, Form
from corpus.reading.record import Unreadable
from corpus.reading.streams import opened
from corpus.schema import UserError

_HEAD = 64 * 2**10
"""Bytes that encoding and delimiter are told from."""
_PARTING = (",", "\t", ";", "|")
"""What may part cells."""


def delimiter_of(forms: list[tuple[File, Form]]) -> tuple[dict[str, str], list[str]]:
    """Return the knob that all CSV and TSV need where that of a format does not part their cells, with a note."""
    tables = [(file, form, DELIMITERS[form.format]) for file, form in forms if form.format in DELIMITERS]
    parted = ((file.name, _parting(file, form, usual), usual) for file, form, usual in tables)
    name, delimiter = next(((name, found) for name, found, usual in parted if found != usual), ("", None))
    if delimiter is None:
        return {}, []
    for file, form, _ in tables:
        other = _parting(file, form, delimiter)
        if other != delimiter:
            raise UserError(
                f"{name} is delimited by {delimiter!r} and {file.name} by {other!r}, but a source has one `delimiter:`; "
                "draft from those of one delimiter, and give the others a source of their own"
            )
    return {"delimiter": delimiter}, [f"delimiter is {delimiter!r}: it parts the cells of {name}"]


def encoding_of(name: str, head: bytes, *, headed: bool) -> str | None:
    """Guess in what a text is whose bytes cannot be UTF-8; None where they can, or where only rows cannot."""
    wide = _wide(head)
    if wide is not None:
        return wide
    if head.count(0) * 4 > len(head):
        raise UserError(
            f"{name} is full of NUL bytes, so it is no text in UTF-8; save it so (what is in UTF-16 or UTF-32 without a "
            "byte order mark can be read in a recipe of your own with `encoding: utf-16-le` or its like)"
        )
    odd = [line for line in head[: head.rfind(b"\n") + 1].splitlines() if not line.isascii()]
    if odd and not any(_decoded(line, "utf-8") for line in odd) and _decoded(head, "cp1252") is not None:
        return "cp1252"
    header = head.split(b"\n", 1)[0]
    if not headed or _decoded(header, "utf-8") is not None:
        return None
    if _decoded(header, "cp1252") is None:
        raise UserError(f"the header of {name} is neither UTF-8 nor cp1252; save the file as UTF-8")
    return "cp1252"


def head_of(file: File, form: Form) -> bytes:
    """Return the first bytes of a text, unpacked, in UTF-8 where a mark says what they are in."""
    head = b""
    if form.format not in ("parquet", "dataset"):
        with (
            opened(file.path, form.packing, "utf-8", "replace") as stream,
            suppress(Unreadable),  # reading the file makes a reject of it
        ):
            while len(head) < _HEAD and (line := stream.readline(_HEAD)):
                head += line
    return head


def _parting(file: File, form: Form, used: str) -> str:
    """Return what parts the cells: `used`, unless it parts none of the header and another all lines alike."""
    head = head_of(file, form)
    read_as = head.decode(_wide(head) or "utf-8", errors="replace")  # what parts cells is ASCII
    whole = read_as[: read_as.rfind("\n") + 1] or read_as

    def widths(delimiter: str) -> list[int]:
        rows = csv.reader(io.StringIO(whole, newline=""), delimiter=delimiter)
        return [len(cells) for cells in islice(rows, 100) if cells]

    if widths(used)[:1] == [1]:
        for other in _PARTING:
            found = widths(other)
            if found[0] > 1 and found.count(found[0]) >= 0.9 * len(found):
                return other
    return used


def _wide(head: bytes) -> str | None:
    """Say whether a text is UTF-16 without a mark.

    What ASCII it holds, its line ends at least, has a NUL in one of two bytes, always on the same side.
    """
    even, odd = head[::2].count(0), head[1::2].count(0)
    if (even + odd) * 100 > len(head):
        for encoding, few, many in (("utf-16-le", even, odd), ("utf-16-be", odd, even)):
            if many > 4 * few and "\n" in (_decoded(head, encoding) or ""):
                return encoding
    return None


def _decoded(head: bytes, encoding: str) -> str | None:
    """Decode bytes whose last character may be cut; None where they are not in `encoding`."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return None
