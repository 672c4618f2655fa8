"""Rates and areas by group are Fairlearn's and scikit-learn's, and what does not exist is None, never 0."""

import tracemalloc

import numpy as np
import pytest
from fairlearn.metrics import (
    MetricFrame,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
    true_positive_rate,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from audit.groups import Membership
from audit.models.classes import area, by_class
from corpus.statistics import wilson

CLASSES = ("negative", "neutral", "positive")


def group(rows, name="women"):
    return Membership("gender", name, "mention-lexicon", np.asarray(rows, dtype=bool))


def sample(seed=1, rows=900):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, rows)
    mine = generator.random(rows) < 0.3
    wrong = generator.random(rows) < np.where(mine, 0.4, 0.2)
    predicted = np.where(wrong, generator.integers(0, 3, rows), truth)
    scores = generator.normal(0, 1, (rows, 3)) + 1.5 * np.eye(3)[truth]
    return truth, predicted, scores, mine


def test_rates_are_those_of_metric_frame():
    """Three classes, three rates, two sides: eighteen numbers, and three equalized odds."""
    truth, predicted, scores, mine = sample()

    (line,) = by_class(truth, predicted, scores, CLASSES, [group(mine)], "tuned", 1)

    theirs = {
        "selection": selection_rate,
        "true_positive": true_positive_rate,
        "false_positive": false_positive_rate,
    }
    for number, each in enumerate(line["classes"]):
        true, said = (truth == number).astype(int), (predicted == number).astype(int)
        frame = MetricFrame(metrics=theirs, y_true=true, y_pred=said, sensitive_features=mine).by_group
        for rate in theirs:
            assert each[rate]["value"] == pytest.approx(frame[rate][True])
            assert each["others"][rate]["value"] == pytest.approx(frame[rate][False])
        odds = equalized_odds_difference(true, said, sensitive_features=mine)
        assert each["equalized_odds"] == pytest.approx(odds)


def test_f1_is_that_of_metric_frame_and_within_its_interval():
    truth, predicted, _, mine = sample(2)

    (line,) = by_class(truth, predicted, None, CLASSES, [group(mine)], "tuned", 1)

    frame = MetricFrame(
        metrics={"f1": lambda true, said: f1_score(true, said, average="macro")},
        y_true=truth, y_pred=predicted, sensitive_features=mine,
    )  # fmt: skip
    found = line["f1_macro"]
    assert found["value"] == pytest.approx(frame.by_group["f1"][True])
    assert found["low"] < found["value"] < found["high"]
    each = f1_score(truth[mine], predicted[mine], average=None)
    assert [one["f1"] for one in line["classes"]] == pytest.approx(each.tolist())


def test_the_interval_of_f1_is_that_of_drawing_rows_anew():
    truth, predicted, _, mine = sample(3)
    (line,) = by_class(truth, predicted, None, CLASSES, [group(mine)], "tuned", 1)

    generator, rows = np.random.default_rng(5), np.flatnonzero(mine)
    drawn = [generator.choice(rows, len(rows)) for _ in range(1_000)]
    again = [f1_score(truth[one], predicted[one], average="macro") for one in drawn]

    assert (line["f1_macro"]["low"], line["f1_macro"]["high"]) == pytest.approx(
        np.quantile(again, (0.025, 0.975)).tolist(), abs=0.015
    )


def test_areas_are_those_of_the_rows_that_borkan_names():
    truth, predicted, scores, mine = sample(4)

    (line,) = by_class(truth, predicted, scores, CLASSES, [group(mine)], "tuned", 1)

    for number, each in enumerate(line["classes"]):
        true = truth == number
        for name, rows in (
            ("auc", mine),
            ("bpsn", (mine & ~true) | (~mine & true)),
            ("bnsp", (mine & true) | (~mine & ~true)),
        ):
            assert each[name]["value"] == pytest.approx(roc_auc_score(true[rows], scores[rows, number]))
            assert each[name]["n"] == rows.sum()


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(0, 5), min_size=1, max_size=20)
)
def test_an_area_counts_the_pairs(positives, negatives):
    found = area(np.array(positives, float), np.array(negatives, float))

    pairs = [(up > down) + 0.5 * (up == down) for up in positives for down in negatives]
    assert found["value"] == pytest.approx(np.mean(pairs))
    assert found["low"] <= found["value"] + 1e-12
    assert found["value"] <= found["high"] + 1e-12


def test_delongs_interval_holds_the_truth_as_often_as_it_says():
    """Normal scores one apart: an area of 0.7602."""
    generator, held = np.random.default_rng(6), 0
    for _ in range(1_000):
        found = area(generator.normal(1, 1, 60), generator.normal(0, 1, 90))
        held += found["low"] <= 0.76025 <= found["high"]

    assert 0.93 <= held / 1_000 <= 0.965


def test_what_does_not_exist_is_none():
    """The group has no positive row: Fairlearn says a rate of 0 there, and a difference of 1."""
    truth = np.array([0, 0, 0, 1, 1, 0])
    predicted = np.array([0, 1, 0, 1, 1, 1])
    mine = [True, True, True, False, False, False]

    (line,) = by_class(truth, predicted, np.eye(2)[predicted], ("no", "yes"), [group(mine)], "m", 1)

    yes = line["classes"][1]
    assert yes["true_positive"] == {"value": None, "low": 0.0, "high": 1.0, "n": 0}
    assert yes["equalized_odds"] is None
    assert yes["auc"]["value"] is None
    assert yes["bpsn"]["value"] == pytest.approx(5 / 6)


def test_an_answer_that_is_no_class_is_wrong_and_nobodys():
    truth, predicted = np.array([0, 0, 1, 1]), np.array([0, -1, 1, -1])

    (line,) = by_class(truth, predicted, None, ("a", "b"), [group([True] * 4)], "m", 1)

    assert line["f1_macro"]["value"] == pytest.approx(2 / 3)
    assert [one["selection"]["value"] for one in line["classes"]] == [0.25, 0.25]
    assert line["classes"][0]["others"]["selection"]["n"] == 0


def test_a_group_without_rows_is_left_out():
    assert by_class(np.array([0]), np.array([0]), None, ("a",), [group([False])], "m", 1) == []


def test_two_kinds_that_do_not_overlap_are_no_certainty():
    found = area(np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0]))

    low, high = wilson(2, 2)
    assert found == {"value": 1.0, "low": low, "high": high, "n": 5}


def test_scores_that_are_all_alike_are_no_certainty():
    found = area(np.ones(3), np.ones(40))

    assert found["value"] == 0.5
    assert found["low"] < 0.2
    assert found["high"] > 0.8


def test_many_classes_are_drawn_in_turn():
    truth = np.arange(3_000) % 300
    tracemalloc.start()

    (line,) = by_class(truth, truth, None, [str(at) for at in range(300)], [group([True] * 3_000)], "m", 1)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert line["f1_macro"]["value"] == 1.0
    assert peak < 300 * 2**20
