"""From repeated pieces to a verdict: tiles that a better row holds are cut, and a row of which nothing is left goes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from corpus import repeats, survival, tiles
from corpus.amend import CUT
from corpus.repeats import Repeats
from corpus.stage import Context, Features, Rows
from corpus.verdict import Verdict

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
TURNS = 8
"""Turns after which a piece whose holder had lost it counts no more, even if the holder has it again: less is cut."""
Where = Callable[[Laid, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Says where pieces (row and number in it) begin and end among the words of the tiles, counted from the first tile on."""


def judged(
    features: Features,
    rows: Rows,
    *,
    pieces: Pieces,
    unit: tiles.Unit,
    where: Where,
    roles: Sequence[str] | None,
    prefer: survival.Prefer,
    priority: Sequence[str],
    action: Trimming,
) -> Verdict:
    """Find the `pieces` of rows that a better row has too, and cut the tiles of which each word lies in one.

    Of `features` are read `keys` (`corpus.repeats.sets`) and the number of `words`. A piece counts while its words stay in
    the row that holds it. A row of which all is repeated is dropped as `repeated_whole` against the best of the rows that
    hold its pieces and stay; where only some `roles` of a chat were read no row goes, and no message is ever emptied.
    What is repeated and not cut is marked as `repeated_not_cut`. `score` is the share of a row's words that are repeated.
    Rows of the version that is built on stay as they are; with the action `mark` all do.
    """
    asks = ~rows.table["earlier"].to_numpy()
    met = repeats.proposed(features, "keys", asks, rows.memory)
    rank = np.zeros(len(asks), np.int64)
    words = features["words"].to_numpy()[met]
    rank[met] = survival.rank(rows.table.take(pa.array(met)), prefer, words, priority)
    found = repeats.repeats(rows, met, pieces, rank)
    found = found.where(asks[found.row])
    whole_rows = roles is None or tuple(roles) == ("text",)
    counts = np.ones(len(found.row), bool)
    sifted = _sift(rows, found, counts, unit, where, whole_rows)
    turns = 0
    while action == "cut" and not _settled(counts, sifted.stands, turns):
        counts = sifted.stands if turns < TURNS else counts & sifted.stands
        turns += 1
        sifted = _sift(rows, found, counts, unit, where, whole_rows)
    return _verdict(sifted, found.where(counts), unit, rank, action)


def _settled(counts: np.ndarray, stands: np.ndarray, turns: int) -> bool:
    """Say whether the pieces that count are those whose words stay: holders are better rows, so it settles rank by rank."""
    return bool((stands == counts).all() if turns <= TURNS else stands[counts].all())


@dataclass(frozen=True)
class _Sifted:
    """What is repeated of each row, what is cut (row, message, start, stop), and which pieces stay in their holders."""

    share: np.ndarray
    whole: np.ndarray
    some_cut: np.ndarray
    detail: np.ndarray
    cut: np.ndarray
    stands: np.ndarray


def _sift(
    rows: Rows, found: Repeats, counts: np.ndarray, unit: tiles.Unit, where: Where, whole_rows: bool
) -> _Sifted:
    """Look at the tiles of the rows that have repeated pieces, part by part; of the pieces some count (bool)."""
    count = rows.table.num_rows
    touched = np.unique(found.row)
    share, whole, some_cut = np.zeros(count), np.zeros(count, bool), np.zeros(count, bool)
    detail, stands = np.full(count, None, object), np.ones(len(found.row), bool)
    cut = [np.zeros((4, 0), np.int64)]
    done = 0
    for lists in rows.stream(TilesOf(unit), touched) if len(touched) else ():
        mine = touched[done : done + len(lists)]
        done += len(lists)
        laid = Laid.out(lists)
        own = np.flatnonzero(np.isin(found.row, mine) & counts)
        inside = _inside(laid, *where(laid, np.searchsorted(mine, found.row[own]), found.piece[own]))
        words, met = (_of_rows(laid.row, each, len(mine)) for each in (laid.words, inside))
        whole[mine] = whole_rows & (met == words)
        gone = _gone(laid, inside, whole[mine])
        lost = _of_rows(laid.row, np.where(gone, laid.words, 0), len(mine))
        share[mine], some_cut[mine] = met / np.maximum(words, 1), lost > 0
        parts, parts_lost = (_of_rows(laid.row, which, len(mine)) for which in (laid.words > 0, gone))
        for at in np.flatnonzero(met):
            more = f"; {met[at]} words are repeated" if met[at] > lost[at] else ""
            detail[mine[at]] = (
                f"{parts_lost[at]} of {parts[at]} {unit}s, {lost[at]} of {words[at]} words{more}"
            )
        left = gone & ~whole[mine][laid.row]
        cut.append(np.stack([mine[laid.row[left]], laid.message[left], laid.start[left], laid.stop[left]]))
        holding = np.flatnonzero(np.isin(found.holder, mine))
        start, stop = where(laid, np.searchsorted(mine, found.holder[holding]), found.held[holding])
        before = np.r_[0, np.cumsum(np.repeat(gone, laid.words))]
        stands[holding] = before[stop] == before[start]
    return _Sifted(share, whole, some_cut, detail, np.concatenate(cut, axis=1), stands)


def _of_rows(row: np.ndarray, counts: np.ndarray, rows: int) -> np.ndarray:
    found: np.ndarray = np.bincount(row, counts, rows).astype(np.int64)
    return found


def _inside(laid: Laid, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return how many words of each tile (int64) lie in the spans of words."""
    begins = np.r_[0, np.cumsum(laid.words)]
    edges = np.zeros(begins[-1] + 1, np.int64)
    np.add.at(edges, start, 1)
    np.add.at(edges, stop, -1)
    inside = np.r_[0, np.cumsum(np.cumsum(edges)[:-1] > 0)]
    found: np.ndarray = inside[begins[1:]] - inside[begins[:-1]]
    return found


def _gone(laid: Laid, inside: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Say which tiles go (bool): those whose words all are repeated, but none that would leave a message empty in a row that stays."""
    full = (inside == laid.words) & (laid.words > 0)
    new = np.r_[True, (laid.row[1:] != laid.row[:-1]) | (laid.message[1:] != laid.message[:-1])][: len(full)]
    message = np.cumsum(new) - 1
    words, lost = (np.bincount(message, counts) for counts in (laid.words, np.where(full, laid.words, 0)))
    found: np.ndarray = full & ((lost < words)[message] | whole[laid.row])
    return found


def _verdict(
    sifted: _Sifted, found: Repeats, unit: tiles.Unit, rank: np.ndarray, action: Trimming
) -> Verdict:
    count, some, drops = len(rank), sifted.share > 0, sifted.whole & (action == "cut")
    other = _holders(found, rank, drops)
    kind = np.where(sifted.some_cut, f"repeated_{unit}s", "repeated_not_cut")
    return Verdict(
        reason=pa.array(np.where(sifted.whole, "repeated_whole", kind), pa.string(), mask=~some),
        action=pa.array(np.where(drops, "drop", "mark"), pa.string(), mask=~some),
        score=pa.array(sifted.share, mask=~some),
        threshold=pa.nulls(count, pa.float64()),
        other=pa.array(other, mask=~some | (other < 0)),
        detail=pa.array(sifted.detail, pa.string()),
        family=pa.array(np.where(sifted.whole & (other >= 0), other, np.arange(count))),
        cuts=_spans(sifted.cut, count) if action == "cut" else None,
    )


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
