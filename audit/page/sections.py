"""Prepares the report's sections: what each shows, in which order, and drawn how. The page itself is `report.html`."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from audit.findings import OUTCOMES, RETENTION, TOTAL, Finding, Outcome
from audit.page import figures, plot
from audit.page.spelt import named
from audit.page.words import by_removals
from corpus.statistics import wilson

_MOST_PLOTTED = 24
_MOST_DRAWN = 16
_MOST_LINES = 40
MOST_CLASSES = 12
"""Classes that a line of a page tells of; `audit.json` has all."""

Facts = Mapping[str, Any]
Drawn = tuple[Finding, Markup]


def fate(found: Sequence[Finding], settings: Facts) -> Markup | None:
    """Draw what the stages made of the groups of which least was kept against the others; None of none."""
    cells = [
        cell
        for cell in found
        if cell["rule"] == "impact_ratio"
        and cell["stage"] == TOTAL
        and cell["n"] >= settings["min_group"]
        and cell["ratio"] is not None
        and cell["parts"]
    ]
    worst_first = sorted(cells, key=lambda cell: (cell["ratio"], cell["axis"], cell["group"]))[:_MOST_DRAWN]
    if not worst_first:
        return None
    return figures.fate(worst_first, [_name(cell) for cell in worst_first], settings["min_impact_ratio"])


def shares(represented: Sequence[Facts]) -> Markup | None:
    """Draw the shares of the largest groups, before and after; None of none."""
    groups = [
        (axis["axis"], group) for axis in represented for group in axis["groups"] if group["came"]["rows"]
    ]
    largest = sorted(groups, key=lambda one: -one[1]["came"]["rows"])[: 2 * _MOST_DRAWN]
    drawn = [one for one in groups if one in largest]
    if not drawn:
        return None
    return figures.shares(
        [group for _, group in drawn], [_name({"axis": axis, **group}) for axis, group in drawn]
    )


def odds(labels: Sequence[Facts]) -> Markup | None:
    """Draw the labels that go with a group, or keep away from it, more than chance explains."""
    sure = sorted((one for one in labels if one["q"] < 0.05), key=lambda one: one["q"])[:_MOST_DRAWN]
    if not sure:
        return None
    return figures.odds(sure, [f"{_name(one)}: {named(one['with'])}" for one in sure])


def words_of(words: Sequence[Facts]) -> list[tuple[str, str, list[Facts]]]:
    """Put the words of each group together."""
    found: dict[tuple[str, str], list[Facts]] = {}
    for one in words:
        found.setdefault((one["axis"], one["group"]), []).append(one)
    return [(axis, group, mine) for (axis, group), mine in found.items()]


def _name(one: Mapping[str, Any]) -> str:
    return f"{named(one['group'].replace('_', ' '))} ({named(one['axis'])})"


def waterfall(stages: Sequence[Facts]) -> list[dict[str, Any]]:
    """Return the stages with what each dropped and why, drawn to one scale."""
    most = max((max(stage["in"], stage["out"]) for stage in stages), default=0)
    told = []
    for stage in stages:
        dropped = sum(stage["dropped"].values())
        grown = stage["out"] + dropped - stage["in"]
        bar = plot.flow(stage["in"] - dropped, dropped, grown, most)
        reasons = sorted(stage["dropped"].items(), key=lambda item: (-item[1], item[0]))
        reasons += [(f"marked as {reason}", count) for reason, count in stage.get("marked", {}).items()]
        told.append({**stage, "grown": grown, "bar": bar, "lost": dropped, "reasons": reasons})
    return told


def forest(
    found: Sequence[Finding],
    stages: Sequence[str],
    audit: Facts | None,
    removed: Mapping[tuple[str, str, str], Sequence[str]],
) -> dict[str, Any] | None:
    """Choose the ratios that matter most and draw them, the whole pipeline first, then stage by stage.

    Those fail too that do so by what was `removed` (`failing_by_removals`).
    """
    drawable = [finding for finding in found if finding["ratio"] is not None]
    if not drawable or audit is None:
        return None
    limit = audit["settings"]["min_impact_ratio"]
    # What fails, what is near to it, and what lies farthest from even; of tiny groups there is nothing to see.
    matter = sorted(
        (each for each in drawable if _verdict(each, removed) != "INSUFFICIENT_DATA" or each["q"] < 0.5),
        key=lambda each: (OUTCOMES.index(_verdict(each, removed)), -abs(1 - each["ratio"])),
    )[:_MOST_PLOTTED]
    scale = plot.ratio_scale([(each["low"], each["high"]) for each in matter])
    rows = [
        (
            each,
            plot.interval(
                each["ratio"],
                each["low"],
                each["high"],
                scale=scale,
                verdict=_verdict(each, removed),
                limits=(limit, 1.0),
            ),
        )
        for each in matter
    ]
    order = ["total", *stages, *sorted({each["stage"] for each in matter} - {"total", *stages})]
    return {
        "stages": [
            (
                stage,
                sorted((row for row in rows if row[0]["stage"] == stage), key=lambda row: row[0]["ratio"]),
            )
            for stage in order
            if any(row[0]["stage"] == stage for row in rows)
        ],
        "axis": plot.axis(scale, (0.1, 0.2, 0.4, limit, 1.25, 2, 4)),
        "limit": limit,
        "left_out": len(drawable) - len(matter),
    }


def _verdict(finding: Finding, removed: Mapping[tuple[str, str, str], Sequence[str]]) -> Outcome:
    fails = (finding["stage"], finding["axis"], finding["group"]) in removed
    return "FAIL" if fails else finding["verdict"]


def by_group(found: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """Put the findings of each axis together, the largest groups first."""
    axes = sorted({finding["axis"] for finding in found})
    largest = sorted(found, key=lambda finding: (-finding["n"], finding["group"]))
    return [(axis, [finding for finding in largest if finding["axis"] == axis]) for axis in axes]


def by_stage(found: Sequence[Finding], stages: Sequence[str]) -> list[tuple[str, list[Finding]]]:
    """Put the findings of each stage together, in the order of the stages."""
    order = [*stages, *sorted({finding["stage"] for finding in found} - {"total", *stages})]
    told = [
        (stage, [each for each in found if each["stage"] == stage and each["ratio"] is not None])
        for stage in order
    ]
    return [
        (stage, sorted(rows, key=lambda each: (each["axis"], each["group"]))) for stage, rows in told if rows
    ]


def failing_by_removals(found: Sequence[Finding]) -> dict[tuple[str, str, str], list[str]]:
    """Return for each stage, axis and group why it fails by what was removed, whatever the ratio of what was kept says."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        if one["rule"] in RETENTION and one["rule"] != "impact_ratio" and one["verdict"] == "FAIL":
            told.setdefault((one["stage"], one["axis"], one["group"]), []).append(by_removals(one))
    return told


def parted(rows: Sequence[Drawn], audit: Facts | None) -> tuple[list[Drawn], list[Drawn]]:
    """Part the groups that are large enough to judge from the others, which the page folds away."""
    least = audit["settings"]["min_group"] if audit is not None else 0
    return [row for row in rows if row[0]["n"] >= least], [row for row in rows if row[0]["n"] < least]


def survived(finding: Finding, audit: Facts | None) -> Markup:
    """Draw which share of a group's mentions outlived growth."""
    assert audit is not None, "a finding is part of an audit"
    return plot.interval(
        finding["rate"],
        finding["low"],
        finding["high"],
        scale=plot.Scale(0, 1),
        verdict=finding["verdict"],
        limits=(audit["settings"]["min_survival"],),
    )


def gap(finding: Finding, audit: Facts | None) -> Markup:
    """Draw how far a group's accuracy lies from that of the others."""
    if finding["difference"] is None or audit is None:
        return Markup("")
    return plot.interval(
        finding["difference"],
        finding["difference_low"],
        finding["difference_high"],
        scale=plot.Scale(-0.5, 0.5),
        verdict="NOT_APPLICABLE" if finding.get("baseline") else finding["verdict"],
        limits=(-audit["settings"]["max_accuracy_gap"], 0.0),
    )


def precision(audit: Facts | None) -> list[tuple[str, int, int, float, float, str]]:
    """Return what reading found of each axis of the lexicon: rows read, right, the interval of their share, where."""
    told = ((audit or {}).get("lexicon") or {}).get("precision", {})
    return [
        (axis, each["read"], each["right"], *wilson(each["right"], each["read"]), each["corpora"])
        for axis, each in told.items()
    ]


def by_class(lines: Sequence[Facts]) -> list[tuple[str, list[Facts], int]]:
    """Put the lines of each model together, the largest groups first, and count the lines that are too many for a page."""
    stages = dict.fromkeys(line["stage"] for line in lines)
    told = []
    for stage in stages:
        mine = sorted((line for line in lines if line["stage"] == stage), key=lambda line: -line["n"])
        shown = sum(min(len(line["classes"]), MOST_CLASSES) for line in mine[:_MOST_LINES])
        told.append((stage, mine[:_MOST_LINES], sum(len(line["classes"]) for line in mine) - shown))
    return told


def counterfactual(told: Sequence[Facts]) -> list[dict[str, Any]]:
    """Return each model's exchanges, those that move it most first, with the class that each moves most."""
    return [
        {
            **one,
            "pairs": [
                {**pair, "most": max(pair["signed"], key=lambda each: abs(each["value"]))}
                for pair in sorted(one["pairs"], key=lambda pair: -pair["gap"]["value"])[:_MOST_LINES]
            ],
        }
        for one in told
    ]


def scorecard(scores: Facts) -> list[tuple[str, list[tuple[str, Facts, Markup]]]]:
    """Group the scores by metric, each with its interval where it is a share."""
    metrics = dict.fromkeys(metric for named in scores.values() for metric in named)
    return [
        (
            metric,
            [
                (name, named[metric], _score(named[metric]))
                for name, named in scores.items()
                if metric in named
            ],
        )
        for metric in metrics
    ]


def _score(metric: Facts) -> Markup:
    value, low, high = metric["value"], metric["low"], metric["high"]
    if low is None or high is None or not 0 <= low <= high <= 1:
        return Markup("")
    return plot.interval(value, low, high, scale=plot.Scale(0, 1), verdict="PASS")
