"""The parts of a snapshot, put together of rows that were spooled: where all are taken a part says where its rows lie, else it holds them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import merge
from corpus.arrays import hexadecimal
from corpus.content import PLACE, content
from corpus.intake import SPOOLED, Taken, opened
from corpus.schema import ROW, digest
from corpus.snapshot import NARROW, Written, write_part

TASK_BYTES = 64 * 2**20
"""Bytes of text that a task gathers, or a little more."""
PARTS_A_TASK = 8
PART_BYTES = 256 * 2**20
"""Bytes of text in a part, or one row: an Arrow array holds 2 GiB of strings."""


@dataclass(frozen=True)
class Places:
    """Where rows lie: `piece` and `index` of each; its id and the digest of its record as (rows, 2) uint64."""

    piece: np.ndarray
    index: np.ndarray
    ids: np.ndarray
    records: np.ndarray

    def __getitem__(self, rows: slice) -> "Places":
        return Places(self.piece[rows], self.index[rows], self.ids[rows], self.records[rows])


@dataclass(frozen=True)
class Gathering:
    """The task of writing parts that follow one another: the number of the first, and the rows of each."""

    folder: Path
    first: int
    lengths: tuple[int, ...]
    spooled: dict[int, pa.Table | Path]
    places: Places
    heirs: pa.Table | None


def cut(sizes: np.ndarray, part_rows: int, limit: int = PART_BYTES) -> list[int]:
    """Return how many of the rows, in their order, go to each part: `part_rows`, or fewer where they are of more than `limit` bytes."""
    lengths = []
    for start in range(0, len(sizes), part_rows):
        part = sizes[start : start + part_rows]
        if part.sum() <= limit:
            lengths.append(len(part))
            continue
        held = full = 0
        for size in part.tolist():
            if held and full + size > limit:
                lengths.append(held)
                held = full = 0
            held += 1
            full += size
        lengths.append(held)
    return lengths


def tasks(
    folder: Path,
    pieces: Sequence[Taken],
    places: Places,
    sizes: np.ndarray,
    part_rows: int,
    heirs: pa.Table | None,
) -> Iterator[Gathering]:
    """Cut rows that come in id order into parts, and the parts into tasks."""
    lengths = cut(sizes, part_rows)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    full = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])[ends]
    first = 0
    while first < len(lengths):
        last = max(first + 1, int(np.searchsorted(full[1:], full[first] + TASK_BYTES, side="right")))
        held = places[int(ends[first]) : int(ends[last])]
        yield Gathering(
            folder,
            first,
            tuple(lengths[first:last]),
            {int(number): pieces[number].rows for number in np.unique(held.piece)},
            held,
            heirs,
        )
        first = last


def gather(task: Gathering) -> list[Written]:
    """Write the parts."""
    found = []
    start = 0
    spooled = {
        number: held if isinstance(held, pa.Table) else opened(held) for number, held in task.spooled.items()
    }
    for number, length in enumerate(task.lengths, task.first):
        rows = rows_at(spooled, task.places[start : start + length]).select(ROW.names)
        rows = rows.set_column(0, ROW.field("id"), hexadecimal(task.places.ids[start : start + length]))
        found.append(write_part(task.folder, number, _heirs(rows, task.heirs)))
        start += length
    return found


@dataclass(frozen=True)
class Merging:
    """The task of writing parts that follow one another, of rows that lie in the pieces beside them.

    `how` says by which code and which knobs records became rows.
    """

    folder: Path
    first: int
    lengths: tuple[int, ...]
    places: Places
    how: str


def mergings(
    folder: Path, pieces: Sequence[Taken], places: Places, sizes: np.ndarray, part_rows: int, how: str
) -> Iterator[Merging]:
    """Move pieces of which all rows are taken into the snapshot, and cut these into parts, and the parts into tasks."""
    for number, piece in enumerate(pieces):
        assert isinstance(piece.rows, Path), "what is in memory is no piece yet"
        piece.rows.rename(merge.piece(folder, number))
    lengths = cut(sizes, part_rows)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    for first in range(0, len(lengths), PARTS_A_TASK):
        last = min(first + PARTS_A_TASK, len(lengths))
        held = places[int(ends[first]) : int(ends[last])]
        yield Merging(folder, first, tuple(lengths[first:last]), held, how)


def merged(task: Merging) -> list[Written]:
    """Write the parts. What is long in a row is told by the digest of its record, all else by what it is."""
    found = []
    start = 0
    for number, length in enumerate(task.lengths, task.first):
        held = task.places[start : start + length]
        file = task.folder / f"part-{number:05d}{merge.SUFFIX}"
        rows = merge.write(file, hexadecimal(held.ids), held.piece, held.index).select([*NARROW, *PLACE])
        told = digest(task.how, held.records.tobytes(), content(rows)).hex()
        places = content(rows.select(PLACE), leave_out=())
        found.append(Written(file.name, length, told, f"{told} {places}"))
        start += length
    return found


def rows_at(
    spooled: Mapping[int, pa.Table | Path], places: Places, columns: Sequence[str] = SPOOLED.names
) -> pa.Table:
    """Return columns of spooled rows in the order of their places."""
    tables, at, count = [], np.empty(len(places.piece), np.int64), 0
    order = np.argsort(places.piece, kind="stable")
    numbers, starts = np.unique(places.piece[order], return_index=True)
    for number, start, stop in zip(numbers, starts, [*starts[1:], len(order)], strict=True):
        mine = order[start:stop]
        held = spooled[int(number)]
        rows = (held if isinstance(held, pa.Table) else opened(held)).select(list(columns))
        index = places.index[mine]
        least = int(index.min())
        some = rows.slice(least, int(index.max()) + 1 - least)
        if not np.array_equal(index, np.arange(least, least + some.num_rows)):  # rows are spooled in id order
            some = some.combine_chunks().take(pa.array(index - least))
        tables.append(some)
        at[mine] = np.arange(count, count + len(mine))
        count += len(mine)
    return pa.concat_tables(tables).take(pa.array(at)).combine_chunks()


def _heirs(rows: pa.Table, earlier: pa.Table | None) -> pa.Table:
    """Give rows the family and the split of the rows that they replace."""
    if earlier is None:
        return rows
    where = pc.index_in(rows["id"], earlier["id"].combine_chunks()).combine_chunks()
    for name in ("family", "split"):
        held = pc.coalesce(rows[name], earlier[name].take(where))
        rows = rows.set_column(rows.schema.get_field_index(name), name, held)
    return rows
