"""Records to a snapshot: every core reads, one process says which id each record gets, every core writes parts."""

import hashlib
import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus import gather, merge, snapshot
from corpus.arrays import ascending, hexadecimal, values
from corpus.came import Came
from corpus.engine import Engine, Local
from corpus.gather import Places
from corpus.identify import identify
from corpus.intake import Taken, Taking, at_rest, take_in
from corpus.known import RECORDS, Known
from corpus.reading.stretch import Stretch
from corpus.schema import LEDGER, UserError, digest
from corpus.snapshot import Written
from corpus.sources import File, Source, read
from corpus.stage import file_digest
from corpus.sync import sync
from corpus.versions.forgotten import Forgotten

NOTHING = Forgotten()
PACKED = 4
"""Bytes of rows that one byte of a file may stand for: where so many would not fit in memory, all go to disk at once."""


@dataclass(frozen=True)
class Ingested:
    """What came of the sources: rows in id order at rest, rejects, and a digest of each source's records.

    Over sources that came before, all of this is of what is new: `replaced` are the ids of earlier rows whose
    records were corrected, and `records` what is known from now on beside what was (`corpus.known.RECORDS`), to be read once.
    `files` has the SHA-256 of every file of each source, sorted.
    """

    rows: int
    rejects: pa.Table
    digests: dict[str, str]
    replaced: list[str]
    records: pa.RecordBatchReader
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
    memory: int = 2**29,
    engine: Engine | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Ingested:
    """Read `sources` and write their rows to `folder` as a snapshot; of a source that is `known` those that are new.

    Rows that were `forgotten` are rejected. `before` returns id, family and split of rows that are replaced: what
    comes in their place takes these over, but for a split that its source states.

    With `limit` the rows of least keyed hash of their id are taken, over all sources; only they count, and
    rejects, which have no id, are then left out of the account. Raises `UserError` for a file that changed
    while it was read. About `memory` bytes of rows are held before they go to disk.
    """
    spread = engine or Local(1)
    came = []
    for source in sources:
        came_before = (known or {}).get(source.name, Known())
        room = memory // (4 * len(sources))
        came.append(_read(source, files(source), spread, scratch, room, came_before, forgotten, progress))
    pieces = _together([piece for one in came for piece in one.pieces], scratch)
    places, sizes = _in_id_order(came, seed, limit)
    replaced = [row_id for one in came for row_id in one.found.replaced]
    heirs = before(replaced).combine_chunks() if before is not None and replaced else None
    folder.mkdir(parents=True)
    spooled = any(isinstance(piece.rows, Path) for piece in pieces)
    written: Iterable[list[Written]]
    all_taken = heirs is None and len(sizes) == sum(piece.count for piece in pieces)
    keyed = any(piece.keyed for piece in pieces)  # a key is no part of a row, and does not stay at rest
    if spooled and all_taken and not keyed and len(pieces) <= merge.MOST:
        how = _how(sources)
        mergings = list(gather.mergings(folder, pieces, places, sizes, part_rows, how))
        with ThreadPoolExecutor(1) as beside:  # to wait for the disk while others work
            synced = beside.map(sync, [merge.piece(folder, number) for number in range(len(pieces))])
            written = [*spread.map(gather.merged, mergings, len(sizes))]
            list(synced)  # raises what failed
    else:
        tasks = list(gather.tasks(folder, pieces, places, sizes, part_rows, heirs))
        written = spread.map(gather.gather, tasks, len(sizes)) if spooled else map(gather.gather, tasks)
    held = snapshot.finish(folder, [part for parts in written for part in parts])
    rejects = [table for one in came for table in one.rejects()] if limit is None else []
    return Ingested(
        held.rows,
        pa.concat_tables([LEDGER.empty_table(), *rejects]),
        {one.source: one.digest for one in came},
        replaced,
        pa.RecordBatchReader.from_batches(RECORDS, (batch for one in came for batch in one.records())),
        {one.source: sorted(one.digests.values()) for one in came},
    )


def _read(
    source: Source,
    files: list[File],
    engine: Engine,
    scratch: Path,
    room: int,
    known: Known,
    forgotten: Forgotten,
    progress: Callable[[int], None],
) -> "Came":
    """Read the files that may hold something new, and find out what does; `room` bytes of rows stay in memory."""
    readable = [file for file in files if file.problem is None]
    marks = {file.name: _mark(file) for file in readable}
    fresh = known == Known()
    if fresh:
        engine.expect(size=sum(size for _, size, _ in marks.values()))
    with ThreadPoolExecutor(1) as hashing:
        hashed = {file.name: hashing.submit(sha256, file) for file in readable}
        kept = frozenset() if fresh else known.skip([one.result() for one in hashed.values()])
        skip = frozenset(name for name, one in hashed.items() if kept and one.result() in kept)
        size = sum(marks[file.name][1] for file in readable if file.name not in skip)
        pieces = []
        taking = _taking(read(source, files, skip=skip), scratch / source.name, size, room)
        for piece in engine.stream(take_in, taking, size):
            pieces.append(piece)
            progress(piece.count)
        digests = {name: one.result() for name, one in hashed.items()}
    _still(readable, marks)
    keyed = any(piece.keyed for piece in pieces)
    ids = np.concatenate([np.zeros((0, 2), np.uint64), *(piece.ids for piece in pieces)])
    records = np.concatenate([np.zeros((0, 2), np.uint64), *(piece.records for piece in pieces)])
    ends = np.cumsum([0, *(piece.count for piece in pieces)])
    pieces = [  # so that these columns are there once
        replace(piece, ids=ids[start:stop], records=records[start:stop])
        for piece, start, stop in zip(pieces, ends, ends[1:], strict=False)
    ]
    found = identify(source.name, ids, records, keyed, known, kept, forgotten)
    gone = {}
    if forgotten:
        named = [
            row_id if has else None
            for row_id, has in zip(hexadecimal(found.ids).to_pylist(), found.has.tolist(), strict=True)
        ]
        gone = forgotten.among(source.name, named, values(records).to_pylist())
    return Came(source.name, pieces, found, records, gone, digests)


def _taking(stretches: Iterator[Stretch], scratch: Path, size: int, room: int) -> Iterator[Taking]:
    """Yield the tasks of reading files of `size` bytes; what is more than `room` goes to files named after `scratch`."""
    full = 0
    for number, stretch in enumerate(stretches):
        full += stretch.size
        at_once = full <= room and size <= room // PACKED
        yield Taking(stretch, None if at_once else scratch.with_name(f"{scratch.name}-{number:06d}.arrow"))


def _together(pieces: list[Taken], scratch: Path) -> list[Taken]:
    """Return pieces that are all in memory, or all in files: what is in memory would be sent with every task."""
    if all(isinstance(piece.rows, pa.Table) for piece in pieces):
        return pieces
    return [at_rest(piece, scratch / f"held.{number}.arrow") for number, piece in enumerate(pieces)]


def _how(sources: Sequence[Source]) -> str:
    """Tell what makes rows of records: the reading knobs, and the code."""
    code = sorted(Path(__file__).parent.glob("reading/*.py"))
    return json.dumps(
        [[source.identity() for source in sources], [file_digest(file) for file in code]], sort_keys=True
    )


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


def sha256(file: File) -> str:
    """Hash a file's bytes; of one that is as it was when this process hashed it last, the digest is known."""
    return _sha256(file.path, *_mark(file), file.path.stat().st_ctime_ns)


@lru_cache(maxsize=4096)
def _sha256(path: Path, *_state: int) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _in_id_order(came: Sequence[Came], seed: int, limit: int | None) -> tuple[Places, np.ndarray]:
    """Return where the rows that are taken lie, in id order, and the bytes of each."""
    before = np.cumsum([0, *(len(one.pieces) for one in came)])
    taken = [one.taken for one in came]

    def of_taken(columns: Iterable[np.ndarray]) -> np.ndarray:
        some = [column if mask.all() else column[mask] for column, mask in zip(columns, taken, strict=True)]
        return some[0] if len(some) == 1 else np.concatenate(some)

    ids = of_taken(one.found.ids for one in came)
    records = of_taken(one.all_records for one in came)
    piece = of_taken(one.place[0] + start for one, start in zip(came, before[:-1].tolist(), strict=True))
    index = of_taken(one.place[1] for one in came)
    sizes = of_taken(one.sizes for one in came)
    order = ascending(ids)
    if limit is not None:
        order = order[_least(hexadecimal(ids[order]).to_pylist(), seed, limit)]
    return Places(piece[order], index[order], ids[order], records[order]), sizes[order]


def _least(ids: list[str], seed: int, limit: int) -> np.ndarray:
    """Return the positions (ascending) of the ids of least keyed hash."""
    named = ((digest(str(seed), "limit", row_id), place) for place, row_id in enumerate(ids))
    return np.array(sorted(place for _, place in heapq.nsmallest(limit, named)), np.int64)
