"""Records to a snapshot: ids that stay when a file grows, is reordered or cut, and rejects with their reason."""

import ast
import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import snapshot
from corpus.known import RECORDS, Known
from corpus.schema import LEDGER, UserError, conform, digest, keyed_id, record_id
from corpus.snapshot import Spool
from corpus.sources import File, Source, read
from corpus.versions.forgotten import Forgotten

NOTHING = Forgotten()
REPEATED = "repeated_key"
"""The reason of a reject whose key another record has."""
_SAID = "another record has the key "
MEMORY = 512 * 2**20
"""Bytes of rows that are held before they go to disk."""


@dataclass(frozen=True)
class Ingested:
    """What came of the sources: rows in id order at rest, rejects, and a digest of each source's records.

    Over sources that came before, all of this is of what is new: `replaced` are the ids of earlier rows whose
    records were corrected, and `records` what is known from now on beside what was (`corpus.known.RECORDS`).
    `files` has the SHA-256 of every file of each source, sorted.
    """

    rows: int
    rejects: pa.Table
    digests: dict[str, str]
    replaced: list[str]
    records: pa.Table
    files: dict[str, list[str]]


def ingest(
    sources: Sequence[Source],
    files: Callable[[Source], list[File]],
    folder: Path,
    scratch: Path,
    *,
    seed: int,
    limit: int | None = None,
    known: Mapping[str, Known] | None = None,
    forgotten: Forgotten = NOTHING,
    before: Callable[[list[str]], pa.Table] | None = None,
    part_rows: int = snapshot.PART_ROWS,
    memory: int = MEMORY,
    progress: Callable[[int], None] = lambda _: None,
) -> Ingested:
    """Read `sources` and write their rows to `folder` as a snapshot; of a source that is `known` those that are new.

    Rows that were `forgotten` are rejected. `before` returns id, family and split of rows that are replaced: what
    comes in their place takes these over, but for a split that its source states.

    With `limit` the rows of least keyed hash of their id are taken, over all sources; only they count, and
    rejects, which have no id, are then left out of the account. Raises `UserError` for a file that changed
    while it was read.
    """
    spools, came = [], []
    for source in sources:
        spool = Spool(scratch / f"{source.name}.arrow", memory // (2 * len(sources)))
        came_before = (known or {}).get(source.name, Known())
        came.append(_identify(source, files(source), spool, came_before, forgotten, progress))
        spools.append(spool)
    ids = [one.ids for one in came] if limit is None else _least([one.ids for one in came], seed, limit)
    rejects = [table for one in came for table in one.rejects] if limit is None else []
    replaced = [row_id for one in came for row_id in one.replaced]
    earlier = before(replaced).combine_chunks() if before is not None and replaced else None
    rows = snapshot.sort_by_id((_heir(table, earlier) for table in _named(spools, ids)), scratch, memory // 2)
    held = snapshot.write(folder, rows, part_rows)
    return Ingested(
        held.rows,
        pa.concat_tables([LEDGER.empty_table(), *rejects]),
        {source.name: one.digest for source, one in zip(sources, came, strict=True)},
        replaced,
        pa.concat_tables([RECORDS.empty_table(), *(one.records for one in came)]),
        {source.name: one.files for source, one in zip(sources, came, strict=True)},
    )


@dataclass(frozen=True)
class _Came:
    """What came of one source; `ids` are aligned with its spool (None: not taken)."""

    ids: list[str | None]
    rejects: list[pa.Table]
    digest: str
    replaced: list[str]
    records: pa.Table
    files: list[str]


def _identify(
    source: Source,
    files: list[File],
    spool: Spool,
    known: Known,
    forgotten: Forgotten,
    progress: Callable[[int], None],
) -> _Came:
    """Spool the rows of the files that may hold something new, and find out which of them do."""
    readable = [file for file in files if file.problem is None]
    marks = {file.name: _mark(file) for file in readable}
    digests = {file.name: sha256(file) for file in readable}
    kept = known.skip(list(digests.values()))
    records: list[bytes] = []
    keys: list[str | None] = []
    lines: list[int | None] = []
    places: list[pa.ChunkedArray] = []
    keyed = False
    rejects = []
    for batch in read(
        source, files, skip=frozenset(name for name, found in digests.items() if found in kept)
    ):
        spool.append(batch.rows)
        records += batch.records
        places.append(batch.rows["file"])
        rejects.append(batch.rejects)
        if batch.keys is not None and batch.lines is not None:
            keyed = True
            keys += batch.keys
            lines += batch.lines
        progress(len(batch.records))
    _still(readable, marks)
    if records:
        _as_before(source, known, keyed)
    names = [name for column in places for name in column.to_pylist()]
    seen = known.among(records)
    if keyed:
        ids, refused, replaced = _ids_of_keys(source.name, keys, records, seen, known, kept, forgotten)
    else:
        every = list(_ids_of_records(source.name, records, known.counts(records, kept)))
        ids = [None if old else row_id for row_id, old in zip(every, known.has(every), strict=True)]
        refused, replaced = [], []
    gone = forgotten.among(source.name, ids, records)
    told = {place: _refusal(keys[place], lines[place]) for place in refused}
    told |= {place: ("forgotten", f": {why}") for place, why in gone.items()}
    rejects += _rejects_of(spool, told)
    held = [place for place, row_id in enumerate(ids) if row_id is not None]
    held = sorted([*held, *(place for place in refused if not seen[place])])
    state = hashlib.sha256(b"".join(sorted(records[place] for place in held)))
    whole = _whole(names, held, digests)
    table = pa.table(
        [
            pa.repeat(source.name, len(held)),
            pa.array([records[place] for place in held], pa.binary(16)),
            pa.array([ids[place] for place in held], pa.string()),
            pa.array([whole.get(names[place]) for place in held], pa.string()),
        ],
        schema=RECORDS,
    )
    taken = [None if place in gone else row_id for place, row_id in enumerate(ids)]
    return _Came(taken, rejects, state.hexdigest(), replaced, table, sorted(digests.values()))


def _mark(file: File) -> tuple[int, int, int]:
    state = file.path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns


def _still(files: list[File], marks: Mapping[str, tuple[int, int, int]]) -> None:
    """Raise `UserError` where a file is not what it was when it was hashed."""
    for file in files:
        if _mark(file) != marks[file.name]:
            raise UserError(
                f"{file.path} changed while it was read; run again when nobody writes to it, or read a copy"
            )


def _as_before(source: Source, known: Known, keyed: bool) -> None:
    """Raise `UserError` where records had keys before and have none now, or the other way round."""
    if known.keyed not in (None, keyed):
        how = ("with", "without") if known.keyed else ("without", "with")
        raise UserError(
            f"source {source.name!r} was read {how[0]} keys before and is read {how[1]} them now, so no row could be told from "
            "another; name the column with `key:`, give every file that column, or run with --fresh"
        )


def _whole(names: list[str], held: list[int], digests: Mapping[str, str]) -> dict[str, str]:
    """Return the files (name to digest) all of whose records are among those held, and which are there once."""
    listed = Counter(names[place] for place in held)
    copies = Counter(digests.values())
    return {
        name: digests[name]
        for name, count in Counter(names).items()
        if listed[name] == count and copies[digests[name]] == 1
    }


def sha256(file: File) -> str:
    """Hash a file's bytes; of one that is as it was when this process hashed it last, the digest is known."""
    return _sha256(file.path, *_mark(file), file.path.stat().st_ctime_ns)


@lru_cache(maxsize=4096)
def _sha256(path: Path, *_state: int) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _ids_of_records(source: str, records: list[bytes], before: Mapping[bytes, int]) -> Iterator[str]:
    seen: dict[bytes, int] = {}
    for record in records:
        ordinal = seen.get(record, before.get(record, 0))
        seen[record] = ordinal + 1
        yield record_id(source, record, ordinal)


def _ids_of_keys(
    source: str,
    keys: list[str | None],
    records: list[bytes],
    seen: list[bool],
    known: Known,
    kept: frozenset[str],
    forgotten: Forgotten,
) -> tuple[list[str | None], list[int], list[str]]:
    """Return the id of each record that is taken, the places of those that are refused, and the ids replaced.

    Of the records that share a key and never came before the one of least digest has it, one that was forgotten
    last; the others, and null keys, are refused.
    """
    of_key: dict[str, list[int]] = {}
    for place, key in enumerate(keys):
        if key is not None:
            of_key.setdefault(key, []).append(place)
    named = {key: keyed_id(source, key) for key in of_key}
    held = known.held(list(named.values()))
    elsewhere = known.counts([record for record, _ in held.values()], kept)
    ids: list[str | None] = [None] * len(keys)
    refused = [place for place, key in enumerate(keys) if key is None]
    replaced = []
    for key, places in of_key.items():
        new = [place for place in places if not seen[place]]
        record, _ = held.get(named[key], (None, None))
        gone = (
            record is not None and not elsewhere[record] and all(records[place] != record for place in places)
        )
        chosen = min(
            new or (places if gone else []),
            key=lambda place: (records[place].hex() in forgotten.records, records[place], place),
            default=None,
        )
        if chosen is not None:
            ids[chosen] = named[key]
            refused += [place for place in new if place != chosen]
            if record is not None:
                replaced.append(named[key])
    return ids, sorted(refused), replaced


def _refusal(key: str | None, line: int | None) -> tuple[str, str]:
    """Say why a record is refused, whose key is null or was taken by another."""
    where = "" if line is None else f":{line}"
    if key is None:
        return "null_key", f"{where}: the key is null"
    return REPEATED, f"{where}: {_SAID}{key!r}"


def key_of(detail: str) -> str | None:
    """Return the key that a line of the ledger names, whose reason is `REPEATED`."""
    found = detail.partition(_SAID)[2]
    return str(ast.literal_eval(found)) if found else None


def _rejects_of(spool: Spool, told: Mapping[int, tuple[str, str]]) -> list[pa.Table]:
    """Return lines of the ledger for records (by place) that are refused; what is said of one follows its file's name."""
    if not told:
        return []
    places = np.array(sorted(told))
    tables, start = [], 0
    for table in spool:
        inside = places[(places >= start) & (places < start + table.num_rows)]
        rows = table.select(["source", "file", "row"]).take(pa.array(inside - start))
        count = rows.num_rows
        columns = {name: rows[name].combine_chunks() for name in ("source", "file", "row")}
        columns["stage"], columns["action"] = pa.array(["ingest"] * count), pa.array(["reject"] * count)
        columns["reason"] = pa.array([told[place][0] for place in inside], pa.string())
        columns["detail"] = pa.array(
            [
                f"{file}{told[place][1]}"
                for file, place in zip(columns["file"].to_pylist(), inside, strict=True)
            ],
            pa.string(),
        )
        tables.append(conform(columns, LEDGER))
        start += table.num_rows
    return tables


def _least(ids: list[list[str | None]], seed: int, limit: int) -> list[list[str | None]]:
    named = (
        (digest(str(seed), "limit", row_id), row_id)
        for of_source in ids
        for row_id in of_source
        if row_id is not None
    )
    taken = {row_id for _, row_id in heapq.nsmallest(limit, named)}
    return [[row_id if row_id in taken else None for row_id in of_source] for of_source in ids]


def _heir(rows: pa.Table, earlier: pa.Table | None) -> pa.Table:
    """Give rows the family and the split of the rows that they replace."""
    if earlier is None:
        return rows
    where = pc.index_in(rows["id"], earlier["id"].combine_chunks()).combine_chunks()
    for name in ("family", "split"):
        held = pc.coalesce(rows[name], earlier[name].take(where))
        rows = rows.set_column(rows.schema.get_field_index(name), name, held)
    return rows


def _named(spools: Sequence[Spool], ids: Sequence[list[str | None]]) -> Iterator[pa.Table]:
    """Yield the spooled rows that have an id, with it."""
    for spool, of_source in zip(spools, ids, strict=True):
        start = 0
        for table in spool:
            named = pa.array(of_source[start : start + table.num_rows], pa.string())
            start += table.num_rows
            whole = table.set_column(0, "id", named)
            yield whole.filter(named.is_valid()) if named.null_count else whole
