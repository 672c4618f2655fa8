"""A gate is met by evidence alone: too few rows are no pass, and no rows are nothing to judge."""

import numpy as np
import pytest

from audit import gates
from audit.crossings import crossed
from audit.findings import settle
from audit.groups import AuditSettings, Membership
from audit.retention import retention
from audit.steps import Step

SETTINGS = AuditSettings()


def found(*counts):
    """One stage; `counts` are (n, kept) of disjoint groups, and 4,000 others of which 2,000 stay."""
    sizes = [n for n, _ in counts]
    total = sum(sizes) + 4_000
    kept, groups, begin = np.zeros(total, dtype=bool), [], 0
    for number, (n, stay) in enumerate(counts):
        kept[begin : begin + stay] = True
        at = np.arange(total)
        groups.append(Membership("gender", f"g{number}", "mention-lexicon", (at >= begin) & (at < begin + n)))
        begin += n
    kept[-2_000:] = True
    step = Step("length", np.ones(total, dtype=bool), kept)
    return settle(retention([step], groups, SETTINGS, 1), SETTINGS)


@pytest.mark.parametrize(
    ("counts", "verdict", "failed", "undecided"),
    [
        ([(400, 200), (800, 400)], "PASS", set(), []),
        ([(400, 100), (800, 400), (9, 4)], "FAIL", {"g0"}, ["g2"]),
        ([(400, 200), (9, 4)], "INSUFFICIENT_DATA", set(), ["g1"]),
        ([(0, 0)], "NOT_APPLICABLE", set(), []),
        ([], "NOT_APPLICABLE", set(), []),
    ],
)
def test_each_outcome_has_its_reason(counts, verdict, failed, undecided):
    told = gates.outcome("gender", 0.8, found(*counts), SETTINGS)

    assert (told["verdict"], told["ok"]) == (verdict, verdict != "FAIL")
    assert {each["group"] for each in told["failed"]} == failed
    assert [each["group"] for each in told["undecided"]] == undecided


def test_a_gate_has_a_bound_of_its_own():
    """Kept 0.7 times as often: a failure at 0.8 and none at 0.5."""
    told = found((400, 140))

    assert told[0]["verdict"] == "FAIL"
    assert gates.outcome("gender", 0.5, told, SETTINGS)["verdict"] == "PASS"


def test_another_axis_has_nothing_to_judge():
    assert gates.outcome("religion", 0.8, found((400, 100)), SETTINGS)["verdict"] == "NOT_APPLICABLE"


def test_what_is_undecided_says_how_many_rows_more_would_tell():
    (few,) = gates.outcome("gender", 0.8, found((100, 50)), SETTINGS)["undecided"]

    assert (few["group"], few["n"]) == ("g0", 100)
    assert few["needed"] > 0
    more = 100 + few["needed"]
    assert gates.outcome("gender", 0.8, found((more, more // 2)), SETTINGS)["undecided"] == []


def across(women, faiths, lost):
    """2,000 rows, of which a stage keeps half, and none of `lost`; women and rows of some faiths are the first so many."""
    at = np.arange(8_000)
    groups = [Membership("gender", "women", "mention-lexicon", at < women)]
    groups += [
        Membership("religion", name, "mention-lexicon", (at >= first) & (at < last))
        for name, (first, last) in faiths.items()
    ]
    kept = (at % 2 == 0) & ~((at >= lost[0]) & (at < lost[1]))
    step = Step("length", at >= 0, kept)
    told = crossed([step], groups, kept, SETTINGS, 1)
    found = settle([*retention([step], groups, SETTINGS, 1), *told.measured], SETTINGS)
    return gates.outcome("gender & religion", 0.8, found, SETTINGS, told.counts, told.of_few)


NONE = (0, 0)


@pytest.mark.parametrize(
    ("women", "faiths", "lost", "verdict", "failed", "undecided"),
    [
        (4_000, {"muslim": (0, 1_000)}, (0, 500), "FAIL", ["women & muslim"], []),
        (4_000, {"muslim": (0, 1_000)}, NONE, "PASS", [], []),
        (4_000, {"muslim": (0, 60)}, NONE, "INSUFFICIENT_DATA", [], [("women & muslim", 60)]),
        (4_000, {"muslim": (0, 1_000), "few": (3_990, 8_000)}, NONE, "INSUFFICIENT_DATA", [], [("women & few", 10)]),
        (4_000, {"muslim": (0, 1_000), "few": (3_997, 8_000)}, NONE, "INSUFFICIENT_DATA", [],
         [("(of fewer than 5 rows)", None)]),
        (4_000, {"few": (3_990, 4_200)}, (3_990, 4_000), "INSUFFICIENT_DATA", [], [("women & few", 10)]),
        (4_000, {"muslim": (4_000, 5_000)}, (4_000, 4_500), "NOT_APPLICABLE", [], []),
    ],
)  # fmt: skip
def test_a_gate_on_a_crossing_has_the_four_outcomes(women, faiths, lost, verdict, failed, undecided):
    told = across(women, faiths, lost)

    assert (told["verdict"], told["ok"]) == (verdict, verdict != "FAIL")
    assert [each["group"] for each in told["failed"]] == failed
    assert [(each["group"], each["n"]) for each in told["undecided"]] == undecided


def test_a_crossing_that_is_too_small_to_be_measured_says_how_many_rows_more_would_be():
    (few,) = across(4_000, {"few": (3_990, 8_000)}, NONE)["undecided"]

    more = 10 + few["needed"]
    assert across(4_000, {"few": (4_000 - more, 8_000)}, NONE)["verdict"] == "PASS"
    assert across(4_000, {"few": (4_000 - more // 2, 8_000)}, NONE)["verdict"] == "INSUFFICIENT_DATA"


def test_where_nothing_was_dropped_a_crossing_has_nothing_to_judge():
    at = np.arange(400)
    groups = [
        Membership("gender", "women", "mention-lexicon", at < 8),
        Membership("religion", "muslim", "mention-lexicon", at < 100),
    ]
    step = Step("length", at >= 0, at >= 0)
    told = crossed([step], groups, step.kept, SETTINGS, 1)
    found = settle([*retention([step], groups, SETTINGS, 1), *told.measured], SETTINGS)

    gate = gates.outcome("gender & religion", 0.8, found, SETTINGS, told.counts, ["gender & religion"])

    assert [one["n"] for one in told.counts] == [8]
    assert (gate["verdict"], gate["undecided"]) == ("NOT_APPLICABLE", [])


def test_a_gate_at_the_audits_own_limit_says_what_the_finding_says():
    """Two stages, of which the second may drop some rows only, so that the whole has an effective size."""
    told = set()
    for seed in range(150):
        generator = np.random.default_rng(seed)
        rows = 3_000
        mine = generator.random(rows) < 0.15
        first = Step("a", np.ones(rows, dtype=bool), generator.random(rows) < 0.8)
        second = Step("b", first.kept & (generator.random(rows) < 0.3), generator.random(rows) < 0.7)
        settled = settle(
            retention([first, second], [Membership("g", "x", "declared", mine)], SETTINGS, 1), SETTINGS
        )
        whole = next(each for each in settled if each["stage"] == "total" and each["rule"] == "impact_ratio")
        gate = gates.outcome("g", SETTINGS.min_impact_ratio, settled, SETTINGS)
        if not gate["failed"]:
            assert gate["verdict"] == whole["verdict"]
            told.add(whole["verdict"])

    assert told == {"PASS", "INSUFFICIENT_DATA"}
