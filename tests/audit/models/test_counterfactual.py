"""A model's gap is the distance of its answers before and after an exchange, counted by row and told from chance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.models.counterfactual import Exchange, counterfactual
from corpus.statistics import wilson

CLASSES = ("no", "yes")


def exchange(row, text="x", pair=("women", "men")):
    return Exchange(row, "gender", *pair, text)


def answering(**answers):
    """A model, or several, that answer so whatever they are asked."""

    def say(texts):
        assert all(len(each) == len(texts) for each in answers.values())
        return answers

    return say


def told(before, after, truth, exchanges):
    """Ask a model that answers with `after`, in probabilities; return what is told of it."""
    (found,) = counterfactual(
        exchanges, 99, {"tuned": np.log(before)}, answering(tuned=np.log(after)), np.array(truth), CLASSES
    )  # fmt: skip
    return found


def test_the_numbers_are_those_of_the_answers():
    before = [[0.2, 0.8], [0.6, 0.4], [0.9, 0.1]]
    after = [[0.6, 0.4], [0.7, 0.3], [0.4, 0.6]]

    found = told(before, after, [1, 0, 1], [exchange(0), exchange(1), exchange(2)])

    gaps = np.array([0.4, 0.1, 0.5])
    ends = stats.ttest_1samp(gaps, 0).confidence_interval(0.95)
    assert (found["stage"], found["baseline"], found["rows"], found["n"], found["of"]) == (
        "tuned model", False, 3, 3, 99,
    )  # fmt: skip
    assert found["gap"] == {
        "value": pytest.approx(gaps.mean()), "low": max(0.0, ends.low), "high": pytest.approx(ends.high), "n": 3,
    }  # fmt: skip
    low, high = wilson(2, 3)
    assert found["flips"] == {"value": 2 / 3, "low": low, "high": high, "n": 3}
    assert (found["lost"], found["won"], found["p"]) == (1, 1, 1.0)
    (pair,) = found["pairs"]
    assert [each["value"] for each in pair["signed"]] == pytest.approx([(0.4 + 0.1 - 0.5) / 3, 0], abs=1e-12)
    assert found["unmoved"] == 0


@given(
    st.lists(st.lists(st.floats(-30, 0), min_size=3, max_size=3), min_size=1, max_size=9),
    st.integers(0, 2**32 - 1),
)
def test_the_gap_is_the_total_variation_distance_of_scipys_softmax(scores, seed):
    from scipy.special import softmax

    before = np.array(scores)
    after = before + np.random.default_rng(seed).normal(size=before.shape)
    exchanges = [exchange(row) for row in range(len(before))]

    (found,) = counterfactual(
        exchanges, 9, {"base": before}, answering(base=after), np.zeros(len(before), int), "abc"
    )

    distances = [math.fsum(abs(one - two) for one, two in zip(softmax(was), softmax(would), strict=True)) / 2
                 for was, would in zip(before, after, strict=True)]  # fmt: skip
    assert found["gap"]["value"] == pytest.approx(np.mean(distances), abs=1e-12)
    assert found["baseline"]
    assert found["pairs"][0]["flips"]["value"] == pytest.approx(
        np.mean(before.argmax(axis=1) != after.argmax(axis=1))
    )


def test_a_row_of_many_exchanges_is_one_row():
    """Nine exchanges of one row that flip and one of another that does not: the mean of two rows, of which one was lost."""
    before = [[0.1, 0.9], [0.1, 0.9]]
    after = [[0.9, 0.1]] * 9 + [[0.1, 0.9]]
    pairs = [("women", f"g{number}") for number in range(9)]

    found = told(before, after, [1, 1], [*(exchange(0, pair=pair) for pair in pairs), exchange(1)])

    assert (found["rows"], found["n"], found["lost"], found["won"]) == (2, 10, 1, 0)
    assert found["gap"]["value"] == pytest.approx(0.4)
    size = 100 / (81 + 1)
    assert (found["flips"]["low"], found["flips"]["high"]) == pytest.approx(wilson(0.9 * size, size))
    assert found["unmoved"] == 1
    assert len(found["pairs"]) == 10
    assert found["pairs"][0]["gap"] == {"value": pytest.approx(0.8), "low": None, "high": None, "n": 1}


def test_right_rows_that_one_group_loses_are_told_from_chance():
    before, after = np.tile([0.1, 0.9], (30, 1)), np.tile([0.9, 0.1], (30, 1))

    found = told(before, after, [1] * 30, [exchange(row) for row in range(30)])

    assert (found["lost"], found["won"]) == (30, 0)
    assert found["p"] == pytest.approx(stats.binomtest(0, 30).pvalue)
    assert found["q"] == pytest.approx(found["p"])


def test_q_is_over_all_models_and_pairs():
    generator = np.random.default_rng(3)
    before, after = (generator.dirichlet([1, 1], 60) for _ in range(2))
    exchanges = [exchange(row, pair=("women", "men") if row % 3 else ("men", "women")) for row in range(60)]

    found = counterfactual(
        exchanges, 60, {"base": np.log(before), "tuned": np.log(after)},
        answering(base=np.log(after), tuned=np.log(before)), generator.integers(0, 2, 60), CLASSES,
    )  # fmt: skip

    tested = [each for one in found for each in (one, *one["pairs"])]
    assert len(tested) == 6
    assert [each["q"] for each in tested] == pytest.approx(
        stats.false_discovery_control([each["p"] for each in tested]).tolist()
    )


def test_a_class_that_is_none_of_the_models_is_wrong_before_and_after():
    found = told([[0.1, 0.9]], [[0.9, 0.1]], [-1], [exchange(0)])

    assert (found["lost"], found["won"], found["flips"]["value"]) == (0, 0, 1.0)


def test_of_no_exchanges_no_model_is_asked():
    def say(texts):
        raise AssertionError("nobody is to be asked")

    assert counterfactual([], 0, {"tuned": np.zeros((3, 2))}, say, np.zeros(3, int), CLASSES) == []
