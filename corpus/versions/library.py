"""Published versions and the names that they have, over a shelf.

objects/<sha256>.parquet       shards, each once
versions/<version>/            manifest.json, data/<split>-*.parquet (links to objects), attestations beside it
refs/<name>/<n>                which version a name means; the highest n wins, and together they are the log
forgotten/<n>                  sources and rows that were forgotten, when and why: no run takes them in again
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.schema import UserError
from corpus.versions import manifest, shards
from corpus.versions.card import Card
from corpus.versions.forgotten import Forgotten
from corpus.versions.names import Names, Ref
from corpus.versions.rows import forget_decoded
from corpus.versions.shelf import Desk, Shelf, now
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


@dataclass(frozen=True)
class Library:
    """The published part of a store."""

    shelf: Shelf
    desk: Desk

    def publish(
        self,
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
        what was attested of it, and one that was withdrawn is a `UserError`. On `base` its rows stand first, in their order, but for those whose
        ids are in `without`: shards that hold none of these are not written again. `records`
        (`corpus.known.RECORDS`) are those that came for the first time.
        """
        with self.desk.aside() as folder:
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
                self._hold(folder / "records.parquet", layers[-1]["sha256"])
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
            if not self._to_compose(document["version"]):
                return Version.open(self.shelf, document["version"])
            for path, shard in written:
                self._hold(path, shard.sha256)
            links = {shard.file: _object(shard.sha256) for _, shard in written}
            links |= {layer["file"]: _object(layer["sha256"]) for layer in layers}
            if base is not None:
                theirs = [*(shard.file for shard in kept), *(layer["file"] for layer in base.record_layers)]
                links |= {file: f"{base.where}/{file}" for file in theirs}
            self.shelf.compose(made, links, f"versions/{document['version']}")
        version = Version.open(self.shelf, document["version"])
        self._strip(version)
        return version

    def _strip(self, version: Version) -> None:
        """Remove shards that a version does not list: of an upload that broke off, or came second, by another pyarrow."""
        if self.shelf.alone:
            return
        listed = {shard.file for shard in version.shards} | {layer["file"] for layer in version.record_layers}
        for folder in ("data", "attestations"):
            for file in self._files(f"{version.where}/{folder}"):
                name = file.removeprefix(f"{version.where}/")
                if name.endswith(".parquet") and name not in {*listed, LEDGER_FILE}:
                    self.shelf.remove(file)

    def _hold(self, made: Path, sha256: str) -> None:
        """Take an object, in the place of one that stands under its name with other bytes."""
        if not self._is_sound(_object(sha256), sha256):
            self.shelf.hold(made, _object(sha256))

    def _to_compose(self, version: str) -> bool:
        """Say whether a version is still to be put on the shelf; what stands there broken is removed."""
        where = f"versions/{version}"
        there = self.shelf.names(where)
        if TOMBSTONE in there:
            return False
        held = self._look(version) if there else None
        if held and self._is_whole(held):
            return False
        if (
            self.shelf.alone or "manifest.json" in there
        ):  # without one it may be on its way from another machine
            self.shelf.remove(where)
        return True

    def _is_whole(self, version: Version) -> bool:
        """Say whether all that publishing writes is there, with its bytes."""
        try:
            files = {shard.file: shard.sha256 for shard in version.shards}
            files |= {layer["file"]: layer["sha256"] for layer in version.record_layers}
            for name in BESIDE:
                version.said(name)
        except (UserError, FileNotFoundError):
            return False
        return all(self._is_sound(f"{version.where}/{file}", sha256) for file, sha256 in files.items())

    def _is_sound(self, name: str, sha256: str) -> bool:
        """Say whether a file is there, with these bytes; raises what keeps it from being read."""
        try:
            with self.shelf.lend(name) as path:
                return _digest(path) == sha256
        except FileNotFoundError:
            return False

    def _look(self, version: str) -> Version | None:
        """Open a version whose manifest and list of shards are sound; None for another, or one that was withdrawn.

        A shelf that cannot be asked says nothing of a version: its `OSError` is raised.
        """
        try:
            found = Version.look(self.shelf, version)
            _ = found.shards  # which raises where they are not those of the manifest
        except (UserError, FileNotFoundError):
            return None
        return found if found.withdrawn is None else None

    def withdrawn(self, version: str) -> bool:
        """Say whether a version (by its whole id) was withdrawn, though nothing else of it can be read."""
        return TOMBSTONE in self._there(version)

    def readable(self) -> list[Version]:
        """Return the versions that can be read and were not withdrawn."""
        return [found for found in map(self._look, self.versions()) if found is not None]

    def versions(self) -> list[str]:
        """Return the ids of all versions, sorted."""
        return [name for name in self.shelf.names("versions") if re.fullmatch("[0-9a-f]{64}", name)]

    def open(self, name: str) -> Version:
        """Open a version by id, unique prefix of an id, ref, or `ref~n` (n before the last)."""
        return Version.open(self.shelf, self.find(name))

    def find(self, name: str) -> str:
        """Return the id of the version that a ref, `ref~n`, an id or its unique prefix means."""
        match = re.fullmatch(r"(?P<name>.+?)(?:~(?P<back>\d{1,9}))?", name)
        entry = self.names.before(match["name"], int(match["back"] or 0)) if match else None
        if match and entry is not None:
            wanted = entry.version
            if wanted is None:
                raise UserError(
                    f"{name!r} means nothing since {entry.held.get('at')}; `winnow log {match['name']}` tells why"
                )
            if wanted not in self.versions():
                raise UserError(
                    f"the ref {name!r} means version {wanted[:12]}, which is not in the store; `winnow log {match['name']}` lists others"
                )
            return wanted
        found = [held for held in self.versions() if held.startswith(name)] if name.isalnum() else []
        if len(found) != 1:
            many = "no version or ref" if not found else f"{len(found)} versions"
            raise UserError(f"{many} in the store match {name!r}; `winnow log` lists the names and versions")
        return found[0]

    def withdraw(self, name: str, why: str) -> Version:
        """Take a version back: its rows and all that was said of them are removed, and a tombstone says why.

        Raises `UserError` where a name still means it. Other versions that share shards with it keep them.
        """
        version = self.find(name)
        named = [ref for ref in self.names.all() if self.names.last(ref).version == version]
        if named:
            raise UserError(
                f"{named[0]!r} means version {version[:12]}; roll it back, or let it mean another, before you withdraw this one"
            )
        where = f"versions/{version}"
        if not self.withdrawn(version):
            self.shelf.write(f"{where}/{TOMBSTONE}", json.dumps({"at": now(), "why": why}).encode())
        self._empty(version)
        return Version(self.shelf, version, {})

    def _empty(self, version: str) -> None:
        """Remove the objects that a version alone has, then all but manifest and tombstone: it can break off anywhere.

        Decoded forms of its shards on this machine go first.
        """
        others = {
            digest for other in self.versions() if other != version for digest in self.objects_of(other)
        }
        mine = self.objects_of(version) - others
        forget_decoded(self.objects_of(version))
        for name in self.shelf.names("objects"):
            if name[:8] in mine:
                self.shelf.remove(f"objects/{name}")
        for entry in self.left_of(version):
            self.shelf.remove(f"versions/{version}/{entry}")

    def left_of(self, version: str) -> list[str]:
        """Return what a withdrawal that broke off left of a version (by its whole id)."""
        there = self._there(version)
        return (
            [name for name in there if name not in ("manifest.json", TOMBSTONE)] if TOMBSTONE in there else []
        )

    def broke_off(self, version: str) -> bool:
        """Say whether a version was never put whole, and nobody seems to be at it: it has no manifest, and no young file.

        Only where others may write at any time, as in a bucket: on a disk a version is whole or absent.
        """
        where = f"versions/{version}"
        there = self._there(version)
        if self.shelf.alone or not there or "manifest.json" in there or TOMBSTONE in there:
            return False
        files = [name for folder in ("data", "attestations") for name in self._files(f"{where}/{folder}")]
        files += [f"{where}/{name}" for name in there if name not in ("data", "attestations")]
        return all(self.shelf.written(file) < datetime.now(UTC) - _YOUNG for file in files)

    def _files(self, folder: str) -> list[str]:
        return [f"{folder}/{name}" for name in self.shelf.names(folder)]

    def _there(self, version: str) -> list[str]:
        """Return what stands in a version's folder; nothing where that is a link that leads out."""
        with suppress(UserError):
            return self.shelf.names(f"versions/{version}")
        return []

    def finish(self) -> list[str]:
        """Bring withdrawals that broke off to their end; return the versions."""
        found = [version for version in self.versions() if self.left_of(version)]
        for version in found:
            self._empty(version)
        return found

    def sweep(self) -> list[str]:
        """Remove the objects that no version has; return their names.

        Nobody may be publishing meanwhile. Where that cannot be known, as in a bucket, young ones stay.
        """
        held = {digest for found in self.versions() for digest in self.objects_of(found)}
        loose = [name for name in self.shelf.names("objects") if name[:8] not in held and self._is_idle(name)]
        for name in loose:
            self.shelf.remove(f"objects/{name}")
        return loose

    def _is_idle(self, name: str) -> bool:
        return self.shelf.alone or self.shelf.written(f"objects/{name}") < datetime.now(UTC) - _YOUNG

    def objects_of(self, version: str) -> set[str]:
        """Return the first eight digits of the objects that a version's files are links to, though its manifest be broken."""
        where = f"versions/{version}"
        names = [*self.shelf.names(f"{where}/data"), *self.shelf.names(f"{where}/attestations")]
        matches = [re.search(r"-([0-9a-f]{8})\.parquet$", name) for name in names]
        found = self._look(version)
        attested = [] if found is None else [shard.sha256[:8] for shard in found.shards]
        return {match[1] for match in matches if match} | {*attested}

    @property
    def names(self) -> Names:
        """The names that its versions have."""
        return Names(self.shelf)

    @property
    def forgotten(self) -> Forgotten:
        """All that is to be taken in no more."""
        return Forgotten.on(self.shelf)

    def roll_back(self, name: str, to: str | None = None) -> Ref:
        """Let `name` mean an earlier version again: `to`, or what it meant before it first meant what it means now.

        Nothing is taken back: the log gets one more entry. Raises `UserError` where there is nothing to go
        back to, or what is there holds rows that were forgotten.
        """
        log = [entry for entry in self.names.log(name) if entry.version is not None]
        if not log:
            raise UserError(f"the store has no name {name!r}; `winnow log` lists the names")
        if to is None:
            first = next(number for number, entry in enumerate(log) if entry.version == log[-1].version)
            if first == 0:
                raise UserError(
                    f"{name!r} meant nothing before version {str(log[-1].version)[:12]}; name another with --to"
                )
            to = str(log[first - 1].version)
        version = self.open(to)
        if version.id == log[-1].version:
            raise UserError(f"{name!r} means version {version.id[:12]} already")
        if version.holds(self.forgotten):
            raise UserError(
                f"version {version.id[:12]} holds rows that were forgotten since; withdraw it, or name another with --to"
            )
        return self.names.give(
            name, version.id, self.names.last(name).n, rolled_back_from=str(log[-1].version)
        )


_YOUNG = timedelta(days=7)


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
