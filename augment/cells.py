"""What a training row counts for where rows are wanted by label, source or declared group: what grew of a row counts as that row.

{"label": {"sad": 900}, "region": "balance"}  ->  wanted: ("label", "sad") 900, ("region", "north") 410, ("region", "south") 410
"""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import PositiveInt

from corpus.schema import UserError
from corpus.stage import Rows

Wanted = Literal["balance"] | dict[str, PositiveInt]
Targets = Literal["balance"] | dict[str, PositiveInt | Wanted]
Cell = tuple[str, str]
"""An axis and a value of it."""

BALANCE: Literal["balance"] = "balance"


def by_axis(targets: Targets) -> dict[str, Wanted]:
    """Return targets by axis; those without one are of labels. Raises `UserError` where some have one and others have not."""
    if isinstance(targets, str):
        return {"label": targets}
    numbers = {name: wanted for name, wanted in targets.items() if isinstance(wanted, int)}
    axes = {name: wanted for name, wanted in targets.items() if not isinstance(wanted, int)}
    if numbers and axes:
        raise UserError(
            f"targets are numbers by label, or axes (label, source, a declared group) with numbers each, and both came: "
            f"put {min(numbers)!r} under `label`"
        )
    return {"label": numbers} if numbers else axes


def wanted(targets: Targets, rows: Rows, standing: np.ndarray) -> tuple[dict[Cell, int], Counter[Cell]]:
    """Return how many rows each cell shall have, and how many it has among those that stand (bool, one a row).

    `balance` is as many as the commonest value of the axis has. Raises `UserError` where no row has an axis.
    """
    goal: dict[Cell, int] = {}
    held: Counter[Cell] = Counter()
    places = np.flatnonzero(standing)
    for axis, numbers in by_axis(targets).items():
        found = Counter(one for of_row in cells(rows, (axis,), places) for one in of_row)
        if not found and axis != "label":
            raise UserError(
                f"targets name {axis!r}, and no training row has one: name label, source, or a group that a source declares"
            )
        held += found
        if isinstance(numbers, str):
            goal |= dict.fromkeys(found, max(found.values(), default=0))
        else:
            goal |= {(axis, value): number for value, number in numbers.items()}
    return goal, held


def cells(rows: Rows, axes: tuple[str, ...], positions: np.ndarray) -> list[tuple[Cell, ...]]:
    """Return the cells of rows on some axes."""
    found: list[tuple[Cell, ...]] = [()] * len(positions)
    for axis in axes:
        for place, values in enumerate(_values(rows, axis, positions)):
            found[place] += tuple((axis, value) for value in values)
    return found


def _values(rows: Rows, axis: str, positions: np.ndarray) -> list[list[str]]:
    table = rows.table
    if axis == "label":
        return [[] if one is None else [one] for one in table["label"].take(pa.array(positions)).to_pylist()]
    if axis == "source":
        parent = pc.index_in(table["parent"].combine_chunks(), table["id"].combine_chunks())
        source = table["source"].combine_chunks()
        own = pc.coalesce(
            source, source.take(pc.if_else(pc.is_valid(table["parent"].combine_chunks()), parent, None))
        )
        return [[] if one is None else [one] for one in own.take(pa.array(positions)).to_pylist()]
    held: list[list[Mapping[str, str]] | None] = table["groups"].take(pa.array(positions)).to_pylist()
    return [[one["value"] for one in of_row or () if one["axis"] == axis] for of_row in held]
