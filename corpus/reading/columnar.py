"""Records of Parquet files and of the Arrow files that `datasets` saves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.reading.record import Read, Unreadable
from corpus.reading.streams import Errors
from corpus.schema import UserError

PIECE_ROWS = 1_000
PIECE_BYTES = 32 * 2**20


def columnar(path: Path, name: str, form: Literal["parquet", "dataset"], errors: Errors) -> Iterator[Read]:
    """Yield a file's records, in pieces of bounded size. A file that breaks off raises `Unreadable`."""
    if path.stat().st_size == 0:
        return
    row = 0
    for piece in _broken_off(_parquet(path) if form == "parquet" else _arrow(path)):
        repeated = {column for column in piece.schema.names if piece.schema.names.count(column) > 1}
        if repeated:
            raise UserError(
                f"needed columns of different names in {name}, but {min(repeated)!r} comes twice: rename one"
            )
        for fields in _fields(piece, errors):
            if fields is None:
                yield Read(row, None, None, "bad_encoding", "a string that is not UTF-8")
            else:
                yield Read(row, None, fields)
            row += 1


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
    with pq.ParquetFile(path) as file:
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


def _fields(piece: pa.RecordBatch, errors: Errors) -> Iterator[dict[str, Any] | None]:
    """Yield each row's fields; None where a string is not UTF-8, which Arrow does not check on reading."""
    try:
        yield from piece.to_pylist()
    except UnicodeDecodeError:
        for position in range(piece.num_rows):
            try:
                yield _decoded(piece.slice(position, 1), errors)
            except UnicodeDecodeError:
                yield None


def _decoded(row: pa.RecordBatch, errors: Errors) -> dict[str, Any]:
    """Return one row's fields; with `errors` replace the undecodable bytes of its strings become U+FFFD."""
    fields = {}
    for column, values in zip(row.schema.names, row.columns, strict=True):
        text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        if errors == "replace" and text and values[0].is_valid:
            fields[column] = values.cast(pa.large_binary())[0].as_py().decode(errors="replace")
        else:
            fields[column] = values[0].as_py()
    return fields
