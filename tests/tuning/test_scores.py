"""Scores and comparisons against independent computations of the same numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from tuning.scores import Chance, compare, compare_loss, loss, mcnemar, per_class, score

CLASSES = 3
ROWS = st.lists(st.tuples(*[st.integers(0, CLASSES - 1)] * 3), min_size=1, max_size=60)
CHANCE = Chance(0.95, seed=1)


def _some(rows: int, right: float, other: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, and the answers of two classifiers that are right so often, independently of each other."""
    generator = np.random.default_rng(5)
    truth = generator.integers(0, CLASSES, rows)
    said = [
        np.where(generator.random(rows) < share, truth, generator.integers(0, CLASSES, rows))
        for share in (right, other)
    ]
    return truth, said[0], said[1]


def _f1_macro(truth: np.ndarray, said: np.ndarray) -> float:
    """Macro-F1 as the textbook has it; scikit-learn's takes milliseconds."""
    classes = set(truth.tolist()) | set(said.tolist())
    return float(
        np.mean(
            [
                2 * np.sum((truth == at) & (said == at)) / (np.sum(truth == at) + np.sum(said == at))
                for at in classes
            ]
        )
    )


@given(ROWS)
@settings(max_examples=40, deadline=None)
def test_values_are_those_of_scikit_learn(rows: list[tuple[int, int, int]]) -> None:
    truth, one, other = np.array(rows).T

    accuracy = score("accuracy", truth, one, CLASSES, CHANCE)
    macro = score("f1_macro", truth, one, CLASSES, CHANCE)
    classes = per_class(truth, one, ["a", "b", "c"], CHANCE)
    paired = compare("f1_macro", ("one", one), ("other", other), truth, CLASSES, CHANCE)

    held = np.union1d(truth, one)
    expected = precision_recall_fscore_support(truth, one, labels=range(CLASSES), zero_division=0)
    assert accuracy["value"] == pytest.approx(accuracy_score(truth, one))
    assert macro["value"] == pytest.approx(
        f1_score(truth, one, labels=held, average="macro", zero_division=0)
    )
    for at, name in enumerate("abc"):
        found = [classes[name][metric]["value"] for metric in ("precision", "recall", "f1")]
        assert found == pytest.approx([column[at] for column in expected[:3]])
    both = [
        f1_score(truth, said, labels=np.union1d(truth, said), average="macro", zero_division=0)
        for said in (one, other)
    ]
    assert paired["difference"] == pytest.approx(both[0] - both[1])


@given(st.integers(0, 40), st.integers(0, 40))
@settings(deadline=None)
def test_the_p_of_accuracy_is_the_exact_binomial_of_the_rows_on_which_one_alone_is_right(
    won: int, lost: int
) -> None:
    expected = binomtest(won, won + lost, 0.5).pvalue if won + lost else 1.0

    assert mcnemar(won, lost) == pytest.approx(expected)
    assert mcnemar(won, lost) == pytest.approx(mcnemar(lost, won))


def test_the_interval_of_accuracy_is_that_of_wilson() -> None:
    truth, said, _ = _some(200, 0.5, 0.5)

    found = score("accuracy", truth, said, CLASSES, CHANCE)

    expected = binomtest(int((truth == said).sum()), 200).proportion_ci(method="wilson")
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))


def test_intervals_from_counts_are_those_of_a_bootstrap_over_rows() -> None:
    truth, one, other = _some(150, 0.6, 0.4)
    generator = np.random.default_rng(9)
    drawn = [generator.integers(0, 150, 150) for _ in range(600)]

    macro = score("f1_macro", truth, one, CLASSES, CHANCE)
    paired = compare("f1_macro", ("one", one), ("other", other), truth, CLASSES, CHANCE)
    accuracy = compare("accuracy", ("one", one), ("other", other), truth, CLASSES, CHANCE)

    of_one = np.array([_f1_macro(truth[at], one[at]) for at in drawn])
    of_other = np.array([_f1_macro(truth[at], other[at]) for at in drawn])
    gaps = np.array([(one[at] == truth[at]).mean() - (other[at] == truth[at]).mean() for at in drawn])
    for found, brute in ((macro, of_one), (paired, of_one - of_other), (accuracy, gaps)):
        expected = np.quantile(brute, [0.025, 0.975])
        assert (found["low"], found["high"]) == pytest.approx(tuple(expected), abs=0.02)


def test_a_clear_difference_is_better_one_way_and_worse_the_other() -> None:
    truth, one, other = _some(600, 0.8, 0.4)

    for metric in ("accuracy", "f1_macro"):
        there = compare(metric, ("one", one), ("other", other), truth, CLASSES, CHANCE)
        back = compare(metric, ("other", other), ("one", one), truth, CLASSES, CHANCE)

        assert (there["verdict"], back["verdict"]) == ("better", "worse")
        assert there["p"] < 0.01
        assert there["difference"] == pytest.approx(-back["difference"])
        assert there["sentence"].startswith(f"one is better than other: {metric} +0.")


def test_a_classifier_cannot_be_told_from_itself() -> None:
    truth, one, _ = _some(50, 0.6, 0.6)

    for metric in ("accuracy", "f1_macro"):
        found = compare(metric, ("one", one), ("same", one), truth, CLASSES, CHANCE)

        assert (found["difference"], found["low"], found["high"], found["p"]) == (0.0, 0.0, 0.0, 1.0)
        assert found["verdict"] == "cannot tell"
        assert found["mde"] > 0


def test_a_difference_as_large_as_mde_is_seen_four_times_in_five() -> None:
    rows, discordant = 600, 0.3
    generator = np.random.default_rng(2)
    truth = np.zeros(rows, dtype=int)
    one, other = (np.repeat(answers, [90, 90, 420]) for answers in ([0, 1, 0], [1, 0, 0]))
    mde = compare("accuracy", ("one", one), ("other", other), truth, 2, CHANCE)["mde"]

    won = (discordant + mde) / 2
    drawn = generator.multinomial(rows, [won, discordant - won, 1 - discordant], size=600)
    seen = np.mean([mcnemar(int(a), int(b)) < 0.05 for a, b, _ in drawn])

    assert 0.73 < seen < 0.87


def test_an_interval_holds_what_it_should_about_as_often_as_its_level_says() -> None:
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        truth = generator.integers(0, 2, 120)
        said = np.where(generator.random(120) < 0.75, truth, 1 - truth)
        found = score("f1_macro", truth, said, 2, CHANCE)
        held += found["low"] <= 0.75 <= found["high"]

    assert 0.91 < held / 300 < 0.98


def test_a_lower_loss_is_better() -> None:
    generator = np.random.default_rng(4)
    tokens = generator.integers(1, 20, 200)
    base = tokens * generator.normal(2.0, 0.2, 200)

    told = loss(base, tokens, CHANCE)
    found = compare_loss(("tuned", base - 0.5 * tokens), ("base", base), tokens, CHANCE)

    assert told["value"] == pytest.approx(base.sum() / tokens.sum())
    assert told["low"] < told["value"] < told["high"]
    assert found["difference"] == pytest.approx(-0.5)
    assert found["verdict"] == "better"


def test_the_same_seed_gives_the_same_interval() -> None:
    truth, one, _ = _some(80, 0.6, 0.6)

    first = score("f1_macro", truth, one, CLASSES, Chance(0.95, 3))
    second = score("f1_macro", truth, one, CLASSES, Chance(0.95, 3))

    assert first == second
