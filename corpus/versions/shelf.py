"""Where published bytes rest, and where they are put together before: what a library asks of a disk or a bucket."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Protocol


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

    def local(self, name: str, *, anew: bool = False) -> Path:
        """Return a file or folder of this machine with what stands under the name; `anew` passes over copies."""

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


def now() -> str:
    """Return when something is laid on a shelf, as it is written down there."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
