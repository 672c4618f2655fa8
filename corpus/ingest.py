"""Records to a snapshot: ids that stay when a file grows, is reordered or cut, and rejects with their reason."""

import hashlib
import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus import snapshot
from corpus.schema import LEDGER, conform, digest, keyed_id, record_id
from corpus.snapshot import Spool
from corpus.sources import Batch, File, Source, read

MEMORY = 512 * 2**20
"""Bytes of rows that are held before they go to disk."""


@dataclass(frozen=True)
class Ingested:
    """What came of the sources: rows in id order at rest, rejects, and a digest of each source's records."""

    rows: int
    rejects: pa.Table
    digests: dict[str, str]


def ingest(
    sources: Sequence[Source],
    files: Callable[[Source], list[File]],
    folder: Path,
    scratch: Path,
    *,
    seed: int,
    limit: int | None = None,
    part_rows: int = snapshot.PART_ROWS,
    memory: int = MEMORY,
    progress: Callable[[int], None] = lambda _: None,
) -> Ingested:
    """Read `sources` and write their rows to `folder` as a snapshot.

    With `limit` the rows of least keyed hash of their id are taken, over all sources; only they count, and
    rejects, which have no id, are then left out of the account.
    """
    spools, ids, rejects, digests = [], [], [], {}
    for source in sources:
        spool = Spool(scratch / f"{source.name}.arrow", memory // (2 * len(sources)))
        read_ids, read_rejects, digests[source.name] = _identify(
            source, read(source, files(source)), spool, progress
        )
        spools.append(spool)
        ids.append(read_ids)
        rejects += read_rejects
    if limit is not None:
        ids = _least(ids, seed, limit)
        rejects = []
    rows = snapshot.sort_by_id(_named(spools, ids), scratch, memory // 2)
    held = snapshot.write(folder, rows, part_rows)
    return Ingested(held.rows, pa.concat_tables([LEDGER.empty_table(), *rejects]), digests)


def _identify(
    source: Source, batches: Iterator[Batch], spool: Spool, progress: Callable[[int], None]
) -> tuple[list[str | None], list[pa.Table], str]:
    """Spool the rows of a source; return the id of each (None: rejected), the rejects, the source's digest."""
    records: list[bytes] = []
    keys: list[str | None] = []
    lines: list[int | None] = []
    keyed = False
    rejects = []
    for batch in batches:
        spool.append(batch.rows)
        records += batch.records
        rejects.append(batch.rejects)
        if batch.keys is not None and batch.lines is not None:
            keyed = True
            keys += batch.keys
            lines += batch.lines
        progress(len(batch.records))
    ids: list[str | None] = (
        _ids_of_keys(source.name, keys, records) if keyed else list(_ids_of_records(source.name, records))
    )
    rejects += _rejects_of(spool, ids, keys, lines)
    state = hashlib.sha256()
    for record in sorted(records):
        state.update(record)
    return ids, rejects, state.hexdigest()


def _ids_of_records(source: str, records: list[bytes]) -> Iterator[str]:
    seen: dict[bytes, int] = {}
    for record in records:
        ordinal = seen.get(record, 0)
        seen[record] = ordinal + 1
        yield record_id(source, record, ordinal)


def _ids_of_keys(source: str, keys: list[str | None], records: list[bytes]) -> list[str | None]:
    """Of the records that share a key the one of least digest has it; the others, and null keys, have no id."""
    holder: dict[str, tuple[bytes, int]] = {}
    for place, (key, record) in enumerate(zip(keys, records, strict=True)):
        if key is not None:
            holder[key] = min(holder.get(key, (record, place)), (record, place))
    taken = {place for _, place in holder.values()}
    return [
        keyed_id(source, key) if key is not None and place in taken else None
        for place, key in enumerate(keys)
    ]


def _rejects_of(
    spool: Spool, ids: list[str | None], keys: list[str | None], lines: list[int | None]
) -> list[pa.Table]:
    found = [place for place, row_id in enumerate(ids) if row_id is None]
    if not found:
        return []
    places = np.array(found)
    tables, start = [], 0
    for table in spool:
        inside = places[(places >= start) & (places < start + table.num_rows)]
        rows = table.select(["source", "file", "row"]).take(pa.array(inside - start))
        count = rows.num_rows
        null = [keys[place] is None for place in inside]
        columns = {name: rows[name].combine_chunks() for name in ("source", "file", "row")}
        columns["stage"], columns["action"] = pa.array(["ingest"] * count), pa.array(["reject"] * count)
        columns["reason"] = pa.array(["null_key" if is_null else "repeated_key" for is_null in null])
        columns["detail"] = pa.array(
            [
                (file if lines[place] is None else f"{file}:{lines[place]}")
                + (": the key is null" if is_null else f": another record has the key {keys[place]!r}")
                for file, place, is_null in zip(columns["file"].to_pylist(), inside, null, strict=True)
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


def _named(spools: Sequence[Spool], ids: Sequence[list[str | None]]) -> Iterator[pa.Table]:
    """Yield the spooled rows that have an id, with it."""
    for spool, of_source in zip(spools, ids, strict=True):
        start = 0
        for table in spool:
            named = pa.array(of_source[start : start + table.num_rows], pa.string())
            start += table.num_rows
            whole = table.set_column(0, "id", named)
            yield whole.filter(named.is_valid()) if named.null_count else whole
