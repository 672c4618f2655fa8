"""Rows to a version on a shelf: shards first, the manifest last, so that whoever looks sees all of it or nothing."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.schema import UserError
from corpus.versions import manifest, shards
from corpus.versions.card import Card
from corpus.versions.shelf import Desk, Shelf
from corpus.versions.version import (
    BESIDE,
    CARD,
    DIGESTS,
    LEDGER_FILE,
    RECORD_LAYERS,
    SHARDS,
    TOMBSTONE,
    Version,
    digests,
)


def publish(
    shelf: Shelf,
    desk: Desk,
    rows: Iterable[pa.Table],
    recipe: Mapping[str, Any],
    card: Card,
    *,
    base: Version | None = None,
    without: Sequence[str] = (),
    records: pa.Table | None = None,
) -> Version:
    """Write rows with their split (each split in id order) as a version. No name refers to it yet.

    `recipe` is all that the identity holds beside the rows. A version that stands already stays as it
    is, if all that publishing writes is sound: its id says that it is the same. A broken one is replaced, with
    what was attested of it, and one that was withdrawn is a `UserError`. On `base` its rows stand first, in their
    order, but for those whose ids are in `without`: shards that hold none of these are not written again. `records`
    (`corpus.known.RECORDS`) are those that came for the first time.
    """
    with desk.aside() as folder:
        kept, written = _kept(base, without, folder / "kept")
        taken = shards.following([*kept, *(shard for _, shard in written)])
        written += shards.write(rows, folder / "objects", taken)
        held = [
            shard
            for one in shards.by_split([*kept, *(shard for _, shard in written)]).values()
            for shard in sorted(one, key=lambda shard: shard.number)
        ]
        document = manifest.manifest(recipe, held)
        made = folder / "version"
        layers = [] if base is None else base.record_layers
        if records is not None:
            layers = [*layers, _layer(records, len(layers), folder / "records.parquet")]
            _hold(shelf, folder / "records.parquet", layers[-1]["sha256"])
        beside = {
            CARD: card.render(document).encode(),
            SHARDS: json.dumps([shard.attested() for shard in held], indent=1).encode(),
            RECORD_LAYERS: json.dumps(layers, indent=1).encode(),
        }
        known: dict[str, list[str | None]] = {
            name: [hashlib.sha256(content).hexdigest()] for name, content in beside.items()
        }
        for name, content in {
            **beside,
            DIGESTS: digests(known),
            "manifest.json": manifest.canonical(document),
        }.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(content)
        if not _to_compose(shelf, document["version"]):
            return Version.open(shelf, document["version"])
        for path, shard in written:
            _hold(shelf, path, shard.sha256)
        links = {shard.file: _object(shard.sha256) for _, shard in written}
        links |= {layer["file"]: _object(layer["sha256"]) for layer in layers}
        if base is not None:
            theirs = [*(shard.file for shard in kept), *(layer["file"] for layer in base.record_layers)]
            links |= {file: f"{base.where}/{file}" for file in theirs}
        shelf.compose(made, links, f"versions/{document['version']}")
    version = Version.open(shelf, document["version"])
    _strip(shelf, version)
    return version


def _strip(shelf: Shelf, version: Version) -> None:
    """Remove shards that a version does not list: of an upload that broke off, or came second, by another pyarrow."""
    if shelf.alone:
        return
    listed = {shard.file for shard in version.shards} | {layer["file"] for layer in version.record_layers}
    for folder in ("data", "attestations"):
        for file in shelf.names(f"{version.where}/{folder}"):
            name = f"{folder}/{file}"
            if name.endswith(".parquet") and name not in {*listed, LEDGER_FILE}:
                shelf.remove(f"{version.where}/{name}")


def _hold(shelf: Shelf, made: Path, sha256: str) -> None:
    """Take an object, in the place of one that stands under its name with other bytes."""
    if not _is_sound(shelf, _object(sha256), sha256):
        shelf.hold(made, _object(sha256))


def _to_compose(shelf: Shelf, version: str) -> bool:
    """Say whether a version is still to be put on the shelf; what stands there broken is removed."""
    where = f"versions/{version}"
    there = shelf.names(where)
    if TOMBSTONE in there:
        return False
    held = Version.sound(shelf, version) if there else None
    if held and _is_whole(shelf, held):
        return False
    if shelf.alone or "manifest.json" in there:  # else it may be on its way from another machine
        shelf.remove(where)
    return True


def _is_whole(shelf: Shelf, version: Version) -> bool:
    """Say whether all that publishing writes is there, with its bytes."""
    try:
        files = {shard.file: shard.sha256 for shard in version.shards}
        files |= {layer["file"]: layer["sha256"] for layer in version.record_layers}
        for name in BESIDE:
            version.said(name)
    except (UserError, FileNotFoundError):
        return False
    return all(_is_sound(shelf, f"{version.where}/{file}", sha256) for file, sha256 in files.items())


def _is_sound(shelf: Shelf, name: str, sha256: str) -> bool:
    """Say whether a file is there, with these bytes; raises what keeps it from being read."""
    try:
        with shelf.lend(name) as path:
            return _digest(path) == sha256
    except FileNotFoundError:
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _object(sha256: str) -> str:
    return f"objects/{sha256}.parquet"


def _kept(
    base: Version | None, without: Sequence[str], folder: Path
) -> tuple[list[shards.Shard], list[tuple[Path, shards.Shard]]]:
    """Return the shards of `base` that stay as they are, and those that were written again without some rows."""
    if base is None:
        return [], []
    if not without:
        return list(base.shards), []
    gone = pa.array(without, pa.string())
    kept, written = [], []
    for shard in base.shards:
        path = base.shelf.local(f"{base.where}/{shard.file}")
        if not shards.holds(path, gone):
            kept.append(shard)
        elif (made := shards.rewrite(path, shard, gone, folder)) is not None:
            written.append(made)
    return kept, written


def _layer(records: pa.Table, number: int, path: Path) -> dict[str, Any]:
    """Write the records that came for the first time; return what the list of layers says of the file."""
    pq.write_table(records, path, compression="zstd", use_dictionary=["source", "file"])
    sha256, size, rows = shards.read_back(path)
    return {
        "file": f"attestations/records-{number:05d}-{sha256[:8]}.parquet",
        "sha256": sha256,
        "bytes": size,
        "rows": rows,
    }
