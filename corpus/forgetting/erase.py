"""Erases rows from what a store rebuilds, and what quotes them from all that is told of it.

What is rebuilt from sources (snapshots, what was measured) goes as a whole where it holds such a row: what is left of
it could not be told from what it was. What was made text by text goes altogether: it has no ids, and what grew of a row
may say it too. Versions are for people to withdraw.
"""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import measures
from corpus.came import REPEATED, key_of
from corpus.forgetting.find import Found
from corpus.forgetting.places import of_run
from corpus.schema import keyed_id
from corpus.standing import refers
from corpus.store import Store
from corpus.versions.rows import forget_decoded

_QUOTING = (
    ("samples", ("id", "other"), ("text", "other_text")),
    ("pairs", ("id",), ("text", "instead_text")),
    ("clusters", ("id",), ("text",)),
    ("examples", ("id", "parent_id"), ("parent", "grown")),
    ("refused", ("id", "parent_id"), ("parent", "grown")),
)
"""What quotes rows in what curation told: where the ids stand, and where the texts."""
_OF_GROWTH = ("examples", "refused")
"""Which of them stand in what it told of growth."""


def tidy(store: Store) -> None:
    """Remove what killed runs left half done, or what cannot be read, but may hold rows: the store is held alone."""
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
                pq.read_table(file)
            except (pa.ArrowException, OSError):
                file.unlink()
    named = _named(store)
    for file in sorted(store.root.glob("memo/??/*/messages.parquet")):
        if file.parent not in named:
            store.disk.remove(str(file.parent.relative_to(store.root)))
    for file in store.replay.rglob(".*"):
        file.unlink()


def _named(store: Store) -> set[Path]:
    """Return the measurements that runs refer to."""
    return {
        part["memo"]
        for file in store.root.glob("runs/*/segments/*/parts.parquet")
        for part in refers(file.parent)
    }


def erase(store: Store, found: Found) -> dict[str, int]:
    """Erase the rows from snapshots, from what was measured and made, from dropped rows and from this machine's caches.

    Returns how much went of each. Reports and versions are not touched.
    """
    gone = {"snapshots": len(found.snapshots), "measured": 0, "made": 0, "dropped": 0, "decoded": 0}
    gone["ledgers"] = _redacted(store, found)
    for folder in _measured(store, found):
        store.disk.remove(str(folder.relative_to(store.root)))
        gone["measured"] += 1
    for file in store.replay.rglob("*.parquet"):
        store.disk.remove(str(file.relative_to(store.root)))
        gone["made"] += 1
    for version in store.library.readable():
        files = found.versions.get(version.id, {})
        gone["decoded"] += forget_decoded([shard.sha256 for shard in version.shards if shard.file in files])
    for name in found.snapshots:
        store.disk.remove(f"snapshots/{name}")
    for place in [of_run(folder) for folder in sorted((store.root / "runs").glob("*"))]:
        for file in place.files:
            gone["dropped"] += _without(store, file, place.name, found)
    for file in sorted(store.root.glob("runs/*/predictions.parquet")):
        gone["dropped"] += _without(store, file, "", found)
    return gone


def _measured(store: Store, found: Found) -> set[Path]:
    """Return the memo's folders over parts that hold one of the rows, or with the fingerprint of one."""
    prints = pa.array(sorted(found.prints), pa.binary(16))
    folders = set()
    for file in sorted(store.root.glob(f"memo/??/*/{measures.FILE}")):
        try:
            known = measures.read(file, ["fingerprint"])["fingerprint"]
        except (pa.ArrowException, OSError):
            folders.add(file.parent)  # what cannot be read is measured anew
            continue
        if pc.any(pc.is_in(known, prints.cast(known.type))).as_py():
            folders.add(file.parent)
    for file in sorted(store.root.glob("runs/*/segments/*/parts.parquet")):
        for part in refers(file.parent):
            if part["file"].parent.name in found.snapshots:
                folders.add(part["memo"])
    return {folder for folder in folders if folder.exists()}


def redact(ledger: pa.Table, found: Found) -> pa.Table | None:
    """Return a ledger without the details that quote a forgotten row or its key; None where there are none.

    That a row was dropped, by which stage and why, stays: it says nothing that the row said.
    """
    quotes = pc.or_(pc.is_in(ledger["id"], found.sorted), _names_key(ledger, found))
    wanted = found.wanted
    if wanted.source is not None:
        quotes = pc.or_(quotes, pc.fill_null(pc.equal(ledger["source"], wanted.source), False))
    if wanted.pattern is not None:
        met = pc.match_substring_regex(ledger["detail"], wanted.pattern)
        quotes = pc.or_(quotes, pc.fill_null(met, False))
    quotes = pc.and_(quotes, pc.not_equal(ledger["action"], "forget"))  # which says why people forgot it
    quotes = pc.and_(quotes, ledger["detail"].is_valid())
    if not pc.any(quotes).as_py():
        return None
    place = ledger.schema.get_field_index("detail")
    return ledger.set_column(
        place, "detail", pc.if_else(quotes, pa.scalar(None, pa.string()), ledger["detail"])
    )


def _names_key(ledger: pa.Table, found: Found) -> pa.Array:
    """Say which details name the key of one of the rows: those of records that were refused for it."""
    named = np.zeros(len(ledger), bool)
    for place in np.flatnonzero(pc.equal(ledger["reason"], REPEATED).to_numpy(zero_copy_only=False)):
        line = ledger.slice(place, 1).to_pylist()[0]
        key = None if line["detail"] is None else key_of(line["detail"])
        named[place] = key is not None and keyed_id(line["source"], key) in found.ids
    return pa.array(named)


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


def _without(store: Store, file: Path, place: str, found: Found) -> int:
    """Write a file of rows again without those that are forgotten; return how many they were."""
    rows = pq.read_table(file)
    met = found.mask(rows, place)
    count = int(pc.sum(met).as_py() or 0)
    if count:
        with store.aside() as folder:
            pq.write_table(rows.filter(pc.invert(met)), folder / file.name, compression="zstd")
            (folder / file.name).replace(file)
    return count


def clean(told: dict[str, Any], found: Found) -> bool:
    """Take what quotes the rows out of what curation told (`curation.json`); say whether there was any."""
    changed = False
    for name, ids, texts in _QUOTING:
        held = told["growth"] if name in _OF_GROWTH else told
        if held is None or held.get(name) is None:
            continue  # nothing was grown, or an earlier build told nothing of it
        left = [
            one
            for one in held[name]
            if found.ids.isdisjoint(one.get(key) for key in ids)
            and not any(_quotes(found, one.get(key) or "") for key in texts)
        ]
        changed |= len(left) < len(held[name])
        held[name] = left
    return changed


def _quotes(found: Found, said: str) -> bool:
    """Say whether a text that is quoted somewhere is one of those that are meant by what they say."""
    if found.wanted.pattern is None:
        return False
    return bool(pc.match_substring_regex(pa.array([said]), found.wanted.pattern)[0].as_py())
