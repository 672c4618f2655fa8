"""The four outcomes, when each is given, and what the audit says as a whole.

A pass means evidence, not the absence of it: a group too small to judge is never said to be well treated.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from audit.groups import AuditSettings
from corpus.lexicon import Lexicon
from corpus.statistics import Interval

Outcome = Literal["PASS", "FAIL", "INSUFFICIENT_DATA", "NOT_APPLICABLE"]
OUTCOMES: tuple[Outcome, ...] = ("FAIL", "INSUFFICIENT_DATA", "PASS", "NOT_APPLICABLE")
"""From the worst to the mildest."""

Finding = dict[str, Any]
"""JSON: verdict, axis, group, stage, rule, ratio, low, high, n, q and whatever else its rule has to say."""


def judge(
    measured: Interval, floor: float, *, q: float, n: int, expected: float, settings: AuditSettings
) -> Outcome:
    """Say whether `measured` (more is better) lies above `floor`: the first of these that holds.

    1. INSUFFICIENT_DATA where the group has fewer than `min_group` rows, however bad it looks.
    2. FAIL where the value is below the floor and `q < alpha`: the test behind q is exact in small tables.
    3. INSUFFICIENT_DATA where `expected` (the least count expected of the group) is below `min_expected`: the
       interval rests on a normal approximation that does not hold there.
    4. FAIL where the whole interval lies below the floor.
    5. PASS where the whole interval lies at or above the floor.
    6. INSUFFICIENT_DATA: the interval holds the floor, so the data are consistent with both.

    So a value below the floor that may be chance is not a pass, and neither is one above it.
    """
    if n < settings.min_group:
        return "INSUFFICIENT_DATA"
    if measured.value < floor and q < settings.alpha:
        return "FAIL"
    if expected < settings.min_expected:
        return "INSUFFICIENT_DATA"
    if measured.high < floor:
        return "FAIL"
    return "PASS" if measured.low >= floor else "INSUFFICIENT_DATA"


def verdict(findings: Iterable[Mapping[str, Any]]) -> Outcome:
    """Return the worst outcome among the findings; NOT_APPLICABLE where there are none."""
    seen = {finding["verdict"] for finding in findings}
    return next((outcome for outcome in OUTCOMES if outcome in seen), "NOT_APPLICABLE")


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings from the worst to the mildest; among equals the least ratio comes first."""

    def rank(finding: Finding) -> tuple[Any, ...]:
        ratio = finding["ratio"]
        worst = math.inf if ratio is None else ratio
        # What was lost in the whole pipeline is told before the stages that lost it.
        names = (finding["stage"] != "total", finding["stage"], finding["axis"], finding["group"])
        return OUTCOMES.index(finding["verdict"]), worst, -finding["n"], *names

    return sorted(findings, key=rank)


def worst(findings: Iterable[Finding], limit: int = 5) -> list[Finding]:
    """Return what a reader must see first: the failures, in order.

    Where nothing failed, those that could not be judged and lie lowest against chance (least q). Of what several
    stages did to one group the worst is told; what growth or a model did to it is told apart.
    """
    told = ordered(findings)
    failed = [finding for finding in told if finding["verdict"] == "FAIL"]
    doubtful = [
        finding
        for finding in told
        if finding["verdict"] == "INSUFFICIENT_DATA" and finding["q"] is not None and finding["ratio"] < 1
    ]
    firsts: dict[tuple[str, str, str], Finding] = {}
    for finding in failed or sorted(doubtful, key=lambda finding: finding["q"]):
        rule = "impact_ratio" if finding["rule"] == "lost_most" else finding["rule"]
        firsts.setdefault((finding["axis"], finding["group"], rule), finding)
    return list(firsts.values())[:limit]


def record(
    findings: Sequence[Finding], settings: AuditSettings, lexicon: Lexicon | None = None
) -> dict[str, Any]:
    """Return what `audit.json` holds: the verdict, its counts, the findings in order and what they rest on."""
    counts = Counter(finding["verdict"] for finding in findings)
    return {
        "verdict": verdict(findings),
        "counts": {outcome: counts[outcome] for outcome in OUTCOMES},
        "findings": ordered(findings),
        "settings": settings.model_dump(mode="json"),
        "lexicon": lexicon
        and {**lexicon.model_dump(mode="json", exclude={"axes"}), "digest": lexicon.digest},
    }


def subject(finding: Mapping[str, Any]) -> str:
    """Name the finding's rows in words; `origin` decides how: a mention is not an identity."""
    axis, group = finding["axis"], finding["group"].replace("_", " ")
    match finding.get("origin"):
        case "mention-lexicon":
            return f"rows that mention {group} ({axis})"
        case "label":
            return "rows without a label" if group == "(missing)" else f"rows labelled {group}"
        case _:
            return f"rows whose {axis} is {group}"


def sentence(finding: Mapping[str, Any]) -> str:
    """Say the finding in words, with its numbers, its interval and its n."""
    rows = f"{finding['n']:,} {subject(finding)}"
    stage = finding["stage"]
    if finding["rule"] in ("impact_ratio", "lost_most"):
        stage = "The whole pipeline" if stage == "total" else f"The stage {stage}"
    if finding["verdict"] == "NOT_APPLICABLE":
        return f"{stage}: nothing to compare for the {rows}."
    match finding["rule"]:
        case "lost_most":
            return f"{stage} removed {finding['n'] - finding['kept']:,} of the {rows}: more than half."
        case "impact_ratio":
            said = (
                f"{stage} kept {finding['rate']:.1%} of the {rows} and {finding['other_rate']:.1%} of the "
                f"{finding['other_n']:,} others: a ratio of {_interval(finding)}"
            )
        case "survival":
            said = f"{finding['rate']:.1%} ({finding['low']:.1%} to {finding['high']:.1%}) of the mentions in {rows} outlived {stage}"
        case "accuracy":
            said = (
                f"{stage} is right on {finding['rate']:.1%} of the {rows} and on {finding['other_rate']:.1%} of the "
                f"{finding['other_n']:,} others: a difference of {100 * finding['difference']:+.1f} points "
                f"({100 * finding['difference_low']:+.1f} to {100 * finding['difference_high']:+.1f})"
            )
        case _:
            said = f"{stage}, {finding['rule']}: {rows}, {_interval(finding)}"
    return f"{said}{_caveat(finding)}."


def compared(each: Mapping[str, Any]) -> str:
    """Say a comparison in words; where it cannot tell, say what it could have seen."""
    numbers = (
        f"difference {each['difference']:+.3f} ({each['low']:+.3f} to {each['high']:+.3f}), n = {each['n']:,}"
    )
    if each["verdict"] in ("better", "worse"):
        return f"{each['of']} is {each['verdict']} than {each['against']} on {each['metric']}: {numbers}."
    seen = "" if each["mde"] is None else f"; a difference of {each['mde']:.3f} would have shown"
    return f"Cannot tell {each['of']} from {each['against']} on {each['metric']}: {numbers}{seen}."


def _interval(finding: Mapping[str, Any]) -> str:
    return f"{finding['ratio']:.2f} ({finding['low']:.2f} to {finding['high']:.2f})"


def _caveat(finding: Mapping[str, Any]) -> str:
    """Say how sure it is; of what could not be judged, which difference would have been seen."""
    q, least = finding["q"], finding.get("detectable")
    sure = "" if q is None else ", q < 0.001" if q < 0.001 else f", q = {q:.3f}"
    if finding["verdict"] != "INSUFFICIENT_DATA":
        return sure
    seen = "no difference" if least is None else f"only a difference of {100 * least:.0f} points or more"
    return f"{sure}; too little to judge: {seen} would be seen in four of five such samples"
