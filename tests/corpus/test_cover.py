"""The lazy greedy choice is the plain greedy choice, step for step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.cover import SCALE, cover, greedy, nearest, steps


def unit(rows: int, seed: int, centres: int = 12) -> np.ndarray:
    draw = np.random.default_rng(seed)
    middle = draw.normal(size=(centres, 16))
    vectors = (middle[draw.integers(0, centres, rows)] + 0.4 * draw.normal(size=(rows, 16))).astype(
        np.float32
    )
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 40), keep=st.integers(1, 40), seed=st.integers(0, 99))
def test_the_lazy_choice_is_the_greedy_choice(rows, keep, seed):
    vectors = unit(rows, seed)[np.random.default_rng(seed).integers(0, rows, rows)]  # some rows twice
    alike = np.rint(vectors @ vectors.T * 4096).astype(np.int64)
    place = np.random.default_rng(seed).permutation(rows)
    picked: list[int] = []
    for _ in range(min(keep, rows)):
        covered = alike[picked].max(axis=0, initial=-4096)
        gains = np.maximum(alike, covered).sum(axis=1) - covered.sum()
        gains[picked] = -1
        picked.append(max(range(rows), key=lambda row: (gains[row], -place[row])))

    found, nearest, likeness = cover(vectors, keep, place)

    assert found.tolist() == picked
    assert (alike[np.arange(rows), nearest] == alike[:, picked].max(axis=1)).all()
    np.testing.assert_allclose(likeness, (vectors * vectors[nearest]).sum(axis=1), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(2, 40), keep=st.integers(0, 40), fixed=st.integers(1, 12), seed=st.integers(0, 99))
def test_beside_fixed_rows_the_choice_is_the_greedy_one_too(rows, keep, fixed, seed):
    vectors, draw = unit(rows, seed), np.random.default_rng(seed)
    alike = np.rint(vectors @ vectors.T * 4096).astype(np.int64)
    place, held = draw.permutation(rows), np.sort(draw.choice(rows, min(fixed, rows), replace=False))
    picked: list[int] = []
    for _ in range(min(keep, rows - len(held))):
        covered = alike[[*held, *picked]].max(axis=0)
        gains = np.maximum(alike, covered).sum(axis=1) - covered.sum()
        gains[[*held, *picked]] = -1
        picked.append(max(range(rows), key=lambda row: (gains[row], -place[row])))

    found, nearest, _ = cover(vectors, keep, place, fixed=held)

    assert found.tolist() == picked
    assert (alike[np.arange(rows), nearest] == alike[:, [*held, *picked]].max(axis=1)).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_chosen_rows_cover_better_than_as_many_random_rows(seed):
    vectors = unit(400, seed)
    random = np.random.default_rng(seed).choice(400, 40, replace=False)

    _, _, likeness = cover(vectors, 40, np.arange(400))

    by_chance = (vectors @ vectors[random].T).max(axis=1)
    assert likeness.mean() > by_chance.mean() + 0.01
    assert likeness.min() > by_chance.min()


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 30), covered=st.integers(1, 30), chosen=st.integers(0, 9), seed=st.integers(0, 99))
def test_what_is_covered_may_be_other_rows_and_what_is_not_allowed_is_passed_over(
    rows, covered, chosen, seed
):
    vectors, others, before = (
        unit(max(some, 1), seed + at) for at, some in enumerate((rows, covered, chosen))
    )
    before = before[:chosen]
    kind = np.random.default_rng(seed).integers(0, 3, rows)
    best = np.array([max([-SCALE, *steps(before, others[at : at + 1])[:, 0]]) for at in range(covered)])
    alike = np.rint(vectors @ others.T * 4096).astype(np.int64)
    picked, left = [], set(range(rows))
    while left:
        now = np.maximum(best, alike[picked].max(axis=0, initial=-4096)) if picked else best
        gain = {row: np.maximum(alike[row], now).sum() - now.sum() for row in left}
        row = max(left, key=lambda row: (gain[row], -row))
        left.remove(row)
        if (kind[picked] == kind[row]).sum() < 2:
            picked.append(row)

    found = []
    for row in greedy(
        steps(vectors, others),
        nearest(before, others),
        np.arange(rows),
        np.arange(rows),
        lambda row: (kind[found] == kind[row]).sum() < 2,
    ):
        found.append(row)  # noqa: PERF402  # what is allowed depends on it

    assert found == picked
