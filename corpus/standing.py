"""What stands of a corpus: its parts as the last pass left them, a mask, and the columns that judges set."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import measures, text
from corpus.amend import CUTS, MARKS, SET, amended, with_columns
from corpus.arrays import nulls, whole
from corpus.engine import Engine
from corpus.schema import ROW
from corpus.segment import Measured, rows_with_roles
from corpus.snapshot import NARROW, Part
from corpus.stage import Context


@dataclass(frozen=True)
class Standing:
    """Row-aligned with the rows of the version that is built on, as they lie there, and then with all rows of a snapshot, in id order.

    `columns` are those that judges set, and what else they said of rows that stay (`corpus.amend`).
    The first `earlier` rows are those of the version: they never fall, and keep family and split; only what
    was replaced or forgotten does not stand. `candidates` are the rows that the last growth made.
    """

    parts: tuple[Measured, ...]
    stands: np.ndarray
    columns: Mapping[str, pa.Array]
    candidates: np.ndarray
    earlier: int = 0

    @cached_property
    def bounds(self) -> np.ndarray:
        """The position of each part's first row, and at the end the number of rows."""
        return np.cumsum([0, *(part.rows for part in self.parts)])

    @property
    def fresh(self) -> np.ndarray:
        """Which rows stand that are not those of the version that is built on."""
        fresh = self.stands.copy()
        fresh[: self.earlier] = False
        return fresh

    @property
    def fell(self) -> np.ndarray:
        """Which rows fell; rows of the version that were replaced did not."""
        fell = ~self.stands
        fell[: self.earlier] = False
        return fell

    @property
    def fresh_parts(self) -> tuple[Measured, ...]:
        """The parts of the snapshot: those behind the rows of the version."""
        return self.parts[int(np.searchsorted(self.bounds, self.earlier)) :] if self.earlier else self.parts

    @cached_property
    def narrow(self) -> pa.Table:
        """The narrow columns of all rows, with `fingerprint`, `earlier`, and the columns that judges set."""
        return with_columns(self._as_read, {name: self.columns[name] for name in SET if name in self.columns})

    @cached_property
    def _as_read(self) -> pa.Table:
        chunks: dict[str, list[pa.Array]] = {}
        for part in self.parts:
            for table in (part.table(list(NARROW)), measures.read(part.features, ["fingerprint"])):
                for name in table.column_names:
                    chunks.setdefault(name, []).extend(table[name].chunks)
        columns = {}
        for name in [*chunks]:  # one by one, so that not all are there twice
            columns[name] = _joined(name, chunks.pop(name))
        held = pa.table(columns)
        earlier = np.arange(len(held)) < self.earlier
        gone = earlier & ~self.stands  # another row may have its id now
        if gone.any():
            held = with_columns(held, {"id": pc.if_else(pa.array(gone), None, held["id"])})
        return held.append_column("earlier", pa.array(earlier))

    def after(self, stands: np.ndarray, columns: Mapping[str, pa.Array]) -> "Standing":
        """Return what a judge left, with the columns that it set; nothing is read again."""
        left = replace(self, stands=stands, columns={**self.columns, **columns})
        left.__dict__["_as_read"] = self._as_read
        return left

    def tables(self, mask: np.ndarray | None = None) -> Iterator[pa.Table]:
        """Yield whole rows, part by part: those that stand and are not the version's, or those where `mask` is true."""
        chosen = self.fresh if mask is None else mask
        for part, start, stop in zip(self.parts, self.bounds, self.bounds[1:], strict=False):
            if start < self.earlier and not chosen[start:stop].any():
                continue
            held = {name: column.slice(start, stop - start) for name, column in self.columns.items()}
            yield amended(part.table(), held).filter(pa.array(chosen[start:stop]))

    def take(self, positions: np.ndarray, columns: Sequence[str]) -> pa.Table:
        """Return columns of the rows at `positions` (ascending), part by part."""
        tables = [
            part.table(columns, positions[first:last] - start)
            for part, start, first, last in zip(
                self.parts,
                self.bounds,
                np.searchsorted(positions, self.bounds[:-1]),
                np.searchsorted(positions, self.bounds[1:]),
                strict=False,
            )
            if first < last
        ]
        return pa.concat_tables(tables or [ROW.empty_table().select(columns)])

    def spans(self, mask: np.ndarray, rows: int) -> Iterator["Span"]:
        """Cut the rows where `mask` is true at every `rows` rows, so that each span can be read by a task of its own."""
        places = np.flatnonzero(mask)
        for start in range(0, len(places), rows):
            mine = places[start : start + rows]
            first = int(np.searchsorted(self.bounds, mine[0], side="right")) - 1
            last = int(np.searchsorted(self.bounds, mine[-1], side="right"))
            low = int(self.bounds[first])
            some = pa.array(mine)
            yield Span(
                tuple(part for part in self.parts[first:last] if part.rows),
                mine - low,
                {name: column.take(some) for name, column in self.columns.items()},
            )

    def save(self, folder: Path) -> None:
        """Write the mask and the columns, and where the parts lie: in the store that the folder is of, if they do."""
        folder.mkdir(parents=True, exist_ok=True)
        marks = {"stands": pa.array(self.stands), "candidates": pa.array(self.candidates), **self.columns}
        pq.write_table(pa.table(marks), folder / "standing.parquet", compression="zstd")
        parts = {
            "file": [_inside(folder, one.part.path) for one in self.parts],
            "rows": [one.rows for one in self.parts],
            "group": pa.array([one.part.group for one in self.parts], pa.int64()),
            "memo": [_inside(folder, one.memo) for one in self.parts],
            "earlier": [int(end) <= self.earlier for end in self.bounds[1:]],
        }
        pq.write_table(pa.table(parts), folder / "parts.parquet")

    @classmethod
    def load(cls, folder: Path) -> "Standing":
        """Read what `save` wrote."""
        marks = pq.read_table(folder / "standing.parquet").combine_chunks()
        parts = refers(folder)
        columns = {name: whole(marks[name]) for name in (*SET, MARKS, CUTS) if name in marks.column_names}
        return cls(
            tuple(
                Measured(Part(one["file"], one["rows"], "", one["group"]), one["memo"], {}) for one in parts
            ),
            stands=whole(marks["stands"]).to_numpy(zero_copy_only=False),
            columns=columns,
            candidates=whole(marks["candidates"]).to_numpy(zero_copy_only=False),
            earlier=sum(one["rows"] for one in parts if one["earlier"]),
        )


def _joined(name: str, chunks: list[pa.Array]) -> pa.Array:
    """Put the chunks of a narrow column together."""
    kind = pa.binary(16) if name == "fingerprint" else ROW.field(name).type
    count = sum(len(chunk) for chunk in chunks)
    if sum(chunk.null_count for chunk in chunks) == count:
        return nulls(count, kind)
    return whole(pa.chunked_array(chunks, kind))


@dataclass(frozen=True)
class Span:
    """Rows of parts that follow one another: their positions, ascending, and what judges said of them."""

    parts: tuple[Measured, ...]
    positions: np.ndarray
    columns: Mapping[str, pa.Array]

    def table(self) -> pa.Table:
        """Return the whole rows."""
        tables, start = [], 0
        for part in self.parts:
            mine = self.positions[(self.positions >= start) & (self.positions < start + part.rows)] - start
            start += part.rows
            if len(mine):
                tables.append(part.table(positions=None if len(mine) == part.rows else mine))
        return amended(pa.concat_tables(tables), self.columns)


def refers(folder: Path) -> list[dict[str, Any]]:
    """Return the parts that a segment's folder refers to: `file` and `memo` (paths), `rows`, `group`, `earlier`.

    Raises `ArrowException` where a run was killed as it wrote them.
    """
    root = _root(folder)
    return [
        {**one, "file": root / one["file"], "memo": root / one["memo"]}
        for one in pq.read_table(folder / "parts.parquet").to_pylist()
    ]


def _root(folder: Path) -> Path:
    """Return the store that `runs/<run>/segments/<number>` is of: it may be moved."""
    return folder.parents[3]


def _inside(folder: Path, path: Path) -> str:
    """Return a path from the store's root on; what lies elsewhere, as copies from a bucket do, stays as it is."""
    root = _root(folder)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


@dataclass(frozen=True)
class Look:
    """The task of looking again at some rows of one part."""

    part: Measured
    positions: np.ndarray
    roles: Sequence[str] | None
    function: Any
    context: Context


def look(task: Look) -> pa.Array:
    """Call the function on the messages of the rows at the positions of one part, and on the columns that it names."""
    rows = task.part.table(["id", "messages", *getattr(task.function, "columns", ())], task.positions)
    return task.function(rows_with_roles(rows, task.roles), task.context)


@dataclass(frozen=True)
class OfTexts:
    """A function of texts, as one of rows."""

    function: Any

    @property
    def heavy(self) -> bool:
        """Whether it asks a model."""
        return bool(getattr(self.function, "heavy", False))

    def __call__(self, rows: pa.Table, context: Context) -> Any:
        """Call it on the texts of rows."""
        return self.function(text.contents(rows), context)


@dataclass(frozen=True)
class StandingRows:
    """The `corpus.stage.Rows` that a corpus judge is given."""

    standing: Standing
    positions: np.ndarray
    kin: np.ndarray
    roles: Sequence[str] | None
    engine: Engine
    context: Context
    scratch: Callable[[], AbstractContextManager[Path]]
    memory: int

    @cached_property
    def table(self) -> pa.Table:
        """The narrow columns of the rows that stand."""
        narrow = self.standing.narrow
        return narrow if len(self.positions) == len(narrow) else narrow.take(pa.array(self.positions))

    @cached_property
    def first(self) -> np.ndarray:
        """For each row the position of its family's first row: by fingerprint, then by id."""
        high, low = text.halves(self.table["fingerprint"])
        order = np.lexsort((np.arange(len(high)), low, high))
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        _, family = np.unique(self.kin[self.positions], return_inverse=True)
        least = np.full(family.max(initial=-1) + 1, len(order), np.int64)
        np.minimum.at(least, family, place)
        heads: np.ndarray = order[least[family]]
        return heads

    @property
    def candidates(self) -> np.ndarray:
        """Which rows the last growth made, and nobody has admitted yet."""
        grown: np.ndarray = self.standing.candidates[self.positions]
        return grown

    def map(self, function: Any, positions: np.ndarray) -> pa.Array:
        """Look again at the texts of the rows at `positions` (ascending), part by part."""
        found = list(self.stream(OfTexts(function), positions))
        return pa.concat_arrays(found) if found else function(pa.array([], pa.string()), self.context)

    def stream(self, function: Any, positions: np.ndarray) -> Iterator[pa.Array]:
        """Yield what the function says of the messages of the rows at `positions` (ascending), part by part."""
        inside = self.positions[positions]
        of_part = np.searchsorted(self.standing.bounds, inside, side="right") - 1
        tasks = [
            Look(
                self.standing.parts[part],
                inside[of_part == part] - self.standing.bounds[part],
                self.roles,
                function,
                self.context,
            )
            for part in np.unique(of_part)
        ]
        heavy = bool(getattr(function, "heavy", False))
        yield from self.engine.map(look, tasks, len(positions), heavy=heavy)
