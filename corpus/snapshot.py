"""A corpus at rest: a folder of Parquet parts in id order, immutable, named by the digest of its content."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.content import ContentHash, content
from corpus.schema import ROW

PART_ROWS = 10_000
NARROW = tuple(field.name for field in ROW if field.name not in ("messages", "extra"))


@dataclass(frozen=True)
class Part:
    """A file of a snapshot, or one row group of a shard; `digest` is that of its content, wherever its rows were read."""

    path: Path
    rows: int
    digest: str
    group: int | None = None

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the part's rows."""
        names = None if columns is None else list(columns)
        if self.group is None:
            return pq.read_table(self.path, columns=names)
        with pq.ParquetFile(self.path) as file:
            return file.read_row_group(self.group, columns=names)


@dataclass(frozen=True)
class Snapshot:
    """An immutable corpus. Rows stand in id order over all its parts."""

    folder: Path
    digest: str
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return sum(part.rows for part in self.parts)

    @classmethod
    def open(cls, folder: Path) -> "Snapshot":
        """Open the snapshot that `write` left in `folder`."""
        held = json.loads((folder / "snapshot.json").read_text())
        return cls(
            folder,
            held["digest"],
            tuple(Part(folder / part["name"], part["rows"], part["digest"]) for part in held["parts"]),
        )

    def narrow(self, columns: Sequence[str] = NARROW) -> pa.Table:
        """Return columns of all rows; those of `NARROW` are what may be held for a whole corpus."""
        return (
            pa.concat_tables([part.read(columns) for part in self.parts])
            if self.parts
            else ROW.empty_table().select(list(columns))
        )

    def take(self, ids: pa.Array) -> pa.Table:
        """Return the rows that `ids` name, one for each and in their order; the parts are read one by one."""
        found = pa.concat_tables(
            [rows.filter(pc.is_in(rows["id"], ids)) for rows in (part.read() for part in self.parts)]
        ).combine_chunks()
        return found.take(pc.index_in(ids, found["id"].combine_chunks()))


def write(folder: Path, tables: Iterable[pa.Table], part_rows: int = PART_ROWS) -> Snapshot:
    """Write rows that come in id order into `folder`, cut anew at `part_rows`."""
    folder.mkdir(parents=True)
    whole = ContentHash(ROW, leave_out=())
    parts = []
    for number, rows in enumerate(_one_at_least(recut(tables, part_rows))):
        name = f"part-{number:05d}.parquet"
        whole.update(rows)
        pq.write_table(
            rows,
            folder / name,
            compression="lz4",
            use_dictionary=["label", "source", "file", "operation", "split"],
        )
        parts.append({"name": name, "rows": rows.num_rows, "digest": content(rows)})
    (folder / "snapshot.json").write_text(json.dumps({"digest": whole.hexdigest(), "parts": parts}))
    return Snapshot.open(folder)


def _one_at_least(parts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield the parts, or one without rows, so that every pass has something to measure."""
    yield next(parts, ROW.empty_table())
    yield from parts


def recut(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Cut a stream of tables at every `rows` rows, whatever its own cuts; chunks are united."""
    held: list[pa.Table] = []
    count = 0
    for table in tables:
        rest = table
        while count + rest.num_rows >= rows:
            held.append(rest.slice(0, rows - count))
            yield pa.concat_tables(held).combine_chunks()
            rest = rest.slice(rows - count)
            held, count = [], 0
        if rest.num_rows:
            held.append(rest)
            count += rest.num_rows
    if count:
        yield pa.concat_tables(held).combine_chunks()


class Spool:
    """Tables waiting for a second pass: in memory up to `limit` bytes, beyond that in a file."""

    def __init__(self, file: Path, limit: int) -> None:
        self._file, self._limit = file, limit
        self._held: list[pa.Table] = []
        self._bytes = 0
        self._sink: pa.ipc.RecordBatchStreamWriter | None = None

    def append(self, table: pa.Table) -> None:
        """Add a table to the end."""
        self._held.append(table)
        self._bytes += table.nbytes
        if self._bytes > self._limit:
            self._spill()

    def _spill(self) -> None:
        for table in self._held:
            if self._sink is None:
                self._sink = pa.ipc.new_stream(str(self._file), table.schema)
            self._sink.write_table(table)
        self._held, self._bytes = [], 0

    def __iter__(self) -> Iterator[pa.Table]:
        """Yield the tables in the order in which they came, as often as asked; nothing may be appended after."""
        if self._sink is not None:
            if self._held:
                self._spill()
            self._sink.close()
            with pa.memory_map(str(self._file)) as source, pa.ipc.open_stream(source) as reader:
                for batch in reader:
                    yield pa.Table.from_batches([batch])
        else:
            yield from self._held


def sort_by_id(tables: Iterable[pa.Table], scratch: Path, limit: int) -> Iterator[pa.Table]:
    """Yield all rows in id order, holding about `limit` bytes."""
    held: list[pa.Table] = []
    size = 0
    coming = iter(tables)
    for table in coming:
        held.append(table)
        size += table.nbytes
        if size > limit // 2:  # sorting copies
            yield from _sorted_by_buckets(itertools.chain(held, coming), scratch, limit)
            return
    if held:
        yield pa.concat_tables(held).sort_by("id").combine_chunks()


def _sorted_by_buckets(tables: Iterable[pa.Table], scratch: Path, limit: int) -> Iterator[pa.Table]:
    """Sort what does not fit in memory: ids are spread evenly over 256 buckets."""
    buckets = [Spool(scratch / f"sort-{number:02x}.arrow", limit // 256) for number in range(256)]
    for table in (table for table in tables if table.num_rows):
        first = pc.utf8_slice_codeunits(table["id"], 0, 2).to_numpy(zero_copy_only=False)
        order = np.argsort(first, kind="stable")
        values, starts = np.unique(first[order], return_index=True)
        for value, start, stop in zip(values, starts, [*starts[1:], len(order)], strict=True):
            buckets[int(value, 16)].append(table.take(pa.array(order[start:stop])))
    for bucket in buckets:
        held = list(bucket)
        if held:
            yield pa.concat_tables(held).sort_by("id").combine_chunks()
