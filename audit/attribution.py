"""Which stage and which of its rules a group's fate is owed to: parts that add up to the whole, exactly.

The logarithm of a pipeline's impact ratio is the sum of its stages'. Within a stage rules compete for rows, and a side's
log retention is shared among them as its removals are: `ln(kept / n) x removed_by_rule / removed`, the cumulative
hazards of competing causes whose hazards are proportional (Kalbfleisch and Prentice 2002, section 8.2). No order of
the rules is assumed, and what a rule is told of does not depend on the others' names.
"""

import math
from collections.abc import Iterable
from typing import Any

from audit.steps import Counts, Reasons

Part = dict[str, Any]
"""JSON: stage, rule, removed (of the group), against (how many rows these met; None where the rule names none), other_removed, log_ratio (None where a side kept nothing)."""


def parts(stage: str, counts: Counts, mine: Reasons, everybody: Reasons) -> list[Part]:
    """Return the part of each rule of a stage; `mine` and `everybody` say why rows of the group and all rows went.

    The parts' `log_ratio` add up to `counts.log_ratio`. Empty where the stage had one side only: nothing is compared.
    """
    if not counts.two_sided:
        return []
    others = {rule: count - mine.removed.get(rule, 0) for rule, count in everybody.removed.items()}
    hazard, other_hazard = _per_row(counts.n, counts.kept), _per_row(counts.other_n, counts.other_kept)
    return worst_first(
        {
            "stage": stage,
            "rule": rule,
            "removed": mine.removed.get(rule, 0),
            "against": mine.against.get(rule, 0) if rule in everybody.against else None,
            "other_removed": others[rule],
            "log_ratio": None
            if hazard is None or other_hazard is None
            else other_hazard * others[rule] - hazard * mine.removed.get(rule, 0),
        }
        for rule in everybody.removed
    )


def worst_first(found: Iterable[Part]) -> list[Part]:
    """Order parts: those that are owed most of a group's loss come first; of stages that kept nothing, the fullest."""

    def rank(part: Part) -> tuple[Any, ...]:
        log = part["log_ratio"]
        return (log is not None, 0.0 if log is None else log, -part["removed"], part["stage"], part["rule"])

    return sorted(found, key=rank)


def _per_row(n: float, kept: float) -> float | None:
    """Return the hazard that each removed row of a side stands for; None where it is infinite."""
    if kept == 0:
        return None
    return -math.log(kept / n) / (n - kept) if kept < n else 0.0
