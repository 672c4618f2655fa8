"""What a recipe demands of the audit, and whether it was met: one of four outcomes, never a pass for want of rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from audit.crossings import TOLD, crossing
from audit.findings import TOTAL, Finding, judge, judged_rows, verdict
from audit.groups import AuditSettings
from corpus.statistics import Interval, rows_needed


def outcome(
    axis: str,
    min_impact_ratio: float,
    found: Sequence[Finding],
    settings: AuditSettings,
    counts: Sequence[Mapping[str, Any]] = (),
    of_few: Sequence[str] = (),
) -> dict[str, Any]:
    """Judge the impact ratios of an axis by a bound of their own; `found` is settled.

    FAIL where the whole pipeline or any of its stages fails for a group; else INSUFFICIENT_DATA where that cannot be
    told of the whole pipeline for one; NOT_APPLICABLE where nothing was compared; else PASS.
    Returns `{"verdict", "ok", "failed": [finding], "undecided": [{"group", "n", "detectable", "needed"}]}`; `ok` is
    false on FAIL alone. `needed` is how many rows more of the group would show a ratio at the bound.
    `counts` and `of_few` are those of `audit.crossings.Crossed`: of two axes that cross most groups are too small to be
    measured, and these are undecided. Of those that are not even counted no number is told (`n` is None).
    """
    mine = [one for one in found if one["rule"] == "impact_ratio" and one["ratio"] is not None]
    judged = [_judged(one, min_impact_ratio, settings) for one in mine if one["axis"] == axis]
    failed = [finding for finding in judged if finding["verdict"] == "FAIL"]
    whole = [finding for finding in judged if finding["stage"] == TOTAL]
    undecided = [
        {key: finding[key] for key in ("group", "n", "detectable", "needed")}
        for finding in whole
        if finding["verdict"] == "INSUFFICIENT_DATA"
    ]
    undecided += _unmeasured(axis, min_impact_ratio, mine, counts, settings)
    if axis in of_few and any(one["stage"] == TOTAL for one in mine):
        undecided.append(
            {"group": f"(of fewer than {TOLD} rows)", **dict.fromkeys(("n", "detectable", "needed"))}
        )
    return {
        "verdict": "FAIL" if failed else "INSUFFICIENT_DATA" if undecided else verdict(whole),
        "ok": not failed,
        "failed": failed,
        "undecided": undecided,
    }


def _unmeasured(
    axis: str,
    limit: float,
    compared: Sequence[Finding],
    counts: Sequence[Mapping[str, Any]],
    settings: AuditSettings,
) -> Iterator[dict[str, Any]]:
    """Yield the crossings of two axes that were counted and not measured, of groups that were compared."""
    wholes = {(one["axis"], one["group"]): one for one in compared if one["stage"] == TOTAL}
    for one in counts:
        side = wholes.get((one["axes"][0], one["groups"][0]))
        group = crossing(*one["groups"])
        if crossing(*one["axes"]) != axis or side is None or (axis, group) in wholes:
            continue
        needed = _needed(side, limit, one["n"], settings)
        yield {
            "group": group,
            "n": one["n"],
            "detectable": None,
            "needed": None if needed is None else max(needed, settings.min_group - one["n"]),
        }


def _needed(finding: Finding, limit: float, n: float, settings: AuditSettings) -> int | None:
    """Return how many rows more than `n` a group needs to show a ratio at the limit, near the rate of all rows of a finding."""
    mine, others = finding["effective_n"], finding["effective_other_n"]
    pooled = (mine * finding["rate"] + others * finding["other_rate"]) / (mine + others)
    return rows_needed(pooled, pooled * (1 - limit), n, mine + others - n, settings.alpha)


def _judged(finding: Finding, limit: float, settings: AuditSettings) -> Finding:
    needed = _needed(finding, limit, finding["effective_n"], settings)
    found = judge(
        Interval(finding["ratio"], finding["low"], finding["high"]),
        limit,
        q=finding["q"],
        n=judged_rows(finding),
        expected=finding["expected"],
        needed=needed,
        settings=settings,
    )
    told = {key: value for key, value in finding.items() if key != "undecided"}  # of the audit's own limit
    return told | {"verdict": found, "limit": limit, "needed": needed}
