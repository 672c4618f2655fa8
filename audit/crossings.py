"""Groups where two axes cross: a stage may treat women and Muslims as all others, and still lose Muslim women.

Every pair of values is counted (Crenshaw 1989; Buolamwini and Gebru 2018 for classifiers). Most are too small to be judged,
and a map shows these hatched instead of leaving them out.

{"axes": ["gender", "religion"], "groups": ["women", "muslim"], "n": 34, "kept": 12}
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Any

import numpy as np

from audit.findings import TOTAL, Finding
from audit.groups import MISSING, OF_TEXTS, AuditSettings, Membership
from audit.retention import retention
from audit.steps import Step

BETWEEN = " & "
"""Between the names of what crosses, on the axis as on the group."""

TOLD = 5
"""Rows of a crossing below which it is not even counted: of fewer a reader may guess who they are."""

MOST = 100
"""Crossings that are judged, the largest first."""


@dataclass(frozen=True)
class Crossing:
    """Two groups of different axes that share rows, and the positions of these."""

    one: Membership
    other: Membership
    rows: np.ndarray

    @property
    def sides(self) -> list[list[str]]:
        """Axis and group of each of the two."""
        return [[side.axis, side.group] for side in (self.one, self.other)]

    def membership(self, count: int) -> Membership:
        """Return the crossing as a group among `count` rows."""
        mask = np.zeros(count, dtype=bool)
        mask[self.rows] = True
        (axis, group), (other_axis, other_group) = self.sides
        origins = dict.fromkeys((self.one.origin, self.other.origin))
        return Membership(
            crossing(axis, other_axis),
            crossing(group, other_group),
            ", ".join(origins),
            mask,
        )


def crossings(memberships: Sequence[Membership]) -> Iterator[Crossing]:
    """Yield each two groups of people, of different axes, that share rows; axes in the order of their names.

    Labels, sources, lengths, languages and clusters take no part, and neither do those of whom nothing is known.
    """
    people = [group for group in memberships if group.origin not in OF_TEXTS and group.group != MISSING]
    axes = [
        list(groups)
        for _, groups in groupby(sorted(people, key=lambda group: group.axis), key=lambda group: group.axis)
    ]
    for one_axis, other_axis in combinations(axes, 2):
        for one in one_axis:
            mine = np.flatnonzero(one.rows)
            for other in other_axis:
                rows = mine[other.rows[mine]]
                if len(rows):
                    yield Crossing(one, other, rows)


def crossing(one: str, other: str) -> str:
    """Return what is called what crosses: of two axes (in the order of their names), or of two groups."""
    return BETWEEN.join(map(_part, (one, other)))


def _part(name: str) -> str:
    """Return a name as a part of a crossing's; one that looks like two is put in quotes."""
    return f"'{name}'" if BETWEEN in name else name


def judged(memberships: Sequence[Membership], settings: AuditSettings) -> list[Crossing]:
    """Return the crossings of `min_group` rows and more, at most `MOST` of them, the largest first."""
    return _largest(crossings(memberships), settings)


def _largest(found: Iterable[Crossing], settings: AuditSettings) -> list[Crossing]:
    large = [each for each in found if len(each.rows) >= settings.min_group]
    return sorted(large, key=lambda each: (-len(each.rows), each.sides))[:MOST]


@dataclass(frozen=True)
class Crossed:
    """What is told of crossings: findings, the counts of those of `TOLD` rows and more, the axes on which there are smaller ones."""

    measured: list[Finding]
    counts: list[dict[str, Any]]
    of_few: list[str]


def crossed(
    steps: Sequence[Step], memberships: Sequence[Membership], kept: np.ndarray, settings: AuditSettings, seed: int
) -> Crossed:  # fmt: skip
    """Measure what the whole pipeline did to the crossings that are judged, and count the rows of all.

    The findings are those of `audit.retention` of the stage `total`, with `sides`; `kept` (bool, row-aligned) are the
    rows that stay.
    """
    every = list(crossings(memberships))
    chosen = _largest(every, settings)
    groups = [each.membership(len(kept)) for each in chosen]
    sides = {(group.axis, group.group): each.sides for group, each in zip(groups, chosen, strict=True)}
    found = [
        finding | {"sides": sides[finding["axis"], finding["group"]]}
        for finding in (retention(steps, groups, settings, seed) if groups else ())
        if finding["stage"] == TOTAL
    ]
    counts = [
        {
            "axes": [each.one.axis, each.other.axis],
            "groups": [each.one.group, each.other.group],
            "n": len(each.rows),
            "kept": int(kept[each.rows].sum()),
        }
        for each in every
        if len(each.rows) >= TOLD
    ]
    few = {crossing(each.one.axis, each.other.axis) for each in every if len(each.rows) < TOLD}
    return Crossed(found, counts, sorted(few))
