"""From repeated pieces to a verdict: tiles that a better row holds are cut, and a row of which nothing is left goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from corpus import repeats, survival, tiles
from corpus.amend import CUT
from corpus.repeats import Repeats
from corpus.stage import Context, Features, Rows, Verdict

Trimming = Literal["cut", "mark"]
TRIMMING = (
    "what becomes of what is repeated: it is cut out of the row, or the row stays as it is and is marked"
)

TILE = pa.struct(
    [("message", pa.int32()), ("start", pa.int64()), ("stop", pa.int64()), ("words", pa.int64())]
)


@dataclass(frozen=True)
class TilesOf:
    """The tiles of each row, as `Rows.stream` calls it: a list of `TILE`."""

    unit: tiles.Unit

    def __call__(self, rows: pa.Table, context: Context) -> pa.ListArray:
        """Return them, aligned with `rows`."""
        found = tiles.tiles(rows, self.unit)
        columns = [found.message.astype(np.int32), found.start, found.stop, found.words]
        values = pa.StructArray.from_arrays([pa.array(column) for column in columns], fields=list(TILE))
        counts = np.bincount(found.row, minlength=len(rows))
        return pa.ListArray.from_arrays(pa.array(np.r_[0, np.cumsum(counts)].astype(np.int32)), values)


@dataclass(frozen=True)
class Laid:
    """The tiles of some rows, flat: `row` counts these rows from 0."""

    row: np.ndarray
    message: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    words: np.ndarray

    @classmethod
    def out(cls, lists: pa.ListArray) -> "Laid":
        """Lay out what `TilesOf` returned."""
        row = np.repeat(np.arange(len(lists)), lists.value_lengths().to_numpy())
        held = lists.flatten()
        message, start, stop, words = (held.field(name).to_numpy() for name in TILE.names)
        return cls(row, message, start, stop, words)


Pieces = Callable[[pa.Table, Context], pa.ListArray]
"""Returns the 128-bit keys of each row's pieces, in their order (lists of fixed_size_binary(16)); picklable."""
Covered = Callable[[Laid, np.ndarray, np.ndarray], np.ndarray]
"""Says how many words of each tile (int64) lie in repeated pieces, given the tiles and the pieces: row and number in it."""


def judged(
    features: Features,
    rows: Rows,
    *,
    pieces: Pieces,
    unit: tiles.Unit,
    covered: Covered,
    prefer: survival.Prefer,
    priority: Sequence[str],
    action: Trimming,
) -> Verdict:
    """Find the `pieces` of rows that a better row has too, and cut the tiles of which all words are `covered` by them.

    Of `features` are read `keys` (`corpus.repeats.sets`) and the number of `words`.
    """
    asks = ~rows.table["earlier"].to_numpy()
    met = repeats.proposed(features, "keys", asks, rows.memory)
    rank = np.zeros(len(asks), np.int64)
    words = features["words"].to_numpy()[met]
    rank[met] = survival.rank(rows.table.take(pa.array(met)), prefer, words, priority)
    return trimmed(rows, repeats.repeats(rows, met, pieces, rank), unit, covered, rank, action)


def trimmed(
    rows: Rows, found: Repeats, unit: tiles.Unit, covered: Covered, rank: np.ndarray, action: Trimming
) -> Verdict:
    """Cut the tiles of each row of which all words are `covered`; rows of the version that is built on stay as they are.

    A row whose words all are in such tiles is dropped as `repeated_whole` against the best of the rows that hold its
    pieces and stay; one that has repeated words but no whole tile of them is marked as `repeated_run`. `score` is the share
    of its words that are repeated. With the action `mark` nothing is cut and nothing goes.
    """
    count = rows.table.num_rows
    earlier = rows.table["earlier"].to_numpy()
    touched = np.unique(found.row[~earlier[found.row]])
    share, cuts, told = np.zeros(count), np.zeros(count, bool), np.full(count, None, object)
    cut: list[np.ndarray] = []
    done = 0
    for lists in rows.stream(TilesOf(unit), touched) if len(touched) else ():
        mine = touched[done : done + len(lists)]
        done += len(lists)
        laid = Laid.out(lists)
        row, piece = _of_rows(found, mine)
        inside = covered(laid, row, piece)
        gone = (inside == laid.words) & (laid.words > 0)
        words, met, lost = (
            np.bincount(laid.row, counts, len(mine)).astype(np.int64)
            for counts in (laid.words, inside, np.where(gone, laid.words, 0))
        )
        parts = np.bincount(laid.row, laid.words > 0, len(mine)).astype(np.int64)
        parts_lost = np.bincount(laid.row, gone, len(mine)).astype(np.int64)
        share[mine], cuts[mine] = met / np.maximum(words, 1), lost > 0
        for at in np.flatnonzero(met):
            more = f"; {met[at]} words are repeated" if met[at] > lost[at] else ""
            told[mine[at]] = f"{parts_lost[at]} of {parts[at]} {unit}s, {lost[at]} of {words[at]} words{more}"
        left = gone & (lost < words)[laid.row]
        cut.append(np.stack([mine[laid.row[left]], laid.message[left], laid.start[left], laid.stop[left]]))
    whole = share == 1
    some = share > 0
    other = _holders(found, rank, whole if action == "cut" else np.zeros(count, bool))
    reason = np.where(whole, "repeated_whole", np.where(cuts, f"repeated_{unit}s", "repeated_run"))
    return Verdict(
        reason=pa.array(reason, pa.string(), mask=~some),
        action=pa.array(np.where(whole & (action == "cut"), "drop", "mark"), pa.string(), mask=~some),
        score=pa.array(share, mask=~some),
        threshold=pa.nulls(count, pa.float64()),
        other=pa.array(other, mask=~some | (other < 0)),
        detail=pa.array(told, pa.string()),
        family=pa.array(np.where(whole & (other >= 0), other, np.arange(count))),
        cuts=_spans(np.concatenate([np.zeros((4, 0), np.int64), *cut], axis=1), count)
        if action == "cut"
        else None,
    )


def _of_rows(found: Repeats, mine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pieces of some rows (ascending): which of these rows, and the piece's number in it."""
    held = found.of(int(mine[0]), int(mine[-1]) + 1)
    at = np.searchsorted(mine, held.row)
    ours = mine[np.minimum(at, len(mine) - 1)] == held.row
    return at[ours], held.piece[ours]


def _holders(pieces: Repeats, rank: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """Return for each row the best of the rows that hold its pieces and are not `gone`; -1 where there is none."""
    found = np.full(len(rank), -1)
    stays = ~gone[pieces.holder]
    row, holder = pieces.row[stays], pieces.holder[stays]
    order = np.lexsort((rank[holder], row))
    row, holder = row[order], holder[order]
    first = np.r_[True, row[1:] != row[:-1]] if len(row) else np.zeros(0, bool)
    found[row[first]] = holder[first]
    return found


def _spans(cut: np.ndarray, rows: int) -> pa.ListArray:
    """Return the tiles that are cut (row, message, start, stop) as a list of `CUT` a row, neighbours joined; null where none is."""
    row, message, start, stop = cut
    joins = (row[1:] == row[:-1]) & (message[1:] == message[:-1]) & (start[1:] == stop[:-1])
    first = np.flatnonzero(np.r_[True, ~joins]) if len(row) else np.zeros(0, np.int64)
    last = np.r_[first[1:], len(row)][: len(first)] - 1
    columns = [message[first].astype(np.int32), start[first], stop[last]]
    values = pa.StructArray.from_arrays([pa.array(column) for column in columns], fields=list(CUT))
    counts = np.bincount(row[first], minlength=rows)
    offsets = pa.array(np.r_[0, np.cumsum(counts)].astype(np.int32))
    return pa.ListArray.from_arrays(offsets, values, mask=pa.array(counts == 0))
