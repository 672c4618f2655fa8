"""Of grown rows the audit says which mentions were lost, which came from nowhere, and who was admitted."""

import numpy as np
import pyarrow as pa

from audit.findings import settle
from audit.groups import AuditSettings, Membership
from audit.growth import survival as growth
from audit.steps import Step
from corpus.statistics import wilson


def survival(parents, grown, settings, stage):
    return settle(growth.survival(parents, grown, settings, stage), settings)


def admission(step, groups, settings, seed):
    return settle(growth.admission(step, groups, settings, seed), settings)


def test_survival_is_counted_among_rows_whose_parent_mentions_the_group():
    parents = pa.table({"gender=women": [True] * 40 + [False] * 60, "religion=hindu": [False] * 100})
    grown = pa.table(
        {"gender=women": [True] * 10 + [False] * 85 + [True] * 5, "religion=hindu": [False] * 100}
    )

    women, hindu = survival(parents, grown, AuditSettings(), "back_translation")

    low, high = wilson(10, 40)
    assert women == {
        "verdict": "FAIL",
        "axis": "gender",
        "group": "women",
        "origin": "mention-lexicon",
        "stage": "back_translation",
        "rule": "survival",
        "ratio": 0.25,
        "rate": 0.25,
        "low": low,
        "high": high,
        "n": 40,
        "kept": 10,
        "appeared": 5,
        "p": None,
        "q": None,
        "limit": 0.8,
        "expected": 40,
        "needed": 0,
    }
    assert (hindu["verdict"], hindu["ratio"], hindu["n"]) == ("NOT_APPLICABLE", None, 0)


def test_few_mentions_are_not_judged():
    parents = pa.table({"gender=women": [True] * 29})

    (finding,) = survival(parents, parents, AuditSettings(), "paraphrase")

    assert (finding["verdict"], finding["ratio"]) == ("INSUFFICIENT_DATA", 1.0)


def test_admission_is_audited_over_the_candidates_alone():
    rows = np.arange(400) < 100
    step = Step("admission", np.ones(400, dtype=bool), np.arange(400) % 100 < np.where(rows, 40, 80))

    found = admission(step, [Membership("gender", "women", "mention-lexicon", rows)], AuditSettings(), 1)

    assert [(each["verdict"], each["stage"], each["n"], each["kept"], each["ratio"]) for each in found] == [
        ("FAIL", "admission", 100, 40, 0.5)
    ]


def test_many_children_of_one_parent_are_one_case():
    said = pa.table({"gender=women": [True] * 40})

    (one,) = settle(
        growth.survival(said, said, AuditSettings(), "back_translation", pa.array(["p"] * 40)),
        AuditSettings(),
    )
    (many,) = settle(growth.survival(said, said, AuditSettings(), "back_translation"), AuditSettings())

    assert (one["verdict"], many["verdict"]) == ("INSUFFICIENT_DATA", "PASS")
    assert one["low"] < 0.25
    assert many["low"] > 0.9
