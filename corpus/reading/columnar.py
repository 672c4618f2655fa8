"""Records of Parquet files and of the Arrow files that `datasets` saves."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.reading.record import Read, Records, Unreadable, the_rest
from corpus.reading.streams import Errors
from corpus.schema import UserError

PIECE_ROWS = 8_000
PIECE_BYTES = 32 * 2**20
BUFFER = 8 * 2**20
GROUP_BYTES = 128 * 2**20
"""Bytes of a row group that a worker decodes itself; one of more would be a task too large, and is decoded here."""


@dataclass(frozen=True)
class Table:
    """Rows of a table, of which the first is record `row` of its file."""

    rows: pa.RecordBatch
    row: int

    @property
    def size(self) -> int:
        """Its bytes."""
        return int(self.rows.nbytes)

    @property
    def behind(self) -> int:
        """The number of the first record behind it."""
        return self.row + int(self.rows.num_rows)

    def reads(self, errors: Errors) -> Iterator[Read]:
        """Yield the records; one by one where not all can be read.

        A row with a value that Python cannot hold, such as a date after the year 9999, has the reason `bad_value`.
        """
        try:
            fields = self.rows.to_pylist()
        except (ArithmeticError, LookupError, ValueError):
            for position in range(self.rows.num_rows):
                yield _read(self.rows.slice(position, 1), self.row + position, errors)
        else:
            yield from (Read(row, None, held) for row, held in enumerate(fields, self.row))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the rows alone, not all of the buffers of which they are a slice."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.rows.schema) as writer:  # dictionaries go along
            writer.write_batch(self.rows)
        return _unpickled, (sink.getvalue().to_pybytes(), self.row)


def _unpickled(raw: bytes, row: int) -> Table:
    with pa.ipc.open_stream(pa.py_buffer(raw)) as reader:
        return Table(reader.read_next_batch(), row)


@dataclass(frozen=True)
class Groups:
    """Row groups of a Parquet file that follow one another, decoded where they are worked on.

    `rows` are the numbers of rows of the groups from `first` on; the first row is record `row` of the file.
    """

    path: Path
    first: int
    rows: tuple[int, ...]
    row: int
    size: int
    """Their bytes, decoded."""

    @property
    def behind(self) -> int:
        """The number of the first record behind them."""
        return self.row + sum(self.rows)

    def parts(self) -> Iterator[Table | Records]:
        """Yield the rows, in pieces of bounded size; what is lost of a group is one record."""
        with _opened(self.path) as file:
            row = self.row
            for number, count in enumerate(self.rows, self.first):
                yield from _of_group(file, number, row)
                row += count

    def reads(self, errors: Errors) -> Iterator[Read]:
        """Yield the records."""
        for part in self.parts():
            yield from part.reads(errors)


def columnar(
    path: Path, name: str, form: Literal["parquet", "dataset"], size: int
) -> Iterator[Table | Records | Groups]:
    """Yield a file's records, in pieces of bounded size. A file that breaks off raises `Unreadable`.

    Parquet's row groups are put together up to `size` bytes. Raises `UserError` for a column of which no value can be held.
    """
    if path.stat().st_size == 0:
        return
    if form == "parquet":
        yield from _parquet(path, name, size)
        return
    row = 0
    checked = None
    with _breaking():
        for rows in _arrow(path):
            if rows.schema is not checked:
                _check_columns(rows.schema, name)
                checked = rows.schema
            yield Table(rows, row)
            row += rows.num_rows


def _check_columns(schema: pa.Schema, name: str) -> None:
    _check_names(schema.names, f"columns of different names in {name}")
    for column in schema:
        _check(column.type, f"the column {column.name!r} of {name}")


def _check_names(names: Sequence[str], what: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise UserError(f"needed {what}, but {min(repeated)!r} comes twice: rename one")


def _check(kind: pa.DataType, where: str) -> None:
    """Raise `UserError` for a type, or one nested in it, whose values Python cannot hold."""
    inner = [kind.field(number) for number in range(kind.num_fields)]
    if pa.types.is_struct(kind):
        _check_names([field.name for field in inner], f"fields of different names in {where}")
    if pa.types.is_timestamp(kind):
        try:
            pa.scalar(0, kind).as_py()
        except (LookupError, ValueError) as error:
            raise UserError(
                f"needed a time zone that this machine knows in {where}, but {kind.tz!r} came: name one that it knows, such as UTC"
            ) from error
    for field in inner:
        _check(field.type, where)


@contextmanager
def _breaking() -> Iterator[None]:
    """Raise `Unreadable` for a file that breaks off."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise Unreadable("truncated", _one_line(error)) from error
    except OSError as error:
        if error.errno is not None:  # the disk's failure, not the file's
            raise
        raise Unreadable("truncated", _one_line(error)) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _parquet(path: Path, name: str, size: int) -> Iterator[Table | Records | Groups]:
    with _breaking(), _opened(path) as file:
        _check_columns(file.schema_arrow, name)
        row = first = full = 0
        held: list[int] = []
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            large = group.total_byte_size > GROUP_BYTES
            if held and (large or full + group.total_byte_size > size):
                yield Groups(path, first, tuple(held), row - sum(held), full)
                held, full = [], 0
            if large:
                yield from _of_group(file, number, row)
            else:
                first = first if held else number
                held.append(group.num_rows)
                full += group.total_byte_size
            row += group.num_rows
        if held:
            yield Groups(path, first, tuple(held), row - sum(held), full)


def _opened(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER)  # else a row group is read whole


def _of_group(file: pq.ParquetFile, number: int, row: int) -> Iterator[Table | Records]:
    """Yield the rows of a group, of which the first is record `row`; what is lost of it is one record."""
    group = file.metadata.row_group(number)
    rows_a_piece = _rows_a_piece(group.num_rows, group.total_byte_size)
    try:
        with _breaking():
            for rows in file.iter_batches(batch_size=rows_a_piece, row_groups=[number], use_threads=False):
                yield Table(rows, row)
                row += rows.num_rows
    except Unreadable as broken:
        yield Records((the_rest(row, broken, "row group"),), 0)


def _arrow(path: Path) -> Iterator[pa.RecordBatch]:
    with pa.memory_map(str(path)) as mapped:
        if mapped.read(6) == b"ARROW1":
            file = pa.ipc.open_file(mapped)
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
        else:
            mapped.seek(0)
            batches = iter(pa.ipc.open_stream(mapped))
        for batch in batches:
            step = _rows_a_piece(batch.num_rows, batch.nbytes)
            for start in range(0, batch.num_rows, step):
                yield batch.slice(start, step)


def _rows_a_piece(rows: int, size: int) -> int:
    return max(1, min(PIECE_ROWS, PIECE_BYTES * rows // max(size, 1)))


def _read(row: pa.RecordBatch, number: int, errors: Errors) -> Read:
    """Read one row; with `errors` replace the undecodable bytes of its strings become U+FFFD.

    Arrow does not check on reading that strings are UTF-8, nor that what it holds fits Python's types.
    """
    fields = {}
    for column, values in zip(row.schema.names, row.columns, strict=True):
        text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        try:
            if errors == "replace" and text and values[0].is_valid:
                fields[column] = values.cast(pa.large_binary())[0].as_py().decode(errors="replace")
            else:
                fields[column] = values[0].as_py()
        except UnicodeDecodeError:
            return Read(number, None, None, "bad_encoding", f"{column!r} holds a string that is not UTF-8")
        except (ArithmeticError, LookupError, ValueError) as error:
            what = f"{column!r} holds a value that Python cannot hold ({_one_line(error)})"
            return Read(number, None, None, "bad_value", what)
    return Read(number, None, fields)
