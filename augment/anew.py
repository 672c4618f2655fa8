"""Rows from rows: some messages of each are said otherwise, the rest is copied, and how it was made goes along.

{"id": ..., "parent": "9f2c...", "operation": "back_translation", "messages": [{"role": "text", "content": "..."}],
 "extra": {"grown": {"engine": "apertium", "revision": ..., "parameters": {...}, "n": 0, "pivot": "...", "licence": ..., "masks_lost": false}}}
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import rfc8785

from corpus import text
from corpus.schema import ROW, conform, grown_id
from corpus.segment import rows_with_roles


@dataclass(frozen=True)
class Said:
    """A message said anew, whether a masked piece was lost on the way, and what else is to be known of it."""

    text: str
    masks_lost: bool = False
    trail: Mapping[str, str] = field(default_factory=dict)


Say = Callable[[list[str]], Sequence[Sequence[Said]]]
"""Texts to the ways in which each is said anew: as many for each text, in one order."""


@dataclass(frozen=True)
class Maker:
    """How candidates are made: what goes into their ids (`operation`, `parameters`) and what each row tells of it."""

    operation: str
    engine: str
    revision: str
    parameters: Mapping[str, Any]
    licence: str

    def row_id(self, parent: str, n: int) -> str:
        """Return the id of the `n`-th candidate of a row."""
        named = (f"{name}={value}" for name, value in self.parameters.items())
        return grown_id(parent, self.operation, (self.engine, *named), n)

    def told(self, said: Sequence[Said], n: int) -> str:
        """Return a candidate's `extra`: its messages' trails are joined line by line."""
        trails = {name: "\n".join(one.trail[name] for one in said) for name in said[0].trail}
        return rfc8785.dumps(
            {
                "grown": {
                    "engine": self.engine,
                    "revision": self.revision,
                    "parameters": dict(self.parameters),
                    "n": n,
                    **trails,
                    "licence": self.licence,
                    "masks_lost": any(one.masks_lost for one in said),
                }
            }
        ).decode()


def anew(
    rows: pa.Table, roles: tuple[str, ...] | None, words: tuple[int, int], say: Say, maker: Callable[[], Maker]
) -> pa.Table:  # fmt: skip
    """Return the candidates of each row of `words[0]` to `words[1]` words, as many as `say` has ways, row by row.

    Only messages of `roles` are said anew (all where None), and only rows that have one grow. A candidate that is empty or
    its parent again is returned like any other: admission says why it goes. `maker` is asked only where there is a row to grow.
    """
    count = text.count_words(rows_with_roles(rows, roles)).to_numpy()
    least, most = words
    parents = rows.filter(pa.array((count >= max(least, 1)) & (count <= most))).combine_chunks()
    if not parents.num_rows:
        return ROW.empty_table()
    messages = parents["messages"].combine_chunks()
    flat = messages.flatten()
    chosen = pc.is_in(flat.field("role"), pa.array(roles)) if roles is not None else pc.is_valid(flat)
    ways = say(flat.field("content").filter(chosen).to_pylist())
    made = [
        _candidates(parents, messages, chosen, [of_one[n] for of_one in ways], maker(), n)
        for n in range(len(ways[0]))
    ]
    order = np.arange(len(made) * len(parents)).reshape(len(made), -1).T.ravel()
    return pa.concat_tables(made).take(pa.array(order)).combine_chunks()


def _candidates(
    parents: pa.Table, messages: pa.ListArray, chosen: pa.BooleanArray, said: Sequence[Said], maker: Maker, n: int
) -> pa.Table:  # fmt: skip
    """Return a candidate of each row, its chosen messages said in one way."""
    flat = messages.flatten()
    content = pc.replace_with_mask(
        flat.field("content"), chosen, pa.array([one.text for one in said], pa.string())
    )
    lengths = pc.list_value_length(messages).to_numpy()
    held = np.repeat(np.arange(len(parents)), lengths)[chosen.to_numpy(zero_copy_only=False)]
    ends = np.searchsorted(held, np.arange(len(parents) + 1))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    told = [maker.told(said[first:last], n) for first, last in itertools.pairwise(ends)]
    return conform(
        {
            "id": pa.array([maker.row_id(parent, n) for parent in parents["id"].to_pylist()]),
            "messages": pa.ListArray.from_arrays(
                offsets, pa.StructArray.from_arrays([flat.field("role"), content], ["role", "content"])
            ).cast(ROW.field("messages").type),
            "parent": parents["id"].combine_chunks(),
            "operation": pa.repeat(maker.operation, len(parents)),
            "extra": pa.array(told, pa.string()),
        }
    )
