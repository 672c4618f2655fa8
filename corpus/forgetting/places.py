"""Where a store holds rows: its versions, its snapshots, and what its runs dropped."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from corpus import merge
from corpus.store import Store
from corpus.versions.version import Version


@dataclass(frozen=True)
class Place:
    """Rows that lie together: a version, a snapshot, or what a run dropped. `name` is its folder in the store."""

    name: str
    locate: Callable[[], tuple[Path, ...]]

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files in which the rows lie, on this machine; shards are found right once."""
        return self.locate()

    def tables(self, columns: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
        """Yield the name of each file and its rows, group by group."""
        for path in self.files:
            if path.suffix == merge.SUFFIX:
                yield path.name, merge.read(path, columns)
                continue
            with pq.ParquetFile(path) as file:
                for number in range(file.num_row_groups):
                    yield path.name, file.read_row_group(number, columns=list(columns))


def everywhere(store: Store) -> list[Place]:
    """Return all places of a store, broken ones included."""
    return [
        *(of_version(version) for version in store.library.readable()),
        *(of_snapshot(folder.name, store) for folder in sorted((store.root / "snapshots").glob("*"))),
        *(of_run(folder) for folder in sorted((store.root / "runs").glob("*"))),
    ]


def of_version(version: Version) -> Place:
    """Return the rows of a version."""
    return Place(version.where, lambda: tuple(map(version.shard, version.shards)))


def of_snapshot(name: str, store: Store) -> Place:
    """Return the rows of a snapshot."""
    return Place(f"snapshots/{name}", lambda: tuple(part.path for part in store.open_snapshot(name).parts))


def of_run(folder: Path) -> Place:
    """Return what a run dropped, as far as it can be read: one that was killed may leave half of a file."""
    files = []
    for file in sorted(folder.glob("dropped/*.parquet")):
        with suppress(pa.ArrowException, OSError):
            pq.read_metadata(file)
            files.append(file)
    return Place(f"runs/{folder.name}", lambda: tuple(files))


def tellings(store: Store) -> Iterator[list[str]]:
    """Yield the places in which each run holds what it read: as it came, as it fell, and last as it was published."""
    for folder in sorted((store.root / "runs").glob("*")):
        inputs = [folder / "ingest.json", *sorted(folder.glob("segments/*/input.json"))]
        snapshots = [
            f"snapshots/{json.loads(file.read_text())['snapshot']}" for file in inputs if file.exists()
        ]
        made = folder / "version.json"
        if made.exists():
            yield [
                *snapshots,
                f"runs/{folder.name}",
                f"versions/{json.loads(made.read_text())['version']}",
            ]
        else:
            yield [*snapshots, f"runs/{folder.name}"]
