"""Rows of a version by their number, without reading the others: shards decoded once, then mapped into memory."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.fetch import cache_folder
from corpus.schema import ROW, UserError
from corpus.versions.shards import Shard, by_split
from corpus.versions.values import Look, look
from corpus.versions.version import Version

COLUMNS = ("id", "messages", "label")


class Rows:
    """The rows of a split, in its order: `len(rows)`, `rows[number]`, `rows.tables()`.

    A row is a dictionary of `columns`. Each shard is decoded once for this machine, after its digest was
    found right, into an Arrow file under `cache` (about the size of its text), which all processes map; a
    row then costs a look into memory, wherever it stands. Picklable: workers open the same files.
    """

    def __init__(
        self, version: Version, split: str, columns: Sequence[str] = COLUMNS, cache: Path | None = None
    ) -> None:
        unknown = sorted({*columns} - {*ROW.names})
        if unknown:
            raise UserError(f"a row has no column {unknown[0]!r}; there are: {', '.join(ROW.names)}")
        if split not in version.manifest["splits"]:
            raise UserError(
                f"version {version.id[:12]} has no split {split!r}; there are: {', '.join(version.manifest['splits'])}"
            )
        self.version, self.split, self.columns = version.id, split, tuple(columns)
        folder = (cache or cache_folder()) / "decoded"
        held = by_split(version.shards)[split]
        with version.reading():
            self._files = [_decoded(version, shard, folder) for shard in held]
        counts = [block.rows for shard in held for block in shard.blocks]
        self._ends = np.cumsum([0, *counts])
        self._places = [
            (number, block) for number, shard in enumerate(held) for block in range(len(shard.blocks))
        ]
        self._known: dict[int, list[tuple[str, Look]]] = {}

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, number: int) -> dict[str, Any]:
        if not -len(self) <= number < len(self):
            raise IndexError(f"row {number} of {len(self)}")
        return self.__getitems__([number % len(self)])[0]

    def __getitems__(self, numbers: Sequence[int] | np.ndarray) -> list[dict[str, Any]]:
        """Return rows by number (0 to len - 1), in the order asked for: what a DataLoader calls for a batch."""
        places = np.asarray(numbers, np.int64)
        blocks = np.searchsorted(self._ends, places, side="right") - 1
        inside = places - self._ends[blocks]
        return [
            {name: look(at) for name, look in self._looks(block)}
            for block, at in zip(blocks.tolist(), inside.tolist(), strict=True)
        ]

    def _looks(self, block: int) -> list[tuple[str, Look]]:
        """Return how to look into each column of a block; remembered, since it costs more than a look."""
        found = self._known.get(block)
        if found is None:
            held = self._block(block)
            found = self._known[block] = [(name, look(held.column(name))) for name in self.columns]
        return found

    def _block(self, block: int) -> pa.RecordBatch:
        number, inside = self._places[block]
        return _mapped(self._files[number]).get_batch(inside).select(list(self.columns))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_known": {}}

    def tables(self) -> Iterator[pa.Table]:
        """Yield all rows, block by block."""
        for block in range(len(self._places)):
            yield pa.Table.from_batches([self._block(block)])


@lru_cache(maxsize=1024)
def _mapped(path: Path) -> pa.ipc.RecordBatchFileReader:
    """Open a decoded shard, once in each process; the system decides what of it stays in memory."""
    return pa.ipc.open_file(pa.memory_map(str(path)))


def _decoded(version: Version, shard: Shard, folder: Path) -> Path:
    """Return the decoded form of a shard, and make it first where it is missing."""
    final = folder / f"{shard.sha256}.arrow"
    if final.exists():
        return final
    folder.mkdir(parents=True, exist_ok=True)
    path = version.shard(shard)
    aside = folder / f".{uuid.uuid4().hex}"
    try:
        with pq.ParquetFile(path) as file, pa.ipc.new_file(str(aside), ROW) as sink:
            for number in range(file.metadata.num_row_groups):
                sink.write_batch(file.read_row_group(number).cast(ROW).combine_chunks().to_batches()[0])
        aside.replace(final)
    finally:
        aside.unlink(missing_ok=True)
    return final


def forget_decoded(shards: Iterable[str], cache: Path | None = None) -> int:
    """Remove this machine's decoded forms of shards (by digest, or its beginning); return how many there were.

    Whoever has one mapped keeps it until they end; another version with the same shard decodes it again.
    """
    folder = (cache or cache_folder()) / "decoded"
    begun = {sha256[:8] for sha256 in shards}
    there = [path for path in folder.glob("*.arrow") if path.name[:8] in begun]
    for path in there:
        path.unlink(missing_ok=True)
    return len(there)
