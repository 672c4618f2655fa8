"""The Vendi score is what its definition says, and its interval holds what it estimates."""

import numpy as np
import pytest
from scipy.linalg import eigvalsh
from scipy.stats import entropy

from audit.vendi import EQUAL, LEAST, diversity, vendi


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_equal_rows_count_as_one_and_unlike_ones_as_many():
    one = np.tile(unit(np.arange(1.0, 9.0)), (6, 1))

    assert vendi(one[None])[0] == pytest.approx(1)
    assert vendi(np.eye(6)[None])[0] == pytest.approx(6)
    assert vendi(np.repeat(np.eye(3), 2, axis=0)[None])[0] == pytest.approx(3)


def test_it_is_the_entropy_of_the_eigenvalues_of_the_covariance_too():
    vectors = unit(np.random.default_rng(1).normal(size=(25, 7)))

    dual = eigvalsh(vectors.T @ vectors / len(vectors))

    assert vendi(vectors[None])[0] == pytest.approx(np.exp(entropy(np.clip(dual, 0, None))))


def test_of_too_few_rows_nothing_is_said():
    vectors = unit(np.random.default_rng(1).normal(size=(LEAST, 7)))

    assert diversity(vectors[:-1], np.random.default_rng(0)) is None
    assert diversity(vectors, np.random.default_rng(0))["n"] == LEAST


@pytest.mark.parametrize("rows", [40, 100])
def test_the_interval_holds_the_mean_score_of_so_many_rows_at_least_as_often_as_it_says(rows):
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(20, 32))

    def drawn(count):
        return unit(centres[rng.integers(0, 20, count)] + rng.normal(size=(count, 32)))

    truth = vendi(np.array([drawn(EQUAL) for _ in range(1_000)])).mean()

    found = [diversity(drawn(rows), rng) for _ in range(60)]

    assert sum(one["low"] <= truth <= one["high"] for one in found) >= 56
    assert np.mean([one["high"] - one["low"] for one in found]) < 4, "and is not so wide that it says nothing"


def test_a_group_that_says_one_thing_again_and_again_scores_lower():
    rng = np.random.default_rng(5)
    many, few = unit(rng.normal(size=(80, 32))), unit(rng.normal(size=(4, 32)))

    wide, narrow = diversity(many, rng), diversity(few[rng.integers(0, 4, 80)], rng)

    assert narrow["high"] < wide["low"]
    assert narrow["high"] <= 5


def test_rows_that_all_say_the_same_score_one_and_no_less():
    same = np.tile(unit(np.arange(1.0, 9.0).astype(np.float32)), (80, 1))

    assert diversity(same, np.random.default_rng(1)) == {
        "value": 1.0,
        "low": 1.0,
        "high": pytest.approx(1.0),
        "n": 80,
    }
