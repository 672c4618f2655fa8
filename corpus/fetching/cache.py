"""Fetched files and folders by content, and which content a URI means.

objects/<sha256>/content/<name>    a file or a folder
objects/<sha256>/stamp.json        size and time of each of its files when its digest was last seen right
meanings/<digest of a URI>.json    {"uri": "https://example.org/a.csv", "sha256": "..."}
aside/<fetch>/                     what is not whole yet
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from corpus.schema import UserError
from corpus.sync import sync

_ABANDONED = 24 * 3600
"""Seconds after which a fetch that left its things aside was killed."""


def digest_of(path: Path) -> str:
    """Return the sha256 of a file, or of the sorted lines "sha256  relative name" of a folder's files."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    lines = sorted(f"{digest_of(file)}  {file.relative_to(path).as_posix()}\n" for file in _files(path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Cache:
    """A folder that processes may share: everything comes into it whole, by a rename."""

    folder: Path

    def meaning(self, uri: str) -> str | None:
        """Return the digest that the first fetch of `uri` found."""
        path = self._meaning(uri)
        return str(orjson.loads(path.read_bytes())["sha256"]) if path.is_file() else None

    def settle(self, uri: str, sha256: str) -> None:
        """Write down the digest that `uri` means."""
        path = self._meaning(uri)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, {"uri": uri, "sha256": sha256})

    def find(self, sha256: str) -> Path | None:
        """Return the content of this digest; None where there is none, or where it is damaged.

        It is hashed again only if a size or a time differs from the stamp.
        """
        kept = self.folder / "objects" / sha256
        held = sorted((kept / "content").glob("*"))
        if not held:
            return None
        if _stamp(kept) != _read_stamp(kept):
            if digest_of(held[0]) != sha256:
                return None
            if os.access(kept, os.W_OK):  # a cache that is shared read-only is hashed each time
                _write(kept / "stamp.json", _stamp(kept))
        return held[0]

    @contextmanager
    def aside(self) -> Iterator[Path]:
        """Lend an empty folder for a fetch; it is gone afterwards, and so are those that killed ones left."""
        place = self.folder / "aside"
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"needed to write to the cache {self.folder}, but {error.strerror}: set WINNOW_CACHE"
            ) from error
        for left in place.iterdir():
            if time.time() - left.stat().st_mtime > _ABANDONED:
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def keep(self, aside: Path, path: Path, sha256: str) -> Path:
        """Move `path`, which lies in `aside`, to its place by content, and return where it is.

        What is there already stays, unless it is damaged.
        """
        whole = aside / f".{sha256}"
        (whole / "content").mkdir(parents=True)
        path.rename(whole / "content" / path.name)
        _write(whole / "stamp.json", _stamp(whole))
        for place, _, names in os.walk(whole):
            for name in [*names, "."]:
                sync(Path(place, name))
        kept = self.folder / "objects" / sha256
        kept.parent.mkdir(exist_ok=True)
        with self._alone():
            held = self.find(sha256)
            if held is None:
                if kept.exists():
                    kept.rename(aside / ".damaged")
                whole.rename(kept)
                sync(kept.parent)
        return held or kept / "content" / path.name

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _meaning(self, uri: str) -> Path:
        return self.folder / "meanings" / f"{hashlib.sha256(uri.encode()).hexdigest()}.json"


def _files(folder: Path) -> list[Path]:
    found = [Path(place, name) for place, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.is_file())


def _stamp(kept: Path) -> dict[str, list[int]]:
    content = kept / "content"
    stats = {file.relative_to(content).as_posix(): file.stat() for file in _files(content)}
    return {name: [found.st_size, found.st_mtime_ns] for name, found in stats.items()}


def _read_stamp(kept: Path) -> Any:
    path = kept / "stamp.json"
    return orjson.loads(path.read_bytes()) if path.is_file() else None


def _write(path: Path, value: Any) -> None:
    aside = path.with_name(f".{uuid.uuid4().hex}")
    aside.write_bytes(orjson.dumps(value))
    sync(aside)
    aside.replace(path)
