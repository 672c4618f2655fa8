"""Two audits of the same truth are seldom told apart, a planted change is found, and what cannot be compared is not."""

import copy
import json
import math

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from audit.change import change, nothing
from audit.findings import record, settle
from audit.groups import AuditSettings, Membership
from audit.growth.survival import survival
from audit.legible import legible
from audit.models.accuracy import accuracy
from audit.representation import against_reference, representation
from audit.retention import retention
from audit.shift import shift
from audit.steps import Step
from corpus.lexicon import load
from corpus.statistics import difference_interval
from tests.audit.page.test_report import audit_of

LEXICON = load("mentions")
SIZES = (400, 150, 60, 40)
TOLD = {"better", "worse", "more", "less"}


def audit(seed, rate=0.5, harm=0.0, share=1.0, rows=3_000, **settings):
    """Draw rows, groups and fates anew: the first group loses `harm` more of its rows and has `share` times as many."""
    draw = np.random.default_rng(seed)
    asked = AuditSettings(**settings)
    sizes = (SIZES[0] * share, *SIZES[1:])
    groups = [
        Membership("gender", f"group {number}", "mention-lexicon", draw.random(rows) < size / rows)
        for number, size in enumerate(sizes)
    ]
    kinds = draw.integers(0, 2, rows)
    groups += [Membership("label", f"label {kind}", "label", kinds == kind) for kind in (0, 1)]
    kept = (draw.random(rows) < rate) & ~(groups[0].rows & (draw.random(rows) < harm))
    steps = [
        Step("length", np.ones(rows, bool), kept),
        Step("confidence", kept, draw.random(rows) < (1 + rate) / 2),
    ]
    shares = representation(groups, kept & steps[1].kept, {}, 0, asked)
    measured = [*retention(steps, groups, asked, 1), *against_reference(shares, asked)]
    held = record(settle(measured, asked), asked, LEXICON)
    return held | {"representation": shares, "gates": []}


def told(found):
    return [one for one in (*found["changes"], *found["shares"]) if one["verdict"] in TOLD]


@pytest.mark.parametrize("rate", [0.5, 0.97])
def test_with_no_change_at_most_alpha_of_audits_tell_one(rate):
    """100 pairs: the true share of false alarms is at most 0.05, of which 9 or fewer come in 97 of 100 such tests."""
    pairs = [change(audit(2 * seed, rate), audit(2 * seed + 1, rate)) for seed in range(100)]

    assert np.mean([found["compared"] for found in pairs]) > 10
    assert sum(bool(told(found)) for found in pairs) <= stats.binom.ppf(0.97, 100, 0.05)


def test_a_planted_harm_is_found_and_named_first_and_its_end_is_found_too():
    fair, unfair = [audit(seed) for seed in range(30)], [audit(100 + seed, harm=0.45) for seed in range(30)]
    worse = [change(a, b) for a, b in zip(fair, unfair, strict=True)]
    better = [change(b, a) for a, b in zip(fair, unfair, strict=True)]

    firsts = [found["changes"][0] for found in worse]
    assert sum((one["verdict"], one["group"]) == ("worse", "group 0") for one in firsts) >= 28
    for there, back in zip(worse, better, strict=True):
        ways = {"worse": "better", "more": "less", "better": "worse", "less": "more"}
        assert sorted(
            (ways[one["verdict"]], one["group"], one.get("stage", "")) for one in told(there)
        ) == sorted((one["verdict"], one["group"], one.get("stage", "")) for one in told(back))


def test_a_group_that_half_goes_missing_is_by_nameas_a_share_and_not_as_a_harm():
    found = [change(audit(seed), audit(200 + seed, share=0.5)) for seed in range(20)]

    mine = [{one["verdict"] for one in told(each) if one["group"] == "group 0"} for each in found]
    assert sum("less" in each for each in mine) >= 19
    assert sum("worse" in each for each in mine) <= 2


def test_rows_that_both_have_make_it_more_careful_and_never_less():
    """Audits over the same rows of which nine in ten share their fate: no false alarm is left."""
    alarms = 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        rows = draw.random(3_000) < 0.2
        groups = [Membership("gender", "women", "mention-lexicon", rows)]
        fates = draw.random(3_000) < 0.6
        other = np.where(draw.random(3_000) < 0.9, fates, draw.random(3_000) < 0.6)
        held = []
        for kept in (fates, other):
            measured = retention([Step("length", np.ones(3_000, bool), kept)], groups, AuditSettings(), 1)
            shares = representation(groups, kept, {}, 0, AuditSettings())
            held.append(
                record(settle(measured, AuditSettings()), AuditSettings())
                | {"representation": shares, "gates": []}
            )
        alarms += bool(told(change(*held)))

    assert alarms == 0


def test_equal_counts_are_the_same():
    held = audit(3)

    found = change(held, copy.deepcopy(held))

    assert {one["verdict"] for one in (*found["changes"], *found["shares"])} == {"same"}
    assert (found["compared"], found["outcomes"], found["appeared"], found["vanished"]) == (0, [], [], [])


def test_the_change_of_a_ratio_is_that_of_four_binomials():
    """The delta method over the counts, without any interval: the sum of (1 - p) / (n p) of the four shares."""
    before, after = audit(4), audit(5, harm=0.3)
    found = next(
        one
        for one in change(before, after)["changes"]
        if (one["stage"], one["group"]) == ("length", "group 0")
    )
    counts = [
        next(
            one for one in held["findings"]
            if (one["stage"], one["group"], one["rule"]) == ("length", "group 0", "impact_ratio")
        )
        for held in (before, after)
    ]  # fmt: skip

    error = math.sqrt(
        sum(
            1 / one[kept] - 1 / one[n]
            for one in counts
            for kept, n in (("kept", "n"), ("other_kept", "other_n"))
        )
    )
    moved = math.log(counts[1]["ratio"] / counts[0]["ratio"])
    z = stats.norm.ppf(0.975)
    assert (found["change"], found["low"], found["high"], found["p"]) == pytest.approx(
        (moved, moved - z * error, moved + z * error, 2 * stats.norm.sf(abs(moved) / error))
    )
    assert found["verdict"] == "worse"


def test_shares_differ_by_newcombes_interval():
    before, after = audit(4), audit(5, share=0.7)
    found = next(one for one in change(before, after)["shares"] if one["group"] == "group 0")
    a, b = found["a"], found["b"]

    expected = difference_interval(b["rows"], b["of"], a["rows"], a["of"])

    assert (found["change"], found["low"], found["high"]) == (expected.value, expected.low, expected.high)
    assert found["verdict"] == "less"


def finding_of(rule, *, right=80, n=100, other_right=900, other_n=1_000):
    """A finding of one group, as its module measures it."""
    settings = AuditSettings(reference={"gender": {"women": 0.2}})
    mine, all_rows = np.arange(n + other_n) < n, np.arange(n + other_n)
    good = (all_rows < right) | ((all_rows >= n) & (all_rows < n + other_right))
    group = Membership("gender", "women", "mention-lexicon", mine)
    match rule:
        case "accuracy":
            said = pa.array(np.where(good, "yes", "no"))
            found = accuracy(pa.array(["yes"] * (n + other_n)), said, [group], settings, "tuned")
        case "survival":
            found = survival(
                pa.table({"gender=women": mine}), pa.table({"gender=women": mine & good}), settings, "growth"
            )
        case "representation":
            found = against_reference(representation([group], good, {}, 0, settings), settings)
        case _:
            found = retention([Step("length", mine | ~mine, good)], [group], settings, 1)[:1]
    settled = settle(found, settings)[0]
    return settled | {"rule": rule}


@pytest.mark.parametrize("rule", ["impact_ratio", "removal_ratio", "accuracy", "survival", "representation"])
def test_each_rule_moves_on_its_own_scale(rule):
    before, after = finding_of(rule), finding_of(rule, right=60)

    there, back = shift(before, after, told=True), shift(after, before, told=True)

    rates = [80 / 100, 60 / 100]
    expected = {
        "impact_ratio": math.log(rates[1] / rates[0]),
        "removal_ratio": math.log(0.4 / 0.2),
        "accuracy": -0.2,
        "survival": -0.2,
        "representation": 60 / 960 - 80 / 980,
    }
    assert there["change"] == pytest.approx(expected[rule])
    assert there["low"] <= there["change"] <= there["high"]
    assert (back["change"], back["low"], back["high"], back["p"]) == pytest.approx(
        (-there["change"], -there["high"], -there["low"], there["p"])
    )


def test_a_stage_that_dropped_nothing_and_then_a_group_is_worse():
    """Where nothing was dropped there was nothing to judge, and no ratio; both sides fared alike."""
    before, after = (
        finding_of("impact_ratio", right=100, other_right=1_000),
        finding_of("impact_ratio", right=60),
    )
    held = [audit(1) | {"findings": [one], "representation": []} for one in (before, after)]

    (found,) = change(*held)["changes"]

    assert before["ratio"] is None
    assert (found["a"], found["b"], found["verdict"]) == (1.0, pytest.approx(0.6 / 0.9), "worse")


def test_a_group_that_lost_every_row_has_an_interval_by_half_a_row():
    found = shift(finding_of("impact_ratio"), finding_of("impact_ratio", right=0), told=True)

    adjusted = math.log((0.5 / 101) / (900.5 / 1_001)) - math.log(0.8 / 0.9)
    assert found["change"] == pytest.approx(adjusted)
    assert found["high"] < 0


def test_small_groups_are_not_tested():
    before, after = finding_of("impact_ratio", right=29, n=29), finding_of("impact_ratio", right=3, n=29)
    held = [audit(1) | {"findings": [one], "representation": []} for one in (before, after)]

    (found,) = change(*held)["changes"]

    assert (found["verdict"], found["p"], found["q"]) == ("cannot tell", None, None)


def test_what_differs_in_the_audit_itself_is_not_compared():
    before, after = audit(1), audit(2, harm=0.5, min_impact_ratio=0.7, max_groups=9)
    after["lexicon"] = after["lexicon"] | {"digest": "another"}

    found = change(before, after)

    assert [(one["what"], one["spoils"]) for one in found["unlike"]] == [
        ("lexicon", "mentions"), ("max_groups", "(other)"), ("min_impact_ratio", "outcomes"),
    ]  # fmt: skip
    mentions = [one for one in (*found["changes"], *found["shares"]) if one["origin"] == "mention-lexicon"]
    assert {one["verdict"] for one in mentions} == {"cannot tell"}
    assert {one["p"] for one in mentions} == {None}
    assert found["compared"] == sum(
        one["origin"] == "label" and one["p"] is not None for one in found["changes"]
    ) + sum(one["origin"] == "label" and one["p"] is not None for one in found["shares"])
    assert found["compared"] > 0


def test_clusters_are_found_anew_and_no_part_of_it():
    held = audit(1)
    other = copy.deepcopy(held)
    other["findings"] += [
        one | {"origin": "embedding-clusters", "axis": "cluster"} for one in other["findings"]
    ]

    found = change(held, other)

    assert (found["appeared"], found["vanished"]) == ([], [])


def test_crossings_of_mentions_are_mentions():
    before, after = audit(1), audit(2, harm=0.5, min_group=25)
    after["lexicon"] = after["lexicon"] | {"digest": "another"}
    for held in (before, after):
        for one in held["findings"]:
            one["origin"] = {"label": "declared", "mention-lexicon": "declared, mention-lexicon"}[
                one["origin"]
            ]
            one["group"] = {"group 1": "old & (other)"}.get(one["group"], one["group"])
    same_words = {**after, "lexicon": before["lexicon"]}

    spoilt = [one for one in change(before, after)["changes"] if one["origin"] != "declared"]
    by_name = [one for one in change(before, same_words)["changes"] if one["origin"] != "declared"]

    assert {one["p"] for one in spoilt} == {None}
    tested = {one["group"] for one in by_name if one["p"] is not None}
    assert tested == {"group 0", "group 2", "group 3"}


def test_outcomes_findings_and_gates_that_came_and_went_are_told():
    before, after = audit(1), audit(2, harm=0.5)
    gone = next(one for one in after["findings"] if one["stage"] == "confidence")
    after["findings"] = [one for one in after["findings"] if one is not gone]
    gate = {
        "axis": "gender",
        "min_impact_ratio": 0.8,
        "on_fail": "report",
        "ok": True,
        "failed": [],
        "undecided": [],
    }
    before["gates"] = [gate | {"verdict": "PASS"}, gate | {"verdict": "PASS", "min_impact_ratio": 0.5}]
    after["gates"] = [gate | {"verdict": "FAIL"}, gate | {"verdict": "PASS", "min_impact_ratio": 0.5}]

    found = change(before, after)

    assert [(one["group"], one["stage"]) for one in found["vanished"]] == [(gone["group"], gone["stage"])]
    assert {"group": "group 0", "stage": "length", "a": "PASS", "b": "FAIL"}.items() <= next(
        one for one in found["outcomes"] if (one["group"], one["stage"]) == ("group 0", "length")
    ).items()
    assert found["verdict"] == {"a": before["verdict"], "b": "FAIL"}
    kept = {"min_impact_ratio": 0.8, "on_fail": "report"}
    assert found["gates"] == [
        {"axis": "gender", "a": kept | {"verdict": "PASS"}, "b": kept | {"verdict": "FAIL"}}
    ]


def test_a_group_without_a_row_is_none_of_all_rows():
    before, after = audit(1), audit(2)
    for axis in after["representation"]:
        axis["groups"] = [group for group in axis["groups"] if group["group"] != "group 0"]

    found = next(one for one in change(before, after)["shares"] if one["group"] == "group 0")

    assert (found["b"]["rows"], found["verdict"]) == (0, "less")


def test_the_record_is_plain_json():
    found = change(audit(1), audit(2, harm=0.5))

    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(nothing("why")) == set(found)


@pytest.mark.parametrize(
    "broken",
    [
        lambda held: held.pop("representation"),
        lambda held: held.pop("gates"),
        lambda held: held["settings"].pop("max_groups"),
        lambda held: held["lexicon"].pop("digest"),
        lambda held: held["findings"][0].pop("expected"),
        lambda held: held["findings"][0].update(rule="of another build"),
        lambda held: next(one for one in held["findings"] if one["rule"] == "impact_ratio").pop(
            "effective_n"
        ),
        lambda held: next(one for one in held["findings"] if one["rule"] == "accuracy").pop("difference"),
    ],
)
def test_what_another_build_wrote_is_not_read(broken):
    held = audit_of() | {"gates": []}
    assert legible(held)

    broken(held)

    assert not legible(held)
    assert not legible(None)
    assert not legible([held])
