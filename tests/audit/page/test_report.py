"""The page says what audit.json says, loads nothing, and shows hostile text as text."""

import base64
import hashlib
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import norm

from audit.association import with_labels
from audit.findings import OUTCOMES, RETENTION, gaps, record, settle, verdict, worst
from audit.groups import AuditSettings, Membership, partition
from audit.growth.association_drift import association_drift
from audit.growth.label_drift import label_drift
from audit.growth.pronouns import flips
from audit.growth.survival import settled as settled_growth
from audit.growth.survival import survival
from audit.growth.yields import yields
from audit.index import index
from audit.models.accuracy import accuracy
from audit.models.classes import by_class
from audit.models.counterfactual import Exchange, counterfactual
from audit.page.brief import brief
from audit.page.plot import Scale, interval
from audit.page.report import ReportFacts, render
from audit.page.sections import fate
from audit.page.spelt import visible
from audit.page.words import by_removals, not_worse, sentence
from audit.probes import probe, settled
from audit.remedies import remedies
from audit.representation import representation
from audit.retention import retention
from audit.steps import Step, whole
from corpus.lexicon import load
from corpus.statistics import wilson
from tests.audit.models.test_counterfactual import answering

HOSTILE = (
    "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)> \"'&{{7*7}}\u202egnp\x07\n"
)
VOID = {"meta", "br", "link", "img", "input", "hr"}
ROWS = 4_000
_JUDGED = {"data-finding", "data-survival", "data-accuracy"}
_TOLD = {
    *("data-share", "data-label", "data-class", "data-probe"),
    *("data-yield", "data-pronoun", "data-drift", "data-moved", "data-swap"),
}
_OF_STAGES = {"data-ledger"}
_OF_FEW = {"data-few"}


class Page(HTMLParser):
    """Checks that tags nest, and collects tags, attributes, and the cells of each row that carries a finding."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.rows, self.counts = [], [], [], {}, {}
        self.row = self.cell = self.outcome = None
        self.text = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)
        if tag == "tr":
            self.row = next(
                (
                    (kind, values[kind])
                    for kind in (*_JUDGED, *_TOLD, *_OF_STAGES, *_OF_FEW)
                    if kind in values
                ),
                None,
            )
            if self.row:
                self.rows[self.row] = []
        if tag == "td" and self.row:
            self.rows[self.row].append("")
        self.outcome = values.get("data-count", self.outcome if tag != "dd" else None)

    @property
    def sections(self):
        return {
            value
            for tag, name, value in self.attributes
            if name == "id" and tag in ("section", "dl", "input")
        }

    def handle_endtag(self, tag):
        if tag not in ("circle", "path", "line", "rect", "use"):
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text.append(data)
        if "td" in self.open and self.row:
            self.rows[self.row][-1] += data
        if self.outcome and data.strip():
            self.counts[self.outcome], self.outcome = data.strip(), None


def audit_of(group="women"):
    """An audit with every outcome and rule: a stage that is hard on a group, growth that loses it, a model."""
    at = np.arange(ROWS)
    kept = at % 10 < np.where(at < 400, 5, 9)
    settings = AuditSettings()
    members = [
        Membership("gender", group, "mention-lexicon", at < 400),
        Membership("gender", "few", "mention-lexicon", (at >= 400) & (at < 412)),
        Membership("gender", "even", "mention-lexicon", (at >= 1_000) & (at < 3_000)),
        Membership("gender", "nobody", "mention-lexicon", at < 0),
        *partition(pa.array(np.where(at < 2_000, "shop", group)), "source", "source-metadata"),
    ]
    entered = kept & (at % 2 == 0)
    steps = [
        Step("length", np.ones(ROWS, dtype=bool), kept, pa.array([group] * ROWS)),
        Step("confidence", entered, at % 5 > 0),
        Step("language", kept & ~(entered & (at % 5 == 0)), np.ones(ROWS, dtype=bool)),
    ]
    mentions = pa.table({f"gender={group}": at < 400, "gender=few": at < 5})
    grown = pa.table({f"gender={group}": at < 90, "gender=few": at < 5})
    truth = pa.array(["yes"] * ROWS)
    predicted = pa.array(np.where(at % 10 < np.where(at < 400, 6, 9), "yes", "no"))
    measured = [
        *retention(steps, members, settings, 1),
        *survival(mentions, grown, settings, "back_translation"),
        *accuracy(truth, predicted, members, settings, "tuned"),
    ]
    held = record(settle(measured, settings), settings, load("mentions"))
    held["representation"] = representation(members, whole(steps).kept, {}, 0, settings)
    labels = pa.array(np.where(at % 10 < np.where(at < 400, 9, 3), group, "yes"))
    words = [{**one, "with": f"{group}ly"} for one in with_labels(members[:1], labels)]
    numbers = at % 10 < np.where(at < 400, 6, 9)
    held["classes"] = by_class(
        (at % 3 > 0).astype(int), numbers.astype(int), np.eye(2)[at % 2], ("no", group), members, "tuned", 1
    )
    swaps = [{group: "she", "few": "he"}]
    held["probes"] = settled(
        probe(
            {"few": {n: f"{group}ly he {n}" for n in range(9)}}, "gender", swaps, [("few", group)], fates
        ).told
    )
    swaps = [Exchange(row, "gender", group, "few", f"{row}") for row in range(20)]
    known = np.log(np.array([[0.3, 0.7], [0.6, 0.4]])[np.arange(20) % 2])
    said = np.log(np.array([[0.4, 0.6], [0.45, 0.55]])[np.arange(20) % 2])
    held["counterfactual"] = counterfactual(
        swaps, 20, {"tuned": known}, answering(tuned=said), np.arange(20) % 2, ("no", group)
    )
    held["growth"] = settled_growth([growth_of(members, labels)])
    held["associations"] = {
        "labels": with_labels(members, labels), "words": words, "read": 2_000, "of": ROWS,
    }  # fmt: skip
    held["gates"] = []
    moves = [
        {"value": value, "more": more, "ratio": ratio, "low": ratio / 2, "high": 1.5, "verdict": outcome}
        for value, more, ratio, outcome in [
            (5, 0, 0.5, "FAIL"), (4, 90, 0.7, "FAIL"), (3, 200, 0.85, "INSUFFICIENT_DATA"),
        ]
    ]  # fmt: skip
    by = {
        "axis": "gender",
        "group": group,
        "stage": "total",
        "by": "length",
        "rule": group,
        "knob": "min_words",
    }
    held["remedies"] = remedies(held, [{**by, "points": moves}])
    held["index"] = index(held, published=True)
    return held


def gate(text):
    """A gate behind a growth by two engines, one of which made nothing that came to be scored."""
    bins = {"low": 0, "high": 100, "all": [0, 40, *[8] * 18], "admitted": [0, 0, *[8] * 18]}
    none = {"low": 0, "high": 100, "all": [0] * 20, "admitted": [0] * 20}
    return {
        "stage": "admission",
        "in": 3_640,
        "out": 3_590,
        "dropped": {"too_close": 50},
        "label_probe": {"rows": 90, "classes": ["a"], "right": {"value": 0.8, "low": 0.7, "high": 0.87, "n": 90}},
        "unmet": [
            {"axis": "label", "value": text, "wanted": 1_234, "held": 777},
            {"axis": text, "value": text, "wanted": 12, "held": 7},
        ],
        "yields": [
            {"operation": text, "engine": "one", "made": 194, "independent": 97.0, "admitted": 144, "refused": {"too_close": 50}, "chrf": bins, "cosine": bins},
            {"operation": text, "engine": None, "made": 6, "independent": 6.0, "admitted": 6, "refused": {}, "chrf": none, "cosine": none},
        ],
        "seconds": 4.0,
    }  # fmt: skip


def growth_of(members, labels):
    """A growth of a third of the rows, twice of those of the first group."""
    at = np.arange(ROWS)
    children = (at % 3 == 0).astype(int) + (at < 300)
    owner = np.r_[at, np.repeat(at, children)]
    grown = np.arange(len(owner)) >= ROWS
    both = [Membership(one.axis, one.group, one.origin, one.rows[owner]) for one in members]
    return {
        "stage": "back_translation",
        "parents": ROWS,
        "candidates": len(owner),
        "grown": int(grown.sum()),
        "yields": yields(children, 2, members, 1),
        "pronouns": flips(at % 4, at % 3, at),
        "labels": label_drift(labels, children, 1),
        "associations": association_drift(both, labels.take(pa.array(owner)), owner, grown),
    }


def fates(rows, texts):
    return [
        "length: too_short" if " he " in text and row % 3 else None
        for row, text in zip(rows, texts, strict=True)
    ]


def full(text, group="women"):
    """Facts for every section, with `text` wherever a user's text can stand."""
    score = {"value": 0.89, "low": 0.86, "high": 0.912, "n": 600}
    comparison = {
        "metric": "accuracy", "of": "tuned", "against": text, "difference": 0.012, "low": -0.02, "high": 0.044,
        "n": 600, "p": 0.4, "mde": 0.06, "verdict": "cannot tell",
    }  # fmt: skip
    return ReportFacts(
        title=text,
        audit=audit_of(group),
        rows={"in": ROWS, "rejected": 1, "kept": 3_000, "dropped": 1_199, "grown": 200},
        stages=[
            {"stage": "length", "in": 4_000, "out": 3_440, "dropped": {text: 560}, "seconds": 0.4},
            {
                "stage": "grow",
                "in": 3_440,
                "out": 3_640,
                "grown": 200,
                "ungrown": 1_041,
                "unasked": 1_357,
                "dropped": {},
                "seconds": 9.0,
            },
            gate(text),
        ],
        samples=[
            {
                "stage": "length",
                "axis": "gender",
                "group": group,
                "reason": text,
                "id": text,
                "text": text,
                "other": text,
                "other_text": f"{text} again",
            }
        ],
        base_model=text,
        pairs=[
            {
                "axis": "gender",
                "group": group,
                "instead": text,
                "text": text,
                "instead_text": text,
                "words": [[2, 9, 2, 9]],
                "before": text,
                "after": None,
            }
        ],
        growth={
            "candidates": 200,
            "admitted": 150,
            "examples": [{"operation": text, "parent": text, "grown": text}],
            "refused": [{"operation": text, "parent": text, "grown": text, "reason": "too_close"}],
        },
        scores={
            text: {"accuracy": score},
            "tuned": {"accuracy": score, text: {**score, "value": 3.2, "high": 4.0}},
        },
        comparison=[comparison],
        reproduce={"version": "9f2c", "command": text},
    )


def q(finding):
    return "–" if finding["q"] is None else "<\u20090.001" if finding["q"] < 0.001 else f"{finding['q']:.3f}"


def fine(share):
    return "–" if share is None else f"{100 * share:.{2 if 0 < share < 0.0995 else 1}f}%"


def two(value):
    return "–" if value is None else f"{value:.2f}"


def test_every_number_of_the_tables_is_that_of_the_audit():
    facts = full("reviews")

    page = Page(render(facts))

    def ends(finding):
        return f"{finding['low']:.2f} to {finding['high']:.2f}"

    def said(finding):
        return finding["verdict"].replace("_", " ").lower()

    expected = {}
    for each in facts.audit["findings"]:
        where = f"{each['axis']}|{each['group']}"
        if each["n"] == 0 or (each["ratio"] is None and each["rule"] != "accuracy"):
            continue
        if each["rule"] == "impact_ratio":
            plain = f"{each['kept'] / each['n']:.1%} / {each['other_kept'] / each['other_n']:.1%}"
            expected["data-finding", f"{each['stage']}|{where}"] = [
                f"{each['n']:,}", f"{each['kept']:,}", *([plain] if each["stage"] == "total" else []), f"{100 * each['rate']:.1f}%", f"{100 * each['other_rate']:.1f}%",
                f"{each['ratio']:.2f}{'*' if each['adjusted'] else ''}", ends(each), "–", f"{each['removal_ratio']:.2f}",
                q(each), said(each),
            ]  # fmt: skip
        if each["rule"] == "survival":
            expected["data-survival", where] = [
                "", f"{100 * each['rate']:.1f}%", f"{fine(each['low'])} to {fine(each['high'])}", f"{each['n']:,}",
                f"{each['appeared']:,}", said(each),
            ]  # fmt: skip
        if each["rule"] == "accuracy":
            expected["data-accuracy", f"{each['stage']}|{where}"] = [
                f"{each['n']:,}", f"{100 * each['rate']:.1f}%", f"{100 * each['other_rate']:.1f}%", "",
                f"{100 * each['difference']:+.1f}", q(each), f"{said(each)}{f' {not_worse(each)}' if not_worse(each) else ''}",
            ]  # fmt: skip
    told = {row: cells[1:] for row, cells in page.rows.items() if row[0] in _JUDGED}
    assert told == expected
    assert {kind for kind, _ in expected} == _JUDGED
    assert page.counts == {outcome: f"{facts.audit['counts'][outcome]:,}" for outcome in OUTCOMES}


def test_shares_and_what_goes_with_groups_are_those_of_the_audit():
    facts = full("reviews")

    page = Page(render(facts))

    expected = {}
    for axis in facts.audit["representation"]:
        for each in axis["groups"]:
            sides = [
                [f"{side['rows']:,}", fine(side["share"]), f"{fine(side['low'])} to {fine(side['high'])}"]
                for side in (each["came"], each["published"])
            ]
            expected["data-share", f"{axis['axis']}|{each['group']}"] = [*sides[0], *sides[1], "–"]
    for each in facts.audit["associations"]["labels"]:
        expected["data-label", f"{each['axis']}|{each['group']}|{each['with']}"] = [
            each["with"], f"{each['both']:,}", f"{each['n']:,}", "–" if each["rate"] is None else f"{100 * each['rate']:.1f}%",
            f"{100 * each['other_rate']:.1f}%", "–" if each["npmi"] is None else f"{each['npmi']:.2f}",
            f"{each['log_odds']:.2f}", f"{each['log_odds_low']:.2f} to {each['log_odds_high']:.2f}", q(each),
        ]  # fmt: skip
    for line in facts.audit["classes"]:
        for each in line["classes"]:
            rates = [each["selection"], each["true_positive"], each["false_positive"]]
            others = [each["others"][rate] for rate in ("selection", "true_positive", "false_positive")]
            f1 = line["f1_macro"]
            expected["data-class", f"tuned|{line['axis']}|{line['group']}|{each['class']}"] = [
                f"{line['n']:,}", f"{f1['value']:.2f} {f1['low']:.2f} to {f1['high']:.2f}", each["class"],
                *(f"{two(mine['value'])} / {two(other['value'])}" for mine, other in zip(rates, others, strict=True)),
                two(each["equalized_odds"]), two(each["f1"]), *(two(each[name]["value"]) for name in ("auc", "bpsn", "bnsp")),
            ]  # fmt: skip
    for one in facts.audit["probes"]:
        flips = one["flips"]
        expected["data-probe", f"{one['axis']}|{one['group']}|{one['instead']}"] = [
            one["instead"], *(f"{one[key]:,}" for key in ("n", "kept", "kept_instead", "won", "lost")),
            f"{100 * flips['value']:.1f}%", f"{100 * flips['low']:.1f}% to {100 * flips['high']:.1f}%", q(one),
        ]  # fmt: skip
    for grower in facts.audit["growth"]:
        expected |= grew(grower)
    for pair in facts.audit["counterfactual"][0]["pairs"]:
        most = max(pair["signed"], key=lambda each: abs(each["value"]))
        expected["data-swap", f"tuned model|{pair['axis']}|{pair['group']}|{pair['instead']}"] = [
            pair["instead"], f"{pair['n']:,}", f"{pair['gap']['value']:.3f}",
            f"{pair['gap']['low']:.2f} to {pair['gap']['high']:.2f}", f"{100 * pair['flips']['value']:.1f}%", most["class"],
            f"{most['value']:+.3f}", f"{most['low']:.2f} to {most['high']:.2f}", f"{pair['lost']:,}", f"{pair['won']:,}", q(pair),
        ]  # fmt: skip
    assert {row: cells[1:] for row, cells in page.rows.items() if row[0] in _TOLD} == expected
    assert {kind for kind, _ in expected} == _TOLD


def grew(grower):
    """What the tables say of a growth."""
    expected = {}
    for one in grower["yields"]:
        expected["data-yield", f"{one['axis']}|{one['group']}"] = [
            f"{one['parents']:,}", f"{one['grown']:,}", two(one["rate"]), f"{one['low']:.2f} to {one['high']:.2f}",
            two(one["other_rate"]), two(one["ratio"]),
            "" if one["ratio"] is None else f"{one['ratio_low']:.2f} to {one['ratio_high']:.2f}", q(one),
        ]  # fmt: skip
    for kind, line in grower["pronouns"]["table"].items():
        expected["data-pronoun", kind] = [
            f"{line[now]:,}" for now in ("masculine", "feminine", "both", "none")
        ]
    for one in grower["labels"]["labels"]:
        sides = [one[what] for what in ("before", "grown", "after")]
        expected["data-drift", one["label"]] = [
            said for side in sides for said in (fine(side["value"]), f"{fine(side['low'])} to {fine(side['high'])}")
        ]  # fmt: skip
    for one in grower["associations"]:
        expected["data-moved", f"{one['axis']}|{one['group']}|{one['with']}"] = [
            one["with"], *moved(one["rate"]), *moved(one["log_odds"]), q(one),
        ]  # fmt: skip
    return expected


def moved(change):
    ends = "" if change["low"] is None else f"{change['low']:.2f} to {change['high']:.2f}"
    return [two(change["before"]), two(change["after"]), f"{change['difference']:+.2f}", ends]


def test_the_head_says_how_many_of_those_judged_fail_and_how_each_gate_was_met():
    audit = audit_of()
    outcomes = dict(zip(("gender", "source", "faith", "age"), OUTCOMES, strict=True))
    audit["gates"] = [
        {
            "axis": axis, "min_impact_ratio": 0.8, "on_fail": "report", "verdict": outcome, "ok": outcome != "FAIL",
            "failed": [{"group": "women", "stage": "total", "ratio": 0.5, "low": 0.4, "high": 0.6, "n": 400}] if outcome == "FAIL" else [],
            "undecided": [],
        }
        for axis, outcome in outcomes.items()
    ]  # fmt: skip

    html = render(ReportFacts(title="t", audit=audit))
    nobody = render(ReportFacts(title="t", audit=record([], AuditSettings())))

    banner = html[html.index('id="verdict"') : html.index('id="worst"')]
    words = " ".join(re.sub(r"<[^>]+>", " ", banner).split())
    judged = [one["verdict"] for one in audit["findings"] if one["verdict"] in ("FAIL", "PASS")]
    assert f"fail {judged.count('FAIL')} of {len(judged)} judged" in words
    assert f"not applicable {audit['counts']['NOT_APPLICABLE']} nothing to compare" in words
    assert "Gate gender, impact ratio 0.8. Failed by women at the whole pipeline" in words
    assert "Gate source (impact ratio 0.8) could not be judged." in words
    assert "Gate faith (impact ratio 0.8) passed." in words
    assert "Gate age (impact ratio 0.8) had nothing to compare." in words
    assert "Groups are what a text mentions, not who wrote it; intervals are 95%" in words
    assert "judged</small>" not in nobody
    assert "Groups are what a text mentions" not in nobody


def test_a_group_that_fails_by_its_removals_fails_in_the_tables_too():
    """Of 2,000 rows of a group 96% stay and of 18,000 others 99%: a ratio of 0.97, and four times the removals."""
    at = np.arange(20_000)
    settings = AuditSettings()
    members = [Membership("faith", "some", "mention-lexicon", at < 2_000)]
    members += partition(pa.array(np.where(at < 9_000, "a", "b")), "source", "source-metadata")
    rare = Step("blocklist", at >= 0, at % 100 >= np.where(at < 2_000, 4, 1), pa.array(["word"] * 20_000))
    most = Step("length", rare.kept, (at >= 9_000) | (at % 3 == 0), pa.array(["short"] * 20_000))
    held = record(settle(retention([rare, most], members, settings, 1), settings), settings)

    page = Page(render(ReportFacts(title="t", audit=held)))

    rules = {
        (one["rule"], one["stage"], one["group"]): one["verdict"]
        for one in held["findings"]
        if one["stage"] != "total"
    }
    assert rules["impact_ratio", "blocklist", "some"] == "PASS"
    assert rules["removal_ratio", "blocklist", "some"] == "FAIL"
    assert page.rows["data-finding", "blocklist|faith|some"][-1] == (
        "fail removed 4.0 times as often, though 96.0% stayed; the ratio alone: pass"
    )
    assert rules["impact_ratio", "length", "a"] == rules["lost_most", "length", "a"] == "FAIL"
    assert page.rows["data-finding", "length|source|a"][-1] == "fail more than half went"
    assert page.rows["data-finding", "length|source|b"][-1] == "pass"
    shown = [cells[-1].split()[0] for (kind, _), cells in page.rows.items() if kind == "data-finding"]
    failing = {
        (one["stage"], one["axis"], one["group"]) for one in held["findings"] if one["verdict"] == "FAIL"
    }
    assert shown.count("fail") == len(failing)


def test_what_is_expected_from_a_rule_stands_apart_from_the_gaps():
    at, settings = np.arange(4_000), AuditSettings()
    members = [Membership("length", "under 8 words", "text-length", at < 400)]
    step = Step("length", at >= 0, np.where(at < 400, at % 2 == 0, True), pa.array(["too_short"] * 4_000))
    held = record(settle(retention([step], members, settings, 1), settings), settings)

    page = Page(render(ReportFacts(title="t", audit=held)))

    assert held["verdict"] == "FAIL"
    assert page.sections == {"verdict", "fate", "forest", "retention", "filter", "gaps", "methods"}
    told = {value for _, name, value in page.attributes if name in ("data-gap", "data-expected")}
    assert told == {"length|length|under 8 words", "total|length|under 8 words"}
    assert "data-gap" not in {name for _, name, _ in page.attributes}
    assert (
        page.rows["data-finding", "length|length|under 8 words"][-1]
        == "fail expected from the rule too short"
    )


def of_model(women, others, *, baseline=False):
    """The page of a model that is right on so many of 200 rows of women and of 400 others, and what was found of it."""
    at, settings = np.arange(600), AuditSettings()
    right = np.where(at < 200, at < women, at < 200 + others)
    found = accuracy(
        pa.array(["yes"] * 600), pa.array(np.where(right, "yes", "no")),
        [Membership("gender", "women", "mention-lexicon", at < 200)], settings, "model", baseline=baseline,
    )  # fmt: skip
    held = record(settle(found, settings), settings)
    return Page(render(ReportFacts(title="t", audit=held))), held["findings"][0]


@pytest.mark.parametrize(
    ("women", "others", "sure"),
    [
        (150, 240, "not worse"),
        (125, 240, "not seen to be worse; a gap of {:.1f} points could have been missed"),
    ],
)
def test_a_group_that_does_better_is_said_to(women, others, sure):
    page, found = of_model(women, others)

    pooled = (women + others) / 600
    z = norm.ppf(0.975) + norm.ppf(0.8)
    least = 100 * z * math.sqrt(pooled * (1 - pooled) * (1 / 200 + 1 / 400))
    assert found["verdict"] == "INSUFFICIENT_DATA"
    assert page.rows["data-accuracy", "model|gender|women"][-1] == (f"insufficient data {sure.format(least)}")
    assert "the dashed line is the limit, -10 points" in "".join(page.text)


def test_a_model_that_is_not_judged_has_no_verdict_beside_it():
    page, found = of_model(50, 380, baseline=True)

    assert found["verdict"] == "FAIL"
    assert page.rows["data-accuracy", "model|gender|women"][-1] == "not judged"


def in_splits(audit, train):
    """The audit with so many training rows of each group, by axis and group, and as many for validation."""
    groups = [
        {"axis": axis["axis"], "group": one["group"], "rows": train.get((axis["axis"], one["group"]), 7)}
        for axis in audit["representation"]
        for one in axis["groups"]
    ]
    told = [
        {"split": "train", "rows": 1_878, "grown": 38, "groups": groups},
        {"split": "validation", "rows": 355, "grown": 0, "groups": groups},
        {"split": "test", "rows": 0, "grown": 0, "groups": groups},
    ]
    return {**audit, "splits": told}


def test_a_group_without_a_training_row_is_named_where_rows_are_counted():
    facts = full("reviews")
    gone = {("gender", "women"): 0, ("gender", "nobody"): 0, ("source", "shop"): 0}

    words = " ".join("".join(Page(render(replace(facts, audit=in_splits(facts.audit, gone)))).text).split())
    hostile = Page(render(replace(facts, audit=in_splits(audit_of(HOSTILE), {("gender", HOSTILE): 0}))))

    said = (
        "4,000 rows came in. Published: 1,878 training rows (38 of them grown), 355 validation rows, 0 test rows. "
        "No training row mentions women. No training row is left of “shop” (source). "
    )
    assert said in words  # of nobody none came
    assert words.index(said) < words.index("The worst findings")
    assert "No training row mentions <script>" in "".join(hostile.text)
    assert hostile.tags.count("script") == 1


def test_where_every_group_has_training_rows_or_nothing_is_for_training_nobody_is_named():
    facts = full("reviews")
    none = in_splits(facts.audit, {("gender", "women"): 0})
    none["splits"][0]["rows"] = 0

    assert "No training row" not in render(replace(facts, audit=in_splits(facts.audit, {})))
    assert "No training row" not in render(replace(facts, audit=none))
    assert 'class="splits"' not in render(facts)  # versions of earlier builds do not say


def test_stages_that_may_drop_only_some_of_the_rows_are_named_with_these():
    facts = full("reviews")
    stages = [
        {"stage": name, "in": 9, "out": 9, "dropped": {}, "seconds": 0.1}
        for name in ("length", "confidence", "language")
    ]

    words = " ".join("".join(Page(render(replace(facts, stages=stages))).text).split())

    stood = sum(at % 10 < (5 if at < 400 else 9) for at in range(ROWS))
    some = [at for at in range(0, ROWS, 2) if at % 10 < (5 if at < 400 else 9)]
    kept = sum(at % 5 > 0 for at in some)
    assert (
        f": confidence could drop {len(some):,} of the {stood:,} that stood before it, and kept {kept:,}. “Through every stage”"
        in words
    )


def test_hostile_text_is_shown_and_never_run():
    html = render(full(HOSTILE, group=HOSTILE))

    page = Page(html)

    assert {"img", "iframe", "object", "link"} & set(page.tags) == set()
    assert page.tags.count("script") == 1
    assert [name for _, name, _ in page.attributes if name.startswith("on")] == []
    assert "<script>alert(1)</script>" in "".join(page.text)
    assert "{{7*7}}" in "".join(page.text)
    assert [character for character in "\u202e\x07" if character in html] == []
    assert "‹U+202E right-to-left override›gnp‹U+0007›↵" in "".join(page.text)


def test_pairs_of_probes_stand_by_them_with_what_was_exchanged_marked():
    facts = full("he said")
    pair = {**facts.pairs[0], "text": "so he said", "instead_text": "so she said", "words": [[3, 5, 3, 6]]}

    html = render(ReportFacts(**{**facts.__dict__, "pairs": [pair]}))

    assert "so <mark>he</mark> said<br>\u2192 so <mark>she</mark> said" in html
    assert html.index('id="probes"') < html.index("<mark>he</mark>") < html.index('id="representation"')


def test_nothing_comes_from_elsewhere():
    html = render(full("reviews"))

    page = Page(html)

    loading = {"src", "href", "xlink:href", "action", "data", "poster", "srcset", "background"}
    assert [name for _, name, value in page.attributes if name in loading and not value.startswith("#")] == []
    assert [found for found in re.findall(r"url\((.)", html) if found != "#"] == []
    script = html[html.index("<script>") + 8 : html.index("</script>")]
    assert [mark for mark in ("@import", "http://", "https://") if mark in html] == []
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{known}'"
    assert ("meta", "content", policy) in page.attributes


def test_what_came_of_the_candidates_is_told_by_engine():
    html = render(full("reviews"))

    page = Page(html)

    low, high = wilson(72, 97)  # two candidates of each parent
    assert page.rows["data-ledger", "reviews|one"] == [
        "reviews one", "194", "144", "74.2%", f"{100 * low:.1f}% to {100 * high:.1f}%", "too close 50",
    ]  # fmt: skip
    assert page.rows["data-ledger", "reviews|"][1:4] == ["6", "6", "100.0%"]
    words = " ".join("".join(page.text).split())
    assert html.count("<cite>reviews: too close</cite>") == 1
    assert "22 candidates a second were made, 50 a second judged by admission." in words
    assert "judged by admission. 1,041 rows that it was to grow from have no candidate." in words
    assert "right on 80.0% of 90 originals that it did not see (70.0% to 87.0%)" in words
    assert "1,234 training rows labelled reviews were asked for, and there are 777." in words
    assert "1,357 rows were not asked to grow" in words
    assert html.count("of the candidates") == 2


@pytest.mark.parametrize(
    ("missing", "section"),
    [
        ({"audit": None, "growth": None, "scores": None, "comparison": None}, ("verdict", "worst", "fate", "forest", "retention", "gaps", "representation", "associations", "growth", "model", "methods", "filter", "precision", "probes", "index", "remedies")),
        ({"rows": None}, ("rows",)),
        ({"stages": None}, ("stages",)),
        ({"reproduce": None}, ("reproduce",)),
    ],
)  # fmt: skip
def test_what_is_not_there_is_left_out(missing, section):
    facts = full("reviews")

    page = Page(render(ReportFacts(**{**facts.__dict__, **missing})))

    every = {
        "verdict",
        "rows",
        "worst",
        "stages",
        "fate",
        "forest",
        "filter",
        "precision",
        "probes",
        "retention",
        "gaps",
        "representation",
        "associations",
        "growth",
        "model",
        "methods",
        "remedies",
        "index",
        "reproduce",
    }
    assert page.sections == every - set(section)


def test_a_page_about_nothing_is_a_page():
    page = Page(render(ReportFacts(title="empty", audit=record([], AuditSettings()), stages=[], scores={})))

    assert page.sections == {"verdict", "methods"}


def test_where_no_text_is_to_be_shown_none_is():
    facts = full("secret text")

    html = render(ReportFacts(**{**facts.__dict__, "title": "t", "shows_text": False, "stages": [], "scores": None, "comparison": None, "reproduce": None}))  # fmt: skip

    assert "secret text" not in html
    assert "womenly" not in html
    assert 'id="growth"' in html
    assert "secret text" in render(facts)
    assert "womenly" in render(facts)


def test_the_worst_finding_says_what_it_is_owed_to():
    words = "".join(Page(render(full("reviews"))).text)

    assert "Owed most to the stage length by its rule women, which removed 200 of the group's rows" in words


def test_the_lexicons_precision_is_told_with_its_interval():
    words = "".join(Page(render(full("reviews"))).text)

    low, high = wilson(33, 40)
    assert f"religion33 of 40 ({100 * low:.1f}% to {100 * high:.1f}%), tweets, film reviews and news" in words


def test_samples_stand_by_their_finding_and_are_cut():
    facts = full("reviews")
    texts = [f"{at} " + "x" * 300 for at in range(7)]
    samples = [
        {"stage": "length", "axis": "gender", "group": "women", "reason": "too_short", "text": text}
        for text in texts
    ]

    html = render(ReportFacts(title="t", audit=facts.audit, samples=samples))

    shown = [text[:279] + "…" in html for text in texts]
    assert shown == [True] * 5 + [False] * 2
    assert "x" * 280 not in html


def test_the_row_against_which_one_went_stands_beside_it():
    facts = full("reviews")
    sample = {"stage": "length", "axis": "gender", "group": "women", "reason": "too_short"}
    met = [
        {**sample, "id": "0" * 31 + "1", "text": "a first", "other": "f" * 32, "other_text": "a <b>copy</b> " + "x" * 300},
        {**sample, "id": "0" * 31 + "2", "text": "a second", "other": "f" * 32, "other_text": "a second"},
        {**sample, "id": "0" * 31 + "3", "text": "a third", "other": "f" * 32, "other_text": None},
    ]  # fmt: skip

    html = render(ReportFacts(title="t", audit=facts.audit, samples=met, reproduce={"run": "some-run"}))

    worst = html[html.index('id="worst"') : html.index("</section>", html.index('id="worst"'))]
    quotes = re.findall(r"<blockquote.*?</blockquote>", worst, re.DOTALL)
    assert "<small>against</small> a &lt;b&gt;copy&lt;/b&gt; xxx" in quotes[0]
    assert quotes[0].count("x") < 300
    assert "a row that says the same" in quotes[1]
    assert "against" not in quotes[2]
    assert all(f"<code>{'0' * 12}</code>" in quote for quote in quotes)
    assert "winnow explain some-run ID" in worst


def test_growth_and_model_are_told_in_a_sentence_each_at_the_head():
    facts = full("reviews")
    scores = {
        "majority": {"accuracy": {"value": 0.4, "low": 0.35, "high": 0.45, "n": 600}},
        "tuned": {"accuracy": {"value": 0.66, "low": 0.62, "high": 0.7, "n": 600}},
    }

    html = render(replace(facts, scores=scores, base_model="file:model<b>"))

    head = html[: html.index('id="worst"')]
    assert f"{facts.growth['admitted']:,} of {facts.growth['candidates']:,} candidates were admitted" in head
    assert "tuned is right on 66.0% (62.0% to 70.0%) of 600 test rows (majority 40.0%)." in head
    assert "<code>file:model&lt;b&gt;</code> as it came" in html
    assert brief(None, {"tuned": {"f1_macro": scores["tuned"]["accuracy"]}}) == []
    assert brief({"candidates": 0, "admitted": 0}, {}) == []


def test_groups_that_are_too_small_are_listed_with_what_they_need():
    facts = full("reviews")

    page = Page(render(facts))

    expected = {
        ("data-few", f"{each['axis']}|{each['group']}"): [
            f"{each['n']:,}",
            "–" if each["detectable"] is None else f"{100 * each['detectable']:.1f}",
            "raise embedded_rows" if each["origin"] == "embedding-clusters"
            else "none would" if each["needed"] is None else f"{each['needed']:,}",
        ]
        for each in facts.audit["findings"]
        if (each["rule"], each["stage"], each["verdict"]) == ("impact_ratio", "total", "INSUFFICIENT_DATA")
        and each["ratio"] is not None
    }  # fmt: skip
    assert expected
    assert {row: cells[1:] for row, cells in page.rows.items() if row[0] == "data-few"} == expected


def test_what_would_mend_a_worst_finding_stands_by_it():
    facts = full("reviews")
    worst_one = next(each for each in worst(facts.audit["findings"]) if each["rule"] in RETENTION)
    place = {key: worst_one[key] for key in ("axis", "group", "stage")}
    now = {"value": 3, "more": 0, "ratio": 0.5, "low": 0.4, "high": 0.6, "verdict": "FAIL"}
    mild = {**now, "value": 2, "more": 1_186, "ratio": 1.0, "verdict": "PASS"}
    move = {**place, "by": "length", "rule": "too_short", "knob": "min_words", "now": now, "front": [mild]}

    def told(mildest):
        thresholds = [{**move, "mildest": mildest}]
        audit = {**facts.audit, "remedies": {"rows": [], "weights": [], "thresholds": thresholds}}
        html = render(replace(facts, audit=audit))
        return re.sub(r"<[^>]+>", "", html[html.index('id="worst"') : html.index("</ol>")])

    assert "length.min_words at 2 instead of 3 would keep 1,186 rows more, and pass." in told(2)
    assert "no value of length.min_words that was tried" in told(None)
    mild["verdict"] = "INSUFFICIENT_DATA"
    assert "rows more, and no longer fail, which is not yet a pass." in told(2)


def test_a_text_that_was_removed_twice_is_shown_once_behind_each_gap():
    sample = {
        "stage": "length",
        "axis": "gender",
        "group": "women",
        "reason": "too_short",
        "text": "said again",
    }

    html = render(ReportFacts(title="t", audit=audit_of(), samples=[sample, sample]))

    assert html.count("said again") == 2
    assert html[html.index('id="worst"') : html.index("</ol>")].count("said again") == 1


def test_of_many_gaps_the_page_tells_fifty_and_stays_small():
    at = np.arange(ROWS)
    groups = [Membership("region", f"r{n}", "declared", at // 50 == n) for n in range(80)]
    kept = (at // 50 >= 40) | (at % 50 < 10)
    settings = AuditSettings()
    found = settle(
        retention([Step("length", at >= 0, kept, pa.array(["short"] * ROWS))], groups, settings, 1), settings
    )
    samples = [
        {"stage": "length", "axis": "region", "group": f"r{n}", "reason": "short", "text": f"{n} {k}" + "x" * 1_000}
        for n in range(80)
        for k in range(5)
    ]  # fmt: skip

    html = render(ReportFacts(title="t", audit=record(found, settings), samples=samples))

    assert len(gaps(found, settings.alpha, len(found))) == 80
    assert html.count("data-gap=") == 45  # five are told at the head
    assert "30 further gaps" in html
    assert len(html.encode()) < 2**20


def test_text_that_shows_is_left_as_it_is():
    assert visible("naïve 日本 👩\u200d👧 {x}") == "naïve 日本 👩\u200d👧 {x}"


def test_an_interval_beyond_the_scale_goes_on_with_an_arrow():
    scale = Scale(0.5, 2, log=True)

    inside = interval(1, 0.6, 1.5, scale=scale, verdict="PASS")
    beyond = interval(0.1, 0.01, 9, scale=scale, verdict="FAIL")

    assert (inside.count('class="more"'), beyond.count('class="more"')) == (0, 2)
    assert [scale.percent(value) for value in (0.01, 0.5, 1, 2, 9)] == [0, 0, 50, 100, 100]


def test_the_audit_is_as_bad_as_its_worst_finding_and_is_json():
    found = [{"verdict": outcome} for outcome in ("NOT_APPLICABLE", "PASS", "INSUFFICIENT_DATA", "FAIL")]

    assert [verdict(found[:size]) for size in range(5)] == [
        "NOT_APPLICABLE",
        *(each["verdict"] for each in found),
    ]
    audit = audit_of()
    assert json.loads(json.dumps(audit, allow_nan=False)) == audit
    assert sum(audit["counts"].values()) == len(audit["findings"])
    assert {
        "verdict",
        "axis",
        "group",
        "stage",
        "rule",
        "ratio",
        "low",
        "high",
        "n",
        "q",
    } <= set.intersection(*(set(each) for each in audit["findings"]))


def test_the_worst_is_told_once_for_each_group_and_in_words():
    told = worst(audit_of()["findings"])

    assert [(each["rule"], each["stage"], each["group"]) for each in told] == [
        ("survival", "back_translation", "women"),
        ("impact_ratio", "total", "women"),
        ("accuracy", "tuned", "women"),
    ]
    assert sentence(told[0]) == (
        "22.5% (18.7% to 26.8%) of the mentions in 400 rows that mention women (gender) outlived back_translation."
    )


def test_sentences_say_numbers_intervals_and_n():
    by_rule = {
        (each["rule"], each["stage"], each["group"]): sentence(each)
        for each in audit_of()["findings"]
        if each["axis"] == "gender"
    }

    assert by_rule["impact_ratio", "length", "women"] == (
        "The stage length kept 50.0% of the 400 rows that mention women (gender) and 90.0% of the 3,600 others: "
        "a ratio of 0.56 (0.50 to 0.61), q < 0.001."
    )
    assert by_rule["accuracy", "tuned", "women"] == (
        "The tuned is right on 60.0% of the 400 rows that mention women (gender) and on 90.0% of the 3,600 others: "
        "a difference of -30.0 points (-35.0 to -25.2), q < 0.001."
    )
    assert by_rule["impact_ratio", "language", "women"] == (
        "The stage language: nothing to compare for the 160 rows that mention women (gender)."
    )


def test_a_group_of_which_nothing_is_left_is_drawn_first():
    at = np.arange(2_000)
    settings = AuditSettings()
    members = [
        Membership("faith", "gone", "mention-lexicon", at < 100),
        Membership("faith", "there", "mention-lexicon", at >= 1_500),
    ]
    blocked = Step("blocklist", at >= 0, at >= 100, pa.array(["word"] * 2_000))
    held = record(settle(retention([blocked], members, settings, 1), settings), settings)

    figure = str(fate(held["findings"], settings.model_dump()))

    assert figure.index("gone (faith)") < figure.index("there (faith)")
    assert "nan" not in figure
    assert "inf" not in figure


def test_long_names_are_cut_in_tables():
    facts = full("reviews", group="g" * 100_000)

    assert len(render(facts)) < 2 * len(render(full("reviews")))


def test_what_would_help_is_shown_with_the_command_to_try_it():
    facts = full("reviews")
    held = facts.audit["remedies"]

    page = Page(render(ReportFacts(**{**facts.__dict__, "reproduce": {"run": "run-7"}})))

    words = " ".join("".join(page.text).split())
    assert "winnow what-if run-7 --set length.min_words=4" in words
    assert "3 mildest that no longer fails" in words
    assert held["weights"]
    assert {value for _, name, value in page.attributes if name in ("data-move", "data-weight")} == {
        *(f"gender|women|{value}" for value in (5, 4, 3)),
        *(f"{one['axis']}|{one['group'] or ''}" for one in held["weights"]),
    }
    for one in held["weights"]:
        assert f"{one['effective']:,.0f}" in words


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (3.72, "3.7 times"),
        (99.94, "99.9 times"),
        (154.1, "about 150 times"),
        (3_960.4, "about 4,000 times"),
        (63_529.6, "about 64,000 times"),
    ],
)
def test_times_are_told_no_finer_than_they_are_known(ratio, said):
    finding = {"rule": "removal_ratio", "removal_ratio": ratio, "rate": 0.9}

    assert by_removals(finding) == f"removed {said} as often, though 90.0% stayed"
