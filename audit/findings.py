"""What was found, how it is judged, and what the audit says as a whole.

A module of this package measures and says nothing of good or bad; `settle` gives all that was measured together its q
values and its outcomes. A pass means evidence, not the absence of it: a group too small to judge is never said to be
well treated.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from audit.groups import AuditSettings
from corpus.lexicon import Lexicon
from corpus.statistics import Interval, benjamini_hochberg

Outcome = Literal["PASS", "FAIL", "INSUFFICIENT_DATA", "NOT_APPLICABLE"]
OUTCOMES: tuple[Outcome, ...] = ("FAIL", "INSUFFICIENT_DATA", "PASS", "NOT_APPLICABLE")
"""From the worst to the mildest."""

Finding = dict[str, Any]
"""JSON: axis, group, origin, stage, rule, ratio, low, high, n, p and whatever else its rule has to say.

`limit`, `expected` and `needed` are what it is judged by; `settle` adds verdict and q.
"""

JUDGED = {
    "impact_ratio": ("ratio", "low", "high"),
    "accuracy": ("difference", "difference_low", "difference_high"),
    "survival": ("rate", "low", "high"),
    "representation": ("ratio", "low", "high"),
}
"""The value and the ends of the interval by which a finding of a rule is judged; more is better."""

RETENTION = ("impact_ratio", "removal_ratio", "lost_most")
"""The rules of findings that are about rows that stages removed."""

MEASURED = {
    "text-length": frozenset({"too_short", "too_long"}),
    "language-model": frozenset({"wrong_language"}),
}
"""By origin of a group the rules that measure the very thing that makes it a group."""

TOTAL = "total"
"""The stage that stands for the whole pipeline."""

MOST_GAPS = 50
"""Gaps behind which a report shows removed rows."""


def judge(
    measured: Interval,
    limit: float,
    *,
    q: float,
    n: int,
    expected: float,
    needed: int | None,
    settings: AuditSettings,
) -> Outcome:
    """Say whether `measured` (more is better) lies above `limit`: the first of these that holds.

    1. INSUFFICIENT_DATA where the group has fewer than `min_group` rows, however bad it looks.
    2. FAIL where the value is below the limit and `q < alpha`: the test behind q is exact in small tables.
    3. INSUFFICIENT_DATA where `expected` (the least count expected of the group) is below `min_expected`: the
       interval rests on a normal approximation that does not hold there.
    4. FAIL where the whole interval lies below the limit.
    5. INSUFFICIENT_DATA where rows are `needed` to see a value at the limit in four of five such samples: what such a
       sample does not show says nothing.
    6. PASS where the whole interval lies at or above the limit.
    7. INSUFFICIENT_DATA: the interval holds the limit, so the data are consistent with both.

    So a value below the limit that may be chance is not a pass, and neither is one above it.
    """
    if n < settings.min_group:
        return "INSUFFICIENT_DATA"
    if measured.value < limit and q < settings.alpha:
        return "FAIL"
    if expected < settings.min_expected:
        return "INSUFFICIENT_DATA"
    if measured.high < limit:
        return "FAIL"
    return "PASS" if needed == 0 and measured.low >= limit else "INSUFFICIENT_DATA"


def undecided(finding: Mapping[str, Any], settings: AuditSettings) -> dict[str, Any]:
    """Say why a finding is INSUFFICIENT_DATA: `{"because", "least"}`, by the rule of `judge` that came first.

    `rows`: the group has fewer than `least`. `expected`: fewer than `least` rows are expected to go or to stay. `sample`: a value at
    the limit would not have shown. `limit`: the interval holds it. `least` is None of the last two.
    """
    if judged_rows(finding) < settings.min_group:
        return {"because": "rows", "least": settings.min_group}
    if finding["expected"] < settings.min_expected:
        return {"because": "expected", "least": settings.min_expected}
    return {"because": "sample" if finding["needed"] != 0 else "limit", "least": None}


def judged_rows(finding: Mapping[str, Any]) -> int:
    """Return as how many rows a group is judged to be large enough: children are as many as the parents that they have."""
    return int(finding.get("families", finding["n"]))


def settle(measured: Iterable[Mapping[str, Any]], settings: AuditSettings) -> list[Finding]:
    """Return what was measured with its q values, taken over all that was tested, and its outcomes.

    What could not be judged says why (`undecided`). Those of rows that stages removed say in `measured_by` the rule that measures the group's own axis and to which its loss
    is owed most, else None: that short rows go where short rows are to go is no news.

    Behind them stand what else the same numbers say, without a test of its own: rule `removal_ratio`, where a
    group went more than `max_removal_ratio` times as often as the others and at least `min_removal_gap` more of it,
    though its impact ratio does not fail (kept 97% against 99% is a ratio of 0.98, and three times the removals);
    rule `lost_most`, where a source or label fares worse than the others and lost more than half to a stage, or to all stages
    together where no one stage took so much (what a stage leaves out that keeps so many rows is no loss). Both are FAIL.
    """
    found = [dict(each) for each in measured]
    q = iter(benjamini_hochberg([finding["p"] for finding in found if finding["p"] is not None]))
    for finding in found:
        finding["q"] = None if finding["p"] is None else next(q)
        finding["verdict"] = _outcome(finding, settings)
        if finding["rule"] == "impact_ratio":
            finding["measured_by"] = _measured_by(finding)
    every = [*found, *_removed(found, settings), *_lost_most(found, settings)]
    for finding in every:
        if finding["verdict"] == "INSUFFICIENT_DATA":
            finding["undecided"] = undecided(finding, settings)
    return every


def _outcome(finding: Finding, settings: AuditSettings) -> Outcome:
    value, low, high = (finding[key] for key in JUDGED[finding["rule"]])
    if value is None:
        return "NOT_APPLICABLE"
    return judge(
        Interval(value, low, high),
        finding["limit"],
        q=1.0 if finding["q"] is None else finding["q"],
        n=judged_rows(finding),
        expected=finding["expected"],
        needed=finding["needed"],
        settings=settings,
    )


def _measured_by(finding: Finding) -> str | None:
    parts = finding.get("parts")
    rule = parts[0]["rule"] if parts else None
    return rule if rule in MEASURED.get(finding["origin"], ()) else None


def _removed(found: Sequence[Finding], settings: AuditSettings) -> Iterator[Finding]:
    for finding in found:
        if (
            finding["rule"] == "impact_ratio"
            and finding["verdict"] not in ("FAIL", "NOT_APPLICABLE")
            and judged_rows(finding) >= settings.min_group
            and finding["q"] < settings.alpha
            and finding["removal_ratio"] > settings.max_removal_ratio
            and finding["other_rate"] - finding["rate"] >= settings.min_removal_gap
        ):
            yield finding | {
                "verdict": "FAIL",
                "rule": "removal_ratio",
                "limit": settings.max_removal_ratio,
            }


def _lost_most(found: Sequence[Finding], settings: AuditSettings) -> Iterator[Finding]:
    lost = [
        finding
        for finding in found
        if finding["rule"] == "impact_ratio"
        and finding["axis"] in ("source", "label")
        and 2 * finding["lost"] > finding["n"] >= settings.min_group
        and finding["ratio"] is not None
        and finding["ratio"] < 1
        and finding["q"] < settings.alpha
    ]
    by_one = {(finding["axis"], finding["group"]) for finding in lost if finding["stage"] != TOTAL}
    for finding in lost:
        if finding["stage"] != TOTAL or (finding["axis"], finding["group"]) not in by_one:
            yield finding | {"verdict": "FAIL", "rule": "lost_most", "limit": 0.5}


def verdict(findings: Iterable[Mapping[str, Any]]) -> Outcome:
    """Return the worst outcome among the findings; NOT_APPLICABLE where there are none.

    What is found of a `baseline`, a model that is there to be compared with, is told and does not count.
    """
    seen = {finding["verdict"] for finding in findings if not finding.get("baseline")}
    return next((outcome for outcome in OUTCOMES if outcome in seen), "NOT_APPLICABLE")


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings from the worst to the mildest; among equals the least ratio comes first."""

    def rank(finding: Finding) -> tuple[Any, ...]:
        ratio = finding["ratio"]
        worst = math.inf if ratio is None else ratio
        # What was lost in the whole pipeline is told before the stages that lost it.
        names = (finding["stage"] != TOTAL, finding["stage"], finding["axis"], finding["group"])
        return OUTCOMES.index(finding["verdict"]), worst, -finding["n"], *names

    return sorted(findings, key=rank)


def worst(findings: Iterable[Finding], limit: int = 5) -> list[Finding]:
    """Return what a reader must see first: the failures, in order.

    Where nothing failed, those that could not be judged and lie lowest against chance (least q). What follows from the rule
    itself (`measured_by`) is not among them. Of what several
    stages did to one group the worst is told; what growth or a model did to it is told apart.
    """
    told = ordered(
        finding for finding in findings if not finding.get("baseline") and finding.get("measured_by") is None
    )
    failed = [finding for finding in told if finding["verdict"] == "FAIL"]
    doubtful = [
        finding
        for finding in told
        if finding["verdict"] == "INSUFFICIENT_DATA" and finding["q"] is not None and finding["ratio"] < 1
    ]
    firsts: dict[tuple[str, str, str], Finding] = {}
    alone = {(finding["axis"], finding["group"]) for finding in failed}
    for finding in failed or sorted(doubtful, key=lambda finding: finding["q"]):
        if any((axis, group) in alone for axis, group in finding.get("sides", ())):
            continue
        rule = "impact_ratio" if finding["rule"] in ("lost_most", "removal_ratio") else finding["rule"]
        firsts.setdefault((finding["axis"], finding["group"], rule), finding)
    return list(firsts.values())[:limit]


def gaps(
    findings: Iterable[Finding], alpha: float, limit: int = MOST_GAPS, by: Literal["p", "q"] = "q"
) -> list[Finding]:
    """Return where a stage, or all of them, removed more of a group: failed, or beyond chance (`by` under `alpha`); the worst first.

    One for each stage and group, whatever rules failed.
    """
    firsts: dict[tuple[str, str, str], Finding] = {}
    for finding in ordered(finding for finding in findings if finding["rule"] in RETENTION):
        if finding["ratio"] is None or finding["ratio"] >= 1:
            continue
        if finding["verdict"] == "FAIL" or finding[by] < alpha:
            firsts.setdefault((finding["stage"], finding["axis"], finding["group"]), finding)
    return list(firsts.values())[:limit]


def record(
    findings: Sequence[Finding], settings: AuditSettings, lexicon: Lexicon | None = None
) -> dict[str, Any]:
    """Return what `audit.json` holds: the verdict, its counts, the findings in order and what they rest on."""
    counts = Counter(finding["verdict"] for finding in findings if not finding.get("baseline"))
    return {
        "verdict": verdict(findings),
        "counts": {outcome: counts[outcome] for outcome in OUTCOMES},
        "findings": ordered(findings),
        "settings": settings.model_dump(mode="json"),
        "lexicon": lexicon
        and {
            **lexicon.model_dump(mode="json", exclude={"axes", "traps", "swaps", "pronouns", "growth"}),
            "digest": lexicon.digest,
        },
    }
