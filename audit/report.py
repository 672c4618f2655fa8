"""Renders one self-contained page that says what the pipeline did to whom.

The page holds what users' corpora hold, and these are hostile: everything is escaped, characters that do not
show are made visible, and the page's own policy lets a browser load nothing and run one script, which it knows by its
hash: it sorts and filters the tables.
"""

import base64
import hashlib
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from audit import figures, plot
from audit.findings import OUTCOMES, TOTAL, Finding, worst
from audit.words import cause, compared, sentence, subject
from corpus.statistics import wilson

_LONGEST = 280
_MOST_PLOTTED = 24
_MOST_DRAWN = 16
_LONGEST_NAME = 36

Facts = Mapping[str, Any]
Drawn = tuple[Finding, Markup]


@dataclass(frozen=True)
class ReportFacts:
    """What the page tells, as plain JSON; a section whose facts are None is left out.

    `audit` is `audit.json` as `findings.record` makes it, with the findings on data, growth and model alike.
    `rows`, `stages`, `scores` and `comparison` are those of `winnow run --json`. `samples` are removed texts:
    `{"stage", "axis", "group", "reason", "text"}`, up to five are shown of each finding; `growth` is
    `{"candidates", "admitted", "examples": [{"operation", "parent", "grown"}]}`; `reproduce` names what the run
    depends on, in the order to be shown (`{"version": ..., "recipe": ..., "command": ...}`). Where `shows_text` is
    false no word of the corpus is shown: no sample, no example, no associated word.
    """

    title: str
    audit: Facts | None = None
    rows: Facts | None = None
    stages: Sequence[Facts] | None = None
    samples: Sequence[Facts] | None = None
    growth: Facts | None = None
    scores: Facts | None = None
    comparison: Sequence[Facts] | None = None
    reproduce: Facts | None = None
    shows_text: bool = True


def render(facts: ReportFacts) -> str:
    """Return the page as HTML: nothing from elsewhere, readable on a phone, on paper, by night and without its script."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    template = environment.from_string((files("audit") / "report.html").read_text(encoding="utf-8"))
    samples = facts.samples or () if facts.shows_text else ()
    script = (files("audit") / "report.js").read_text(encoding="utf-8")
    found = list(facts.audit["findings"]) if facts.audit is not None else []
    by_rule = {
        rule: [finding for finding in found if finding["rule"] == rule and finding["n"]]
        for rule in ("impact_ratio", "survival", "accuracy")
    }
    stages = [stage["stage"] for stage in facts.stages or ()]
    associations = (facts.audit or {}).get("associations") or {"labels": [], "words": [], "read": 0, "of": 0}
    represented = (facts.audit or {}).get("representation") or []
    return template.render(
        facts=facts,
        script=Markup(script),  # noqa: S704  # our own
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        fate=fate(found, facts.audit["settings"]) if facts.audit is not None else None,
        represented=represented,
        shares=shares(represented),
        labels=sorted(associations["labels"], key=lambda one: (one["q"], one["axis"], one["group"])),
        odds=_odds(associations["labels"]),
        words=_words(associations["words"]),
        shows_text=facts.shows_text,
        associations=associations,
        outcomes=OUTCOMES,
        worst=[_told(finding, samples) for finding in worst(found)],
        failed=any(finding["verdict"] == "FAIL" for finding in found),
        waterfall=_waterfall(facts.stages or ()),
        forest=_forest(by_rule["impact_ratio"], stages, facts),
        totals=_by_group([each for each in by_rule["impact_ratio"] if each["stage"] == "total"]),
        by_stage=_by_stage(by_rule["impact_ratio"], stages),
        partial=any(
            each["stage"] == "total" and not math.isclose(each["rate"], each["kept"] / each["n"])
            for each in by_rule["impact_ratio"]
        ),
        survival=_parted([(each, _share(each, facts)) for each in by_rule["survival"]], facts),
        accuracy=_parted([(each, _gap(each, facts)) for each in by_rule["accuracy"]], facts),
        probes=(facts.audit or {}).get("probes") or (),
        flipped=[one for one in (facts.audit or {}).get("probes") or () if one["won"] + one["lost"]],
        precision=_precision(facts),
        by_class=_by_class((facts.audit or {}).get("classes") or ()),
        scorecard=_scorecard(facts.scores or {}),
        compared=[compared(each) for each in facts.comparison or ()],
        share_axis=plot.axis(plot.Scale(0, 1), (0.2, 0.4, 0.6, 0.8)),
        subject=subject,
        cut=_cut,
    )


def visible(text: str) -> str:
    """Return `text` with its control and format characters (new lines, bidirectional overrides) spelt out."""
    return text if text.isprintable() else "".join(map(_spelt, text))


def _spelt(character: str) -> str:
    # Joiners hold emoji together and say nothing by themselves.
    if character.isprintable() or character == "\u200d":
        return character
    named = f"U+{ord(character):04X} {unicodedata.name(character, '').lower()}".strip()
    return "\u21b5 " if character == "\n" else f"\u2039{named}\u203a"


def _cut(text: str) -> str:
    return visible(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\u2026")


def _shown(value: Any) -> Any:
    if value is None:
        return "\u2013"
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _told(finding: Finding, samples: Sequence[Facts]) -> dict[str, Any]:
    """Put a finding into words, with what it is owed to and removed texts to look at."""
    group = (finding["axis"], finding["group"])
    whole = finding["stage"] == "total"
    mine = [
        sample
        for sample in samples
        if (sample["axis"], sample["group"]) == group and (whole or sample["stage"] == finding["stage"])
    ]
    # What the loss is owed to most is shown first.
    first = finding["parts"][0] if finding.get("parts") else None
    if first is not None:
        mine.sort(key=lambda sample: (sample["stage"], sample["reason"]) != (first["stage"], first["rule"]))
    return {"finding": finding, "words": sentence(finding), "cause": cause(finding), "samples": mine[:5]}


def fate(found: Sequence[Finding], settings: Facts) -> Markup | None:
    """Draw what the stages made of the groups that the whole pipeline treated most unlike the others; None of none."""
    cells = [
        cell
        for cell in found
        if cell["rule"] == "impact_ratio"
        and cell["stage"] == TOTAL
        and cell["n"] >= settings["min_group"]
        and cell["ratio"] is not None
        and cell["log_ratio"] is not None
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


def _odds(labels: Sequence[Facts]) -> Markup | None:
    """Draw the labels that go with a group, or keep away from it, more than chance explains."""
    sure = sorted((one for one in labels if one["q"] < 0.05), key=lambda one: one["q"])[:_MOST_DRAWN]
    if not sure:
        return None
    return figures.odds(sure, [f"{_name(one)}: {_named(one['with'])}" for one in sure])


def _words(words: Sequence[Facts]) -> list[tuple[str, str, list[Facts]]]:
    """Put the words of each group together."""
    found: dict[tuple[str, str], list[Facts]] = {}
    for one in words:
        found.setdefault((one["axis"], one["group"]), []).append(one)
    return [(axis, group, mine) for (axis, group), mine in found.items()]


def _name(one: Mapping[str, Any]) -> str:
    return f"{_named(one['group'].replace('_', ' '))} ({_named(one['axis'])})"


def _named(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "\u2026"


def _waterfall(stages: Sequence[Facts]) -> list[dict[str, Any]]:
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


def _forest(found: Sequence[Finding], stages: Sequence[str], facts: ReportFacts) -> dict[str, Any] | None:
    """Choose the ratios that matter most and draw them, the whole pipeline first, then stage by stage."""
    drawable = [finding for finding in found if finding["ratio"] is not None]
    if not drawable or facts.audit is None:
        return None
    limit = facts.audit["settings"]["min_impact_ratio"]
    # What fails, what is near to it, and what lies farthest from even; of tiny groups there is nothing to see.
    matter = sorted(
        (each for each in drawable if each["verdict"] != "INSUFFICIENT_DATA" or each["q"] < 0.5),
        key=lambda each: (OUTCOMES.index(each["verdict"]), -abs(1 - each["ratio"])),
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
                verdict=each["verdict"],
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


def _by_group(found: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    axes = sorted({finding["axis"] for finding in found})
    largest = sorted(found, key=lambda finding: (-finding["n"], finding["group"]))
    return [(axis, [finding for finding in largest if finding["axis"] == axis]) for axis in axes]


def _by_stage(found: Sequence[Finding], stages: Sequence[str]) -> list[tuple[str, list[Finding]]]:
    order = [*stages, *sorted({finding["stage"] for finding in found} - {"total", *stages})]
    told = [
        (stage, [each for each in found if each["stage"] == stage and each["ratio"] is not None])
        for stage in order
    ]
    return [
        (stage, sorted(rows, key=lambda each: (each["axis"], each["group"]))) for stage, rows in told if rows
    ]


def _parted(rows: Sequence[Drawn], facts: ReportFacts) -> tuple[list[Drawn], list[Drawn]]:
    """Part the groups that are large enough to judge from the others, which the page folds away."""
    least = facts.audit["settings"]["min_group"] if facts.audit is not None else 0
    return [row for row in rows if row[0]["n"] >= least], [row for row in rows if row[0]["n"] < least]


def _share(finding: Finding, facts: ReportFacts) -> Markup:
    assert facts.audit is not None, "a finding is part of an audit"
    return plot.interval(
        finding["rate"],
        finding["low"],
        finding["high"],
        scale=plot.Scale(0, 1),
        verdict=finding["verdict"],
        limits=(facts.audit["settings"]["min_survival"],),
    )


def _gap(finding: Finding, facts: ReportFacts) -> Markup:
    if finding["difference"] is None or facts.audit is None:
        return Markup("")
    return plot.interval(
        finding["difference"],
        finding["difference_low"],
        finding["difference_high"],
        scale=plot.Scale(-0.5, 0.5),
        verdict=finding["verdict"],
        limits=(-facts.audit["settings"]["max_accuracy_gap"], 0.0),
    )


def _precision(facts: ReportFacts) -> list[tuple[str, int, int, float, float, str]]:
    told = ((facts.audit or {}).get("lexicon") or {}).get("precision", {})
    return [
        (axis, each["read"], each["right"], *wilson(each["right"], each["read"]), each["corpora"])
        for axis, each in told.items()
    ]


def _by_class(lines: Sequence[Facts]) -> list[tuple[str, list[Facts]]]:
    """Put the lines of each model together, the largest groups first."""
    stages = dict.fromkeys(line["stage"] for line in lines)
    return [
        (stage, sorted((line for line in lines if line["stage"] == stage), key=lambda line: -line["n"]))
        for stage in stages
    ]


def _scorecard(scores: Facts) -> list[tuple[str, list[tuple[str, Facts, Markup]]]]:
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
