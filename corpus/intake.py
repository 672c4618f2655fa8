"""What came of a stretch of a source: its rows, at rest in the order of the ids that they may get."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import ascending, pairs, whole
from corpus.reading.stretch import Stretch
from corpus.schema import ROW, keyed_ids, record_ids

SPOOLED = pa.schema([*ROW, ("key", pa.string()), ("line", pa.int64())])
"""A row that has no id yet; its key and the line at which it stands, where its source has keys."""
_SOME = 5_000


@dataclass(frozen=True)
class Taking:
    """The task of reading a stretch; its rows are written to `file`, or stay in memory where that is None."""

    stretch: Stretch
    file: Path | None


@dataclass(frozen=True)
class Taken:
    """The rows of a stretch. Arrays are aligned with them; 128-bit values are pairs of uint64, most significant first.

    `ids` are what the ids will be, but for the ordinal among equal records; rows stand in their order, and those of
    equal ids in the order in which they were read. `sizes` are bytes of text; `files` says from which of `names` each was read.
    """

    rows: pa.Table | Path
    ids: np.ndarray
    records: np.ndarray
    sizes: np.ndarray
    files: np.ndarray
    names: list[str]
    keyed: bool
    rejects: pa.Table

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.ids)

    def table(self) -> pa.Table:
        """Return the rows, in `SPOOLED` columns; what lies in a file is mapped, not read."""
        if isinstance(self.rows, pa.Table):
            return self.rows
        return opened(self.rows)


def opened(file: Path) -> pa.Table:
    """Map what `take_in` wrote."""
    with pa.memory_map(str(file)) as mapped:
        return pa.ipc.open_file(mapped).read_all()


def take_in(task: Taking) -> Taken:
    """Read a stretch."""
    batch = task.stretch.batch()
    source = task.stretch.source
    made = record_ids(source, batch.records) if batch.keys is None else keyed_ids(source, batch.keys)
    ids = pairs(made)
    order = ascending(ids)
    rows = batch.rows
    for name, values, kind in (("key", batch.keys, pa.string()), ("line", batch.lines, pa.int64())):
        rows = rows.append_column(name, pa.nulls(len(ids), kind) if values is None else values)
    rows = rows.combine_chunks()
    encoded = whole(rows["file"]).dictionary_encode()
    return Taken(
        rows.take(pa.array(order)) if task.file is None else _written(rows, order, task.file),
        ids[order],
        pairs(batch.records)[order],
        _sizes(rows)[order],
        encoded.indices.to_numpy().astype(np.int32)[order],
        encoded.dictionary.to_pylist(),
        batch.keys is not None,
        batch.rejects,
    )


def at_rest(taken: Taken, file: Path) -> Taken:
    """Write rows that are in memory to a file."""
    if isinstance(taken.rows, Path):
        return taken
    return replace(taken, rows=_written(taken.rows, np.arange(taken.count), file))


def _written(rows: pa.Table, order: np.ndarray, file: Path) -> Path:
    """Write rows in an order, some at a time: fresh memory for all of them takes longer than to put them in order."""
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, SPOOLED) as writer:
        for start in range(0, len(order), _SOME):
            writer.write_table(rows.take(pa.array(order[start : start + _SOME])))
    return file


def _sizes(rows: pa.Table) -> np.ndarray:
    """Return the bytes of the messages and the extra columns of each row."""
    messages = whole(rows["messages"])
    lengths = pc.binary_length(messages.flatten().field("content")).to_numpy().astype(np.int64)
    ends = messages.offsets.to_numpy() - messages.offsets[0].as_py()
    total = np.concatenate([[0], np.cumsum(lengths)])
    extra = pc.binary_length(rows["extra"]).fill_null(0).to_numpy()
    sizes: np.ndarray = np.diff(total[ends]) + extra
    return sizes
