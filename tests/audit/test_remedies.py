"""What would help does: rows that are added reach the share, weights even labels out, and no move on the front is beaten."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.association import with_labels
from audit.findings import settle
from audit.groups import AuditSettings, Membership, partition
from audit.moves import moved
from audit.remedies import OTHERS, remedies, reweighing, rows_to_add, thresholds
from audit.representation import against_reference, representation
from audit.retention import retention
from audit.steps import Step

WORST = {"rule": "representation", "axis": "gender", "group": "women", "ratio": 0.1}


@given(
    st.integers(0, 500), st.integers(1, 5_000),
    st.integers(1, 99).map(lambda percent: percent / 100), st.sampled_from([0.5, 0.8, 0.9]),
)  # fmt: skip
def test_rows_to_add_are_enough_and_one_fewer_is_not(rows, more, reference, limit):
    finding = WORST | {"kept": rows, "n": rows + more, "reference": reference, "limit": limit}

    (found,) = rows_to_add([finding])

    # In whole numbers, so that no rounding decides: hundredths of the reference, tenths of the limit.
    for added, parts, of in (
        (found["to_reference"], round(100 * reference), 100),
        (found["to_limit"], round(100 * reference) * round(10 * limit), 1_000),
    ):
        assert (rows + added) * of >= parts * (rows + more + added)
        assert added == 0 or (rows + added - 1) * of < parts * (rows + more + added - 1)
    assert found["per_row"] == (found["to_reference"] / rows if rows else None)


def test_rows_to_add_where_the_division_comes_out_even():
    """(0.4 x 100 - 10) / 0.6 are 50 rows; in floating point 0.5 x 0.8 would make it 51."""
    (found,) = rows_to_add([WORST | {"kept": 10, "n": 100, "reference": 0.5, "limit": 0.8}])

    assert (found["to_limit"], found["to_reference"], found["per_row"]) == (50, 80, 8.0)


def test_only_groups_under_their_reference_are_to_grow_and_the_added_rows_pass_the_audit():
    settings = AuditSettings(reference={"source": {"a": 0.5, "b": 0.1}})
    at = np.arange(1_000)
    kept = np.ones(1_000, bool)

    def measured(count):
        groups = partition(pa.array(np.where(at < 200, "a", "b")), "source", "source-metadata")
        beside = {("source", "a"): count}
        return settle(
            against_reference(representation(groups, kept, beside, count, settings), settings), settings
        )

    (found,) = rows_to_add(measured(0))
    after = next(one for one in measured(found["to_reference"]) if one["group"] == "a")

    assert (found["group"], found["published"], found["of"]) == ("a", 200, 1_000)
    assert after["rate"] == pytest.approx(0.5)
    assert after["verdict"] == "PASS"


def drawn(seed=3, rows=2_000):
    """Labels of rows of which women and two regions have them unevenly."""
    draw = np.random.default_rng(seed)
    women, region = draw.random(rows) < 0.2, draw.choice(["north", "south", "west"], rows, p=[0.6, 0.3, 0.1])
    chance = 0.5 + 0.3 * women - 0.25 * (region == "west")
    labels = np.where(draw.random(rows) < chance, "good", "bad")
    groups = [
        Membership("gender", "women", "mention-lexicon", women),
        *partition(pa.array(region), "region", "declared"),
    ]
    return women, region, labels, groups


def by_row(found, group_of, labels):
    weights = {(one["group"], one["label"]): one["weight"] for one in found["weights"]}
    return np.array([weights[group, label] for group, label in zip(group_of, labels, strict=True)])


def test_weights_make_group_and_label_independent():
    """Row by row, and by scipy's own test of the weighted table."""
    women, region, labels, groups = drawn()

    found = {
        (one["axis"], one["group"]): one for one in reweighing(with_labels(groups, pa.array(labels)), 0.05)
    }

    assert set(found) == {("gender", "women"), ("region", None)}
    for key, group_of in (
        (("gender", "women"), np.where(women, "women", OTHERS)),
        (("region", None), region),
    ):
        weights = by_row(found[key], group_of, labels)
        table = [
            [weights[(group_of == group) & (labels == label)].sum() for label in ("good", "bad")]
            for group in np.unique(group_of)
        ]
        plain = [
            [np.sum((group_of == group) & (labels == label)) for label in ("good", "bad")]
            for group in np.unique(group_of)
        ]
        assert stats.chi2_contingency(plain).pvalue < 0.001
        assert stats.chi2_contingency(table).statistic == pytest.approx(0, abs=1e-9)
        assert np.sum(table, axis=0) == pytest.approx(np.sum(plain, axis=0))
        assert found[key]["effective"] == pytest.approx(weights.sum() ** 2 / np.sum(weights**2))
        assert found[key]["effective"] < found[key]["rows"] == len(labels)


def test_what_goes_with_no_label_is_not_weighed():
    draw = np.random.default_rng(1)
    groups = [Membership("gender", "women", "mention-lexicon", draw.random(900) < 0.3)]

    assert reweighing(with_labels(groups, pa.array(draw.choice(["good", "bad"], 900))), 0.05) == []


def test_a_cell_without_rows_has_no_weight_and_the_others_are_worth_what_they_are():
    women = np.arange(300) < 100
    groups = [Membership("gender", "women", "mention-lexicon", women)]
    labels = np.where(women, "good", np.where(np.arange(300) % 2, "good", "bad"))

    (found,) = reweighing(with_labels(groups, pa.array(labels)), 0.05)

    weights = {(one["group"], one["label"]): one["weight"] for one in found["weights"]}
    assert weights["women", "bad"] is None
    known = by_row(found, np.where(women, "women", OTHERS), labels)
    assert found["effective"] == pytest.approx(known.sum() ** 2 / np.sum(known**2))


def points(pairs):
    return [
        {"value": number, "more": more, "ratio": ratio, "low": None, "high": None,
         "verdict": "FAIL" if ratio < 0.8 else "PASS"}
        for number, (more, ratio) in enumerate(pairs)
    ]  # fmt: skip


BY = {
    "axis": "gender",
    "group": "women",
    "stage": "total",
    "by": "length",
    "rule": "too_short",
    "knob": "min_words",
}


@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 20).map(lambda n: n / 10)), min_size=1, max_size=8)
)
def test_the_front_is_what_no_other_move_beats(pairs):
    held = points([(0, 0.4), *pairs])

    found = thresholds([{**BY, "points": held}])

    def beaten(one):
        return any(
            (other["more"] <= one["more"] and other["ratio"] >= one["ratio"])
            and (other["more"], other["ratio"]) != (one["more"], one["ratio"])
            for other in held
        )

    best = {(one["more"], one["ratio"]) for one in held[1:] if not beaten(one)}
    front = found[0]["front"] if found else []
    assert {(one["more"], one["ratio"]) for one in front} == best
    fair = [more for more, ratio in best if ratio >= 0.8]
    if found:
        mildest = next((one["more"] for one in front if one["value"] == found[0]["mildest"]), None)
        assert mildest == (min(fair) if fair else None)


def test_a_move_is_what_the_stage_would_have_measured():
    draw = np.random.default_rng(4)
    women = draw.random(2_000) < 0.2
    group = Membership("gender", "women", "mention-lexicon", women)
    strict, mild = draw.random(2_000) < np.where(women, 0.4, 0.8), draw.random(2_000) < 0.9
    steps = [
        Step("length", np.ones(2_000, bool), strict),
        Step("language", strict, draw.random(2_000) < 0.95),
    ]
    alone = [Step("length", np.ones(2_000, bool), mild | strict)]

    stage, total = moved(steps, 0, mild | strict, group, AuditSettings())
    expected, _ = retention(alone, [group], AuditSettings(), 1)
    unmoved = moved(steps, 0, strict, group, AuditSettings())
    before = retention(steps, [group], AuditSettings(), 1)

    same = (
        "ratio",
        "low",
        "high",
        "p",
        "n",
        "kept",
        "expected",
        "needed",
        "removal_ratio",
        "rate",
        "other_rate",
    )
    assert [stage[key] for key in same] == [expected[key] for key in same]
    assert [[one[key] for key in same] for one in unmoved] == [
        [one[key] for key in same] for one in (before[0], before[2])
    ]
    behind = before[1]
    assert total["rate"] == pytest.approx(stage["rate"] * behind["rate"])
    assert total["ratio"] == pytest.approx(stage["ratio"] * behind["ratio"])


def test_an_audit_of_nothing_needs_no_remedy():
    audit = {"findings": [], "associations": None, "settings": AuditSettings().model_dump()}

    assert remedies(audit, []) == {"rows": [], "weights": [], "thresholds": []}
