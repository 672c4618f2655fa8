"""What a store no longer needs: found by what still refers to it, and only if nobody used it for a while.

Kept are: versions that a name means or meant (of a candidate's name the last), and tombstones; of a bucket, versions
that may be on their way; the runs that made a kept version, the last run of each name, and the young; snapshots and
measurements of kept runs; measurements that were used lately. Models' answers text by text are dear and stay.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from corpus.schema import UserError
from corpus.standing import refers
from corpus.store import Store
from corpus.versions.version import Version


@dataclass(frozen=True)
class Garbage:
    """What may go: versions by id, and folders of the work area; `read` are versions that somebody reads now."""

    versions: list[str]
    read: list[str]
    runs: list[Path]
    snapshots: list[Path]
    measured: list[Path]
    leftovers: list[Path]

    @property
    def folders(self) -> list[Path]:
        """All folders of the work area that may go."""
        return [*self.runs, *self.snapshots, *self.measured, *self.leftovers]


def find(store: Store, days: float, keep: int | None = None) -> Garbage:
    """Find what nobody refers to and nobody used for so many days; of each name the last `keep` entries count (all by default).

    The store must be held alone (`Store.alone`), or nobody may be working in it.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    kept = _meant(store, keep)
    loose = [
        version
        for version in store.library.versions()
        if version not in kept and _withdrawn(store, version) is False and _written(store, version) < before
    ]
    loose += [
        version
        for version in store.library.versions()
        if version not in kept and store.library.broke_off(version)
    ]
    free = [version for version in loose if store.library.shelf.unread(f"versions/{version}/manifest.json")]
    gone = {*free}
    made = {version for version in store.library.versions() if version not in gone}
    last = _last_runs(store)
    runs = [
        run
        for run in _folders(store, "runs/*")
        if run not in last and _age(run) < before and not _made_one(run, made)
    ]
    named, measured = _used(store, {*runs})
    return Garbage(
        free,
        [version for version in loose if version not in gone],
        runs,
        [path for path in _folders(store, "snapshots/*") if path.name not in named and _age(path) < before],
        [
            path
            for path in _folders(store, "memo/[0-9a-f][0-9a-f]/*")
            if path not in measured and _age(path / "done.json") < before
        ],
        [path for path in _folders(store, "tmp/*") if _age(path) < before],
    )


def remove(store: Store, found: Garbage) -> int:
    """Remove what was found, what withdrawals left, and the objects that no version has then; return how many these were."""
    shelf = store.library.shelf
    for version in found.versions:
        where = f"versions/{version}"
        if store.library.broke_off(version) or shelf.unread(f"{where}/manifest.json"):
            shelf.remove(where)
    for folder in found.folders:
        store.disk.remove(str(folder.relative_to(store.root)))
    store.library.finish()
    return len(store.library.sweep())


def size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _meant(store: Store, keep: int | None) -> set[str]:
    found = set()
    for name in store.library.names.all():
        log = store.library.names.log(name)
        for entry in log:
            if entry.problem is not None:  # nobody knows which version it keeps
                raise UserError(entry.problem)
        last = 1 if "@" in name else keep
        found |= {str(entry.version) for entry in (log if last is None else log[-last:])}
    return found


def _withdrawn(store: Store, version: str) -> bool | None:
    """Say whether a version was withdrawn; None where it cannot be read, and `verify` has to tell why."""
    try:
        return Version.look(store.library.shelf, version).withdrawn is not None
    except (OSError, ValueError):
        return None


def _written(store: Store, version: str) -> datetime:
    return store.library.shelf.written(f"versions/{version}/manifest.json")


def _folders(store: Store, pattern: str) -> Iterator[Path]:
    yield from sorted(path for path in store.root.glob(pattern) if path.is_dir())


def _age(path: Path) -> datetime:
    """Return when a path was written last; one that is not there has no age to spare."""
    if not path.exists():
        return datetime.min.replace(tzinfo=UTC)
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _made_one(run: Path, versions: set[str]) -> bool:
    """Say whether a run made one of these versions, or a model on it; one that only found it unchanged did not."""
    made, began = _json(run / "version.json"), _json(run / "began.json") or {}
    if made is None or made["version"] not in versions:
        return False
    return began.get("builds_on") != made["version"] or (run / "adapter").exists()


def _last_runs(store: Store) -> set[Path]:
    last: dict[str, Path] = {}
    for run in _folders(store, "runs/*"):
        recipe = _json(run / "recipe.json")
        if recipe is not None:
            last[recipe["name"]] = run
    return {*last.values()}


def _used(store: Store, gone: set[Path]) -> tuple[set[str], set[Path]]:
    """Return the snapshots (by name) and the measurements (by path) that the runs that stay refer to."""
    snapshots: set[str] = set()
    measured: set[Path] = set()
    for run in _folders(store, "runs/*"):
        if run in gone:
            continue
        for file in [run / "ingest.json", *run.glob("segments/*/input.json")]:
            held = _json(file)
            if held is not None:
                snapshots.add(str(held["snapshot"]))
        for file in run.glob("segments/*/parts.parquet"):
            with suppress(pa.ArrowException):  # a run that was killed as it wrote
                measured |= {part["memo"] for part in refers(file.parent)}
    return snapshots, measured


def _json(file: Path) -> dict[str, str] | None:
    """Read a file of a run; None where it is missing, or a killed run left half of it."""
    try:
        return dict(json.loads(file.read_text()))
    except (FileNotFoundError, ValueError):
        return None
