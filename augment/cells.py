"""What a training row counts for where rows are wanted by label, source or declared group: what grew of a row counts as that row.

{"label": {"sad": 900}, "region": "balance"}  ->  wanted: ("label", "sad") 900, ("region", "north") 410, ("region", "south") 410
"""

from collections import Counter
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import PositiveInt

from corpus.arrays import whole
from corpus.schema import UserError

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


def wanted(targets: Targets, table: pa.Table, standing: np.ndarray) -> tuple[dict[Cell, int], Counter[Cell]]:
    """Return how many rows each cell shall have, and how many it has among those that stand (bool, one a row).

    `balance` is as many as the commonest value of the axis has. Raises `UserError` where no row has an axis.
    """
    goal: dict[Cell, int] = {}
    held: Counter[Cell] = Counter()
    for axis, numbers in by_axis(targets).items():
        places, values = _values(table, axis)
        counted = pc.value_counts(values.filter(pa.array(standing[places]))).to_pylist()
        found = Counter({(axis, one["values"]): one["counts"] for one in counted})
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


def thin(targets: Targets, table: pa.Table, standing: np.ndarray) -> np.ndarray:
    """Say which rows (bool), standing or not, have a cell that lies under its target among those that stand."""
    goal, held = wanted(targets, table, standing)
    found = np.zeros(len(table), bool)
    for axis in by_axis(targets):
        places, values = _values(table, axis)
        under = [value for (of, value), number in goal.items() if of == axis and held[of, value] < number]
        found[places[pc.is_in(values, pa.array(under, pa.string())).to_numpy(zero_copy_only=False)]] = True
    return found


def cells(table: pa.Table, axes: tuple[str, ...], positions: np.ndarray) -> list[tuple[Cell, ...]]:
    """Return the cells of rows at positions on some axes."""
    found: list[tuple[Cell, ...]] = [()] * len(positions)
    at = np.full(len(table), -1)
    at[positions] = np.arange(len(positions))
    for axis in axes:
        places, values = _values(table, axis)
        asked = at[places] >= 0
        for place, value in zip(
            at[places[asked]].tolist(), values.filter(pa.array(asked)).to_pylist(), strict=True
        ):
            found[place] += ((axis, value),)
    return found


def _values(table: pa.Table, axis: str) -> tuple[np.ndarray, pa.Array]:
    """Return the values that rows have on an axis, each beside the place of its row, ascending."""
    if axis in ("label", "source"):
        held = whole(table["label"]) if axis == "label" else _sources(table)
        return np.flatnonzero(held.is_valid().to_numpy(zero_copy_only=False)), held.drop_null()
    groups = whole(table["groups"])
    of_axis = pc.equal(groups.flatten().field("axis"), axis)
    places = pc.list_parent_indices(groups).filter(of_axis).to_numpy(zero_copy_only=False)
    return places, groups.flatten().field("value").filter(of_axis)


def _sources(table: pa.Table) -> pa.Array:
    """Return the source of each row; of what grew that of the row from which all its parents grew."""
    source, parent = whole(table["source"]), whole(table["parent"])
    above = pc.if_else(pc.is_valid(parent), pc.index_in(parent, whole(table["id"])), None)
    before = len(source) + 1
    while source.null_count < before:
        before = source.null_count
        source = pc.coalesce(source, source.take(above))
    return source
