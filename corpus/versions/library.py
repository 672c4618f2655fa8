"""Published versions and the names that they have, over a shelf.

objects/<sha256>.parquet       shards, each once
versions/<version>/            manifest.json, data/<split>-*.parquet (links to objects), attestations beside it
refs/<name>/<n>                which version a name means; the highest n wins, and together they are the log
forgotten/<n>                  sources and rows that were forgotten, when and why: no run takes them in again
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from corpus.schema import UserError
from corpus.versions.card import Card
from corpus.versions.forgotten import Forgotten
from corpus.versions.names import Names, Ref
from corpus.versions.publish import publish
from corpus.versions.rows import forget_decoded
from corpus.versions.shelf import Desk, Shelf, now
from corpus.versions.version import TOMBSTONE, Version


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
        """Publish rows, with the library's own shelf and desk: see `corpus.versions.publish.publish`."""
        return publish(self.shelf, self.desk, rows, recipe, card, base=base, without=without, records=records)

    def withdrawn(self, version: str) -> bool:
        """Say whether a version (by its whole id) was withdrawn, though nothing else of it can be read."""
        return TOMBSTONE in self._there(version)

    def readable(self) -> list[Version]:
        """Return the versions that can be read and were not withdrawn."""
        return [
            found
            for found in (Version.sound(self.shelf, version) for version in self.versions())
            if found is not None
        ]

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
        found = Version.sound(self.shelf, version)
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
