"""The index of a large component changes nothing: who falls, and against whom, is what comparing all with all says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.settle_kernels import settle
from corpus.shingle_kernels import ANSWER

EVERYTHING = 10**9


def flat(sets):
    values = [np.array(sorted(one), np.uint64) for one in sets]
    return np.concatenate([np.empty(0, np.uint64), *values]), np.cumsum([0, *map(len, values)])


def settled(
    sets,
    threshold,
    *,
    small,
    fixed=None,
    classes=None,
    kin=None,
    keep=1,
    visits=EVERYTHING,
    most=EVERYTHING,
    begins=None,
    bands=None,
):
    found, starts = flat(sets)
    rows = len(sets)
    return settle(
        np.array([0, rows] if begins is None else begins),
        small,
        found,
        starts,
        np.empty((rows, 0), np.uint64) if bands is None else bands,
        0,
        np.zeros(rows, bool) if fixed is None else fixed,
        np.zeros(rows, np.int64) if classes is None else classes,
        np.full(rows, -1) if kin is None else kin,
        threshold,
        keep,
        visits,
        most,
    )


def likeness(one, two):
    """Jaccard of what is asked and of what is answered, whichever is less, in plain Python."""
    sides = [
        (
            {value for value in one if (value >= ANSWER) == answer},
            {value for value in two if (value >= ANSWER) == answer},
        )
        for answer in (False, True)
    ]
    return min((len(a & b) / len(a | b) for a, b in sides if a | b), default=1.0)


def greedy(sets, threshold, classes, kin=None):
    kin = [-1] * len(sets) if kin is None else kin
    stays, other = [], []
    for row, mine in enumerate(sets):
        alike = [
            (likeness(mine, sets[rival]), -rival)
            for rival in stays
            if classes[rival] == classes[row] and (kin[row] < 0 or kin[rival] != kin[row])
        ]
        score, rival = max(alike, default=(0.0, 1))
        other.append(-rival if score >= threshold else -1)
        if score < threshold:
            stays.append(row)
    return other


@st.composite
def crowds(draw):
    """Sets made from one another by some exchanges, so that many lie about the threshold; some have an answer too."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    vocabulary = generator.integers(1, 2**62, draw(st.sampled_from([30, 300])), np.uint64)
    size = draw(st.integers(1, 25))
    sets = [set(generator.choice(vocabulary, size).tolist())]
    for _ in range(draw(st.integers(1, 60))):
        one = set(sets[generator.integers(len(sets))])
        for _ in range(generator.integers(0, 5)):
            if len(one) > 1 and generator.random() < 0.7:
                one.discard(sorted(one)[generator.integers(len(one))])
            if generator.random() < 0.7:
                one.add(int(generator.choice(vocabulary)))
        if generator.random() < 0.2:
            one.add(int(ANSWER) + int(generator.integers(1, 4)))
        sets.append(one)
    return sets


@settings(deadline=None, max_examples=200)
@given(crowds(), st.sampled_from([0.3, 0.5, 0.8, 0.9, 1.0]), st.integers(1, 3))
def test_a_large_component_is_settled_as_by_comparing_all_with_all(sets, threshold, kinds):
    classes = np.arange(len(sets)) % kinds

    other, best, _ = settled(sets, threshold, small=0, classes=classes)

    assert other.tolist() == greedy(sets, threshold, classes)
    fell = np.flatnonzero(other >= 0)
    assert [likeness(sets[row], sets[other[row]]) for row in fell] == pytest.approx(best[fell].tolist())


@settings(deadline=None)
@given(crowds(), st.sampled_from([0.5, 0.8]), st.integers(1, 3), st.data())
def test_with_fixed_rows_and_more_that_may_stay_it_is_the_same_too(sets, threshold, keep, data):
    fixed = np.sort(np.array(data.draw(st.lists(st.booleans(), min_size=len(sets), max_size=len(sets)))))[
        ::-1
    ]

    one = settled(sets, threshold, small=0, fixed=np.ascontiguousarray(fixed), keep=keep)
    two = settled(sets, threshold, small=EVERYTHING, fixed=np.ascontiguousarray(fixed), keep=keep)

    assert one[0].tolist() == two[0].tolist()
    assert one[2].tolist() == two[2].tolist()


@settings(deadline=None)
@given(crowds(), st.sampled_from([0.3, 0.5, 0.8]), st.sampled_from([0, EVERYTHING]), st.data())
def test_kin_may_be_alike_and_are_compared_with_all_others(sets, threshold, small, data):
    kin = data.draw(st.lists(st.integers(-1, 3), min_size=len(sets), max_size=len(sets)))

    other, _, _ = settled(sets, threshold, small=small, kin=np.array(kin))

    assert other.tolist() == greedy(sets, threshold, np.zeros(len(sets)), kin)


def test_rows_of_another_component_are_not_met():
    sets = [{1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}]

    for small in (0, EVERYTHING):
        assert settled(sets, 0.8, small=small, begins=[0, 2, 4])[0].tolist() == [-1, 0, -1, 2]


def test_visits_bound_what_is_looked_up_and_rare_values_come_first():
    """All rows share `1`, and the last two rare values besides: few visits find the partner, none finds nobody."""
    numbers = [{1, 10 * row + 100, 10 * row + 101} for row in range(50)] + [{1, 7, 8}, {1, 7, 8, 9}]
    sets = [{number << 40 for number in one} for one in numbers]

    assert settled(sets, 0.75, small=0, visits=4)[0].tolist() == [-1] * 51 + [50]
    assert settled(sets, 0.75, small=0, visits=0)[0].tolist() == [-1] * 52


def test_of_many_that_can_be_alike_those_that_share_most_are_compared():
    """Twelve of sixteen values are alike in all, and the partner has fifteen: one comparison finds it."""
    draw = np.random.default_rng(1)
    values = [int(value) << 40 for value in draw.choice(2**20, 16 + 40, replace=False)]
    crowd = [{*values[:12], *values[16 + at % 36 : 20 + at % 36]} for at in range(100)]
    sets = [{*values[:16]}, *crowd, {*values[:15], values[-1]}]

    assert settled(sets, 0.7, small=0, most=EVERYTHING)[0][-1] == 0
    assert settled(sets, 0.7, small=0, most=1)[0][-1] == 0


def test_rows_that_share_a_band_meet_without_any_visit():
    sets = [{1 << 40, 2 << 40, 3 << 40}, {5 << 40}, {1 << 40, 2 << 40, 3 << 40}]
    bands = np.array([[7, 8], [9, 10], [11, 8]], np.uint64)

    assert settled(sets, 0.8, small=0, visits=0, bands=bands)[0].tolist() == [-1, -1, 0]
    assert settled(sets, 0.8, small=0, visits=0)[0].tolist() == [-1, -1, -1]
