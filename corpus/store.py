"""The one place that knows the layout of a store and writes to it: write aside, sync, rename.

snapshots/<digest>/    corpora at rest
memo/<key>/            what stages measured, fitted, made
objects/<sha256>.parquet
versions/<version>/    data/<split>-*.parquet (links to objects), manifest.json, attestations beside it
refs/<name>/<n>        which version a name means; the highest n wins, and together they are the log
runs/<run>/            recipe, summary, ledger, dropped rows, model, scores
"""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from corpus import snapshot, version
from corpus.schema import UserError
from corpus.snapshot import Snapshot
from corpus.sync import sync


@dataclass(frozen=True)
class Store:
    """A store on a local disk. Its folders are made when they are first written to."""

    root: Path

    @contextlib.contextmanager
    def aside(self) -> Iterator[Path]:
        """Lend an empty folder on the store's own disk; what is left in it at the end is removed."""
        folder = self.root / "tmp" / uuid.uuid4().hex
        self._make(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise UserError(
                f"the store {self.root} cannot be written ({error.strerror}); name another with --store"
            ) from error

    def place(self, made: Path, final: Path) -> Path:
        """Move what was written aside to its place, whole; where it stands already, that one stays."""
        for file in [made, *made.rglob("*")] if made.is_dir() else [made]:
            sync(file)
        final.parent.mkdir(parents=True, exist_ok=True)
        try:
            made.rename(final)
        except OSError:
            if not final.exists():
                raise
        sync(final.parent)
        return final

    # --- corpora and what was measured

    def snapshot(self, tables: Iterable[pa.Table], part_rows: int) -> Snapshot:
        """Write rows that come in id order as a snapshot, under the digest of their content."""
        with self.aside() as folder:
            return self.keep(snapshot.write(folder / "made", tables, part_rows))

    def keep(self, made: Snapshot) -> Snapshot:
        """Move a snapshot that was written aside to its place. The cut into parts is part of its name."""
        name = hashlib.sha256(f"{made.digest} {[part.rows for part in made.parts]}".encode()).hexdigest()
        return Snapshot.open(self.place(made.folder, self.root / "snapshots" / name))

    def open_snapshot(self, name: str) -> Snapshot:
        """Open a snapshot by the name of its folder."""
        return Snapshot.open(self.root / "snapshots" / name)

    def memo(self, key: str) -> Path:
        """Return where what has this key stands, or would stand."""
        return self.root / "memo" / key[:2] / key

    @property
    def replay(self) -> Path:
        """The folder of what was made text by text."""
        return self.root / "memo" / "texts"

    # --- runs

    def new_run(self) -> Path:
        """Make the folder of a new run; its name tells when it began."""
        folder = self.root / "runs" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"
        self._make(folder)
        return folder

    def write_file(self, final: Path, content: str | bytes) -> Path:
        """Write one small file, whole or not at all; an earlier one of the name is replaced."""
        with self.aside() as folder:
            made = folder / final.name
            made.write_bytes(content.encode() if isinstance(content, str) else content)
            sync(made)
            final.parent.mkdir(parents=True, exist_ok=True)
            made.replace(final)
            sync(final.parent)
        return final

    # --- versions

    def publish(
        self, splits: Mapping[str, Iterable[pa.Table]], recipe: Mapping[str, Any], card: version.Card
    ) -> version.Version:
        """Write the rows of each split (in id order) as a version, and return it. No name refers to it yet.

        `recipe` is all that the identity holds beside the rows. A version that stands already stays as it
        is: its id says that it is the same.
        """
        with self.aside() as folder:
            held = {
                split: version.write_shards(tables, split, folder / "objects")
                for split, tables in splits.items()
            }
            manifest = version.manifest(recipe, held)
            made = folder / manifest["version"]
            (made / "data").mkdir(parents=True)
            for split, shards in held.items():
                for number, shard in enumerate(shards.shards):
                    stands = self.place(shard.file, self.root / "objects" / f"{shard.sha256}.parquet")
                    os.link(stands, made / "data" / f"{split}-{number:05d}-{shard.sha256[:8]}.parquet")
            (made / "manifest.json").write_bytes(version.canonical(manifest))
            (made / "README.md").write_text(card.render(manifest, held))
            (made / "attestations").mkdir()
            (made / "attestations" / "shards.json").write_text(
                json.dumps(version.shard_attestation(held), indent=1)
            )
            return version.Version.open(self.place(made, self.root / "versions" / manifest["version"]))

    def open_version(self, name: str) -> version.Version:
        """Open a version by id, unique prefix of an id, or ref."""
        folder = self.root / "versions"
        log = self.log(name)
        wanted = log[-1]["version"] if log else name
        found = (
            sorted(entry for entry in folder.glob(f"{wanted}*") if (entry / "manifest.json").exists())
            if wanted.isalnum()
            else []
        )
        if len(found) != 1:
            many = "no version or ref" if not found else f"{len(found)} versions"
            raise UserError(f"{many} in {self.root} match {name!r}; `ls {folder}` lists the versions")
        return version.Version.open(found[0])

    def log(self, name: str) -> list[dict[str, Any]]:
        """Return what a name has meant, the oldest first."""
        folder = self.root / "refs" / name
        if ".." in name or not folder.is_dir():
            return []
        return [
            json.loads((folder / str(number)).read_text())
            for number in sorted(int(entry.name) for entry in folder.iterdir())
        ]

    def set_ref(self, name: str, meant: str, **why: str) -> int:
        """Let `name` mean a version from now on. Of two writers one wins and the other is told."""
        folder = self.root / "refs" / name
        folder.mkdir(parents=True, exist_ok=True)
        number = len(self.log(name)) + 1
        entry = {"n": number, "version": meant, "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", **why}
        with self.aside() as scratch:
            made = scratch / "ref"
            made.write_text(json.dumps(entry))
            sync(made)
            try:
                os.link(made, folder / str(number))
            except FileExistsError as error:
                raise UserError(
                    f"another run moved the ref {name!r} at the same time; run again to build on its version"
                ) from error
        sync(folder)
        return number
