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

from augment.shown import shows
from corpus import text
from corpus.schema import ROW, conform, grown_id
from corpus.segment import rows_with_roles

FAULTS = ("not_made", "endless", "prompt_repeated")
"""Why a maker's text is no candidate: it broke on the text, came to no end, or said what it was asked. Reasons of `admission`."""


@dataclass(frozen=True)
class Said:
    """A message said anew, whether a masked piece was lost on the way, and what else is to be known of it.

    `fault` says why it is no candidate, where its maker knows that (one of `FAULTS`); `shown` how many characters at its
    beginning are examples, which are not its parent's (`augment.shown`).
    """

    text: str
    masks_lost: bool = False
    trail: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None
    shown: int = 0


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
    near: bool = False
    """Candidates are meant to be near their parents: admission does not ask whether enough was said anew."""

    label_risk: str | None = None
    """What may change a label, where candidates are made so that it may."""

    def row_id(self, parent: str, n: int) -> str:
        """Return the id of the `n`-th candidate of a row."""
        named = (f"{name}={value}" for name, value in self.parameters.items())
        return grown_id(parent, self.operation, (self.engine, *named), n)

    def told(self, said: Sequence[Said], n: int, role: str) -> str:
        """Return a candidate's `extra`: its messages' trails are joined line by line; `role` is that of the first of them."""
        trails = {name: "\n".join(one.trail[name] for one in said) for name in said[0].trail}
        faults = [one.fault for one in said if one.fault is not None]
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
                    **({"near": True} if self.near else {}),
                    **({"label_risk": self.label_risk} if self.label_risk else {}),
                    **({"shown": {"role": role, "characters": said[0].shown}} if said[0].shown else {}),
                    **({"fault": faults[0]} if faults else {}),
                }
            }
        ).decode()


@dataclass(frozen=True)
class Way:
    """A way in which a row is said anew: what its chosen messages say then, and its number among those that `maker` makes of it."""

    said: Sequence[Said]
    maker: Maker
    n: int = 0


Ways = Callable[[list[str], list[list[str]]], Sequence[Sequence[Way]]]
"""Ids of rows, and what the chosen messages of each say, to the ways in which each is said anew: some, or none."""


def anew(
    rows: pa.Table, roles: tuple[str, ...] | None, words: tuple[int, int], say: Say, maker: Callable[[], Maker]
) -> pa.Table:  # fmt: skip
    """Return the candidates of each row of `words[0]` to `words[1]` words, as many as `say` has ways, row by row.

    Only messages of `roles` are said anew (all where None), and only rows that have one grow. A candidate that is empty or
    its parent again is returned like any other: admission says why it goes. `maker` is asked only where there is a row to grow.
    """

    def ways(ids: list[str], texts: list[list[str]]) -> list[list[Way]]:
        flat, made = say([one for of_row in texts for one in of_row]), maker()
        ends = itertools.pairwise([0, *itertools.accumulate(map(len, texts))])
        return [
            [Way([of_one[n] for of_one in flat[first:last]], made, n) for n in range(len(flat[first]))]
            for first, last in ends
        ]

    return by_row(rows, roles, words, ways)


def by_row(
    rows: pa.Table, roles: tuple[str, ...] | None, words: tuple[int, int], ways: Ways
) -> pa.Table:  # fmt: skip
    """Return the candidates of each row of `words[0]` to `words[1]` words, row by row, for what needs a row as a whole.

    As `anew`, but a row has as many candidates as `ways` knows for it. `ways` is asked only where there is a row to grow.
    A row that shows examples (`augment.shown`) does not grow: they would be said anew with it.
    """
    rows = rows.filter(pc.invert(shows(rows)))
    count = text.count_words(rows_with_roles(rows, roles)).to_numpy()
    least, most = words
    parents = rows.filter(pa.array((count >= max(least, 1)) & (count <= most))).combine_chunks()
    if not parents.num_rows:
        return ROW.empty_table()
    messages = parents["messages"].combine_chunks()
    chosen = _chosen(messages, roles)
    contents = messages.flatten().field("content").filter(chosen).to_pylist()
    lengths = pc.list_value_length(messages).to_numpy()
    held = np.repeat(np.arange(len(parents)), lengths)[chosen.to_numpy(zero_copy_only=False)]
    ends = np.searchsorted(held, np.arange(len(parents) + 1))
    texts = [contents[first:last] for first, last in itertools.pairwise(ends)]
    made = ways(parents["id"].to_pylist(), texts)
    owner = pa.array(np.repeat(np.arange(len(parents)), [len(of_row) for of_row in made]))
    return _candidates(parents.take(owner), roles, [way for of_row in made for way in of_row])


def _chosen(messages: pa.ListArray, roles: tuple[str, ...] | None) -> pa.BooleanArray:
    flat = messages.flatten()
    return pc.is_in(flat.field("role"), pa.array(roles)) if roles is not None else pc.is_valid(flat)


def _candidates(parents: pa.Table, roles: tuple[str, ...] | None, ways: Sequence[Way]) -> pa.Table:
    """Return a candidate of each parent (one of several stands there several times), its chosen messages said in its way."""
    if not ways:
        return ROW.empty_table()
    messages = parents["messages"].combine_chunks()
    flat, chosen = messages.flatten(), _chosen(messages, roles)
    said = pa.array([one.text for way in ways for one in way.said], pa.string())
    content = pc.replace_with_mask(flat.field("content"), chosen, said)
    offsets = np.concatenate([[0], np.cumsum(pc.list_value_length(messages).to_numpy())])
    counts = np.cumsum([0, *(len(way.said) for way in ways[:-1])])
    first = flat.field("role").filter(chosen).take(pa.array(counts)).to_pylist()
    made = zip(parents["id"].to_pylist(), ways, strict=True)
    return conform(
        {
            "id": pa.array([way.maker.row_id(parent, way.n) for parent, way in made]),
            "messages": pa.ListArray.from_arrays(
                pa.array(offsets, pa.int32()),
                pa.StructArray.from_arrays([flat.field("role"), content], ["role", "content"]),
            ).cast(ROW.field("messages").type),
            "parent": parents["id"].combine_chunks(),
            "operation": pa.array([way.maker.operation for way in ways]),
            "extra": pa.array(
                [way.maker.told(way.said, way.n, role) for way, role in zip(ways, first, strict=True)],
                pa.string(),
            ),
        }
    )
