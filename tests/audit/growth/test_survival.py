"""Of grown rows the audit says which mentions were lost, which came from nowhere, and who was admitted."""

import numpy as np
import pyarrow as pa
import pytest

from audit import gates
from audit.findings import settle
from audit.groups import AuditSettings, Membership
from audit.growth import survival as growth
from audit.page.words import sentence
from audit.steps import Step
from corpus.statistics import wilson


def survival(parents, grown, settings, stage):
    return settle(growth.survival(parents, grown, settings, stage), settings)


def admission(step, groups, settings, seed, names=None):
    return settle(growth.admission(step, groups, settings, seed, names), settings)


def families(sizes, other_sizes, fates):
    """Candidates of a group's parents and of others, so many each, of which `fates` (by parent) says who is admitted."""
    parent = np.repeat(np.arange(len(sizes) + len(other_sizes)), [*sizes, *other_sizes])
    step = Step("admission", np.ones(len(parent), dtype=bool), fates[parent])
    return (
        step,
        [Membership("gender", "women", "mention-lexicon", parent < len(sizes))],
        pa.array(map(str, parent)),
    )


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


@pytest.mark.parametrize(("children", "admitted", "plain"), [(40, False, "FAIL"), (400, True, "PASS")])
def test_forty_candidates_of_one_parent_are_not_forty(children, admitted, plain):
    fates = np.r_[admitted, np.arange(4_000) % 2 == 0]
    step, groups, names = families([children], [1] * 4_000, fates)

    (one,) = admission(step, groups, AuditSettings(), 1, names)
    (many,) = admission(step, groups, AuditSettings(), 1)

    assert (one["verdict"], many["verdict"]) == ("INSUFFICIENT_DATA", plain)
    assert (one["n"], one["kept"]) == (children, children * admitted)
    assert (one["families"], one["other_families"]) == (1, 4_000)
    assert (one["rate"], one["effective_n"]) == (many["rate"], 1)
    assert one["p"] > 0.3
    assert many["p"] < 0.001
    assert f"of the {children} rows that mention women (gender) (children of 1 parent)" in sentence(one)


@pytest.mark.parametrize(("parents", "verdict"), [(29, "INSUFFICIENT_DATA"), (30, "FAIL")])
def test_a_group_is_as_large_as_it_has_parents(parents, verdict):
    """None of 58 candidates of 29 parents was admitted, and half of the others': too few parents to judge, at a gate too."""
    step, groups, names = families([2] * parents, [2] * 400, np.arange(parents + 400) >= parents + 200)

    (found,) = admission(step, groups, AuditSettings(), 1, names)

    assert (found["verdict"], found["families"], found["n"]) == (verdict, parents, 2 * parents)
    failed = gates.outcome("gender", 0.8, [found], AuditSettings())["failed"]
    assert [one["group"] for one in failed] == (["women"] if verdict == "FAIL" else [])


def test_candidates_of_a_parent_each_are_as_many_as_they_are():
    fates = np.arange(500) % 3 > 0
    step, groups, names = families([1] * 100, [1] * 400, fates)

    assert admission(step, groups, AuditSettings(), 1, names) == admission(step, groups, AuditSettings(), 1)


def test_families_are_worth_what_kish_says_and_parts_still_add_up():
    sizes, others = [5, 1, 2] * 20, [1, 3] * 100
    fates = np.arange(260) % 3 > 0
    step, groups, names = families(sizes, others, fates)

    (found,) = admission(step, groups, AuditSettings(), 1, names)

    worth = sum(sizes) ** 2 / sum(size**2 for size in sizes)
    assert (found["n"], found["families"]) == (160, 60)
    assert found["effective_n"] == pytest.approx(worth)
    assert found["effective_other_n"] == pytest.approx(sum(others) ** 2 / sum(size**2 for size in others))
    assert (found["rate_low"], found["rate_high"]) == pytest.approx(wilson(found["rate"] * worth, worth))
    assert sum(part["log_ratio"] for part in found["parts"]) == pytest.approx(found["log_ratio"])


def test_equal_chances_of_parents_fail_no_more_often_than_alpha():
    """60 parents with 1 to 9 children of one fate against 400; taken for independent they fail one time in five."""
    failed = {"families": 0, "rows": 0}
    for seed in range(150):
        draw = np.random.default_rng(seed)
        fates = draw.random(460) < 0.6
        step, groups, names = families(draw.integers(1, 10, 60), draw.integers(1, 10, 400), fates)
        for name, parents in (("families", names), ("rows", None)):
            (found,) = admission(step, groups, AuditSettings(min_impact_ratio=0.99), 1, parents)
            failed[name] += found["p"] < 0.05

    assert failed["families"] <= 0.08 * 150
    assert failed["rows"] > 0.2 * 150


def test_a_planted_gap_between_families_is_found():
    """Parents' chances of 0.4 and 0.8: three children each, of 120 parents and 600."""
    found = 0
    for seed in range(50):
        draw = np.random.default_rng(seed)
        fates = np.r_[draw.random(120) < 0.4, draw.random(600) < 0.8]
        step, groups, names = families([3] * 120, [3] * 600, fates)
        (told,) = admission(step, groups, AuditSettings(), 1, names)
        found += told["verdict"] == "FAIL"

    assert found == 50
