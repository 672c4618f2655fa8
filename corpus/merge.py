"""Parts whose rows lie in several files that are each in id order: which row of which file comes next, and its id.

What an external merge sort would write once more is merged as it is read. A part is an Arrow file beside those that it
names, and has all that is narrow itself:

    id  '6f1c4d0b8f3a5e7791aa03c200000000'     piece  4     index  1017     source  'shop'     label  'good'
"""

import mmap
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus.arrays import check
from corpus.schema import ROW

WIDE = ("messages", "extra")
"""The columns that stay in the pieces."""
PART = pa.schema(
    [*(field for field in ROW if field.name not in WIDE), ("piece", pa.int32()), ("index", pa.int32())]
)
SUFFIX = ".arrow"
MOST = 256
"""Pieces of a snapshot: each that is mapped takes a file descriptor of a process, and a part may name them all."""


def piece(folder: Path, number: int) -> Path:
    """Return the file of a piece: an Arrow file of rows in id order."""
    return folder / f"piece-{number:06d}.arrow"


def write(file: Path, ids: pa.StringArray, pieces: np.ndarray, index: np.ndarray) -> pa.Table:
    """Write a part of rows at places of pieces that lie beside it; of a piece they are near one another. Return what it has."""
    narrow = [name for name in PART.names if name not in ("id", "piece", "index")]
    found = _rows(file.parent, pieces, index, narrow)
    columns = {"id": ids, **{name: found[name] for name in narrow}}
    places = {"piece": pa.array(pieces, pa.int32()), "index": pa.array(index, pa.int32())}
    rows = pa.table({**columns, **places}, schema=PART).combine_chunks()
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, PART) as writer:
        writer.write_table(rows)
    return rows


def read(file: Path, columns: Sequence[str] | None = None, positions: np.ndarray | None = None) -> pa.Table:
    """Return columns of a part's rows, or of those at `positions`; the columns of `corpus.schema.ROW` by default."""
    names = ROW.names if columns is None else [*columns]
    wide = [name for name in names if name in WIDE]
    asked = [*(name for name in names if name not in WIDE), *(("piece", "index") if wide else ())]
    with pa.memory_map(str(file)) as mapped:
        held = pa.ipc.open_file(mapped).read_all().select(asked)
    check(held, file)
    places = np.arange(len(held)) if positions is None else positions
    part = held.take(pa.array(places))  # each column by itself, since one may be held longer than the others
    found = {name: part[name] for name in part.column_names}
    if wide:
        rows = _rows(file.parent, part["piece"].to_numpy(), part["index"].to_numpy(), wide)
        found |= {name: rows[name] for name in wide}
    return pa.table([found[name] for name in names], schema=pa.schema([ROW.field(name) for name in names]))


def _rows(folder: Path, pieces: np.ndarray, index: np.ndarray, columns: list[str]) -> pa.Table:
    """Return columns of the rows at places."""
    schema = pa.schema([ROW.field(name) for name in columns])
    if not len(pieces):
        return schema.empty_table()
    order = np.argsort(pieces, kind="stable")
    numbers, starts, counts = np.unique(pieces[order], return_index=True, return_counts=True)
    least = np.minimum.reduceat(index[order], starts)
    spans = np.maximum.reduceat(index[order], starts) + 1 - least
    batches: list[pa.RecordBatch] = []
    opened = [_mapped(piece(folder, number)) for number in numbers.tolist()]
    for number, (_, rows), start, span in zip(
        numbers.tolist(), opened, least.tolist(), spans.tolist(), strict=True
    ):
        if start < 0 or start + span > rows.num_rows:
            raise pa.ArrowInvalid(f"a part of {folder} was damaged: piece {number} has no such rows")
        batches += rows.select(columns).slice(start, span).to_batches()
    at = np.empty(len(order), np.int64)
    at[order] = index[order] - np.repeat(least - np.cumsum(spans) + spans, counts)
    found = pa.Table.from_batches(batches, schema).take(pa.array(at)).combine_chunks()
    for mapped, _ in opened:
        mapped.madvise(mmap.MADV_DONTNEED)  # what was read is the system's to keep, not this process's
    return found


def _mapped(file: Path) -> tuple[mmap.mmap, pa.Table]:
    """Map a piece; one that is mapped already, and is the same file still, stays so."""
    state = file.stat()
    return _opened(file, state.st_ino, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=2 * MOST)
def _opened(file: Path, *_state: int) -> tuple[mmap.mmap, pa.Table]:
    with file.open("rb") as held:
        mapped = mmap.mmap(held.fileno(), 0, access=mmap.ACCESS_READ)
    rows = pa.ipc.open_file(pa.py_buffer(mapped)).read_all()
    check(rows, file)
    mapped.madvise(mmap.MADV_DONTNEED)
    return mapped, rows
