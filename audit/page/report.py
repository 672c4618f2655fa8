"""Renders one self-contained page that says what the pipeline did to whom.

The page holds what users' corpora hold, and these are hostile: everything is escaped, characters that do not
show are made visible, and the page's own policy lets a browser load nothing and run one script, which it knows by its
hash: it sorts and filters the tables.
"""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from audit.findings import MOST_GAPS, OUTCOMES, gaps, worst
from audit.page import plot, sections
from audit.page.approved import beside
from audit.page.brief import brief
from audit.page.few import few
from audit.page.growth_section import growers, ledgers
from audit.page.maps import maps
from audit.page.narrowed import narrowed
from audit.page.published import published
from audit.page.quoted import quoted
from audit.page.spelt import cut, named, visible
from audit.page.told import told, untold
from audit.page.topics import topics, with_topics
from audit.page.words import GATES, compared, not_worse, subject, times

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class ReportFacts:
    """What the page tells, as plain JSON; a section whose facts are None is left out.

    `audit` is `audit.json` as `findings.record` makes it, with the findings on data, growth and model alike.
    `rows`, `stages`, `scores` and `comparison` are those of `winnow run --json`, `base_model` is the URI of the model that was
    tuned. `samples` are removed texts: `{"stage", "axis", "group", "reason", "id", "text", "other_text"}`, the last what the row
    says against which it went (or None), up to five are shown behind each gap; `pairs` are texts of probes whose
    fate differs from that of the same text with other terms (`audit.probes.Pair`); `clusters` are texts in the middle of each
    cluster, `{"cluster", "text"}`; `growth` is
    `{"candidates", "admitted", "examples": [{"operation", "parent", "grown"}], "refused": [{..., "reason"}]}`; `reproduce` names what the run
    depends on, in the order to be shown (`{"version": ..., "recipe": ..., "command": ...}`); `approvals` is who let the version pass gates that
    failed: `{"by", "at", "reason", "gates": [{"axis", "min_impact_ratio", "failed": [finding]}]}`. Where `shows_text` is
    false no word of the corpus is shown: no sample, no pair, no example, no associated word.
    """

    title: str
    audit: Facts | None = None
    rows: Facts | None = None
    stages: Sequence[Facts] | None = None
    samples: Sequence[Facts] | None = None
    pairs: Sequence[Facts] | None = None
    clusters: Sequence[Facts] | None = None
    growth: Facts | None = None
    scores: Facts | None = None
    comparison: Sequence[Facts] | None = None
    base_model: str | None = None
    reproduce: Facts | None = None
    approvals: Sequence[Facts] = ()
    shows_text: bool = True


def render(facts: ReportFacts) -> str:
    """Return the page as HTML: nothing from elsewhere, readable on a phone, on paper, by night and without its script."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown,
        loader=FunctionLoader(_read),
    )  # fmt: skip
    environment.filters["named"] = lambda text: named(text.replace("_", " "))
    template = environment.get_template("report.html")
    samples = facts.samples or () if facts.shows_text else ()
    script = _read("report.js")
    found = list(facts.audit["findings"]) if facts.audit is not None else []
    known = topics(facts.clusters or ()) if facts.shows_text else {}
    first = with_topics(worst(found), known)
    every = gaps(found, facts.audit["settings"]["alpha"], len(found)) if facts.audit is not None else []
    every = with_topics(every, known)
    behind = [finding for finding in every if finding.get("measured_by") is None]
    by_rule = {
        rule: [finding for finding in found if finding["rule"] == rule and finding["n"]]
        for rule in ("impact_ratio", "survival", "accuracy")
    }
    removed = sections.failing_by_removals(found)
    stages = [stage["stage"] for stage in facts.stages or ()]
    associations = (facts.audit or {}).get("associations") or {"labels": [], "words": [], "read": 0, "of": 0}
    gates = (facts.audit or {}).get("gates") or ()
    moves = ((facts.audit or {}).get("remedies") or {}).get("thresholds", ())
    represented = (facts.audit or {}).get("representation") or []
    return template.render(
        facts=facts,
        style=Markup(_read("report.css")),  # noqa: S704  # our own
        script=Markup(script),  # noqa: S704  # likewise
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        fate=sections.fate(found, facts.audit["settings"]) if facts.audit is not None else None,
        represented=represented,
        published=published(facts.audit),
        crossings=maps(
            (facts.audit or {}).get("crossings") or (),
            by_rule["impact_ratio"],
            least=facts.audit["settings"]["min_group"] if facts.audit is not None else 0,
        ),
        diversity=sorted(
            (facts.audit or {}).get("diversity") or (),
            key=lambda one: (one["axis"] != "", one["came"]["value"]),
        ),
        shares=sections.shares(represented),
        labels=sorted(associations["labels"], key=lambda one: (one["q"], one["axis"], one["group"])),
        odds=sections.odds(associations["labels"]),
        words=sections.words_of(associations["words"]),
        shows_text=facts.shows_text,
        associations=associations,
        outcomes=OUTCOMES,
        met=GATES,
        judged=facts.audit["counts"]["FAIL"] + facts.audit["counts"]["PASS"]
        if facts.audit is not None
        else 0,
        mentions=any(one["origin"] == "mention-lexicon" for one in found),
        failures=beside(gates, facts.approvals),
        others=[
            (outcome, mine)
            for outcome in OUTCOMES
            for mine in [[gate for gate in gates if gate["verdict"] == outcome and gate["ok"]]]
            if mine
        ],
        brief=brief(facts.growth, facts.scores),
        few=few(by_rule["impact_ratio"]),
        worst=[told(finding, samples, moves) for finding in first],
        gaps=[told(finding, samples, moves) for finding in untold(behind[:MOST_GAPS], first)],
        from_the_rule=[told(finding, (), ()) for finding in every if finding.get("measured_by") is not None][
            :MOST_GAPS
        ],
        gaps_left_out=max(0, len(behind) - MOST_GAPS),
        failed=any(finding["verdict"] == "FAIL" for finding in first),
        waterfall=sections.waterfall(facts.stages or ()),
        forest=sections.forest(by_rule["impact_ratio"], stages, facts.audit, removed),
        totals=sections.by_group([each for each in by_rule["impact_ratio"] if each["stage"] == "total"]),
        by_stage=sections.by_stage(by_rule["impact_ratio"], stages),
        partial=any(
            each["stage"] == "total" and not math.isclose(each["rate"], each["kept"] / each["n"])
            for each in by_rule["impact_ratio"]
        ),
        removed=removed,
        narrowed=narrowed(by_rule["impact_ratio"], stages),
        survival=sections.parted(
            [(each, sections.survived(each, facts.audit)) for each in by_rule["survival"]], facts.audit
        ),
        accuracy=sections.parted(
            [(each, sections.gap(each, facts.audit)) for each in by_rule["accuracy"]], facts.audit
        ),
        ledgers=ledgers(facts.stages or ()) if facts.growth is not None else [],
        growers=growers((facts.audit or {}).get("growth")),
        clusters=_by_cluster(facts.clusters or ()) if facts.shows_text else {},
        topics=known,
        pairs=[quoted(pair) for pair in facts.pairs or ()] if facts.shows_text else [],
        probes=(facts.audit or {}).get("probes") or (),
        flipped=[one for one in (facts.audit or {}).get("probes") or () if one["won"] + one["lost"]],
        embedded=(facts.audit or {}).get("embedded"),
        mitigation=(facts.audit or {}).get("mitigation") or (),
        precision=sections.precision(facts.audit),
        most_classes=sections.MOST_CLASSES,
        by_class=sections.by_class((facts.audit or {}).get("classes") or ()),
        counterfactual=sections.counterfactual((facts.audit or {}).get("counterfactual") or ()),
        scorecard=sections.scorecard(facts.scores or {}),
        compared=[compared(each) for each in facts.comparison or ()],
        remedies=(facts.audit or {}).get("remedies") or {"rows": (), "weights": (), "thresholds": ()},
        index=(facts.audit or {}).get("index") or (),
        share_axis=plot.axis(plot.Scale(0, 1), (0.2, 0.4, 0.6, 0.8)),
        points_axis=plot.axis(plot.Scale(-50, 50), (-40, -20, 0, 20, 40)),
        not_worse=not_worse,
        times=times,
        subject=subject,
        cut=cut,
    )


def _by_cluster(quotes: Sequence[Facts]) -> dict[str, list[str]]:
    """Return the texts that stand in the middle of each cluster, by its number."""
    found: dict[str, list[str]] = {}
    for one in quotes:
        found.setdefault(one["cluster"], []).append(one["text"])
    return found


def _read(name: str) -> str:
    """Return a file of this package."""
    return files("audit.page").joinpath(*name.split("/")).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    if value is None:
        return "\u2013"
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
