"""A published version, opened: its manifest, its shards, what is attested of it."""

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.known import LAYERED, RECORDS, Known
from corpus.schema import UserError
from corpus.versions import manifest
from corpus.versions.blocks import Block
from corpus.versions.forgotten import Forgotten
from corpus.versions.shards import Shard, by_split

if TYPE_CHECKING:
    from corpus.versions.shelf import Shelf

CARD = "README.md"
SHARDS = "attestations/shards.json"
RECORD_LAYERS = "attestations/records.json"
BESIDE = (CARD, SHARDS, RECORD_LAYERS)
"""What publishing lays beside the shards."""
DIGESTS = "digests.json"
"""The SHA-256 of every file that may grow or change without changing the id. Where one is being replaced, both
digests stand here until it is, and null where it was absent, so that a crash in between leaves nothing wrong."""
TOMBSTONE = "withdrawn.json"
LEDGER_FILE = "attestations/ledger.parquet"


@dataclass(frozen=True)
class Version:
    """A version on a shelf. Its manifest was found to be what its id says."""

    shelf: "Shelf"
    id: str
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, shelf: "Shelf", version: str) -> "Version":
        """Open a version by its whole id; raises `UserError` for one that is withdrawn, or was changed."""
        withdrawn = cls(shelf, version, {}).withdrawn
        if withdrawn is not None:
            raise UserError(
                f"version {version[:12]} was withdrawn on {withdrawn['at']}: {withdrawn['why']}; use another"
            )
        return cls.look(shelf, version)

    @classmethod
    def look(cls, shelf: "Shelf", version: str) -> "Version":
        """Open a version even if it was withdrawn; only its manifest is then sure to be there."""
        where = f"versions/{version}/manifest.json"
        held = manifest.parse(shelf.read(where), where)
        if held["version"] != version:
            raise UserError(
                f"{where} is the manifest of version {held['version'][:12]}, which lies in the wrong folder; "
                "move it back, or publish this version anew"
            )
        return cls(shelf, version, held)

    @classmethod
    def sound(cls, shelf: "Shelf", version: str) -> "Version | None":
        """Open a version whose manifest and list of shards are sound; None for another, or one that was withdrawn.

        A shelf that cannot be asked says nothing of a version: its `OSError` is raised.
        """
        try:
            found = cls.look(shelf, version)
            _ = found.shards  # which raises where they are not those of the manifest
        except (UserError, FileNotFoundError):
            return None
        return found if found.withdrawn is None else None

    @property
    def lineage(self) -> "Iterator[Version]":
        """Yield this version, the one that it builds on, and so on as far as they can be read."""
        found: Version | None = self
        while found is not None:
            yield found
            base = found.builds_on
            try:
                found = None if base is None else Version.look(self.shelf, base)
            except (UserError, FileNotFoundError):
                return

    @property
    def builds_on(self) -> str | None:
        """The version that it builds on."""
        found = self.manifest["recipe"].get("builds_on")
        return None if found is None else str(found)

    @property
    def where(self) -> str:
        """Its folder's name on the shelf."""
        return f"versions/{self.id}"

    @property
    def folder(self) -> Path:
        """Its folder on this machine: what `datasets.load_dataset` reads."""
        return self.shelf.local(self.where)

    @cached_property
    def withdrawn(self) -> Mapping[str, Any] | None:
        """When and why it was withdrawn, if it was."""
        try:
            held = json.loads(self.shelf.read(f"{self.where}/{TOMBSTONE}"))
            return {"at": held["at"], "why": held["why"]}
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return {"at": "an unknown day", "why": f"{TOMBSTONE} cannot be read"}

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """Its shards in row order, as attested; raises `UserError` where the attestation contradicts the manifest."""
        where = f"{self.where}/{SHARDS}"
        try:
            return tuple(self._shards(json.loads(self.shelf.read(where))))
        except (ValueError, KeyError, TypeError, FileNotFoundError) as error:
            raise UserError(
                f"{where} is not what the manifest lists ({error}); publish the version anew"
            ) from error

    def _shards(self, attested: list[dict[str, Any]]) -> list[Shard]:
        made = []
        left = {
            split: [Block(**block) for block in held["blocks"]]
            for split, held in self.manifest["splits"].items()
        }
        for entry in attested:
            blocks, left[entry["split"]] = (
                left[entry["split"]][: entry["blocks"]],
                left[entry["split"]][entry["blocks"] :],
            )
            shard = Shard(**{**entry, "blocks": tuple(blocks)})
            if (
                not re.fullmatch(rf"data/{shard.split}-\d{{5,}}-{shard.sha256[:8]}\.parquet", shard.file)
                or len(blocks) != entry["blocks"]
                or shard.rows != sum(block.rows for block in blocks)
            ):
                raise ValueError(f"{shard.file} is not of this version")
            made.append(shard)
        if any(left.values()):
            raise ValueError("shards are missing from it")
        return made

    def shard(self, shard: Shard) -> Path:
        """Return a shard as a file of this machine, with the bytes that were written; raises `UserError` for others."""
        return self._proven(shard.file, shard.sha256)

    def _proven(self, file: str, sha256: str) -> Path:
        name = f"{self.where}/{file}"
        for anew in (False, True):
            with (
                suppress(FileNotFoundError),
                (path := self.shelf.local(name, anew=anew)).open("rb") as opened,
            ):
                if hashlib.file_digest(opened, "sha256").hexdigest() == sha256:
                    return path
        raise UserError(f"{name} is not what was published; `winnow verify` tells more")

    def prove(self) -> None:
        """Raise `UserError` where a shard or a list of records is not what was published: before rows are built upon."""
        files = [(shard.file, shard.sha256) for shard in self.shards]
        files += [(layer["file"], layer["sha256"]) for layer in self.record_layers]
        with ThreadPoolExecutor() as pool:  # hashing leaves the interpreter free
            list(pool.map(lambda one: self._proven(*one), files))

    def files(self, split: str) -> list[Path]:
        """Return the shards of a split, in row order, as files of this machine."""
        return [self.shelf.local(f"{self.where}/{shard.file}") for shard in by_split(self.shards)[split]]

    def in_its_ids(self, forgotten: Forgotten) -> Forgotten:
        """Return what was forgotten, with the ids of the rows that it has for a forgotten record among the rows."""
        if not forgotten.records:
            return forgotten
        records = self.records
        digests = pa.array([bytes.fromhex(digest) for digest in sorted(forgotten.records)], pa.binary(16))
        ids = records.filter(pc.is_in(records["record"], digests))["id"].drop_null().to_pylist()
        held = Known(lambda: records).held(ids)
        told = {row_id: forgotten.records.get(record.hex()) for row_id, (record, _) in held.items()}
        rows = {row_id: why for row_id, why in told.items() if why is not None}
        return replace(forgotten, rows={**forgotten.rows, **rows})

    def holds(self, forgotten: Forgotten) -> bool:
        """Say whether one of its rows was forgotten since."""
        if not forgotten:
            return False
        meant = self.in_its_ids(forgotten)
        return any(
            pc.any(meant.mask(pq.read_table(file, columns=["id", "source"]))).as_py()
            for split in self.manifest["splits"]
            for file in self.files(split)
        )

    @property
    def record_layers(self) -> list[dict[str, Any]]:
        """The files that list its records, the oldest first: `file`, `sha256`, `bytes`, `rows`."""
        held = self.attested(RECORD_LAYERS)
        try:
            sound = isinstance(held, list) and all(
                re.fullmatch(rf"attestations/records-\d{{5,}}-{layer['sha256'][:8]}\.parquet", layer["file"])
                for layer in held
            )
        except (KeyError, TypeError):
            sound = False
        if not sound:
            raise UserError(
                f"{self.where}/{RECORD_LAYERS} is no list of the version's records; run with --fresh"
            )
        return list(held)

    @property
    def records(self) -> pa.Table:
        """Its records in `corpus.known.LAYERED` columns: all that came, those of the versions it builds on first."""
        tables = [LAYERED.empty_table()]
        for number, layer in enumerate(self.record_layers):
            held = self._records(layer)
            tables.append(held.append_column("layer", pa.repeat(pa.scalar(number, pa.int32()), len(held))))
        return pa.concat_tables([table.cast(LAYERED) for table in tables])

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Keep its files from being collected while they are read, where the shelf can."""
        with self.shelf.reading(f"{self.where}/manifest.json"):
            yield

    def _records(self, layer: Mapping[str, Any]) -> pa.Table:
        """Read a list of records whose digest is the one that was written down."""
        path = self.shelf.local(f"{self.where}/{layer['file']}")
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            raw = b""
        if hashlib.sha256(raw).hexdigest() != layer["sha256"]:
            raise UserError(
                f"{self.where}/{layer['file']} is not what was written; `winnow verify` tells more"
            )
        return pq.read_table(io.BytesIO(raw), schema=RECORDS)

    # --- what is said of it

    @property
    def ledger(self) -> pa.Table | None:
        """What the run that published it rejected, replaced and dropped; None where none is beside it."""
        if not self.has(LEDGER_FILE):
            return None
        return pq.read_table(io.BytesIO(self.said(LEDGER_FILE)))

    def attest_ledger(self, ledger: pa.Table) -> None:
        """Lay a ledger beside the version, or replace it."""
        raw = io.BytesIO()
        pq.write_table(ledger, raw, compression="zstd")
        self.attest(LEDGER_FILE, raw.getvalue())

    def attest(self, name: str, content: bytes) -> None:
        """Lay a file beside the version, or replace it; a crash leaves the old one or the new one, and no complaint."""
        with self.shelf.changing():
            self._lay(name, content)

    def append(self, name: str, entry: Mapping[str, Any]) -> None:
        """Add an entry to a JSON list beside the version: of two who add at once on this machine both are kept."""
        with self.shelf.changing():
            held = self.attested(name) if self.has(name) else []
            self._lay(name, json.dumps([*held, entry], indent=1).encode())

    def _lay(self, name: str, content: bytes) -> None:
        digest = hashlib.sha256(content).hexdigest()
        known = self.digests
        before = known.get(name, [None])
        self._write_digests({**known, name: [*dict.fromkeys([*before, digest])]})
        self.shelf.write(f"{self.where}/{name}", content)
        self._write_digests({**known, name: [digest]})

    def has(self, name: str) -> bool:
        """Say whether a file lies beside the version."""
        folder, _, file = f"{self.where}/{name}".rpartition("/")
        return file in self.shelf.names(folder)

    def attested(self, name: str) -> Any:
        """Read a JSON file that was laid beside the version; raises `UserError` where it is not what was laid there."""
        return json.loads(self.said(name))

    def said(self, name: str) -> bytes:
        """Read a file that was laid beside the version; raises `UserError` where it is not what was laid there."""
        try:
            raw = self.shelf.read(f"{self.where}/{name}")
        except FileNotFoundError as error:
            raise UserError(f"{self.where}/{name} is missing; `winnow verify` tells more") from error
        if hashlib.sha256(raw).hexdigest() not in self.digests.get(name, ()):
            raise UserError(
                f"{self.where}/{name} was changed since it was written; `winnow verify` tells more"
            )
        return raw

    def says(self, name: str, held: Any) -> bool:
        """Say whether a JSON file beside the version holds this; one that is missing or broken does not."""
        with suppress(UserError):
            return bool(self.attested(name) == held)
        return False

    @property
    def digests(self) -> dict[str, list[str | None]]:
        """The digests that each file beside the shards may have; null stands for its absence.

        Raises `UserError` where there is no such list.
        """
        try:
            held = json.loads(self.shelf.read(f"{self.where}/{DIGESTS}"))
        except (ValueError, FileNotFoundError) as error:
            raise UserError(f"{self.where}/{DIGESTS} cannot be read ({error})") from error
        sound = isinstance(held, dict) and all(
            isinstance(allowed, list) and all(one is None or isinstance(one, str) for one in allowed)
            for allowed in held.values()
        )
        if not sound:
            raise UserError(f"{self.where}/{DIGESTS} is no list of files and their digests")
        return dict(held)

    def _write_digests(self, held: Mapping[str, Any]) -> None:
        self.shelf.write(f"{self.where}/{DIGESTS}", digests(held))


def digests(held: Mapping[str, list[str | None]]) -> bytes:
    """Return the file of digests."""
    return json.dumps(dict(sorted(held.items())), indent=1).encode()
