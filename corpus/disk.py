"""A folder in which everything is whole or absent: written aside, synced, renamed."""

import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from corpus.lock import locked
from corpus.schema import UserError
from corpus.sync import sync


@dataclass(frozen=True)
class Disk:
    """A folder on a local disk. It is made when it is first written to.

    Names are relative paths with `/`. Whoever reads one sees all of what was written under it, or nothing.
    """

    root: Path
    alone: ClassVar[bool] = True
    """All who write hold the lock of the store (`corpus.store`)."""

    @contextlib.contextmanager
    def aside(self) -> Iterator[Path]:
        """Lend an empty folder on the same disk; what is left in it at the end is removed."""
        folder = self.root / "tmp" / uuid.uuid4().hex
        self.make(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def make(self, folder: Path) -> None:
        """Make a folder; raise `UserError` where nothing can be written."""
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

    # --- what a library asks of its shelf (`corpus.versions.shelf.Shelf`)

    def path(self, name: str) -> Path:
        """Return where a name stands; it may not lead out of the folder."""
        path = self.root / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise UserError(
                f"{name!r} leads out of the store {self.root}; names have no `..` and begin with no /"
            )
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise UserError(f"{name!r} is a link that leads out of the store {self.root}; remove the link")
        return path

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises `FileNotFoundError`."""
        return self.path(name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write one small file; an earlier one of the name is replaced."""
        final = self.path(name)
        with self.aside() as folder:
            made = folder / final.name
            made.write_bytes(content)
            sync(made)
            final.parent.mkdir(parents=True, exist_ok=True)
            made.replace(final)
            sync(final.parent)

    def create(self, name: str, content: bytes) -> bool:
        """Write one small file if the name is free, and say whether it was: of many who try at once one wins."""
        final = self.path(name)
        with self.aside() as folder:
            made = folder / final.name
            made.write_bytes(content)
            sync(made)
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(made, final)
            except FileExistsError:
                return False
        sync(final.parent)
        return True

    def names(self, folder: str) -> list[str]:
        """Return what stands directly in a folder, sorted; nothing where there is none."""
        path = self.path(folder)
        return sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []

    def hold(self, made: Path, name: str) -> None:
        """Move a file that was written aside to its place; an earlier one of the name is replaced."""
        self.place(made, self.path(name))

    def compose(self, made: Path, links: Mapping[str, str], name: str) -> None:
        """Place a folder that was written aside, with links in it to files that stand."""
        for inside, held in links.items():
            (made / inside).parent.mkdir(parents=True, exist_ok=True)
            os.link(self.path(held), made / inside)
        self.place(made, self.path(name))

    def url(self, name: str) -> str:
        """Return where users find what stands under a name."""
        return str(self.path(name))

    def local(self, name: str, *, anew: bool = False) -> Path:
        """Return a file of this machine with what stands under the name."""
        return self.path(name)

    @contextlib.contextmanager
    def lend(self, name: str) -> Iterator[Path]:
        """Lend a file as it stands now."""
        yield self.path(name)

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Let it be known that somebody reads what stands beside a file, until this process ends at the latest."""
        with self.path(name).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Change what stands beside versions while nobody else does."""
        with locked(self.root / "attesting"):
            yield

    def unread(self, name: str) -> bool:
        """Say whether nobody reads what stands beside a file."""
        with self.path(name).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def written(self, name: str) -> datetime:
        """Return when a file was written."""
        return datetime.fromtimestamp(self.path(name).stat().st_mtime, UTC)

    def remove(self, name: str) -> None:
        """Remove a file or a folder with all that is in it; it is gone at once for whoever looks."""
        path = self.path(name)
        with self.aside() as folder, contextlib.suppress(FileNotFoundError):
            path.rename(folder / "gone")
            sync(path.parent)
