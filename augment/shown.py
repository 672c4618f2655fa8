"""Examples that stand before a prompt (few-shot): the recipe's own, alike in many rows, and nothing of the row that was grown from.

So a gate reads what stands behind them. Where they end is told in the candidate's `extra`:

{"grown": {..., "shown": {"role": "user", "characters": 312}}}
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import whole
from corpus.stage import Context, Rows
from corpus.standing import OfTexts


def shows(rows: pa.Table) -> pa.BooleanArray:
    """Say of rows (`parent`, `extra`) which show examples: rows that were grown, and say so."""
    found = np.zeros(len(rows), bool)
    found[[place for place, _ in _told(rows)]] = True
    return pa.array(found)


def unshown(rows: pa.Table) -> pa.Table:
    """Return rows (`messages`, `parent`, `extra`) as they are without examples: the first message of the role begins behind them."""
    told = _told(rows)
    if not told:
        return rows
    messages = whole(rows["messages"])
    flat = messages.flatten()
    ends = np.r_[0, np.cumsum(pc.list_value_length(messages).to_numpy())]
    roles, content = flat.field("role"), flat.field("content")
    begins, left = np.zeros(len(flat), bool), []
    for place, shown in told:
        at = pc.index(roles[ends[place] : ends[place + 1]], shown["role"]).as_py()
        if at >= 0:  # else the gate reads other roles
            begins[ends[place] + at] = True
            left.append(content[ends[place] + at].as_py()[shown["characters"] :])
    content = pc.replace_with_mask(content, pa.array(begins), pa.array(left, pa.string()))
    cut = pa.StructArray.from_arrays([roles, content], ["role", "content"])
    held = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), cut).cast(messages.type)
    return rows.set_column(rows.column_names.index("messages"), "messages", held)


def _told(rows: pa.Table) -> list[tuple[int, dict[str, Any]]]:
    """Return the rows that show examples, and what they tell of them."""
    likely = pc.and_(pc.is_valid(rows["parent"]), pc.match_substring(rows["extra"], '"shown"'))
    places = np.flatnonzero(pc.fill_null(whole(likely), False).to_numpy(zero_copy_only=False)).tolist()
    extras = rows["extra"].take(pa.array(places, pa.int64())).to_pylist()
    grown = [orjson.loads(extra).get("grown", {}) for extra in extras]
    return [(place, one["shown"]) for place, one in zip(places, grown, strict=True) if "shown" in one]


@dataclass(frozen=True)
class Unshown:
    """Rows as a corpus judge is given them (`corpus.stage.Rows`), read without examples."""

    rows: Rows

    @property
    def table(self) -> pa.Table:
        """The narrow columns, as they are."""
        return self.rows.table

    @property
    def first(self) -> np.ndarray:
        """The first row of each family, as it is."""
        return self.rows.first

    @property
    def candidates(self) -> np.ndarray:
        """Which rows are candidates."""
        return self.rows.candidates

    @property
    def memory(self) -> int:
        """How many bytes may be held."""
        return self.rows.memory

    def scratch(self) -> AbstractContextManager[Path]:
        """Lend an empty folder."""
        return self.rows.scratch()

    def map(self, function: Callable[[pa.StringArray, Context], pa.Array], positions: np.ndarray) -> pa.Array:
        """Look again at the texts of rows, less their examples."""
        found = list(self.stream(OfTexts(function), positions))
        return pa.concat_arrays(found) if found else self.rows.map(function, positions)

    def stream(
        self, function: Callable[[pa.Table, Context], pa.Array], positions: np.ndarray
    ) -> Iterator[pa.Array]:
        """Yield what is said of the messages of rows, less their examples."""
        return self.rows.stream(_Behind(function), positions)


@dataclass(frozen=True)
class _Behind:
    """A function of rows, as one of rows with examples."""

    function: Any
    columns: tuple[str, ...] = ("parent", "extra")

    @property
    def heavy(self) -> bool:
        """Whether it asks a model."""
        return bool(getattr(self.function, "heavy", False))

    def __call__(self, rows: pa.Table, context: Context) -> Any:
        """Call it on the rows without examples."""
        return self.function(unshown(rows), context)
