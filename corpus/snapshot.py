"""A corpus at rest: a folder of parts in id order, immutable, named by the digest of its content."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import merge
from corpus.content import PLACE, content
from corpus.schema import ROW

PART_ROWS = 10_000
REPEATED = ["label", "source", "file", "operation", "split"]
"""Columns of which few values are many times; of the others no dictionary is tried."""
COMPARED = ("id", "label", "confidence", "source", "file", "row", "split")
"""Columns of which a reader may ask for a range: of the others no least and greatest value is told."""
NARROW = tuple(field.name for field in ROW if field.name not in ("messages", "extra", "file", "row"))
"""What may be held of all rows. Where a row was read is not among it: nothing that is judged may depend on it."""


@dataclass(frozen=True)
class Part:
    """A file of a snapshot, or one row group of a shard; `digest` is that of its content, wherever its rows were read.

    A file is Parquet, or says where its rows lie (`corpus.merge`).
    """

    path: Path
    rows: int
    digest: str
    group: int | None = None

    def read(self, columns: Sequence[str] | None = None, positions: np.ndarray | None = None) -> pa.Table:
        """Return the part's rows, or those at `positions`."""
        if self.path.suffix == merge.SUFFIX:
            return merge.read(self.path, columns, positions)
        rows = table(self.path, columns, self.group)
        return rows if positions is None else rows.take(pa.array(positions))


def table(path: Path, columns: Sequence[str] | None = None, group: int | None = None) -> pa.Table:
    """Read a file or one of its row groups, in this thread: parts are read side by side, each by a process of its own."""
    names = None if columns is None else list(columns)
    with pq.ParquetFile(path, pre_buffer=False) as file:
        groups = range(file.metadata.num_row_groups) if group is None else [group]
        return file.read_row_groups(groups, columns=names, use_threads=False)


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


@dataclass(frozen=True)
class Written:
    """A part that was written: `digest` is that of its content, `whole` also of where its rows were read."""

    name: str
    rows: int
    digest: str
    whole: str


def write_part(folder: Path, number: int, rows: pa.Table) -> Written:
    """Write rows, in id order, as a part of a snapshot."""
    name = f"part-{number:05d}.parquet"
    pq.write_table(rows, folder / name, compression="none", use_dictionary=REPEATED, write_statistics=False)
    digest = content(rows)
    places = rows.select(PLACE)
    return Written(name, rows.num_rows, digest, f"{digest} {content(places, leave_out=())}")


def finish(folder: Path, parts: Sequence[Written]) -> Snapshot:
    """Make a snapshot of the parts in a folder; one without rows has an empty part, so that every pass has something to measure."""
    parts = parts or [write_part(folder, 0, ROW.empty_table())]
    whole = hashlib.sha256("\n".join(part.whole for part in parts).encode()).hexdigest()
    held = [{"name": part.name, "rows": part.rows, "digest": part.digest} for part in parts]
    (folder / "snapshot.json").write_text(json.dumps({"digest": whole, "parts": held}))
    return Snapshot.open(folder)


def write(folder: Path, tables: Iterable[pa.Table], part_rows: int = PART_ROWS) -> Snapshot:
    """Write rows that come in id order into `folder`, cut anew at `part_rows`."""
    folder.mkdir(parents=True)
    return finish(
        folder, [write_part(folder, number, rows) for number, rows in enumerate(recut(tables, part_rows))]
    )


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
