"""A digest of what rows say, not of how they are stored: the same for any cut into parts or files."""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PLACE = ("file", "row")
"""Columns that tell where a row was read; they are no part of its content."""


class ContentHash:
    """SHA-256 over the columns of a stream of tables, in schema order.

    For each flat column three streams are hashed: which values are present, how long each is, and their
    bytes; for a list the lengths and its children. Streams do not know where one table ended and the next
    began, so neither does the digest. Rows must come in id order to be comparable.
    """

    def __init__(self, schema: pa.Schema, leave_out: Iterable[str] = PLACE) -> None:
        self._fields = [field for field in schema if field.name not in set(leave_out)]
        self._streams: dict[str, hashlib._Hash] = {}
        self.rows = 0

    def update(self, rows: pa.Table) -> None:
        """Add `rows` to the end of the stream."""
        self.rows += rows.num_rows
        for field in self._fields:
            column = rows[field.name].cast(field.type)
            for chunk in column.chunks:
                for name, stream in _streams(field.name, chunk):
                    self._streams.setdefault(name, hashlib.sha256()).update(stream)

    def hexdigest(self) -> str:
        """Return the digest of all rows so far."""
        whole = hashlib.sha256(f"winnow content 1\n{self.rows}\n".encode())
        for field in self._fields:
            whole.update(f"{field.name} {field.type}\n".encode())
        for name in sorted(self._streams):
            whole.update(f"{name} {self._streams[name].hexdigest()}\n".encode())
        return whole.hexdigest()


def content(rows: pa.Table, leave_out: Iterable[str] = PLACE) -> str:
    """Return the content hash of one table."""
    state = ContentHash(rows.schema, leave_out)
    state.update(rows)
    return state.hexdigest()


def _streams(name: str, values: pa.Array) -> Iterator[tuple[str, bytes]]:
    yield f"{name}:valid", values.is_valid().cast(pa.uint8()).to_numpy().tobytes()
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        filled = values.fill_null("" if pa.types.is_string(kind) else b"")
        yield f"{name}:length", pc.binary_length(filled).cast(pa.int64()).to_numpy().tobytes()
        yield f"{name}:bytes", _bytes(filled)
    elif pa.types.is_list(kind):
        yield (
            f"{name}:length",
            pc.list_value_length(values).fill_null(0).cast(pa.int64()).to_numpy().tobytes(),
        )
        yield from _streams(f"{name}[]", values.flatten())
    elif pa.types.is_struct(kind):
        for child, field in zip(values.flatten(), kind, strict=True):
            yield from _streams(f"{name}.{field.name}", child)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        yield f"{name}:bytes", values.fill_null(0).to_numpy().tobytes()
    else:
        raise TypeError(f"{name}: a column of {kind} has no content hash")


def _bytes(strings: pa.StringArray) -> bytes:
    _, offsets, data = strings.buffers()
    if data is None or len(strings) == 0:
        return b""
    spans = np.frombuffer(offsets, np.int32)
    first, last = int(spans[strings.offset]), int(spans[strings.offset + len(strings)])
    held: bytes = data.slice(first, last - first).to_pybytes()
    return held
