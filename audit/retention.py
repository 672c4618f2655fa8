"""Audits each curation stage as a classifier of rows: whether a group's rows stay as often as the others.

Filters are where corpora lose people: of C4's documents a blocklist removed 42% of those in African American
English and 6% of those in White-aligned English (Dodge et al. 2021, arXiv 2104.08758).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np

from audit.attribution import Part, parts, worst_first
from audit.findings import Finding
from audit.groups import AuditSettings, Membership
from audit.steps import Counts, Step, check, clustered, compose, count, reasons, selection_rates, whole
from audit.strata import Strata, adjusted, multiplied, turned
from corpus.schema import digest
from corpus.statistics import (
    Interval,
    detectable_difference,
    permutation_p,
    ratio_interval,
    rows_needed,
    two_by_two_p,
    wilson,
)

MOST_SHUFFLED = 10**9
"""Rows of which NumPy can draw permutations."""


@dataclass(frozen=True)
class Cell:
    """One stage and one group against all other rows; counts are of rows that entered the stage.

    `ratio` is the impact ratio (retention of the group over that of the others) with its interval, `adjusted`
    where half a count was added; `removal_ratio` is the same of removals, which shows what is rare: kept 97%
    against 99% is a ratio of 0.98, and three times the removals. `detectable` is the least difference of the
    two rates that such samples would show, `needed` how many rows more of the group would show a ratio at the limit; both
    rest on the effective sizes, which differ from the plain ones in `total`, and where rows are of families.
    `log_ratio` is the stage's part in the group's fate: the parts of all stages add up to that of `total`, and those
    of a stage's rules (`parts`) to its own. `gap_p` is of the largest gap between the axis's groups, where they
    do not overlap. `lost` counts the group's rows that went to stages that do not choose. `reasons` counts why the group's rows went. `within` is the impact ratio among rows of the same
    length and source (`audit.strata.adjusted`), of `total` the product of the stages', and `turned` says that it lies on the
    other side of 1. `left_out` names the stages that are no part of `total`, since the group or all others never entered them.
    Numbers that do not exist are None.
    """

    stage: str
    axis: str
    group: str
    origin: str
    n: int
    kept: int
    rate: float | None
    rate_low: float | None
    rate_high: float | None
    other_n: int
    other_kept: int
    other_rate: float | None
    log_ratio: float | None
    gap_p: float | None
    lost: int
    reasons: dict[str, int]
    parts: list[Part]
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    adjusted: bool = False
    removal_ratio: float | None = None
    removal_low: float | None = None
    removal_high: float | None = None
    p: float | None = None
    expected: float | None = None
    detectable: float | None = None
    needed: int | None = None
    effective_n: float | None = None
    effective_other_n: float | None = None
    within: dict[str, Any] | None = None
    turned: bool = False
    left_out: list[str] = field(default_factory=list)


def retention(
    steps: Sequence[Step],
    memberships: Sequence[Membership],
    settings: AuditSettings,
    seed: int,
    cut: Strata | None = None,
    families: np.ndarray | None = None,
) -> list[Finding]:
    """Return what was measured (rule `impact_ratio`, a `Cell` each) of each stage and group, and of `total`.

    There is nothing to judge (`ratio` is None) where the stage dropped nothing, or the group has no row in it or
    every row. A budget that drops most rows is measured like any other stage.

    `total` is the product of the stages' retentions, so the logarithms of the stages' ratios add up to its
    own, exactly. Where every row that stood could be dropped by every stage, it is the share that survived.
    A row that a stage may not drop (of another split) counts in the stages before and not in those behind;
    `n` and `kept` are then still plain counts, while the rate and all that follows from it are those of
    `corpus.statistics.product_limit`. A stage that one side never entered is no part of `total`, and where a
    stage kept nothing of one side the parts are None and the total is what the stages up to it say.

    `seed` draws the permutations behind `gap_p`; `cut` are the strata within which groups are compared once more.
    `families` (int, row-aligned) says which rows are of one family, as the children of one parent are: intervals and
    tests of the stages are then for as many rows as the families are worth (Kish 1965), which holds whatever they share.
    """
    if not steps:
        return []
    check(steps, memberships)
    stages = [[count(step, group.rows) for group in memberships] for step in steps]
    _agree([counts for stage in stages for counts in stage if counts.compared])
    why = [_why(step, stage, memberships) for step, stage in zip(steps, stages, strict=True)]
    cells = [
        cell_of(step, group, _sized(step, group, counts, families), told, settings, counts)
        for step, stage, tolds in zip(steps, stages, why, strict=True)
        for group, counts, told in zip(memberships, stage, tolds, strict=True)
    ]
    total = whole(steps)
    for at, group in enumerate(memberships):
        counts = compose([stage[at] for stage in stages])
        told = Why(
            sum(of_stage[at].lost for of_stage in why),
            {
                f"{step.stage}: {rule}": times
                for step, of_stage in zip(steps, why, strict=True)
                for rule, times in of_stage[at].reasons.items()
            },
            worst_first(part for of_stage in why for part in of_stage[at].parts),
        )
        cells.append(cell_of(total, group, counts, told, settings, count(total, group.rows)))
        cells[-1] = replace(cells[-1], left_out=_left_out(steps, [stage[at] for stage in stages]))
    alike = _alike(steps, memberships, stages, cut)
    for position, step in enumerate((*steps, total)):
        here = slice(position * len(memberships), (position + 1) * len(memberships))
        gaps = _gaps(step, memberships, seed, families)
        cells[here] = [
            replace(cell, gap_p=gaps.get(cell.axis), **_beside(cell, ratio))
            for cell, ratio in zip(cells[here], alike[position], strict=True)
        ]
    return [asdict(cell) | {"rule": "impact_ratio", "limit": settings.min_impact_ratio} for cell in cells]


def _alike(
    steps: Sequence[Step],
    memberships: Sequence[Membership],
    stages: Sequence[Sequence[Counts]],
    cut: Strata | None,
) -> list[list[dict[str, Any] | None]]:
    """Return what rows alike say of each group, by stage and last of `total`."""
    if cut is None:
        return [[None] * len(memberships)] * (len(steps) + 1)
    told = [adjusted(step, memberships, cut) for step in steps]
    total = [
        multiplied([mine[at] for mine, counts in zip(told, stages, strict=True) if counts[at].compared])
        for at in range(len(memberships))
    ]
    return [*told, total]


def _left_out(steps: Sequence[Step], counted: Sequence[Counts]) -> list[str]:
    """Name the stages that one side alone entered, in their order."""
    pairs = zip(steps, counted, strict=True)
    return [step.stage for step, counts in pairs if not counts.two_sided and counts.n + counts.other_n]


def _beside(cell: Cell, within: dict[str, Any] | None) -> dict[str, Any]:
    """Return what rows alike say of a cell, where both ratios exist."""
    if within is None or cell.ratio is None or cell.low is None or cell.high is None:
        return {}
    plain = Interval(cell.ratio, cell.low, cell.high)
    return {
        "within": within,
        "turned": turned(plain, Interval(within["ratio"], within["low"], within["high"])),
    }


@dataclass(frozen=True)
class Why:
    """How many rows went to stages that do not choose, why, and what each rule contributed."""

    lost: int
    reasons: dict[str, int]
    parts: list[Part]


def _why(step: Step, counted: Sequence[Counts], memberships: Sequence[Membership]) -> list[Why]:
    by_group, everybody = reasons(step, memberships)
    return [
        Why(
            0 if step.chooses else sum(mine.removed.values()),
            mine.removed,
            parts(step.stage, counts, mine, everybody),
        )
        for counts, mine in zip(counted, by_group, strict=True)
    ]


def _sized(step: Step, group: Membership, counts: Counts, families: np.ndarray | None) -> Counts:
    """Return the counts of a stage as the rows that they are worth."""
    return counts if families is None else clustered(step, group.rows, families)


def cell_of(
    step: Step, group: Membership, counts: Counts, why: Why, settings: AuditSettings, plain: Counts
) -> Cell:
    """Measure a group in a step from its counts, which may be effective, beside the `plain` ones of its rows."""
    rate_low, rate_high = wilson(counts.kept, counts.n) if counts.n else (None, None)
    cell = Cell(
        stage=step.stage,
        axis=group.axis,
        group=group.group,
        origin=group.origin,
        n=int(plain.n),
        kept=int(plain.kept),
        rate=counts.kept / counts.n if counts.n else None,
        rate_low=rate_low,
        rate_high=rate_high,
        other_n=int(plain.other_n),
        other_kept=int(plain.other_kept),
        other_rate=counts.other_kept / counts.other_n if counts.other_n else None,
        log_ratio=counts.log_ratio,
        gap_p=None,
        lost=why.lost,
        reasons=why.reasons,
        parts=why.parts,
    )
    return replace(cell, **_compared(counts, settings)) if counts.compared else cell


def _compared(counts: Counts, settings: AuditSettings) -> dict[str, Any]:
    """Measure the two sides of a cell against each other."""
    n, other_n, pooled = counts.n, counts.other_n, counts.pooled
    impact = ratio_interval(counts.kept, n, counts.other_kept, other_n)
    removal = ratio_interval(n - counts.kept, n, other_n - counts.other_kept, other_n)
    gap = pooled * (1 - settings.min_impact_ratio)
    return {
        "ratio": impact.value,
        "low": impact.low,
        "high": impact.high,
        "adjusted": impact.adjusted,
        "removal_ratio": removal.value,
        "removal_low": removal.low,
        "removal_high": removal.high,
        "p": two_by_two_p(round(counts.kept), round(n), round(counts.other_kept), round(other_n)),
        "expected": n * min(pooled, 1 - pooled),
        "detectable": detectable_difference(pooled, n, other_n, settings.alpha),
        "needed": rows_needed(pooled, gap, n, other_n, settings.alpha),
        "effective_n": n,
        "effective_other_n": other_n,
    }


def _gaps(
    step: Step, memberships: Sequence[Membership], seed: int, families: np.ndarray | None
) -> dict[str, float]:
    """Return the permutation p of each axis of which every row has exactly one group."""
    found = {}
    for axis, of_axis in groupby(memberships, key=lambda group: group.axis):
        groups = list(of_axis)
        parted = np.all(np.add.reduce([group.rows for group in groups], dtype=np.int64) == 1)
        if parted and len(step.entered) < MOST_SHUFFLED:
            generator = np.random.default_rng(list(digest(str(seed), step.stage, axis)))
            counts = [_sized(step, group, count(step, group.rows), families) for group in groups]
            kept, sizes = [round(each.kept) for each in counts], [round(each.n) for each in counts]
            found[axis] = permutation_p(kept, sizes, generator)
    return found


def _agree(cells: Sequence[Counts]) -> None:
    """Assert that Fairlearn sees the same retention as we do."""
    ours = [(cell.kept / cell.n, cell.other_kept / cell.other_n) for cell in cells]
    theirs = selection_rates(cells)
    assert np.allclose(theirs, np.reshape(ours, (-1, 2)), rtol=1e-12, atol=0), "MetricFrame counts other rows"
