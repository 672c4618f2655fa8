"""Where a store holds rows, all that grew of them included, and how they are erased there.

What is rebuilt from sources (snapshots, what was measured, what was made text by text) goes as a whole where it
holds such a row: what is left of it could not be told from what it was. Versions are for people to withdraw.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import text
from corpus.schema import UserError, keyed_id
from corpus.snapshot import Snapshot
from corpus.store import Store
from corpus.versions.rows import forget_decoded
from corpus.versions.version import TOMBSTONE, Version

_COLUMNS = ["id", "source", "parent", "messages"]


@dataclass(frozen=True)
class Wanted:
    """Which rows are to be forgotten: those of a source, one (by id, unique prefix or key), or those that match.

    `pattern` is a regular expression in RE2's syntax, which no text can make slow.
    """

    source: str | None = None
    row: str | None = None
    pattern: str | None = None


@dataclass
class Found:
    """What a store holds of the rows: ids, and the versions, snapshots and runs that hold one of them."""

    ids: set[str] = field(default_factory=set)
    matched: set[str] = field(default_factory=set)
    """Ids that are meant for what a row of theirs says: another record under the same key may say something else."""
    forms: set[bytes] = field(default_factory=set)
    """Fingerprints of what these rows say."""
    prints: set[bytes] = field(default_factory=set)
    """Fingerprints of all rows that were found."""
    wanted: Wanted = field(default_factory=Wanted)
    versions: dict[str, dict[str, int]] = field(default_factory=dict)
    """For each version how many of the rows each of its shards has."""
    snapshots: set[str] = field(default_factory=set)

    @cached_property
    def sorted(self) -> pa.StringArray:
        """The ids, sorted; there are no more of them from then on."""
        return pa.array(sorted(self.ids), pa.string())

    def mask(self, rows: pa.Table) -> pa.Array:
        """Say which rows are among them: by id, and where a text was meant by what they say, if that is known."""
        named = pc.is_in(rows["id"], self.sorted).combine_chunks()
        if not self.matched or "messages" not in rows.column_names or not pc.any(named).as_py():
            return named
        said = pc.is_in(text.fingerprints(rows), pa.array(sorted(self.forms), pa.binary(16)))
        other = pc.invert(pc.is_in(rows["id"], pa.array(sorted(self.matched), pa.string())))
        return pc.and_(named, pc.or_(said, other.combine_chunks()))


def find(store: Store, wanted: Wanted) -> Found:
    """Look through versions, snapshots and dropped rows; raises `UserError` where nothing is meant, or more than one row."""
    found = Found(wanted=wanted)
    parents: dict[str, set[str]] = {}
    called: set[str] = set()
    for rows in _everywhere(store):
        grown = rows.filter(rows["parent"].is_valid())
        for child, parent in zip(grown["id"].to_pylist(), grown["parent"].to_pylist(), strict=True):
            parents.setdefault(parent, set()).add(child)
        met = rows.filter(_meant(rows, wanted))
        called.update(met["id"].to_pylist())
        if wanted.pattern is not None:
            found.forms.update(text.fingerprints(met).to_pylist())
    if wanted.row is not None:
        called = {wanted.row} if wanted.row in called else called
        if len(called) > 1:
            raise UserError(f"{len(called)} rows are called {wanted.row!r}; give a whole id")
    found.matched = set(called) if wanted.pattern is not None else set()
    waiting = list(called)
    while waiting:
        row_id = waiting.pop()
        if row_id not in found.ids:
            found.ids.add(row_id)
            waiting += parents.get(row_id, ())
    if not found.ids:
        what = next(f"{name} {value!r}" for name, value in vars(wanted).items() if value is not None)
        raise UserError(f"the store {store.root} holds no row of {what}; nothing was changed")
    _locate(store, found)
    return found


def _meant(rows: pa.Table, wanted: Wanted) -> pa.Array | pa.ChunkedArray:
    if wanted.source is not None:
        return pc.equal(rows["source"], wanted.source)
    if wanted.row is not None:
        sources = pc.unique(rows["source"]).drop_null().to_pylist()  # what was grown has none
        keyed = {keyed_id(source, wanted.row) for source in sources}
        return pc.or_(
            pc.starts_with(rows["id"], wanted.row), pc.is_in(rows["id"], pa.array(sorted(keyed), pa.string()))
        )
    assert wanted.pattern is not None
    try:
        met = pc.match_substring_regex(text.contents(rows), wanted.pattern)
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{wanted.pattern!r} is no regular expression: {' '.join(str(error).split())}"
        ) from error
    return met.fill_null(False)


def _everywhere(store: Store) -> Iterator[pa.Table]:
    """Yield the rows of all versions, snapshots, and runs' dropped rows, part by part."""
    for version in versions(store):
        for shard in version.shards:
            yield from _groups(version.shelf.local(f"{version.where}/{shard.file}"))
    for snapshot in _snapshots(store):
        for part in snapshot.parts:
            yield from _groups(part.path)
    for file in _dropped(store):
        yield from _groups(file)


def _dropped(store: Store) -> Iterator[Path]:
    """Yield the files of dropped rows that can be read; a run that was killed may leave half of one."""
    for file in sorted(store.root.glob("runs/*/dropped/*.parquet")):
        with suppress(pa.ArrowException):
            pq.read_metadata(file)
            yield file


def _groups(path: Path, columns: Sequence[str] = tuple(_COLUMNS)) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=list(columns))


def versions(store: Store) -> Iterator[Version]:
    """Yield the versions that can be read."""
    for name in store.library.versions():
        with suppress(UserError, FileNotFoundError):
            version = Version.look(store.library.shelf, name)
            if version.withdrawn is None and version.shards is not None:
                yield version


def unreadable(store: Store) -> list[str]:
    """Return the versions that cannot be read, and so were not searched."""
    readable = {version.id for version in versions(store)}
    withdrawn = {
        name
        for name in store.library.versions()
        if TOMBSTONE in store.library.shelf.names(f"versions/{name}")
    }
    return sorted({*store.library.versions()} - readable - withdrawn)


def _snapshots(store: Store) -> Iterator[Snapshot]:
    for folder in sorted((store.root / "snapshots").glob("*")):
        yield Snapshot.open(folder)


def tidy(store: Store) -> None:
    """Remove what killed runs left half done, which nobody reads again but which may hold rows: the store is held alone."""
    for name in store.disk.names("tmp"):
        shutil.rmtree(store.root / "tmp" / name, ignore_errors=True)
    for folder in sorted((store.root / "runs").glob("*")):
        if not (folder / "began.json").exists():
            store.disk.remove(f"runs/{folder.name}")
    for pattern in (
        "dropped/*.parquet",
        "segments/*/parts.parquet",
        "segments/*/ledger.parquet",
        "*.parquet",
    ):
        for file in sorted(store.root.glob(f"runs/*/{pattern}")):
            try:
                pq.read_metadata(file)
            except pa.ArrowException:
                file.unlink()
    named = _named(store)
    for file in sorted(store.root.glob("memo/??/*/messages.parquet")):
        if str(file.parent) not in named:
            store.disk.remove(str(file.parent.relative_to(store.root)))
    for file in store.replay.rglob(".*"):
        file.unlink()


def _named(store: Store) -> set[str]:
    """Return the measurements that runs refer to."""
    return {
        memo
        for file in store.root.glob("runs/*/segments/*/parts.parquet")
        for memo in pq.read_table(file, columns=["memo"])["memo"].to_pylist()
    }


def _locate(store: Store, found: Found) -> None:
    """Find where the rows lie, and the fingerprints of all that they said."""
    for version in versions(store):
        for shard in version.shards:
            count = _met(_groups(version.shelf.local(f"{version.where}/{shard.file}")), found)
            if count:
                found.versions.setdefault(version.id, {})[shard.file] = count
    for snapshot in _snapshots(store):
        for part in snapshot.parts:
            if _met(_groups(part.path), found):
                found.snapshots.add(snapshot.folder.name)
    for file in _dropped(store):
        _met(_groups(file), found)


def _met(tables: Iterable[pa.Table], found: Found) -> int:
    count = 0
    for rows in tables:
        met = rows.filter(found.mask(rows))
        if met.num_rows:
            found.prints.update(text.fingerprints(met).to_pylist())
            count += met.num_rows
    return count


# --- erasing


def erase(store: Store, found: Found) -> dict[str, int]:
    """Erase the rows from snapshots, from what was measured and made, from dropped rows and from this machine's caches.

    Returns how much went of each. Reports and versions are not touched.
    """
    gone = {"snapshots": len(found.snapshots), "measured": 0, "made": 0, "dropped": 0, "decoded": 0}
    gone["ledgers"] = _redacted(store, found)
    for folder in _measured(store, found):
        store.disk.remove(str(folder.relative_to(store.root)))
        gone["measured"] += 1
    for name in found.snapshots:
        store.disk.remove(f"snapshots/{name}")
    for file in store.replay.rglob("*.parquet"):
        store.disk.remove(str(file.relative_to(store.root)))
        gone["made"] += 1
    for file in [*_dropped(store), *sorted(store.root.glob("runs/*/predictions.parquet"))]:
        gone["dropped"] += _without(store, file, found)
    for version, files in found.versions.items():
        held = Version.look(store.library.shelf, version)
        gone["decoded"] += forget_decoded([shard.sha256 for shard in held.shards if shard.file in files])
    return gone


def _measured(store: Store, found: Found) -> set[Path]:
    """Return the memo's folders over parts that hold one of the rows, or with the fingerprint of one."""
    prints = pa.array(sorted(found.prints), pa.binary(16))
    folders = set()
    for file in sorted(store.root.glob("memo/??/*/features.parquet")):
        known = pq.read_table(file, columns=["fingerprint"])["fingerprint"]
        if pc.any(pc.is_in(known, prints.cast(known.type))).as_py():
            folders.add(file.parent)
    for file in sorted(store.root.glob("runs/*/segments/*/parts.parquet")):
        for part in pq.read_table(file).to_pylist():
            if Path(part["file"]).parent.name in found.snapshots:
                folders.add(Path(part["memo"]))
    return {folder for folder in folders if folder.exists()}


def redact(ledger: pa.Table, found: Found) -> pa.Table | None:
    """Return a ledger without the details that quote a forgotten row or its key; None where there are none.

    That a row was dropped, by which stage and why, stays: it says nothing that the row said.
    """
    quotes = pc.is_in(ledger["id"], found.sorted)
    for quoted, find_in in (
        (found.wanted.row, pc.match_substring),
        (found.wanted.pattern, pc.match_substring_regex),
    ):
        if quoted:
            quotes = pc.or_(quotes, pc.fill_null(find_in(ledger["detail"], quoted), False))
    quotes = pc.and_(quotes, pc.not_equal(ledger["action"], "forget"))  # which says why people forgot it
    quotes = pc.and_(quotes, ledger["detail"].is_valid())
    if not pc.any(quotes).as_py():
        return None
    place = ledger.schema.get_field_index("detail")
    return ledger.set_column(
        place, "detail", pc.if_else(quotes, pa.scalar(None, pa.string()), ledger["detail"])
    )


def _redacted(store: Store, found: Found) -> int:
    """Redact the ledgers of all runs; return how many changed."""
    count = 0
    for pattern in ("ledger", "rejects", "replaced", "segments/*/ledger"):
        for file in sorted(store.root.glob(f"runs/*/{pattern}.parquet")):
            left = redact(pq.read_table(file), found)
            if left is not None:
                with store.aside() as folder:
                    pq.write_table(left, folder / file.name, compression="zstd")
                    (folder / file.name).replace(file)
                count += 1
    return count


def _without(store: Store, file: Path, found: Found) -> int:
    """Write a file of rows again without those that are forgotten; return how many they were."""
    rows = pq.read_table(file)
    met = found.mask(rows)
    count = int(pc.sum(met).as_py() or 0)
    if count:
        with store.aside() as folder:
            pq.write_table(rows.filter(pc.invert(met)), folder / file.name, compression="zstd")
            (folder / file.name).replace(file)
    return count


def clean(told: dict[str, Any], found: Found) -> bool:
    """Take what quotes the rows out of what curation told (`curation.json`); say whether there was any."""
    samples = told["samples"] or []
    left = [
        sample for sample in samples if sample["id"] not in found.ids and not _quotes(found, sample["text"])
    ]
    changed = len(left) < len(samples)
    told["samples"] = left
    growth = told["growth"]
    if growth is not None:
        examples = growth["examples"]
        growth["examples"] = [
            one
            for one in examples
            if found.ids.isdisjoint({one["id"], one["parent_id"]})
            and not _quotes(found, one["parent"])
            and not _quotes(found, one["grown"])
        ]
        changed |= len(growth["examples"]) < len(examples)
    return changed


def _quotes(found: Found, said: str) -> bool:
    """Say whether a text that is quoted somewhere is one of those that are meant by what they say."""
    if found.wanted.pattern is None:
        return False
    return bool(pc.match_substring_regex(pa.array([said]), found.wanted.pattern)[0].as_py())
