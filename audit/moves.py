"""Measures what a stage would have done to a group had it kept other rows: the stage itself, and the pipeline over it."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from audit.findings import Finding
from audit.groups import AuditSettings, Membership
from audit.retention import Why, cell_of
from audit.steps import Counts, Step, compose, count, whole


def moved(
    steps: Sequence[Step], number: int, kept: np.ndarray, group: Membership, settings: AuditSettings
) -> list[Finding]:
    """Return what would be measured (rule `impact_ratio`) of stage `number` and of `total` had the stage `kept` these rows.

    Exact for the stage, whose rows are those that entered it. The stages behind it never judged the rows that it would have
    kept: `total` takes it that they keep of these what they kept of the group's others, by the product of the rates
    (`audit.steps.compose`).
    """
    counted = [count(step, group.rows) for step in steps]
    other = replace(steps[number], kept=kept, reason=None)
    counted[number] = count(other, group.rows)
    found = ((other, counted[number]), (whole(steps), compose(counted)))
    return [
        asdict(
            cell_of(step, group, counts, Why(_lost(step, counts), {}, []), settings, count(step, group.rows))
        )
        | {"rule": "impact_ratio", "limit": settings.min_impact_ratio}
        for step, counts in found
    ]


def _lost(step: Step, counts: Counts) -> int:
    return 0 if step.chooses else round(counts.n - counts.kept)
