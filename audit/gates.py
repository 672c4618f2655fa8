"""What a recipe demands of the audit, and whether it was met: one of four outcomes, never a pass for want of rows."""

from collections.abc import Sequence
from typing import Any

from audit.findings import TOTAL, Finding, judge, judged_rows, verdict
from audit.groups import AuditSettings
from corpus.statistics import Interval, rows_needed


def outcome(
    axis: str, min_impact_ratio: float, found: Sequence[Finding], settings: AuditSettings
) -> dict[str, Any]:
    """Judge the impact ratios of an axis by a bound of their own; `found` is settled.

    FAIL where the whole pipeline or any of its stages fails for a group; else INSUFFICIENT_DATA where that cannot be
    told of the whole pipeline for one; NOT_APPLICABLE where nothing was compared; else PASS.
    Returns `{"verdict", "ok", "failed": [finding], "undecided": [{"group", "n", "detectable", "needed"}]}`; `ok` is
    false on FAIL alone. `needed` is how many rows more of the group would show a ratio at the bound.
    """
    judged = [
        _judged(finding, min_impact_ratio, settings)
        for finding in found
        if finding["axis"] == axis and finding["rule"] == "impact_ratio" and finding["ratio"] is not None
    ]
    failed = [finding for finding in judged if finding["verdict"] == "FAIL"]
    whole = [finding for finding in judged if finding["stage"] == TOTAL]
    return {
        "verdict": "FAIL" if failed else verdict(whole),
        "ok": not failed,
        "failed": failed,
        "undecided": [
            {key: finding[key] for key in ("group", "n", "detectable", "needed")}
            for finding in whole
            if finding["verdict"] == "INSUFFICIENT_DATA"
        ],
    }


def _judged(finding: Finding, limit: float, settings: AuditSettings) -> Finding:
    n, other_n = finding["effective_n"], finding["effective_other_n"]
    pooled = (n * finding["rate"] + other_n * finding["other_rate"]) / (n + other_n)
    needed = rows_needed(pooled, pooled * (1 - limit), n, other_n, settings.alpha)
    found = judge(
        Interval(finding["ratio"], finding["low"], finding["high"]),
        limit,
        q=finding["q"],
        n=judged_rows(finding),
        expected=finding["expected"],
        needed=needed,
        settings=settings,
    )
    return finding | {"verdict": found, "limit": limit, "needed": needed}
