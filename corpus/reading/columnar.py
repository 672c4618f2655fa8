"""Records of Parquet files and of the Arrow files that `datasets` saves."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.reading.record import Read, Unreadable
from corpus.reading.streams import Errors
from corpus.schema import UserError

PIECE_ROWS = 1_000
PIECE_BYTES = 32 * 2**20
BUFFER = 8 * 2**20


def columnar(path: Path, name: str, form: Literal["parquet", "dataset"]) -> Iterator[pa.RecordBatch]:
    """Yield a file's records, in pieces of bounded size. A file that breaks off raises `Unreadable`.

    Raises `UserError` for a column of which no value can be held.
    """
    if path.stat().st_size == 0:
        return
    checked = None
    for piece in _broken_off(_parquet(path) if form == "parquet" else _arrow(path)):
        if piece.schema is not checked:
            _check_names(piece.schema.names, f"columns of different names in {name}")
            for column in piece.schema:
                _check(column.type, f"the column {column.name!r} of {name}")
            checked = piece.schema
        yield piece


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


def _broken_off(pieces: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from pieces
    except pa.ArrowInvalid as error:
        raise Unreadable("truncated", _one_line(error)) from error
    except OSError as error:
        if error.errno is not None:  # the disk's failure, not the file's
            raise
        raise Unreadable("truncated", _one_line(error)) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER) as file:  # else a row group is read whole
        rows, size = (
            file.metadata.num_rows,
            sum(
                file.metadata.row_group(group).total_byte_size
                for group in range(file.metadata.num_row_groups)
            ),
        )
        yield from file.iter_batches(batch_size=_rows_a_piece(rows, size))


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


def reads(piece: pa.RecordBatch, first: int, errors: Errors) -> Iterator[Read]:
    """Yield the rows of a piece, which are numbered from `first`; one by one where not all can be read.

    A row with a value that Python cannot hold, such as a date after the year 9999, has the reason `bad_value`.
    """
    try:
        fields = piece.to_pylist()
    except (ArithmeticError, LookupError, ValueError):
        for position in range(piece.num_rows):
            yield _read(piece.slice(position, 1), first + position, errors)
    else:
        yield from (Read(row, None, held) for row, held in enumerate(fields, first))


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
