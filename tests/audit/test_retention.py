"""The stage audit counts right, keeps its error rate, finds what was planted, and says when it cannot tell."""

import json
import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.findings import judge, settle, verdict
from audit.groups import AuditSettings, Membership, partition
from audit.page.words import sentence
from audit.retention import retention
from audit.steps import Counts, Step, compose, count, selection_rates
from corpus.statistics import Interval, detectable_difference

SETTINGS = AuditSettings()


def mask(n, total, start=0):
    rows = np.zeros(total, dtype=bool)
    rows[start : start + n] = True
    return rows


def group(rows, name="g", axis="gender", origin="mention-lexicon"):
    return Membership(axis, name, origin, rows)


def step(kept, stage="length", entered=None, reason=None, other=None):
    entered = np.ones(len(kept), dtype=bool) if entered is None else entered
    return Step(stage, entered, kept, reason, other=other)


def audited(steps, groups, seed=1, audit=SETTINGS):
    """Measure and settle; the findings of rule `impact_ratio`, their keys as attributes."""
    found = settle(retention(steps, groups, audit, seed), audit)
    return [SimpleNamespace(**each) for each in found if each["rule"] == "impact_ratio"]


def stage_with(n, kept, other_n, other_kept):
    """A stage and its group: `kept` of `n` rows stay, and `other_kept` of the `other_n` others."""
    total = n + other_n
    return step(mask(kept, total) | mask(other_kept, total, n)), group(mask(n, total))


def cell(n, kept, other_n, other_kept, audit=SETTINGS):
    one, of = stage_with(n, kept, other_n, other_kept)
    return audited([one], [of], 7, audit)[0]


@st.composite
def pipelines(draw):
    """Up to four stages over 60 rows, each of which may drop the rows of some splits only, and three groups."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    alive, steps = np.ones(60, dtype=bool), []
    for position in range(draw(st.integers(1, 4))):
        open_to = generator.random(60) < draw(st.sampled_from([0.5, 1.1]))
        kept = generator.random(60) < draw(st.sampled_from([0.4, 0.9, 1.1]))
        steps.append(Step(f"s{position}", alive & open_to, kept))
        alive &= kept | ~open_to
    shares = draw(st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), min_size=1, max_size=3))
    return steps, [group(generator.random(60) < share, f"g{at}") for at, share in enumerate(shares)], alive


def test_a_cell_says_what_the_counts_say():
    """By hand: 63 of 100 against 810 of 900, so 0.7 of the retention and 3.7 times the removals."""
    found = cell(100, 63, 900, 810)

    assert (found.n, found.kept, found.rate) == (100, 63, 0.63)
    assert (found.other_n, found.other_kept, found.other_rate) == (900, 810, 0.9)
    assert (found.ratio, found.removal_ratio) == (pytest.approx(0.7), pytest.approx(3.7))
    spread = 1.959964 * math.sqrt(37 / (63 * 100) + 90 / (810 * 900))
    assert (found.low, found.high) == pytest.approx((0.7 * math.exp(-spread), 0.7 * math.exp(spread)))
    assert found.p == pytest.approx(
        stats.chi2_contingency([[63, 37], [810, 90]], correction=False, lambda_="log-likelihood").pvalue
    )
    assert found.verdict == "FAIL"


@settings(deadline=None)
@given(pipelines())
def test_the_stages_parts_add_up_to_the_whole(pipeline):
    steps, groups, _ = pipeline

    cells = audited(steps, groups, 1)

    for member in groups:
        *parts, whole = [each.log_ratio for each in cells if each.group == member.group]
        if whole is None:
            assert None in parts
        elif None not in parts:
            assert sum(parts) == pytest.approx(whole, abs=1e-9)


@settings(deadline=None)
@given(pipelines())
def test_where_every_stage_may_drop_every_row_the_whole_is_what_survived(pipeline):
    steps, groups, alive = pipeline
    followed = (np.array_equal(a.entered & a.kept, b.entered) for a, b in pairwise(steps))
    if not (steps[0].entered.all() and all(followed)):
        return

    cells = audited(steps, groups, 1)

    for member in groups:
        whole = next(each for each in cells if each.group == member.group and each.stage == "total")
        assert (whole.n, whole.kept) == (member.rows.sum(), (member.rows & alive).sum())
        if whole.n and whole.kept:
            assert whole.rate == pytest.approx(whole.kept / whole.n)


def test_rows_that_a_later_stage_may_not_drop_do_not_hide_what_it_does():
    """Both stages halve the group; half of it is test rows, which the second may not drop: a quarter, not 3/8."""
    first = mask(500, 2_000) | mask(1_000, 2_000, 1_000)
    train = first & (np.arange(2_000) % 2 == 0)
    second = (np.arange(2_000) % 4 == 0) | (np.arange(2_000) >= 1_000)
    of = group(mask(1_000, 2_000))

    cells = audited([step(first, "a"), step(second, "b", entered=train)], [of], 1)

    assert [(each.stage, each.n, each.kept, each.rate) for each in cells] == [
        ("a", 1_000, 500, 0.5),
        ("b", 250, 125, 0.5),
        ("total", 1_000, 375, 0.25),
    ]


def test_a_stage_that_one_side_never_entered_is_no_part_of_the_whole():
    """The second stage may drop rows of the group alone: there is nobody to compare with."""
    first = mask(300, 1_000) | mask(500, 1_000, 500)
    rows = mask(500, 1_000)
    second = step(mask(100, 1_000), "b", entered=first & rows)

    a, b, whole = audited([step(first, "a"), second], [group(rows)], 1)

    assert (a.ratio, b.verdict, b.log_ratio) == (0.6, "NOT_APPLICABLE", 0.0)
    assert (whole.ratio, whole.log_ratio, whole.n, whole.kept) == (0.6, a.log_ratio, 500, 100)


def test_the_product_of_the_stages_has_greenwoods_variance():
    """Against simulated pipelines of two stages, half of the rows leaving unjudged between them."""
    generator = np.random.default_rng(2)
    rates = []
    for _ in range(4_000):
        stayed = generator.binomial(200, 0.8)
        entered = stayed // 2
        rates.append(stayed / 200 * generator.binomial(entered, 0.6) / entered)

    composed = compose([Counts(200, 160, 900, 800), Counts(80, 48, 800, 700)])

    assert composed.kept / composed.n == pytest.approx(0.48)
    assert math.sqrt(0.48 * 0.52 / composed.n) == pytest.approx(np.std(rates), rel=0.05)
    assert (composed.other_n, composed.other_kept) == (900, 700)


def test_equal_rates_fail_no_more_often_than_alpha():
    failed = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        groups = [group(generator.random(3_000) < share, str(share)) for share in (0.02, 0.05, 0.3)]
        kept = generator.random(3_000) < (0.4, 0.95)[seed % 2]
        failed.append(any(each.verdict == "FAIL" for each in audited([step(kept)], groups, seed)))

    assert sum(failed) / len(failed) <= SETTINGS.alpha


def test_a_planted_ratio_of_seven_tenths_is_found():
    outcomes = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        of = generator.random(8_000) < 0.1
        kept = generator.random(8_000) < np.where(of, 0.63, 0.9)
        groups = [group(of), *(group(generator.random(8_000) < 0.1, f"even{i}") for i in range(3))]
        outcomes += [each.verdict for each in audited([step(kept)], groups, seed) if each.stage != "total"]

    assert outcomes == ["FAIL", "PASS", "PASS", "PASS"] * 20


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ((100, 90, 900, 810), "PASS"),
        ((29, 2, 900, 810), "INSUFFICIENT_DATA"),  # too small, however bad it looks
        ((60, 40, 900, 730), "INSUFFICIENT_DATA"),  # the interval holds the limit
        ((60, 60, 9_000, 8_990), "INSUFFICIENT_DATA"),  # hardly a row was expected to go
        ((40, 0, 9_000, 9_000), "FAIL"),  # so few were expected to go, but Fisher's test is exact
        ((300, 8, 9_000, 900), "FAIL"),  # a budget that most rows fail
        ((100, 100, 900, 900), "NOT_APPLICABLE"),  # nothing was dropped
        ((0, 0, 900, 500), "NOT_APPLICABLE"),  # nobody
        ((900, 500, 0, 0), "NOT_APPLICABLE"),  # everybody
    ],
)
def test_each_outcome_has_its_reason(counts, outcome):
    found = cell(*counts)

    assert found.verdict == outcome
    assert (found.ratio is None) == (outcome == "NOT_APPLICABLE")


@pytest.mark.parametrize(
    ("measured", "q", "needed", "outcome"),
    [
        (Interval(0.79, 0.6, 1.0), 0.2, 0, "INSUFFICIENT_DATA"),
        (Interval(0.79, 0.6, 1.0), 0.04, 0, "FAIL"),
        (Interval(0.7, 0.6, 0.79), 0.2, 0, "FAIL"),
        (Interval(0.7, 0.6, 0.79), 0.2, 9, "FAIL"),
        (Interval(0.9, 0.8, 1.0), 0.001, 0, "PASS"),
        (Interval(0.9, 0.8, 1.0), 0.001, 9, "INSUFFICIENT_DATA"),
        (Interval(0.9, 0.8, 1.0), 0.001, None, "INSUFFICIENT_DATA"),
        (Interval(0.9, 0.79, 1.0), 0.2, 0, "INSUFFICIENT_DATA"),
    ],
)
def test_a_pass_needs_evidence_and_so_does_a_failure(measured, q, needed, outcome):
    found = judge(measured, 0.8, q=q, n=100, expected=50, needed=needed, settings=SETTINGS)

    assert found == outcome


def test_what_cannot_be_judged_says_what_could_have_been_seen():
    found = cell(60, 40, 900, 730)

    pooled = 770 / 960
    reach = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert found.detectable == pytest.approx(reach * math.sqrt(pooled * (1 - pooled) * (1 / 60 + 1 / 900)))


def test_q_values_are_over_all_cells_that_were_compared():
    steps = [
        step(mask(630, 1_000) | mask(100, 1_000, 900), "a"),
        step(mask(1_000, 1_000), "b", entered=mask(9, 1_000)),
    ]
    groups = [group(mask(100, 1_000, at), str(at)) for at in (0, 600, 700)] + [
        group(mask(0, 1_000), "nobody")
    ]

    cells = audited(steps, groups, 1)

    compared = [each for each in cells if each.p is not None]
    assert [(each.stage, each.group) for each in cells if each.p is None] == [
        ("a", "nobody"), ("b", "0"), ("b", "600"), ("b", "700"), ("b", "nobody"), ("total", "nobody"),
    ]  # fmt: skip
    expected = stats.false_discovery_control([each.p for each in compared])
    assert [each.q for each in compared] == pytest.approx(expected.tolist(), rel=1e-9, abs=0)


def test_reasons_are_counted_of_the_groups_own_rows_that_entered():
    reason = pa.array(["short", "short", None, "long", None, "short"])
    kept = np.array([False, False, True, False, True, False])

    entered = np.array([True, True, True, True, True, False])
    cells = audited([step(kept, entered=entered, reason=reason)], [group(mask(4, 6))], 1)
    others = audited([step(kept, entered=entered, reason=reason)], [group(mask(2, 6, 4))], 1)

    assert [each.reasons for each in others] == [{}, {}]
    assert [each.reasons for each in cells] == [
        {"short": 2, "long": 1},
        {"length: short": 2, "length: long": 1},
    ]


def test_a_source_that_lost_more_than_half_is_a_failure_of_that_stage():
    sources = partition(pa.array(["a"] * 100 + ["b"] * 100 + [None] * 100), "source", "source-metadata")
    one = mask(60, 300) | mask(40, 300, 100) | mask(100, 300, 200)
    two = mask(40, 300) | mask(80, 300, 100) | mask(100, 300, 200)

    found = settle(
        retention([step(one, "first"), step(two, "second", entered=one)], sources, SETTINGS, 1), SETTINGS
    )

    assert [
        (each["verdict"], each["stage"], each["group"]) for each in found if each["rule"] == "lost_most"
    ] == [
        ("FAIL", "first", "b"),  # and not again in total
        ("FAIL", "total", "a"),  # no one stage took half
    ]


def test_losing_most_is_no_failure_where_all_fare_alike():
    """Two labels of which half is kept at random: a few of a hundred seeds fail, as alpha says. One source: nobody is worse off."""
    failed = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        labels = partition(pa.array(generator.choice(["x", "y"], 2_000)), "label", "label")
        kept = generator.random(2_000) < 0.5
        found = settle(retention([step(kept)], labels, SETTINGS, seed), SETTINGS)
        failed += any(each["verdict"] == "FAIL" for each in found)
    alone = partition(pa.array(["shop"] * 100), "source", "source-metadata")

    assert failed <= 10
    assert verdict(settle(retention([step(mask(40, 100))], alone, SETTINGS, 1), SETTINGS)) == "NOT_APPLICABLE"


def test_stages_that_never_compared_anyone_make_no_total():
    """The first may drop the group alone, the second the others alone."""
    of = mask(500, 1_000)
    first = step(mask(250, 1_000) | ~of, "a", entered=of)
    second = step(mask(250, 1_000) | mask(450, 1_000, 500), "b", entered=~of)

    found = audited([first, second], [group(of)])

    assert [(each.stage, each.verdict, each.ratio) for each in found] == [
        ("a", "NOT_APPLICABLE", None),
        ("b", "NOT_APPLICABLE", None),
        ("total", "NOT_APPLICABLE", None),
    ]


def test_what_a_stage_leaves_out_that_keeps_so_many_rows_is_no_loss():
    """The budget leaves a tenth; `length` before it took a third."""
    sources = partition(pa.array(["a"] * 30 + ["b"] * 30), "source", "source-metadata")
    kept = np.arange(60) % 3 > 0
    budget = Step("diversity", kept, np.arange(60) % 10 == 1, None, chooses=True)

    found = settle(retention([step(kept), budget], sources, SETTINGS, 1), SETTINGS)

    assert [each["stage"] for each in found if each["rule"] == "lost_most"] == []
    assert [each["lost"] for each in found if each["stage"] == "total"] == [10, 10]


def test_half_is_not_most_and_a_mention_has_no_such_rule():
    halved, of = stage_with(10, 5, 10, 2)
    sources = [group(of.rows, axis="source"), group(~of.rows, axis="gender")]

    found = settle(retention([halved], sources, SETTINGS, 1), SETTINGS)

    assert [each for each in found if each["rule"] == "lost_most"] == []


def test_the_gap_of_an_axis_is_tested_where_its_groups_part_the_rows():
    labels = partition(pa.array(["x"] * 50 + ["y"] * 50 + [None] * 20), "label", "label")
    overlapping = [group(mask(80, 120, at), f"from {at}", axis="region") for at in (0, 40)]
    kept = mask(50, 120) | mask(25, 120, 50) | mask(10, 120, 100)

    cells = audited([step(kept)], [*labels, *overlapping, group(mask(50, 120))], 3)

    again = audited([step(kept)], [group(mask(50, 120)), *overlapping, *labels], 3)
    by_group = {each.group: each.gap_p for each in cells if each.stage == "length"}
    assert by_group == {each.group: each.gap_p for each in again if each.stage == "length"}
    assert (by_group["g"], by_group["from 0"], by_group["from 40"]) == (None, None, None)
    assert by_group["x"] == by_group["y"] == by_group["(missing)"] < 0.001


def test_fairlearn_sees_the_same_rates_in_the_rows_themselves():
    from fairlearn.metrics import MetricFrame, selection_rate

    generator = np.random.default_rng(9)
    rows, kept = generator.random(500) < 0.2, generator.random(500) < 0.7

    rates = selection_rates([count(step(kept), rows)])

    frame = MetricFrame(
        metrics={"kept": selection_rate}, y_true=kept, y_pred=kept.astype(int), sensitive_features=rows
    )
    assert rates.tolist() == [[frame.by_group["kept"][True], frame.by_group["kept"][False]]]


def test_no_stage_no_group_and_no_row_are_nothing_to_audit():
    assert audited([], [group(mask(1, 2))], 1) == []
    assert audited([step(mask(1, 2))], [], 1) == []
    assert [each.verdict for each in audited([step(mask(0, 0))], [group(mask(0, 0))], 1)] == [
        "NOT_APPLICABLE",
        "NOT_APPLICABLE",
    ]


@settings(deadline=None, max_examples=30)
@given(pipelines())
def test_findings_are_json_without_nan(pipeline):
    steps, groups, _ = pipeline

    found = settle(retention(steps, groups, SETTINGS, 1), SETTINGS)

    assert json.loads(json.dumps(found, allow_nan=False)) == found


@settings(deadline=None)
@given(pipelines(), st.randoms(use_true_random=False))
def test_the_parts_of_rules_add_up_to_their_stages_and_to_the_whole(pipeline, chance):
    steps, groups, _ = pipeline
    steps = [
        Step(each.stage, each.entered, each.kept, pa.array(chance.choices(["a", "b", "c"], k=60)))
        for each in steps
    ]

    for found in audited(steps, groups):
        logs = [part["log_ratio"] for part in found.parts]
        if None not in logs and found.log_ratio is not None:
            assert sum(logs) == pytest.approx(found.log_ratio, abs=1e-9)
        assert sum(part["removed"] for part in found.parts) <= found.n
        assert logs == sorted(logs, key=lambda log: (log is not None, log or 0.0))


def test_the_rule_that_takes_a_groups_rows_is_told_first():
    """Both rules take 100 rows; `short` takes one in ten of everybody, `word` the group's alone."""
    kept, reason = mask(1_000, 1_000), ["short"] * 1_000
    kept[::10] = False
    for at in range(1, 100, 2):
        kept[at], reason[at] = False, "word"

    found = audited([step(kept, "blocklist", reason=pa.array(reason))], [group(mask(100, 1_000))])[0]

    assert [(part["rule"], part["removed"], part["other_removed"]) for part in found.parts] == [
        ("word", 50, 0),
        ("short", 10, 90),
    ]
    assert found.parts[0]["log_ratio"] == pytest.approx(math.log(0.4) * 50 / 60)
    assert found.parts[1]["log_ratio"] == pytest.approx(math.log(0.4) * 10 / 60 - math.log(0.9))


def test_the_rows_against_which_a_group_lost_are_counted_once_each():
    """Of the 100 rows of the group 30 go against three rows and one against nobody, of the others 20 against one of the three."""
    kept, reason, other = mask(1_000, 1_000), ["copy"] * 1_000, np.full(1_000, -1)
    kept[:31], kept[500:520] = False, False
    other[:30], other[500:520] = np.arange(30) % 3 + 990, 990
    reason[30] = "short"

    found = audited([step(kept, "copies", reason=pa.array(reason), other=other)], [group(mask(100, 1_000))])[
        0
    ]

    told = {part["rule"]: (part["removed"], part["against"], part["other_removed"]) for part in found.parts}
    assert told == {"copy": (30, 3, 20), "short": (1, None, 0)}
    others = audited(
        [step(kept, "copies", reason=pa.array(reason), other=other)], [group(~mask(100, 1_000))]
    )[0]
    assert {part["rule"]: part["against"] for part in others.parts} == {"copy": 1, "short": None}


def test_a_total_says_which_stages_are_no_part_of_it():
    """The group's last rows go to the first stage, so nobody is left to compare behind it."""
    of = mask(100, 1_000)
    kept = ~of
    kept[100:145] = False
    steps = [
        step(kept, "first"),
        step(mask(500, 1_000), "second", entered=kept),
        step(mask(1, 1_000), "third", entered=mask(0, 1_000)),
    ]

    found = settle(retention(steps, [group(of)], SETTINGS, 1), SETTINGS)

    total = next(one for one in found if (one["stage"], one["rule"]) == ("total", "impact_ratio"))
    assert total["left_out"] == ["second"]  # nobody entered the third
    assert (total["rate"], total["other_rate"]) == (0, 0.95)
    assert "The whole pipeline without second (where there was nobody to compare) kept 0.0%" in sentence(
        total
    )
    assert all(one["left_out"] == [] for one in found if one["stage"] != "total")


@pytest.mark.parametrize(
    ("n", "kept", "other_n", "other_kept", "because", "words"),
    [
        (20, 5, 8_000, 7_900, ("rows", 30), "fewer than 30 rows"),
        (100, 99, 8_000, 7_990, ("expected", 5), "fewer than 5 of the group are expected to go or to stay"),
        (60, 30, 8_000, 4_000, ("sample", None), "points or more would be seen in four of five such samples"),
        (400, 330, 8_000, 7_900, ("limit", None), "the interval holds the limit of 0.8"),
    ],
)
def test_what_could_not_be_judged_says_why(n, kept, other_n, other_kept, because, words):
    one, of = stage_with(n, kept, other_n, other_kept)
    asked = SETTINGS.model_copy(update={"max_removal_ratio": 1e9})

    found = settle(retention([one], [of], asked, 1), asked)[0]

    assert found["verdict"] == "INSUFFICIENT_DATA"
    assert found["undecided"] == {"because": because[0], "least": because[1]}
    assert words in sentence(found)


def test_what_was_judged_says_no_reason():
    one, of = stage_with(800, 760, 8_000, 7_960)

    for found in settle(retention([one], [of], SETTINGS, 1), SETTINGS):
        assert "undecided" not in found


def test_what_is_rare_fails_by_its_removals():
    """Kept 95% against 99.5%: a ratio of 0.95, and ten times the removals."""
    one, of = stage_with(800, 760, 8_000, 7_960)

    found = settle(retention([one], [of], SETTINGS, 1), SETTINGS)

    assert [(each["stage"], each["rule"], each["verdict"]) for each in found] == [
        ("length", "impact_ratio", "PASS"),
        ("total", "impact_ratio", "PASS"),
        ("length", "removal_ratio", "FAIL"),
        ("total", "removal_ratio", "FAIL"),
    ]
    assert found[2]["removal_ratio"] == pytest.approx(10)


@pytest.mark.parametrize(
    "counts",
    [
        (400, 396, 4_000, 3_996),  # ten times as often, but one row in a hundred: 0.9 points more
        (400, 320, 4_000, 3_560),  # nine points more, but 1.8 times as often
        (400, 398, 4_000, 3_998),  # may be chance
        (29, 20, 4_000, 3_996),  # hardly anybody
    ],
)
def test_removals_that_are_few_alike_or_chance_do_not_fail(counts):
    one, of = stage_with(*counts)

    found = settle(retention([one], [of], SETTINGS, 1), SETTINGS)

    assert [each for each in found if each["rule"] == "removal_ratio"] == []


def test_the_rows_needed_are_those_that_would_do():
    """Half of all rows stay, the limit is 0.8, so a tenth must be seen: 400 rows of 4,400 do, and 200 more make 200 do."""
    assert cell(400, 200, 4_000, 2_000).needed == 0

    few = cell(150, 75, 4_000, 2_000)

    assert few.verdict == "INSUFFICIENT_DATA"
    more = 150 + few.needed
    assert detectable_difference(0.5, more, 4_000) <= 0.1 < detectable_difference(0.5, more - 1, 4_000)
    assert cell(100, 50, 20, 10).needed is None
