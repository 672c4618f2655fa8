"""Says in words what was found: a sentence a finding, with its number, its interval and its n."""

from collections.abc import Mapping
from typing import Any

from audit.findings import TOTAL, Finding, Outcome
from audit.page.spelt import named, visible

GATES: dict[Outcome, str] = {
    "FAIL": "failed",
    "INSUFFICIENT_DATA": "could not be judged",
    "PASS": "passed",
    "NOT_APPLICABLE": "had nothing to compare",
}
"""What is said of a gate."""


def subject(finding: Finding) -> str:
    """Name the finding's rows in words; `origin` decides how: a mention is not an identity."""
    axis, group = named(finding["axis"]), named(finding["group"].replace("_", " "))
    if "sides" in finding:
        one, other = (named(side[1].replace("_", " ")) for side in finding["sides"])
        return f"rows of both {one} and {other} ({axis})"
    if finding["origin"] == "label" and group == "(missing)":
        return "rows without a label"
    return {
        "mention-lexicon": f"rows that mention {group} ({axis})",
        "label": f"rows labelled {group}",
        "text-length": f"rows of {group}",
        "language-model": f"rows that a model takes for {group} (language)",
        "embedding-clusters": f"rows of cluster {group} ({_topic(finding)}of rows drawn)",
    }.get(finding["origin"], f"rows whose {axis} is {group}")


def _topic(finding: Finding) -> str:
    return f"{visible(finding['topic'])}; " if "topic" in finding else ""


def sentence(finding: Finding) -> str:
    """Say the finding in words, with its numbers, its interval and its n."""
    rows = f"{finding['n']:,} {subject(finding)}{_children(finding, 'families')}"
    stage = finding["stage"]
    if finding["rule"] in ("impact_ratio", "removal_ratio", "lost_most"):
        stage = f"The whole pipeline{_without(finding)}" if stage == TOTAL else f"The stage {stage}"
        others = f"{finding['other_n']:,} others{_children(finding, 'other_families')}"
    if finding["verdict"] == "NOT_APPLICABLE":
        return f"{stage}: nothing to compare for the {rows}."
    match finding["rule"]:
        case "lost_most":
            return f"{stage} removed {finding['n'] - finding['kept']:,} of the {rows}: more than half."
        case "removal_ratio":
            said = (
                f"{stage} removed {1 - finding['rate']:.1%} of the {rows} and {1 - finding['other_rate']:.1%} of the "
                f"{others}: {times(finding['removal_ratio'])} times as often "
                f"({times(finding['removal_low'])} to {times(finding['removal_high'])})"
            )
        case "impact_ratio":
            said = (
                f"{stage} kept {finding['rate']:.1%} of the {rows} and {finding['other_rate']:.1%} of the "
                f"{others}: a ratio of {_interval(finding)}"
            )
        case "representation":
            said = (
                f"{finding['kept']:,} of {finding['n']:,} published rows are {subject(finding)} ({finding['rate']:.1%}), where the "
                f"reference has {finding['reference']:.1%}: a ratio of {_interval(finding)}"
            )
        case "survival":
            said = f"{finding['rate']:.1%} ({finding['low']:.1%} to {finding['high']:.1%}) of the mentions in {rows} outlived {stage}"
        case "accuracy":
            said = (
                f"The {stage} is right on {finding['rate']:.1%} of the {rows} and on {finding['other_rate']:.1%} of the "
                f"{finding['other_n']:,} others: a difference of {100 * finding['difference']:+.1f} points "
                f"({100 * finding['difference_low']:+.1f} to {100 * finding['difference_high']:+.1f})"
            )
        case _:
            said = f"{stage}, {finding['rule']}: {rows}, {_interval(finding)}"
    return f"{said}{_alike(finding)}{_caveat(finding)}."


def by_removals(finding: Finding) -> str:
    """Say why a finding fails that rests on what was removed, in the few words that stand by its verdict."""
    if finding["rule"] == "lost_most":
        return "more than half went to a stage" if finding["stage"] == TOTAL else "more than half went"
    return f"removed {times(finding['removal_ratio'])} times as often, though {finding['rate']:.1%} stayed"


def times(ratio: float) -> str:
    """Write how many times, of many no finer than in two digits: "3.7", "about 150", "about 4,000"."""
    if ratio < 100:
        return f"{ratio:.1f}"
    magnitude = 10 ** (len(str(int(ratio))) - 2)
    return f"about {magnitude * round(ratio / magnitude):,}"


def not_worse(finding: Finding) -> str | None:
    """Say of a model's finding that could not be judged, and in which the group does better, what is known; None of others."""
    if finding["verdict"] != "INSUFFICIENT_DATA" or finding["difference"] < 0:
        return None
    if finding["difference_low"] >= 0:
        return "not worse"
    least = finding["detectable"]
    missed = "any gap" if least is None else f"a gap of {100 * least:.1f} points"
    return f"not seen to be worse; {missed} could have been missed"


def _without(finding: Mapping[str, Any]) -> str:
    """Name the stages that are no part of a total, as that by which nothing of the group was left stands before them."""
    left_out = finding.get("left_out")
    return f" without {', '.join(left_out)} (where there was nobody to compare)" if left_out else ""


def _children(finding: Mapping[str, Any], parents: str) -> str:
    """Say of how many parents rows are the children, where they are."""
    if parents not in finding:
        return ""
    return f" (children of {finding[parents]:,} parent{'' if finding[parents] == 1 else 's'})"


def cause(finding: Mapping[str, Any]) -> str | None:
    """Say which stage and which of its rules a group's loss is owed to most, and which part of it that is.

    None where nothing was lost against the others, and for findings that no stage made.
    """
    parts = finding.get("parts") or ()
    if not parts or parts[0]["removed"] == 0:
        return None
    first, whole = parts[0], finding["log_ratio"]
    owed = f"the stage {first['stage']} by its rule {named(first['rule'].replace('_', ' '))}"
    against = first.get("against")  # which earlier builds did not count
    met = f" (against {against:,} row{'' if against == 1 else 's'})" if against else ""
    removed = f"{first['removed']:,} of the group's rows{met} and {first['other_removed']:,} others"
    if first["log_ratio"] is None or whole is None:
        return f"{owed}, which removed {removed}"
    if first["log_ratio"] >= 0 or whole >= 0:
        return None
    share = first["log_ratio"] / sum(part["log_ratio"] for part in parts if part["log_ratio"] < 0)
    return f"{owed}, which removed {removed}: {share:.0%} of what sets the group back"


def compared(each: Mapping[str, Any]) -> str:
    """Say a comparison in words; where it cannot tell, say what it could have seen."""
    numbers = (
        f"difference {each['difference']:+.3f} ({each['low']:+.3f} to {each['high']:+.3f}), n = {each['n']:,}"
    )
    if each["verdict"] in ("better", "worse"):
        return f"{each['of']} is {each['verdict']} than {each['against']} on {each['metric']}: {numbers}."
    seen = "" if each["mde"] is None else f"; a difference of {each['mde']:.3f} would have shown"
    return f"Cannot tell {each['of']} from {each['against']} on {each['metric']}: {numbers}{seen}."


def _alike(finding: Mapping[str, Any]) -> str:
    """Say what is left of a ratio among rows of the same length and source."""
    within = finding.get("within")
    if within is None or finding["rule"] != "impact_ratio":
        return ""
    turns = ", so it turns round" if finding["turned"] else ""
    return f", among rows of the same {' and '.join(within['by'])} {_interval(within)}{turns}"


def _interval(finding: Mapping[str, Any]) -> str:
    return f"{finding['ratio']:.2f} ({finding['low']:.2f} to {finding['high']:.2f})"


def _caveat(finding: Mapping[str, Any]) -> str:
    """Say how sure it is; of what could not be judged, which difference would have been seen."""
    q, least = finding["q"], finding.get("detectable")
    sure = "" if q is None else ", q < 0.001" if q < 0.001 else f", q = {q:.3f}"
    if finding["verdict"] != "INSUFFICIENT_DATA":
        return sure
    match finding.get("undecided", {}).get("because"):
        case "rows":
            return f"{sure}; too little to judge: fewer than {finding['undecided']['least']} {_counted(finding)}{_more(finding)}"
        case "expected":
            few = f"{finding['undecided']['least']:g} of the group are expected to go or to stay"
            return f"{sure}; too little to judge: fewer than {few}{_more(finding)}"
        case "limit":
            return f"{sure}; the interval holds the limit of {finding['limit']:g}"
    seen = "no difference" if least is None else f"only a difference of {100 * least:.1f} points or more"
    return f"{sure}; too little to judge: {seen} would be seen in four of five such samples{_more(finding)}"


def _counted(finding: Mapping[str, Any]) -> str:
    return "parents" if "families" in finding else "rows"


def _more(finding: Mapping[str, Any]) -> str:
    """Say how many rows more would show what the recipe allows at most."""
    of = "rows" if finding["rule"] == "representation" else "rows of this group"
    of = "parents of this group" if "families" in finding else of
    if finding.get("origin") == "embedding-clusters":
        return ", and more of `embedded_rows` may show the limit"
    match finding.get("needed"):
        case None:
            return f", and no number of {of} would show the limit" if "needed" in finding else ""
        case 0:
            return ""
        case count:
            return f", and {count:,} more {of} would show the limit"
