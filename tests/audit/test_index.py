"""The index leads to sections that are there, its numbers are the audit's, and what a run has not it does not claim."""

import re
from dataclasses import replace

import numpy as np
import pytest

from audit.evidence import least, unjudged
from audit.findings import record, settle
from audit.groups import AuditSettings, Membership
from audit.index import HEADINGS, index
from audit.page.report import render
from audit.representation import against_reference, representation
from audit.retention import retention
from audit.steps import Step
from tests.audit.page.test_report import HOSTILE, ROWS, Page, audit_of, full

HEADED = [
    *(f"10(2)({letter})" for letter in "abcdefgh"),
    *("10(3)", "10(4)", "10(5)"),
]


def without(audit, *rules):
    """The audit as a run without these rules would have made it."""
    settings = AuditSettings.model_validate(audit["settings"])
    found = settle([one for one in audit["findings"] if one["rule"] not in rules], settings)
    return audit | record(found, settings) | {"lexicon": audit["lexicon"]}


def referred(audit):
    """The audit with a reference that names a share of `women`, of whom there are few."""
    settings = AuditSettings(reference={"gender": {"women": 0.5}})
    women = Membership("gender", "women", "mention-lexicon", np.arange(ROWS) < 400)
    shares = representation([women], np.arange(ROWS) % 2 == 0, {}, 0, settings)
    found = settle([*without(audit)["findings"], *against_reference(shares, settings)], settings)
    return audit | record(found, settings) | {"lexicon": audit["lexicon"], "representation": shares}


RUNS = {
    "everything": lambda audit: audit,
    "no model": lambda audit: without(audit, "accuracy") | {"classes": []},
    "no growth": lambda audit: without(audit, "survival"),
    "no model, no growth": lambda audit: without(audit, "accuracy", "survival") | {"classes": []},
    "a reference": referred,
    "nothing found": lambda audit: (
        audit
        | record([], AuditSettings())
        | {"representation": [], "associations": None, "probes": [], "classes": []}
    ),
}


def page_of(audit, **more):
    """The page of a run, and what its index says."""
    entries = index(audit, published=True)
    facts = full("reviews")
    model = (
        {}
        if any(one["rule"] == "accuracy" for one in audit["findings"])
        else {"scores": None, "comparison": None}
    )
    grown = {} if any(one["rule"] == "survival" for one in audit["findings"]) else {"growth": None}
    return Page(render(replace(facts, audit=audit | {"index": entries}, **model, **grown, **more))), entries


@pytest.mark.parametrize("run", RUNS)
def test_every_section_that_it_names_is_on_the_page(run):
    page, entries = page_of(RUNS[run](audit_of()))

    ids = {value for _, name, value in page.attributes if name == "id"}
    said = {
        one["section"]
        for entry in entries
        for one in entry["evidence"]
        if one["says"] is not None and one["section"]
    }
    links = {value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")}
    assert links == said
    assert links <= ids
    assert {"verdict", "methods"} <= links
    assert [value for tag, _, value in page.attributes if tag == "tr" and value in HEADED] == HEADED


@pytest.mark.parametrize(
    ("run", "absent", "present"),
    [
        ("everything", {"representation"}, {"model", "growth", "worst", "probes", "associations"}),
        ("no model", {"model"}, {"growth"}),
        ("no growth", {"growth"}, {"model"}),
        ("no model, no growth", {"model", "growth"}, {"retention"}),
        (
            "nothing found",
            {"model", "growth", "retention", "worst", "probes", "associations", "stages"},
            {"verdict"},
        ),
    ],
)
def test_what_a_run_has_not_is_said(run, absent, present):
    entries = index(RUNS[run](audit_of()), published=True)

    missing = {one["section"] for entry in entries for one in entry["evidence"] if one["says"] is None}
    there = {one["section"] for entry in entries for one in entry["evidence"] if one["says"] is not None}

    assert absent <= missing
    assert present <= there - (missing - {"representation"})


def says(audit, heading, section):
    entry = next(one for one in index(audit, published=True) if one["heading"] == heading)
    return [one["says"] for one in entry["evidence"] if section in (one["section"], one["file"])]


def test_the_numbers_are_those_of_the_audit():
    audit = audit_of()
    audit["gates"] = [
        {"axis": axis, "verdict": verdict, "ok": verdict != "FAIL"}
        for axis, verdict in (("gender", "FAIL"), ("source", "PASS"), ("faith", "INSUFFICIENT_DATA"))
    ]
    totals = [one for one in audit["findings"] if (one["stage"], one["rule"]) == ("total", "impact_ratio")]
    worst = next(one for one in totals if one["group"] == "women" and one["axis"] == "gender")
    right = next(
        one
        for one in audit["findings"]
        if one["rule"] == "accuracy" and one["axis"] == "gender" and one["group"] == "women"
    )
    pairs = audit["associations"]["labels"]
    counts = audit["counts"]

    assert says(audit, "10(2)(a)", "stages") == ["2 stages that dropped rows, of 3 that could"]
    assert says(audit, "10(2)(c)", "representation")[0] == (
        f"{ROWS:,} rows came, {audit['representation'][0]['groups'][0]['published']['of']:,} are published"
    )
    assert says(audit, "10(2)(c)", "growth") == [
        "at the least 22.5% (18.7% to 26.8%) of the mentions outlived growth, of women (gender)"
    ]
    assert says(audit, "10(2)(d)", "precision") == ["252 of 280 mentions that were read are mentions"]
    assert says(audit, "10(2)(f)", "verdict") == [
        f"{counts['FAIL']} findings fail, {counts['PASS']} pass, {counts['INSUFFICIENT_DATA']} cannot be judged"
    ]
    assert says(audit, "10(2)(f)", "retention") == [
        f"the least ratio of a group of 30 rows and more over the whole pipeline is {ratio(worst)}, of women (gender), 400 rows"
    ]
    assert says(audit, "10(2)(f)", "associations") == [
        f"{sum(one['q'] < 0.05 for one in pairs)} of {len(pairs)} pairs of group and label are beyond chance"
    ]
    assert says(audit, "10(2)(f)", "model")[0].startswith(
        f"tuned: at the least {100 * right['difference']:+.1f} points"
    )
    assert says(audit, "10(2)(g)", "audit.json") == [
        "3 gates of the recipe: 1 failed, 1 could not be judged, 1 passed"
    ]
    assert says(audit, "10(2)(g)", "worst") == [
        "3 findings, 1 of them with the stage and rule that they are owed to"
    ]


def test_a_group_that_is_too_small_to_judge_is_told_beside_the_least_of_those_that_are_not():
    """Of 40 rows of a group 1 stays, where 2 are expected to; of 4,000 of another 200 of 400."""
    at, settings = np.arange(8_000), AuditSettings()
    members = [
        Membership("faith", "small", "mention-lexicon", at < 40),
        Membership("faith", "large", "mention-lexicon", at >= 4_000),
    ]
    kept = np.where(at < 40, at == 7, np.where(at >= 4_000, at % 20 == 0, at % 10 == 0))
    found = settle(retention([Step("length", at >= 0, kept)], members, settings, 1), settings)
    totals = {one["group"]: one for one in found if (one["stage"], one["rule"]) == ("total", "impact_ratio")}

    said = least({"findings": found, "settings": settings.model_dump()})

    assert totals["small"]["expected"] < 5 < totals["large"]["expected"]
    assert totals["small"]["ratio"] < totals["large"]["ratio"] < 0.6
    assert said == (
        "the least ratio of a group of 30 rows and more over the whole pipeline, with 5 rows expected to go and to stay, is "
        f"{ratio(totals['large'])}, of large (faith), 4,000 rows; with fewer, which is too little to judge, "
        f"{ratio(totals['small'])}, of small (faith), 40 rows"
    )


def ratio(one):
    return f"{one['ratio']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def test_a_reference_is_counted():
    assert says(audit_of(), "10(3)", "representation")[0] is None
    assert (
        says(referred(audit_of()), "10(3)", "representation")[0]
        == "groups that lie under a reference: 1 of 1"
    )
    assert says(referred(audit_of()), "10(2)(h)", "representation") == [
        "groups that lie under a reference: 1 of 1"
    ]


def test_rows_that_are_missing_are_told_of_the_group_that_lacks_most():
    audit = audit_of()
    lacking = [
        one for one in audit["findings"]
        if one["stage"] == "total" and one["verdict"] == "INSUFFICIENT_DATA" and one["needed"]
    ]  # fmt: skip
    most = max(lacking, key=lambda one: one["needed"])

    said = unjudged(audit)

    many = f"{len(lacking)} group{'s' if len(lacking) > 1 else ''}"
    name = f"{most['group']} ({most['axis']})"
    assert said == f"short of rows to be judged: {many}, at the most {most['needed']:,} rows, of {name}"


def test_a_version_that_was_not_published_has_no_files():
    files = [
        one for entry in index(audit_of(), published=False) for one in entry["evidence"]
        if one["file"] not in (None, "audit.json")
    ]  # fmt: skip

    assert files
    assert {one["says"] for one in files} == {None}


def test_what_people_must_attest_does_not_depend_on_the_audit():
    found = [[entry["attest"] for entry in index(run(audit_of()), published=True)] for run in RUNS.values()]

    assert all(each == [one.attest for one in HEADINGS] for each in found)
    assert all(found[0])
    page, _ = page_of(audit_of())
    assert "no claim of conformity" in "".join(page.text)


def test_names_of_groups_stay_text():
    html = render(replace(full("reviews"), audit=audit_of(HOSTILE)))

    section = html[html.index('<section id="index">') : html.index('<section id="reproduce">')]
    assert "<img" not in section
    assert "<script" not in section
    assert "\u202e" not in section
    assert re.search("&lt;script&gt;", section)
