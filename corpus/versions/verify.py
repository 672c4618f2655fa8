"""Whether a version is still what its id says."""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.schema import ROW, UserError
from corpus.versions.blocks import Block
from corpus.versions.library import Library
from corpus.versions.shards import Shard
from corpus.versions.version import BESIDE, DIGESTS, RECORD_LAYERS, TOMBSTONE, Version

_PIECE = 8 * 2**20


def verify(
    library: Library, name: str, *, deep: bool = False, progress: Callable[[int, int], None] = lambda *_: None
) -> dict[str, Any]:
    """Check a version; return `{"version", "ok", "problems"}`, a line for each problem.

    The manifest against the id, every shard's bytes against its digest, its rows and columns against the
    manifest, the files beside against theirs, and that nothing more lies in the folder. With `deep` the rows of each
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
    with version.reading():
        yield from _content(version, deep, progress)


def _content(version: Version, deep: bool, progress: Callable[[int, int], None]) -> Iterator[str]:
    """Check all that a version has beside its manifest."""
    lists: list[Any] = []
    for read in (lambda: version.digests, lambda: version.record_layers, lambda: version.shards):
        try:
            lists.append(read())
        except UserError as error:
            yield _line(error)
            lists.append(None)
    known, layers, shards = lists
    yield from _beside(version, known or {})
    for layer in layers or ():
        yield from _layer(version, layer)
    if None not in lists:  # else it cannot be told what belongs there
        listed = {*known, *(layer["file"] for layer in layers), *(shard.file for shard in shards)}
        yield from _strangers(version, listed | {"manifest.json", DIGESTS})
    shards = shards or ()
    total = sum(shard.bytes for shard in shards)
    done = 0
    with ThreadPoolExecutor() as pool:  # hashing and decoding leave the interpreter free
        for shard, told in zip(
            shards, pool.map(lambda shard: _shard(version, shard, deep), shards), strict=True
        ):
            yield from told
            done += shard.bytes
            progress(done, total)


def _beside(version: Version, known: Mapping[str, list[str | None]]) -> Iterator[str]:
    """Check the files that are neither manifest nor shard."""
    for name in BESIDE:
        if name not in known:
            yield f"{DIGESTS}: lists no {name}"
    for name, allowed in known.items():
        try:
            digest: str | None = hashlib.sha256(version.shelf.read(f"{version.where}/{name}")).hexdigest()
        except FileNotFoundError:
            digest = None
        except (UserError, OSError) as error:
            yield f"{name}: {_line(error)}"
            continue
        if digest not in allowed:
            yield f"{name}: " + ("missing" if digest is None else "changed since it was written")


def _layer(version: Version, layer: Mapping[str, Any]) -> Iterator[str]:
    """Check a list of records."""
    file = layer["file"]
    try:
        raw = version.shelf.read(f"{version.where}/{file}")
    except FileNotFoundError:
        yield f"{file}: missing"
        return
    except (UserError, OSError) as error:
        yield f"{file}: {_line(error)}"
        return
    if hashlib.sha256(raw).hexdigest() != layer["sha256"]:
        yield f"{file}: changed since it was written"
        return
    try:
        rows = pq.read_metadata(io.BytesIO(raw)).num_rows
    except (pa.ArrowException, OSError) as error:
        yield f"{file}: not readable as Parquet ({_line(error)})"
        return
    if (len(raw), rows) != (layer.get("bytes"), layer.get("rows")):
        yield f"{file}: {RECORD_LAYERS} says another size of it"


def _strangers(version: Version, listed: set[str]) -> Iterator[str]:
    """Name what lies in the folder and nothing lists."""
    folders = {"", *(name.rpartition("/")[0] for name in listed)}
    for folder in sorted(folders):
        try:
            entries = version.shelf.names(f"{version.where}/{folder}".rstrip("/"))
        except UserError as error:
            yield _line(error)
            continue
        for entry in entries:
            name = f"{folder}/{entry}".lstrip("/")
            if name in listed or name in folders:
                continue
            taken = ", and readers would take it for one" if folder == "data" else ""
            what = "not a shard of this version" if folder == "data" else "not a file of this version"
            yield f"{name}: {what}{taken}"


def _shard(version: Version, shard: Shard, deep: bool) -> list[str]:
    try:
        with version.shelf.lend(f"{version.where}/{shard.file}") as path:
            return _bytes(path, shard, deep)
    except UserError as error:
        return [f"{shard.file}: {_line(error)}"]
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
