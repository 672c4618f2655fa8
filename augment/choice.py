"""How many candidates are wanted, and which: those that add most to what is there already, up to every cap.

Added is what is not said near by: greedy facility location (`corpus.cover`) over the embeddings of the admitted candidates,
the originals that are embedded and what is chosen so far counting as covered; under targets those alone that are of a cell
which lies under its own. What would exceed a cap when its turn comes is `enough`, and `detail` names the cap.

What adds most is what is least like its parent, so a tight cap leans on the lower ends of the bands: what these let pass and
should not, it finds first.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from augment.cells import Cell, Targets, by_axis, cells, thin, wanted
from augment.embedded import Embedded
from augment.pairs import Pairs
from corpus.cover import greedy, nearest, steps
from corpus.schema import of_splits
from corpus.stage import Context, Rows
from corpus.verdict import Verdict

ENOUGH = "enough"
"""The reason of those that are good and not wanted: a choice, which is no loss to anybody."""

COVERED = 4_000
"""Candidates that are to be covered: of more as many, by keyed hash; chosen is among all."""


@dataclass(frozen=True)
class Caps:
    """The caps of a growth; None is none. They count training rows, those included that grew before."""

    per_parent: int | None
    share: float | None
    keep: int | None
    targets: Targets | None

    @property
    def any(self) -> bool:
        """Say whether there is a cap."""
        return (self.per_parent, self.share, self.keep, self.targets) != (None, None, None, None)

    def room(self, rows: Rows) -> "Room":
        """Return how many rows each cap leaves room for, beside the training rows that stand."""
        table = rows.table
        standing = of_splits(table["split"], ["train"]) & ~rows.candidates
        grown = standing & table["parent"].is_valid().to_numpy()
        limits = {}
        if self.keep is not None:
            limits["keep"] = self.keep
        if self.share is not None:
            share = Fraction(str(self.share))
            originals = int(standing.sum() - grown.sum())
            limits["max_share"] = max(0, int(share * originals / (1 - share)) - int(grown.sum()))
        name = min(limits, key=lambda one: (limits[one], one), default=None)
        goal, held = (None, Counter()) if self.targets is None else wanted(self.targets, table, standing)
        return Room(
            None if name is None else (name, limits[name]),
            self.per_parent,
            Counter(dict(_counted(table["parent"].filter(pa.array(grown))))),
            goal,
            held,
        )

    def counting(self, rows: Rows) -> np.ndarray:
        """Say which rows (bool) are such as targets ask for when the choice begins: from others nothing can be taken."""
        if self.targets is None:
            return np.ones(len(rows.table), bool)
        standing = of_splits(rows.table["split"], ["train"]) & ~rows.candidates
        return thin(self.targets, rows.table, standing)


@dataclass
class Room:
    """What is left under each cap: it fills as rows are taken."""

    overall: tuple[str, int] | None
    per_parent: int | None
    children: Counter[str]
    wanted: Mapping[Cell, int] | None
    held: Counter[Cell]
    taken: int = 0

    def cap(self, parent: str, of_row: Sequence[Cell]) -> str | None:
        """Name the cap that one row more of this parent and these cells would exceed; None where there is room.

        Under targets a row is wanted while it helps to meet one, though it fill another beyond what was asked.
        """
        if self.wanted is not None and all(self.held[one] >= self.wanted.get(one, 0) for one in of_row):
            return "targets"
        if self.per_parent is not None and self.children[parent] >= self.per_parent:
            return "max_per_parent"
        if self.overall is not None and self.taken >= self.overall[1]:
            return self.overall[0]
        return None

    def take(self, parent: str, of_row: Sequence[Cell]) -> None:
        """Count one row more."""
        self.children[parent] += 1
        self.taken += 1
        self.held.update(of_row)

    @property
    def unmet(self) -> list[dict[str, Any]]:
        """Which targets are not met, and by how much: axis and value, wanted and held training rows."""
        return [
            {"axis": cell[0], "value": cell[1], "wanted": wanted, "held": self.held[cell]}
            for cell, wanted in sorted((self.wanted or {}).items())
            if self.held[cell] < wanted
        ]


def choose(
    pairs: Pairs, caps: Caps, embedded: Embedded, context: Context
) -> tuple[Verdict, list[dict[str, Any]]]:
    """Choose from candidates that are embedded; return why each other one goes, and the targets that are not met.

    What no target asks for is covered by nothing and covers nothing: it is the same whether it was made or not.
    """
    table, chosen = pairs.rows.table, pairs.chosen
    room, counting = caps.room(pairs.rows), caps.counting(pairs.rows)
    parents = table["parent"].take(pa.array(chosen)).to_pylist()
    axes = () if caps.targets is None else tuple(by_axis(caps.targets))
    mine = cells(table, axes, chosen)
    number = {position: row for row, position in enumerate(chosen.tolist())}
    why = {number[position]: "targets" for position in chosen[~counting[chosen]].tolist()}

    def allowed(position: int) -> bool:
        row = number[position]
        cap = room.cap(parents[row], mine[row])
        if cap is not None:
            why[row] = cap
        return cap is None

    originals = embedded.positions[(counting & ~pairs.rows.candidates)[embedded.positions]]
    for position in _by_gain(pairs.rows, chosen[counting[chosen]], originals, embedded, allowed, context):
        room.take(parents[number[position]], mine[number[position]])
    refused = np.array([row in why for row in range(len(chosen))], bool)
    detail = np.full(len(pairs.asked), None, object)
    detail[chosen] = [why.get(row) for row in range(len(chosen))]
    return pairs.where(refused, ENOUGH).explained(pa.array(detail, pa.string())), room.unmet


def _by_gain(
    rows: Rows,
    candidates: np.ndarray,
    originals: np.ndarray,
    embedded: Embedded,
    allowed: Callable[[int], bool],
    context: Context,
) -> Iterator[int]:
    """Yield the candidates (their positions) by what each adds to the originals and to those before it."""
    if not len(candidates):
        return
    vectors = embedded.at(candidates)
    covered = vectors[_drawn(rows, candidates, context)]
    alike = np.concatenate(
        [steps(vectors[start : start + COVERED], covered) for start in range(0, len(vectors), COVERED)]
    )
    order = np.arange(len(vectors))
    best = nearest(embedded.at(originals), covered)
    for row in greedy(alike, best, order, order, lambda row: allowed(int(candidates[row]))):
        yield int(candidates[row])


def _drawn(rows: Rows, candidates: np.ndarray, context: Context) -> np.ndarray:
    """Return which candidates are to be covered."""
    if len(candidates) <= COVERED:
        return np.arange(len(candidates))
    ids = rows.table["id"].take(pa.array(candidates)).to_pylist()
    keys = np.array([context.keyed(one) for one in ids])
    return np.sort(np.argsort(keys, kind="stable")[:COVERED])


def _counted(column: pa.ChunkedArray) -> Iterator[tuple[str, int]]:
    """Yield each value that is there with how often it stands."""
    for one in pc.value_counts(column.drop_null().combine_chunks()).to_pylist():
        yield one["values"], one["counts"]
