"""Audits each curation stage as a classifier of rows: whether a group's rows stay as often as the others.

Filters are where corpora lose people: of C4's documents a blocklist removed 42% of those in African American
English and 6% of those in White-aligned English (Dodge et al. 2021, arXiv 2104.08758).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby

import numpy as np

from audit.findings import Finding, Outcome, judge
from audit.groups import AuditSettings, Membership
from audit.steps import TOTAL, Counts, Step, check, compose, count, reasons, selection_rates, whole
from corpus.schema import digest
from corpus.statistics import (
    benjamini_hochberg,
    detectable_difference,
    permutation_p,
    ratio_interval,
    two_by_two_p,
    wilson,
)

__all__ = ["TOTAL", "AuditSettings", "Cell", "Membership", "Step", "findings", "retention"]


@dataclass(frozen=True)
class Cell:
    """One stage and one group against all other rows; counts are of rows that entered the stage.

    `ratio` is the impact ratio (retention of the group over that of the others) with its interval, `adjusted`
    where half a count was added; `removal_ratio` is the same of removals, which shows what is rare: kept 97%
    against 99% is a ratio of 0.98, and three times the removals. `detectable` is the least difference of the
    two rates that such samples would show. `log_ratio` is the stage's part in the group's fate: the parts of
    all stages add up to that of `total`. `gap_p` is of the largest gap between the axis's groups, where they
    do not overlap. `reasons` counts why the group's rows went. Numbers that do not exist are None.
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
    reasons: dict[str, int]
    verdict: Outcome = "NOT_APPLICABLE"
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    adjusted: bool = False
    removal_ratio: float | None = None
    removal_low: float | None = None
    removal_high: float | None = None
    p: float | None = None
    q: float | None = None
    detectable: float | None = None


def retention(
    steps: Sequence[Step], memberships: Sequence[Membership], settings: AuditSettings, seed: int
) -> list[Cell]:
    """Return a cell for each stage and group, and for each group one of the stage `total`.

    A cell is NOT_APPLICABLE where the stage dropped nothing, or the group has no row in it or every row;
    otherwise `findings.judge` decides on the impact ratio against `min_impact_ratio`, with the q value taken
    over all cells that were compared. A budget that drops most rows is judged like any other stage.

    `total` is the product of the stages' retentions, so the logarithms of the stages' ratios add up to its
    own, exactly. Where every row that stood could be dropped by every stage, it is the share that survived.
    A row that a stage may not drop (of another split) counts in the stages before and not in those behind;
    `n` and `kept` are then still plain counts, while the rate and all that follows from it are those of
    `corpus.statistics.product_limit`. A stage that one side never entered is no part of `total`, and where a
    stage kept nothing of one side the parts are None and the total is what the stages up to it say.

    `seed` draws the permutations behind `gap_p`.
    """
    if not steps:
        return []
    check(steps, memberships)
    stages = [[count(step, group.rows) for group in memberships] for step in steps]
    _agree([counts for stage in stages for counts in stage if counts.compared])
    everything = [*steps, whole(steps)]
    counted = [*stages, [compose(of_group) for of_group in zip(*stages, strict=True)]]

    compared = [counts for stage in counted for counts in stage if counts.compared]
    p = [_p(counts) for counts in compared]
    tests = iter(zip(p, benjamini_hochberg(p), strict=True))
    cells = []
    for step, stage in zip(everything, counted, strict=True):
        gaps = _gaps(step, memberships, seed)
        why = reasons(step, memberships)
        for group, counts, reason in zip(memberships, stage, why, strict=True):
            tested = next(tests) if counts.compared else None
            gap_p = gaps.get(group.axis)
            cells.append(
                _cell(step, group, counts, tested=tested, gap_p=gap_p, why=reason, settings=settings)
            )
    return cells


def findings(cells: Sequence[Cell]) -> list[Finding]:
    """Return the finding of each cell (rule `impact_ratio`), and those of rule `lost_most`.

    `lost_most` is a FAIL for each source and label of which a stage removed more than half, or all stages
    together where no one stage did. It is a count, not an estimate, so it asks for no least size.
    """
    lost = [cell for cell in cells if cell.axis in ("source", "label") and 2 * cell.kept < cell.n]
    by_one_stage = {(cell.axis, cell.group) for cell in lost if cell.stage != TOTAL}
    told = [cell for cell in lost if cell.stage != TOTAL or (cell.axis, cell.group) not in by_one_stage]
    return [
        *({**asdict(cell), "rule": "impact_ratio"} for cell in cells),
        *({**asdict(cell), "verdict": "FAIL", "rule": "lost_most"} for cell in told),
    ]


def _cell(
    step: Step,
    group: Membership,
    counts: Counts,
    *,
    tested: tuple[float, float] | None,
    gap_p: float | None,
    why: dict[str, int],
    settings: AuditSettings,
) -> Cell:
    plain = count(step, group.rows) if step.stage == TOTAL else counts
    rate_low, rate_high = wilson(counts.kept, counts.n) if counts.n else (None, None)
    untested = Cell(
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
        gap_p=gap_p,
        reasons=why,
    )
    if tested is None:
        return untested
    p, q = tested
    impact = ratio_interval(counts.kept, counts.n, counts.other_kept, counts.other_n)
    removal = ratio_interval(
        counts.n - counts.kept, counts.n, counts.other_n - counts.other_kept, counts.other_n
    )
    expected = counts.n * min(counts.pooled, 1 - counts.pooled)
    return replace(
        untested,
        verdict=judge(
            impact,
            settings.min_impact_ratio,
            q=q,
            n=untested.n,
            expected=expected,
            settings=settings,
        ),
        ratio=impact.value,
        low=impact.low,
        high=impact.high,
        adjusted=impact.adjusted,
        removal_ratio=removal.value,
        removal_low=removal.low,
        removal_high=removal.high,
        p=p,
        q=q,
        detectable=detectable_difference(counts.pooled, counts.n, counts.other_n, settings.alpha),
    )


def _p(counts: Counts) -> float:
    return two_by_two_p(round(counts.kept), round(counts.n), round(counts.other_kept), round(counts.other_n))


def _gaps(step: Step, memberships: Sequence[Membership], seed: int) -> dict[str, float]:
    """Return the permutation p of each axis of which every row has exactly one group."""
    found = {}
    for axis, of_axis in groupby(memberships, key=lambda group: group.axis):
        groups = list(of_axis)
        if np.all(np.add.reduce([group.rows for group in groups], dtype=np.int64) == 1):
            generator = np.random.default_rng(list(digest(str(seed), step.stage, axis)))
            counts = [count(step, group.rows) for group in groups]
            kept, sizes = [int(each.kept) for each in counts], [int(each.n) for each in counts]
            found[axis] = permutation_p(kept, sizes, generator)
    return found


def _agree(cells: Sequence[Counts]) -> None:
    """Assert that Fairlearn sees the same retention as we do."""
    ours = [(cell.kept / cell.n, cell.other_kept / cell.other_n) for cell in cells]
    theirs = selection_rates(cells)
    assert np.allclose(theirs, np.reshape(ours, (-1, 2)), rtol=1e-12, atol=0), "MetricFrame counts other rows"
