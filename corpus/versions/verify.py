"""Whether a version is still what its id says."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.schema import ROW, UserError
from corpus.versions.blocks import Block
from corpus.versions.library import Library
from corpus.versions.shards import Shard
from corpus.versions.version import DIGESTS, TOMBSTONE, Version

_PIECE = 8 * 2**20


def verify(
    library: Library, name: str, *, deep: bool = False, progress: Callable[[int, int], None] = lambda *_: None
) -> dict[str, Any]:
    """Check a version; return `{"version", "ok", "problems"}`, a line for each problem.

    The manifest against the id, every shard's bytes against its digest, its rows and columns against the
    manifest, the files beside against theirs, and nothing more in the folder. With `deep` the rows of each
    block are read and hashed against the manifest too: it then does not matter who wrote the digests.
    `progress` is told bytes read and bytes in all. Raises `UserError` where no version is so called.
    """
    found = library.find(name)
    problems = list(_problems(library, found, deep, progress))
    return {"version": found, "ok": not problems, "deep": deep, "problems": problems}


def _problems(
    library: Library, found: str, deep: bool, progress: Callable[[int, int], None]
) -> Iterator[str]:
    try:
        version = Version.look(library.shelf, found)
    except (UserError, FileNotFoundError) as error:
        yield _line(error)
        return
    if version.withdrawn is not None:
        yield f"{TOMBSTONE}: withdrawn on {version.withdrawn['at']}: {version.withdrawn['why']}"
        for name in library.left_of(found):
            yield f"{name}: left by a withdrawal that broke off; withdraw the version again"
        return
    yield from _beside(version)
    try:
        shards = version.shards
    except UserError as error:
        yield _line(error)
        return
    yield from _strangers(version, shards)
    total = sum(shard.bytes for shard in shards)
    done = 0
    with ThreadPoolExecutor() as pool:  # hashing and decoding leave the interpreter free
        for shard, told in zip(
            shards, pool.map(lambda shard: _shard(version, shard, deep), shards), strict=True
        ):
            yield from told
            done += shard.bytes
            progress(done, total)


def _beside(version: Version) -> Iterator[str]:
    """Check the files that are neither manifest nor shard."""
    try:
        known = version.digests
    except (ValueError, TypeError, FileNotFoundError) as error:
        yield f"{DIGESTS}: {_line(error)}"
        return
    for name, allowed in known.items():
        try:
            digest: str | None = hashlib.sha256(version.shelf.read(f"{version.where}/{name}")).hexdigest()
        except FileNotFoundError:
            digest = None
        except UserError as error:
            yield _line(error)
            continue
        if digest not in allowed:
            yield f"{name}: " + ("missing" if digest is None else "changed since it was written")
    try:
        layers = version.record_layers
    except (UserError, KeyError, TypeError) as error:
        yield _line(error)
        return
    for layer in layers:
        try:
            raw = version.shelf.read(f"{version.where}/{layer['file']}")
        except FileNotFoundError:
            yield f"{layer['file']}: missing"
            continue
        if hashlib.sha256(raw).hexdigest() != layer["sha256"]:
            yield f"{layer['file']}: changed since it was written"


def _strangers(version: Version, shards: tuple[Shard, ...]) -> Iterator[str]:
    """Name what lies in the data folder and is no shard: a reader that takes all files there would read it."""
    known = {Path(shard.file).name for shard in shards}
    for name in version.shelf.names(f"{version.where}/data"):
        if name not in known:
            yield f"data/{name}: not a shard of this version, and readers would take it for one"


def _shard(version: Version, shard: Shard, deep: bool) -> list[str]:
    try:
        with version.shelf.lend(f"{version.where}/{shard.file}") as path:
            return _bytes(path, shard, deep)
    except OSError as error:
        return [
            f"{shard.file}: "
            + ("missing" if isinstance(error, FileNotFoundError) else str(error.strerror or error))
        ]


def _bytes(path: Path, shard: Shard, deep: bool) -> list[str]:
    if path.is_symlink():
        return [f"{shard.file}: a link that leads out of the store, not a file"]
    state, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            state.update(piece)
            size += len(piece)
    told = []
    if size != shard.bytes:
        told.append(f"{shard.file}: {size} bytes, and {shard.bytes} were written")
    if state.hexdigest() != shard.sha256:
        told.append(f"{shard.file}: its bytes are not those that were written")
    try:
        return told + list(_inside(path, shard, deep))
    except (pa.ArrowException, OSError) as error:
        return [*told, f"{shard.file}: not readable as Parquet ({_line(error)})"]


def _inside(path: Path, shard: Shard, deep: bool) -> Iterator[str]:
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(ROW):
            yield f"{shard.file}: its columns are not those of a row"
            return
        counts = [file.metadata.row_group(number).num_rows for number in range(file.metadata.num_row_groups)]
        if counts != [block.rows for block in shard.blocks]:
            yield f"{shard.file}: {sum(counts)} rows in {len(counts)} blocks, and the manifest lists {shard.rows} in {len(shard.blocks)}"
            return
        for number, block in enumerate(shard.blocks if deep else ()):
            if Block.of(file.read_row_group(number)) != block:
                yield f"{shard.file}: the rows of block {number} are not those of the manifest"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
