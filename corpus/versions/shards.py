"""Shards: the Parquet files of a version, written block by block and read back before anybody relies on them."""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.schema import ROW, SPLITS, Split, UserError
from corpus.versions.blocks import BLOCKS_PER_SHARD, Block, Cutter

_DICTIONARY = ["label", "source", "file", "operation", "split"]
_AHEAD = 2
"""Blocks that may wait to be hashed while the next is written; each holds its rows."""


@dataclass(frozen=True)
class Shard:
    """A Parquet file of one split: its name in the version, the digest, size and rows read back from the file."""

    file: str
    split: str
    sha256: str
    bytes: int
    rows: int
    blocks: tuple[Block, ...]

    @property
    def number(self) -> int:
        """Its place among the shards of its split; numbers ascend, and one may be left out."""
        return int(Path(self.file).name.split("-")[1])

    def attested(self) -> dict[str, Any]:
        """Return what the attestation says of it."""
        return {**asdict(self), "blocks": len(self.blocks)}


def write(
    tables: Iterable[pa.Table], folder: Path, first: Mapping[str, int] | None = None
) -> list[tuple[Path, Shard]]:
    """Write rows with their split as shards: zstd 3, page index, a row group a block. Splits come in their order.

    `folder` gets the files; the shards of each split are numbered from `first` (0). While a block is written
    the one before it is hashed. Raises `OSError` where what stands on disk is not what was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(1) as beside:
        writers = {split: _Writer(split, folder, beside, (first or {}).get(split, 0)) for split in SPLITS}
        for rows in tables:
            for split, writer in writers.items():
                inside = pc.equal(rows["split"], split)
                if pc.any(inside).as_py():
                    writer.add(rows if pc.all(inside).as_py() else rows.filter(inside))
        return [made for writer in writers.values() for made in writer.end()]


class _Writer:
    """Writes one split."""

    def __init__(self, split: Split, folder: Path, beside: ThreadPoolExecutor, first: int) -> None:
        self._split, self._folder, self._beside, self._first = split, folder, beside, first
        self._cutter = Cutter()
        self._files: list[Path] = []
        self._hashes: list[list[Future[Block]]] = []
        self._digests: list[Future[tuple[str, int, int]]] = []
        self._writer: pq.ParquetWriter | None = None
        self._shard = -1

    def add(self, rows: pa.Table) -> None:
        """Take rows, and write the blocks that they end."""
        for number, block in self._cutter.add(rows):
            self._write(number, block)

    def end(self) -> list[tuple[Path, Shard]]:
        """Write what is left; return the files and what stands in them."""
        for number, block in self._cutter.rest():
            self._write(number, block)
        self._close()
        made = []
        for number, (path, hashes, digest) in enumerate(
            zip(self._files, self._hashes, self._digests, strict=True), self._first
        ):
            sha256, size, rows = digest.result()
            blocks = tuple(block.result() for block in hashes)
            if rows != sum(block.rows for block in blocks):
                raise OSError(
                    f"{path}: {sum(block.rows for block in blocks)} rows were written, {rows} stand on disk"
                )
            made.append(
                (path, Shard(name(self._split, number, sha256), self._split, sha256, size, rows, blocks))
            )
        return made

    def _write(self, number: int, block: pa.Table) -> None:
        if number // BLOCKS_PER_SHARD != self._shard:
            self._close()
            self._shard = number // BLOCKS_PER_SHARD
            path = self._folder / f"{self._split}-{len(self._files):05d}.parquet"
            self._files.append(path)
            self._hashes.append([])
            self._writer = _open(path)
        assert self._writer is not None
        waiting = [block for hashes in self._hashes for block in hashes if not block.done()]
        if len(waiting) >= _AHEAD:
            waiting[0].result()
        self._hashes[-1].append(self._beside.submit(Block.of, block))
        self._writer.write_table(block, row_group_size=block.num_rows)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self._digests.append(self._beside.submit(read_back, self._files[-1]))


def _open(path: Path) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path,
        ROW,
        compression="zstd",
        compression_level=3,
        write_page_index=True,
        use_dictionary=_DICTIONARY,
    )


def holds(path: Path, ids: pa.StringArray) -> bool:
    """Say whether a shard holds a row of one of these ids."""
    found = pc.is_in(pq.read_table(path, columns=["id"])["id"], ids)
    return bool(pc.any(found).as_py())


def rewrite(path: Path, shard: Shard, without: pa.StringArray, folder: Path) -> tuple[Path, Shard] | None:
    """Write a shard again without rows of these ids, block for block; None where none is left."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / Path(shard.file).name
    blocks = []
    with pq.ParquetFile(path) as file, _open(made) as writer:
        for number in range(len(shard.blocks)):
            rows = file.read_row_group(number)
            if Block.of(rows) != shard.blocks[number]:
                raise UserError(
                    f"{path}: the rows of block {number} are not those of the manifest, so none can be taken over; "
                    "`winnow verify --deep` tells more"
                )
            left = rows.filter(pc.invert(pc.is_in(rows["id"], without))).cast(ROW)
            if left.num_rows:
                blocks.append(Block.of(left))
                writer.write_table(left, row_group_size=left.num_rows)
    if not blocks:
        return None
    sha256, size, rows = read_back(made)
    return made, Shard(
        name(shard.split, shard.number, sha256), shard.split, sha256, size, rows, tuple(blocks)
    )


def following(shards: Iterable[Shard]) -> dict[str, int]:
    """Return the number behind the last shard of each split."""
    return {
        split: max((shard.number for shard in held), default=-1) + 1
        for split, held in by_split(shards).items()
    }


def name(split: str, number: int, sha256: str) -> str:
    """Return the name of a shard in its version."""
    return f"data/{split}-{number:05d}-{sha256[:8]}.parquet"


def read_back(path: Path) -> tuple[str, int, int]:
    """Return the SHA-256 of a Parquet file, its bytes and its rows, as they stand on disk."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return sha256, path.stat().st_size, pq.read_metadata(path).num_rows


def by_split(shards: Iterable[Shard]) -> Mapping[str, list[Shard]]:
    """Return the shards of each split, in order; every split is there."""
    found: dict[str, list[Shard]] = {split: [] for split in SPLITS}
    for shard in shards:
        found[shard.split].append(shard)
    return found
