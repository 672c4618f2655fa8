"""The one place that knows the layout of a store.

snapshots/<digest>/    corpora at rest
memo/<key>/            what stages measured, fitted, made
runs/<run>/            recipe, summary, ledger, dropped rows, model, scores
objects/ versions/ refs/ forgotten/    what is published, and what is no more: `corpus.versions.library`
published              where what is published lies, if that is elsewhere: a bucket
forgetting.json        what is being forgotten, until it is done
lock                   held by whoever works in the store
"""

import fcntl
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from corpus import snapshot
from corpus.bucket import Bucket
from corpus.disk import Disk
from corpus.fetch import cache_folder
from corpus.lock import locked
from corpus.schema import UserError
from corpus.snapshot import Snapshot
from corpus.versions.library import Library

_PUBLISHED = "published"
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Store:
    """A store on a local disk. Its folders are made when they are first written to."""

    root: Path

    @cached_property
    def disk(self) -> Disk:
        """The folder that it lies in."""
        return Disk(self.root)

    @classmethod
    def at(cls, place: str) -> "Store":
        """Return the store at a path or at `s3://bucket/prefix`.

        What is published there goes to the bucket; all else that a store holds lies in this machine's cache.
        """
        if "://" not in place:
            return cls(Path(place).resolve())
        bucket = Bucket(place.rstrip("/"))
        name = hashlib.sha256(bucket.uri.encode()).hexdigest()[:16]
        store = cls(cache_folder() / "stores" / name)
        if not (store.root / _PUBLISHED).exists():
            store.disk.write(_PUBLISHED, bucket.uri.encode())
        return store

    @cached_property
    def library(self) -> Library:
        """Its published versions, and the names that they have."""
        elsewhere = self.root / _PUBLISHED
        return Library(Bucket(elsewhere.read_text()) if elsewhere.exists() else self.disk, self.disk)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Work in the store beside others, while nobody erases from it; waits for one who does."""
        with self._lock(fcntl.LOCK_SH):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Work in the store while nobody else does; raises `UserError` where a run is in progress."""
        with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield

    @contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        if not self.root.exists():
            self.disk.make(self.root)
        with ExitStack() as held:
            try:
                held.enter_context(locked(self.root / "lock", how))
            except BlockingIOError as error:
                raise UserError(
                    f"a run is in progress in {self.root}; rows can be erased when it has ended"
                ) from error
            except OSError as error:
                raise UserError(
                    f"the store {self.root} cannot be written ({error.strerror}); name another with --store"
                ) from error
            yield

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """Lend an empty folder on the store's own disk; what is left in it at the end is removed."""
        with self.disk.aside() as folder:
            yield folder

    # --- corpora and what was measured

    def snapshot(self, tables: Iterable[pa.Table], part_rows: int) -> Snapshot:
        """Write rows that come in id order as a snapshot, under the digest of their content."""
        with self.aside() as folder:
            return self.keep(snapshot.write(folder / "made", tables, part_rows))

    def keep(self, made: Snapshot) -> Snapshot:
        """Move a snapshot that was written aside to its place. The cut into parts is part of its name."""
        name = hashlib.sha256(f"{made.digest} {[part.rows for part in made.parts]}".encode()).hexdigest()
        return Snapshot.open(self.disk.place(made.folder, self.root / "snapshots" / name))

    def open_snapshot(self, name: str) -> Snapshot:
        """Open a snapshot by the name of its folder."""
        return Snapshot.open(self.root / "snapshots" / name)

    def memo(self, key: str) -> Path:
        """Return where what has this key stands, or would stand."""
        return self.root / "memo" / key[:2] / key

    def remember(self, made: Path, key: str) -> None:
        """Keep what was written aside under this key; what stands there already stays."""
        self.disk.place(made, self.memo(key))

    @property
    def replay(self) -> Path:
        """The folder of what was made text by text."""
        return self.root / "memo" / "texts"

    # --- runs

    def new_run(self) -> Path:
        """Make the folder of a new run; its name tells when it began.

        Names sort by that. Where the clock ran backwards, or two runs begin in one second, it is a second after
        the last run's.
        """
        now = datetime.now(UTC).replace(microsecond=0)
        stamps = [name.partition("-")[0] for name in self.disk.names("runs")]
        if stamps and stamps[-1] >= f"{now:{_STAMP}}":
            with suppress(ValueError):
                now = datetime.strptime(stamps[-1], _STAMP).replace(tzinfo=UTC) + timedelta(seconds=1)
        folder = self.root / "runs" / f"{now:{_STAMP}}-{uuid.uuid4().hex[:6]}"
        self.disk.make(folder)
        return folder

    def write_file(self, final: Path, content: str | bytes) -> Path:
        """Write one small file of the store, whole or not at all; an earlier one of the name is replaced."""
        self.disk.write(
            str(final.relative_to(self.root)), content.encode() if isinstance(content, str) else content
        )
        return final
