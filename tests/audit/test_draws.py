"""What is drawn is drawn evenly, and as much as possible of it twice."""

import numpy as np
from scipy.stats import chisquare

from audit.draws import Ranks, united


def test_the_rows_of_least_rank_are_taken_in_ascending_order_and_all_where_there_are_few():
    ranks = Ranks(np.array([4, 0, 3, 1, 2]))
    rows = np.array([True, False, True, True, True])

    assert ranks.first(rows, 2).tolist() == [3, 4]
    assert ranks.first(rows, 9).tolist() == [0, 2, 3, 4]
    assert ranks.first(~rows & rows, 2).tolist() == []


def test_draws_of_a_part_hold_what_a_draw_of_all_took_of_it():
    rng = np.random.default_rng(2)
    ranks = Ranks.drawn(500, rng)
    rows = rng.random(500) < 0.3

    of_all, of_part = ranks.first(np.ones(500, bool), 100), ranks.first(rows, 100)

    assert set(of_all[rows[of_all]]) <= set(of_part)


def test_a_groups_rows_are_drawn_evenly_of_it():
    rows = np.arange(60) % 3 == 0
    times = np.zeros(60)
    for seed in range(2_000):
        times[Ranks.drawn(60, np.random.default_rng(seed)).first(rows, 5)] += 1

    assert times[~rows].sum() == 0
    assert chisquare(times[rows]).pvalue > 0.001


def test_united_draws_hold_each_row_once():
    assert united([np.array([3, 5]), np.array([1, 5])]).tolist() == [1, 3, 5]
    assert united([]).tolist() == []
