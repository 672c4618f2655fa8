"""What a published version is: its identity, its shards, its manifest."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import rfc8785

from corpus import text
from corpus.content import ContentHash
from corpus.schema import ROW

GROUP_BYTES = 32 * 2**20
SHARD_BYTES = 512 * 2**20
"""Bytes of text in a row group and in a shard: about 12 MiB and 200 MiB of zstd on disk, quick to seek in."""


@dataclass(frozen=True)
class Shard:
    """A Parquet file; bytes, digest and rows are read back from the file that was written."""

    file: Path
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True)
class Shards:
    """The shards of one split, and the content hash of its rows."""

    shards: tuple[Shard, ...]
    rows: int
    content: str


@dataclass(frozen=True)
class Version:
    """A published version, opened."""

    folder: Path
    id: str
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "Version":
        """Open the version in `folder`."""
        manifest = json.loads((folder / "manifest.json").read_text())
        return cls(folder, manifest["version"], manifest)

    def files(self, split: str) -> list[Path]:
        """Return the shards of a split in row order."""
        return sorted((self.folder / "data").glob(f"{split}-*.parquet"))


@dataclass(frozen=True)
class Card:
    """What a dataset card says beside the numbers."""

    name: str
    licences: Mapping[str, str]
    """Each source's licence, as its recipe states it."""

    def render(self, manifest: Mapping[str, Any], held: Mapping[str, Shards]) -> str:
        """Return README.md: YAML that `datasets.load_dataset` obeys, and a table of splits and sources."""
        files = "\n".join(
            f"  - split: {split}\n    path: data/{split}-*.parquet"
            for split, shards in held.items()
            if shards.rows
        )
        rows = "\n".join(
            f"| {split} | {shards.rows} | `{shards.content[:16]}` |" for split, shards in held.items()
        )
        sources = "\n".join(
            f"- {name}: {licence or 'licence not stated in the recipe'}"
            for name, licence in self.licences.items()
        )
        stages = "\n".join(
            f"{number}. `{json.dumps(stage)}`" for number, stage in enumerate(manifest["recipe"]["stages"], 1)
        )
        return (
            f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}\n---\n# {self.name}\n\n"
            f"Version `{manifest['version']}`, published by Winnow.\n\n| split | rows | content |\n| --- | ---: | --- |\n{rows}\n\n"
            f"## Sources\n\n{sources}\n\n## Stages\n\n{stages}\n"
        )


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return canonical JSON (RFC 8785)."""
    return rfc8785.dumps(dict(document))


def manifest(recipe: Mapping[str, Any], held: Mapping[str, Shards]) -> dict[str, Any]:
    """Return what a version is; its id is the SHA-256 of all the rest in canonical JSON."""
    identity = {
        "schema": [f"{field.name}: {field.type}" for field in ROW],
        "recipe": dict(recipe),
        "splits": {split: {"rows": shards.rows, "content": shards.content} for split, shards in held.items()},
    }
    return {**identity, "version": hashlib.sha256(canonical(identity)).hexdigest()}


def shard_attestation(held: Mapping[str, Shards]) -> list[dict[str, Any]]:
    """Return what stands on disk for each shard: file, split, byte hash, bytes and rows."""
    return [
        {
            "file": f"data/{split}-{number:05d}-{shard.sha256[:8]}.parquet",
            "split": split,
            "sha256": shard.sha256,
            "bytes": shard.bytes,
            "rows": shard.rows,
        }
        for split, shards in held.items()
        for number, shard in enumerate(shards.shards)
    ]


def write_shards(tables: Iterable[pa.Table], split: str, folder: Path) -> Shards:
    """Write rows as Parquet: zstd 3, page index, row groups and shards cut by bytes of text, wherever parts end."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = ContentHash(ROW)
    shards = []
    writer: pq.ParquetWriter | None = None
    current = -1
    for shard, group in _groups(tables):
        if shard != current:
            if writer is not None:
                writer.close()
            current = shard
            path = folder / f"{split}-{shard:05d}"
            writer = pq.ParquetWriter(
                path,
                ROW,
                compression="zstd",
                compression_level=3,
                write_page_index=True,
                use_dictionary=["label", "source", "file", "operation", "split"],
            )
            shards.append(path)
        assert writer is not None
        whole.update(group)
        writer.write_table(group, row_group_size=max(group.num_rows, 1))
    if writer is not None:
        writer.close()
    found = tuple(_read_back(path) for path in shards)
    if sum(shard.rows for shard in found) != whole.rows:
        raise OSError(
            f"{split}: {whole.rows} rows were written, {sum(shard.rows for shard in found)} stand on disk"
        )
    return Shards(found, whole.rows, whole.hexdigest())


def _read_back(path: Path) -> Shard:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Shard(path, sha256, path.stat().st_size, pq.read_metadata(path).num_rows)


def _groups(tables: Iterable[pa.Table]) -> Iterator[tuple[int, pa.Table]]:
    """Yield (shard number, row group): a row belongs to the group in which the bytes before it end."""
    before = 0
    held: list[pa.Table] = []
    group = 0
    for table in tables:
        if not table.num_rows:
            continue
        sizes = pc.binary_length(text.contents(table)).to_numpy().astype(np.int64)
        ends = before + np.cumsum(sizes)
        numbers = (ends - sizes) // GROUP_BYTES
        before = int(ends[-1])
        starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
        for start, stop in zip(starts, [*starts[1:], len(numbers)], strict=True):
            if numbers[start] != group and held:
                yield _shard_of(group), pa.concat_tables(held).combine_chunks()
                held = []
            group = int(numbers[start])
            held.append(table.slice(start, stop - start))
    if held:
        yield _shard_of(group), pa.concat_tables(held).combine_chunks()


def _shard_of(group: int) -> int:
    return group * GROUP_BYTES // SHARD_BYTES
