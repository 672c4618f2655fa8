"""Published versions and the names that they have, over a shelf.

objects/<sha256>.parquet       shards, each once
versions/<version>/            manifest.json, data/<split>-*.parquet (links to objects), attestations beside it
refs/<name>/<n>                which version a name means; the highest n wins, and together they are the log
forgotten/<n>                  sources and rows that were forgotten, when and why: no run takes them in again
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.schema import UserError
from corpus.versions import manifest, shards
from corpus.versions.card import Card
from corpus.versions.forgotten import Forgotten
from corpus.versions.version import DIGESTS, RECORD_LAYERS, SHARDS, TOMBSTONE, Version, digests


class Shelf(Protocol):
    """Where published bytes rest. Names are relative paths; each is whole or absent, whoever looks."""

    alone: ClassVar[bool]
    """Whether all who write to it hold the lock of the store."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises `FileNotFoundError`."""

    def write(self, name: str, content: bytes) -> None:
        """Write one small file; an earlier one of the name is replaced."""

    def create(self, name: str, content: bytes) -> bool:
        """Write one small file if the name is free, and say whether it was: of many who try at once one wins."""

    def names(self, folder: str) -> list[str]:
        """Return what stands directly in a folder, sorted; nothing where there is none."""

    def hold(self, made: Path, name: str) -> None:
        """Take a file that was written aside; an earlier one of the name is replaced."""

    def compose(self, made: Path, links: Mapping[str, str], name: str) -> None:
        """Take a folder that was written aside, with links in it to files that stand; `manifest.json` comes last."""

    def url(self, name: str) -> str:
        """Return where users find what stands under a name."""

    def local(self, name: str) -> Path:
        """Return a file or folder of this machine with what stands under the name."""

    def lend(self, name: str) -> AbstractContextManager[Path]:
        """Lend a file as it stands on the shelf now, whatever copies there are; raises `FileNotFoundError`."""

    def remove(self, name: str) -> None:
        """Remove a file or a folder with all that is in it."""

    def reading(self, name: str) -> AbstractContextManager[None]:
        """Let it be known, where the shelf can, that somebody reads what stands beside a file."""

    def changing(self) -> AbstractContextManager[None]:
        """Change what stands beside versions while nobody else on this machine does."""

    def unread(self, name: str) -> bool:
        """Say whether nobody is known to read what stands beside a file."""

    def written(self, name: str) -> datetime:
        """Return when a file was written."""


class Desk(Protocol):
    """Where a version is put together before it goes to the shelf: on the same disk, if the shelf is one."""

    def aside(self) -> AbstractContextManager[Path]:
        """Lend an empty folder; what is left in it at the end is removed."""


@dataclass(frozen=True)
class Ref:
    """What a name meant from some time on. `n` counts from 1; 0 with no version is a name that means nothing yet."""

    n: int
    version: str | None
    held: Mapping[str, Any]


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
        is, if its manifest and shards are sound: its id says that it is the same. A broken one is replaced, and one
        that was withdrawn is a `UserError`. On `base` its rows stand first, in their order, but for those whose
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
                "README.md": card.render(document).encode(),
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
            links = {shard.file: _object(shard.sha256) for shard in held}
            links |= {layer["file"]: _object(layer["sha256"]) for layer in layers}
            self.shelf.compose(made, links, f"versions/{document['version']}")
        return Version.open(self.shelf, document["version"])

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
        if held and all(self._is_sound(f"{where}/{shard.file}", shard.sha256) for shard in held.shards):
            return False
        self.shelf.remove(where)
        return True

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
            sound = found.withdrawn is None and len(found.shards) >= 0  # reading them may raise
        except (UserError, FileNotFoundError):
            return None
        return found if sound else None

    def withdrawn(self, version: str) -> bool:
        """Say whether a version (by its whole id) was withdrawn, though nothing else of it can be read."""
        return TOMBSTONE in self.shelf.names(f"versions/{version}")

    def readable(self) -> list[Version]:
        """Return the versions that can be read and were not withdrawn."""
        return [found for found in map(self._look, self.versions()) if found is not None]

    def versions(self) -> list[str]:
        """Return the ids of all versions, sorted."""
        return self.shelf.names("versions")

    def open(self, name: str) -> Version:
        """Open a version by id, unique prefix of an id, ref, or `ref~n` (n before the last)."""
        return Version.open(self.shelf, self.find(name))

    def find(self, name: str) -> str:
        """Return the id of the version that a ref, `ref~n`, an id or its unique prefix means."""
        match = re.fullmatch(r"(?P<name>.+?)(?:~(?P<back>\d{1,9}))?", name)
        log = self.log(match["name"]) if match else []
        if match and log:
            back = int(match["back"] or 0)
            if back >= len(log):
                raise UserError(
                    f"{match['name']!r} has meant {len(log)} versions, so there is no {name!r}; see `winnow log {match['name']}`"
                )
            entry = log[-1 - back]
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
        named = [ref for ref in self.refs() if self.last(ref).version == version]
        if named:
            raise UserError(
                f"{named[0]!r} means version {version[:12]}; roll it back, or let it mean another, before you withdraw this one"
            )
        where, own = f"versions/{version}", self.shards_of(version)
        if TOMBSTONE not in self.shelf.names(where):
            self.shelf.write(f"{where}/{TOMBSTONE}", json.dumps({"at": _now(), "why": why}).encode())
        for entry in self.shelf.names(where):
            if entry not in ("manifest.json", TOMBSTONE):
                self.shelf.remove(f"{where}/{entry}")
        self.sweep(f"{sha256}.parquet" for sha256 in own)
        return Version(self.shelf, version, {})

    def shards_of(self, name: str) -> list[str]:
        """Return the digests of a version's shards; none where it cannot be read."""
        found = self._look(self.find(name))
        return [] if found is None else [shard.sha256 for shard in found.shards]

    def sweep(self, among: Iterable[str] | None = None) -> list[str]:
        """Remove the objects that no version has, all or those `among`; return their names.

        Nobody may be publishing meanwhile. Where that cannot be known, as in a bucket, young ones stay unless they
        are named.
        """
        held = {digest for found in self.versions() for digest in self._held(found)}
        named = None if among is None else {*among}
        loose = [
            name
            for name in self.shelf.names("objects")
            if name[:8] not in held and (self._is_idle(name) if named is None else name in named)
        ]
        for name in loose:
            self.shelf.remove(f"objects/{name}")
        return loose

    def _is_idle(self, name: str) -> bool:
        return self.shelf.alone or self.shelf.written(f"objects/{name}") < datetime.now(UTC) - _YOUNG

    def _held(self, version: str) -> Iterator[str]:
        """Yield the first eight digits of the objects that a version's files are links to, though its manifest be broken."""
        where = f"versions/{version}"
        for name in [*self.shelf.names(f"{where}/data"), *self.shelf.names(f"{where}/attestations")]:
            match = re.search(r"-([0-9a-f]{8})\.parquet$", name)
            if match:
                yield match[1]
        yield from (sha256[:8] for sha256 in self.shards_of(version))

    # --- what was forgotten

    def forget(self, rows: Iterable[str], records: Iterable[bytes], sources: Iterable[str], why: str) -> None:
        """Note that rows (by id), records (by digest), or all rows of sources, are to be taken in no more."""
        held = {
            "rows": sorted(rows),
            "records": sorted(record.hex() for record in records),
            "sources": sorted(sources),
        }
        entry = json.dumps({"at": _now(), "why": why, **held})
        number = len(self.shelf.names("forgotten")) + 1
        while not self.shelf.create(f"forgotten/{number}", entry.encode()):
            number += 1

    @property
    def forgotten(self) -> Forgotten:
        """All that is to be taken in no more."""
        found = Forgotten()
        for name in self.shelf.names("forgotten"):
            try:
                entry = json.loads(self.shelf.read(f"forgotten/{name}"))
                told = f"forgotten on {entry['at'][:10]}: {entry['why']}"
                found.rows.update(dict.fromkeys(entry["rows"], told))
                found.records.update(dict.fromkeys(entry.get("records", []), told))
                found.sources.update(dict.fromkeys(entry["sources"], told))
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"forgotten/{name} cannot be read ({error}), so no run could keep to it; bring it back from a copy"
                ) from error
        return found

    # --- names

    def refs(self) -> list[str]:
        """Return all names, sorted."""
        return self.shelf.names("refs")

    def log(self, name: str) -> list[Ref]:
        """Return what a name has meant, the oldest first; nothing for a name that was never given."""
        if not _NAME.fullmatch(name):
            return []
        return [
            _ref(self.shelf.read(f"refs/{name}/{n}"), name, n)
            for n in sorted(int(entry) for entry in self.shelf.names(f"refs/{name}") if entry.isdecimal())
        ]

    def last(self, name: str) -> Ref:
        """Return what a name means now."""
        return (self.log(name) or [Ref(0, None, {})])[-1]

    def set_ref(self, name: str, meant: str | None, after: int, **why: str) -> Ref:
        """Let `name` mean a version (None: nothing) from now on, if its last entry is still the one numbered `after`.

        Of two writers one wins and the other is told by a `UserError`.
        """
        if not _NAME.fullmatch(name):
            raise UserError(
                f"{name!r} is no name for a version: needed small letters, digits, `.`, `_` and `-`"
            )
        entry = {"n": after + 1, "version": meant, "at": _now(), **why}
        if self.last(name).n != after or not self.shelf.create(
            f"refs/{name}/{after + 1}", json.dumps(entry).encode()
        ):
            raise UserError(
                f"the name {name!r} was given to version {str(self.last(name).version)[:12]} meanwhile, and stays with it; "
                f"version {str(meant)[:12]} is published without a name: run again to build on the other"
            )
        return Ref(after + 1, meant, entry)

    def roll_back(self, name: str, to: str | None = None) -> Ref:
        """Let `name` mean an earlier version again: `to`, or what it meant before it first meant what it means now.

        Nothing is taken back: the log gets one more entry. Raises `UserError` where there is nothing to go
        back to, or what is there holds rows that were forgotten.
        """
        log = self.log(name)
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
        return self.set_ref(name, version.id, log[-1].n, rolled_back_from=str(log[-1].version))


_YOUNG = timedelta(days=7)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(@[a-z]+)?")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


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


def _ref(raw: bytes, name: str, n: int) -> Ref:
    try:
        held = json.loads(raw)
        meant = held["version"]
        sound = held["n"] == n and (meant is None or re.fullmatch(r"[0-9a-f]{64}", meant))
    except (ValueError, KeyError, TypeError):
        sound = None
    if not sound:
        raise UserError(f"refs/{name}/{n} is not a ref; remove that file to go back to the one before")
    return Ref(n, held["version"], held)
