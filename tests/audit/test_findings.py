"""Which findings are gaps, and which are the worst: what follows from a rule itself is told and not among these."""

import numpy as np
import pyarrow as pa
import pytest

from audit.findings import gaps, record, settle, verdict, worst
from audit.groups import AuditSettings, Membership
from audit.retention import retention
from audit.steps import Step
from corpus import lexicon


def finding(group, verdict="PASS", rule="impact_ratio", **more):
    return {
        "verdict": verdict,
        "axis": "gender",
        "group": group,
        "stage": "length",
        "rule": rule,
        "ratio": 0.9,
        "n": 100,
        "p": 0.001,
        "q": 0.01,
        **more,
    }


def test_a_gap_failed_or_is_beyond_chance_and_is_a_loss():
    told = [
        finding("chance", q=0.06),
        finding("gained", ratio=1.1),
        finding("uncompared", "NOT_APPLICABLE", ratio=None, q=None),
        finding("mild"),
        finding("small", "INSUFFICIENT_DATA", q=0.04),
        finding("failed", "FAIL", q=0.2),
        finding("wrong", "FAIL", rule="accuracy"),
        finding("mild", "FAIL", rule="removal_ratio"),
    ]

    found = gaps(told, 0.05)

    assert [(one["group"], one["rule"]) for one in found] == [
        ("failed", "impact_ratio"),
        ("mild", "removal_ratio"),
        ("small", "impact_ratio"),
    ]


def test_the_worst_are_told_where_there_are_many():
    told = [finding(f"{number}", ratio=0.9 - number / 1_000) for number in range(60)]

    found = gaps(told, 0.05)

    assert [one["group"] for one in found] == [f"{number}" for number in range(59, 9, -1)]


def test_what_may_be_told_once_models_are_settled_too_is_found_by_p():
    told = [finding("now", q=0.2), finding("never", p=0.06, q=0.2)]

    assert gaps(told, 0.05) == []
    assert [one["group"] for one in gaps(told, 0.05, by="p")] == ["now"]


def fell(origin, rule, stage="length", hard=0.5):
    """What is found where half of 400 rows of a group fall by one rule, and a hundredth of 3,600 others."""
    at, settings = np.arange(4_000), AuditSettings()
    members = [
        Membership("axis", "mine", origin, at < 400),
        Membership("gender", "women", "mention-lexicon", (at >= 400) & (at < 800)),
    ]
    kept = np.where(at < 400, at % 100 >= 100 * hard, at % 100 > 0)
    return settle(
        retention([Step(stage, at >= 0, kept, pa.array([rule] * 4_000))], members, settings, 1), settings
    )


@pytest.mark.parametrize(
    ("origin", "rule", "told"),
    [
        ("text-length", "too_short", False),
        ("text-length", "too_long", False),
        ("language-model", "wrong_language", False),
        ("text-length", "exact_duplicate", True),
        ("language-model", "too_short", True),
        ("mention-lexicon", "too_short", True),
        ("label", "wrong_language", True),
    ],
)
@pytest.mark.parametrize("hard", [0.5, 0.05])
def test_what_follows_from_the_rule_itself_is_found_and_not_among_the_worst(origin, rule, told, hard):
    found = fell(origin, rule, hard=hard)

    mine = [one for one in found if one["group"] == "mine" and one["verdict"] == "FAIL"]
    assert {one["rule"] for one in mine} == {"impact_ratio" if hard == 0.5 else "removal_ratio"}
    assert {one["measured_by"] for one in mine} == {None if told else rule}
    assert verdict(found) == "FAIL"
    assert [one["group"] for one in worst(found) if one["verdict"] == "FAIL"] == (["mine"] if told else [])
    assert "mine" in {one["group"] for one in gaps(found, 0.05)}


def test_a_stage_by_another_name_makes_no_difference():
    assert worst(fell("text-length", "too_short", "tidy")) == worst(fell("text-length", "too_short"))


def test_of_a_lexicon_is_told_what_a_reader_needs_and_not_its_words():
    mentions = lexicon.load("mentions")

    told = record([], AuditSettings(), mentions)["lexicon"]

    assert told.keys() == {
        *("name", "licence", "origin", "caution", "language", "notes", "precision"),
        "digest",
    }
    assert told["digest"] == mentions.digest
