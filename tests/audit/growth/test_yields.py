"""Whose rows growth made rows of is counted by parent, and told from chance by drawing the parents anew."""

import numpy as np
import pytest
from scipy import stats

from audit.groups import Membership
from audit.growth.yields import yields
from corpus.statistics import wilson


def group(rows, name="women"):
    return Membership("gender", name, "mention-lexicon", np.asarray(rows, dtype=bool))


def test_rows_are_counted_per_parent_against_all_others():
    children = np.array([0, 1, 3, 0, 2, 2, 2, 1])

    (found,) = yields(children, 4, [group([1, 1, 1, 0, 0, 0, 0, 0])], 1)

    low, high = wilson(1, 3)
    assert (found["parents"], found["grown"], found["rate"]) == (3, 4, 4 / 3)
    assert (found["other_parents"], found["other_grown"], found["other_rate"]) == (5, 7, 7 / 5)
    assert (found["low"], found["high"]) == (4 * low, 4 * high)
    assert found["ratio"] == pytest.approx((4 / 3) / (7 / 5))


def test_where_a_parent_gets_one_row_at_most_p_is_fishers():
    children = np.repeat([1, 0, 1, 0], [12, 38, 80, 70])
    rows = np.arange(200) < 50

    (found,) = yields(children, 1, [group(rows)], 1)

    assert (found["low"], found["high"]) == wilson(12, 50)
    fisher = stats.hypergeom(200, 92, 50)
    mean = 50 * 92 / 200
    exact = sum(fisher.pmf(at) for at in range(51) if abs(at - mean) >= abs(12 - mean))
    assert found["p"] == pytest.approx(exact, abs=0.005)
    assert found["p"] < 0.001


def test_p_is_that_of_shuffling_the_parents_one_by_one():
    generator = np.random.default_rng(5)
    children, rows = generator.poisson(0.8, 60), np.arange(60) < 15
    children[:15] += generator.integers(0, 2, 15)
    gaps = (
        np.array([generator.permutation(children)[rows].sum() for _ in range(10_000)]) - 15 * children.mean()
    )

    (found,) = yields(children, 9, [group(rows)], 1)

    assert found["p"] == pytest.approx(
        np.mean(np.abs(gaps) >= abs(children[rows].sum() - 15 * children.mean()) - 1e-9), abs=0.015
    )


def test_intervals_hold_the_truth_as_often_as_they_say_however_children_cluster():
    generator, held = np.random.default_rng(2), 0
    for _ in range(400):
        children = 4 * generator.binomial(1, 0.3, 200)  # all or none: as clustered as can be
        (found,) = yields(children, 4, [group(np.arange(200) < 100)], 1)
        held += found["low"] <= 1.2 <= found["high"]

    assert held >= 0.93 * 400


def test_nobody_and_everybody_have_nobody_to_compare_with():
    children = np.array([1, 0, 1])

    found = yields(children, 1, [group([0, 0, 0]), group([1, 1, 1], "all")], 1)

    assert [(one["group"], one["p"], one["ratio"], one["other_rate"]) for one in found] == [
        ("all", None, None, None)
    ]


def test_where_the_others_got_nothing_there_is_no_ratio_and_a_test():
    children = np.r_[np.ones(20, int), np.zeros(20, int)]

    (found,) = yields(children, 1, [group(np.arange(40) < 20)], 1)

    assert (found["ratio"], found["rate"], found["other_rate"]) == (None, 1.0, 0.0)
    assert found["p"] < 0.001
