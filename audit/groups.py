"""Who is audited: the groups that a row belongs to, and what the recipe's `audit:` section asks for.

A row may mention several groups or none, so each group is compared with all other rows, never with "the" other
group. What a row has one of (its label, its source) gets the group "(missing)" where it has none.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

MISSING = "(missing)"
OTHER = "(other)"
MENTIONS = " (mentions)"
"""Behind the name of a lexicon's axis where a declared group has the same name: they are two axes."""

READ_OFF = ("mention-lexicon", "text-length", "language-model")
"""Origins of groups that are read off the texts; the others are said of the rows."""

OF_TEXTS = frozenset({"label", "source-metadata", "text-length", "language-model", "embedding-clusters"})
"""Origins of groups that are kinds of texts, and no people."""

Share = Annotated[float, Field(gt=0, lt=1)]


class AuditSettings(BaseModel):
    """What is audited and how strictly: the recipe's `audit:` section."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    axes: tuple[str, ...] | None = Field(
        None,
        description="lexicon axes and declared groups, all of both where absent; `length` and `language` only where named",
    )
    lexicon: str = Field("mentions", description="a lexicon of ours by name, or the path of a YAML file")
    min_impact_ratio: Share = Field(
        0.8, description="least ratio of a group's retention to the others' (four fifths: 29 CFR 1607.4(D))"
    )
    max_removal_ratio: float = Field(
        2.0, gt=1, description="most times as often as the others' that a group's rows may be removed"
    )
    min_removal_gap: Share = Field(
        0.01,
        description="share of a group's rows beyond the others' below which removals are too few to matter",
    )
    max_accuracy_gap: Share = Field(0.1, description="most that a group's accuracy may lie under the others'")
    min_survival: Share = Field(0.8, description="least share of a group's mentions that must outlive growth")
    reference: Mapping[str, Mapping[str, Share]] = Field(
        {},
        description="shares that groups have elsewhere, by axis and group (`gender: {women: 0.5}`), to compare with",
    )
    min_representation: Share = Field(
        0.8, description="least ratio of a group's share of the published rows to the reference's"
    )
    alpha: Share = Field(0.05, description="false discovery rate over all cells of one audit")
    min_group: PositiveInt = Field(30, description="rows below which a group is not judged")
    min_expected: float = Field(
        5,
        ge=0,
        description="rows of a group expected to go, and to stay, below which it is not judged (Cochran 1954)",
    )
    show_text: bool = Field(
        True,
        description="whether the report shows words of the corpus: removed, probed and grown rows, associated words",
    )
    embedding: str | None = Field(
        None,
        description="URI of a sentence-transformers model: clusters, diversity by group and a probe of the labels are audited too",
    )
    embedded_rows: PositiveInt = Field(
        1_000,
        description="rows drawn of those that came, and of those that stay, to be embedded; some of each group beside them",
    )
    max_groups: PositiveInt = Field(
        50,
        description="values of a label, source or declared group that are told apart; the rarer ones are (other)",
    )
    max_counterfactuals: NonNegativeInt = Field(
        100,
        description="evaluated rows, with the terms of a group exchanged for those of another, that each model is asked of; 0: none",
    )


@dataclass(frozen=True)
class Membership:
    """Which of the audited rows (bool, row-aligned) belong to one group.

    `origin` says how that is known: "mention-lexicon", "label", "source-metadata", "text-length", "language-model",
    "embedding-clusters", or what a declared group says.
    """

    axis: str
    group: str
    origin: str
    rows: np.ndarray

    def at(self, rows: np.ndarray) -> "Membership":
        """Return the group among some of the rows: their positions, or a mask."""
        return replace(self, rows=self.rows[rows])


@dataclass(frozen=True)
class Told:
    """What is known of every row on an axis: a value (string, row-aligned), or null where none could be told."""

    axis: str
    origin: str
    values: pa.Array


def memberships(
    rows: pa.Table,
    mentions: pa.Table | None,
    settings: AuditSettings,
    declared: Collection[str] = (),
    told: Sequence[Told] = (),
) -> list[Membership]:
    """Return the groups of `rows` (its columns `label`, `source` and `groups`) that `settings` asks for.

    `mentions` holds the bool columns "axis=value" of a lexicon, row-aligned; `told` is what else is known of every row.
    Label and source are always audited; a label that no row has is not. On an axis that no row says anything of, all rows are "(missing)".
    An axis of the lexicon that has the name of a declared one, here or among `declared`, is called "axis (mentions)".
    """
    said = [*_declared(rows["groups"], settings.max_groups)]
    taken = {*declared, *(group.axis for group in said)}
    spoken = [
        replace(group, axis=f"{group.axis}{MENTIONS}") if group.axis in taken else group
        for group in _mentioned(mentions)
    ]
    found = [*spoken, *said]
    for one in told:
        if one.axis not in taken:  # what the rows themselves declare is not guessed
            found += partition(one.values, one.axis, one.origin, settings.max_groups, settings.min_group)
    known = {group.axis.removesuffix(MENTIONS) for group in found} | {"label", "source"}
    nobody = [axis for axis in settings.axes or () if axis not in known]
    found += [Membership(axis, MISSING, "declared", np.ones(rows.num_rows, dtype=bool)) for axis in nobody]
    if settings.axes is not None:
        found = [group for group in found if group.axis.removesuffix(MENTIONS) in settings.axes]
    if rows["label"].null_count < rows.num_rows:
        found += partition(rows["label"], "label", "label", settings.max_groups)
    return [*found, *partition(rows["source"], "source", "source-metadata", settings.max_groups)]


def partition(
    values: pa.Array | pa.ChunkedArray, axis: str, origin: str, max_groups: int = 50, least: int = 1
) -> list[Membership]:
    """Return a group for each value, the commonest first, with "(other)" and "(missing)" where there are such.

    Every row is in exactly one of them. Values of fewer rows than `least` are "(other)".
    """
    flat = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    coded = flat.dictionary_encode()
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    names = [_told(name) for name in coded.dictionary.to_pylist()]
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    order = sorted(range(len(names)), key=lambda code: (-sizes[code], names[code]))
    order = [code for code in order if sizes[code] >= least]
    groups = [Membership(axis, names[code], origin, codes == code) for code in order[:max_groups]]
    rare = ~np.isin(codes, [-1, *order[:max_groups]])
    if rare.any():
        groups.append(Membership(axis, OTHER, origin, rare))
    if (codes < 0).any():
        groups.append(Membership(axis, MISSING, origin, codes < 0))
    return groups


def _mentioned(mentions: pa.Table | None) -> Iterator[Membership]:
    if mentions is None:
        return
    for name in mentions.column_names:
        axis, group = name.split("=", 1)
        column = mentions[name].combine_chunks()
        yield Membership(axis, group, "mention-lexicon", column.to_numpy(zero_copy_only=False))


def _declared(groups: pa.Array | pa.ChunkedArray, max_groups: int) -> Iterator[Membership]:
    """Yield the groups of each declared axis; a row may have several values of one."""
    lists = groups.combine_chunks() if isinstance(groups, pa.ChunkedArray) else groups
    owner = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    entries = pc.list_flatten(lists)
    axes, values, origins = (pc.struct_field(entries, name) for name in ("axis", "value", "origin"))
    for axis in sorted(name for name in axes.unique().to_pylist() if name is not None):
        here = pc.and_(pc.equal(axes, axis), pc.is_valid(values))
        mine = here.to_numpy(zero_copy_only=False)
        owners, held = owner[mine], values.filter(here).dictionary_encode()
        origin = next((name for name in origins.filter(here).unique().to_pylist() if name), "declared")
        codes, names = held.indices.to_numpy(zero_copy_only=False), held.dictionary.to_pylist()
        sizes = np.bincount(codes, minlength=len(names))
        order = sorted(range(len(names)), key=lambda code: (-sizes[code], names[code]))
        for code in order[:max_groups]:
            yield Membership(axis, _told(names[code]), origin, _marked(owners[codes == code], len(lists)))
        rare = ~np.isin(codes, order[:max_groups])
        if rare.any():
            yield Membership(axis, OTHER, origin, _marked(owners[rare], len(lists)))
        missing = ~_marked(owners, len(lists))
        if missing.any():
            yield Membership(axis, MISSING, origin, missing)


def _marked(positions: np.ndarray, rows: int) -> np.ndarray:
    mask = np.zeros(rows, dtype=bool)
    mask[positions] = True
    return mask


def _told(value: str) -> str:
    """Return a value's name; one that reads as missing or other is put in quotes."""
    return f"'{value}'" if value in (MISSING, OTHER) else value
