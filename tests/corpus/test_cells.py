"""`corpus.cells`: what it drops is right, what it misses is measured, and nothing depends on how products are added up."""

import time
from dataclasses import replace

import numpy as np
import pytest

from corpus import cells, nearest
from corpus.nearest import Vectors


def made(count: int, models: int, noise: float, seed: int = 0) -> np.ndarray:
    """Unit vectors in 64 dimensions around some models, of which the first dimensions vary most."""
    draw = np.random.default_rng(seed)
    scale = 1 / np.arange(1, 65)
    centres = draw.normal(size=(models, 64)) * scale
    vectors = centres[draw.integers(0, models, count)] + noise * draw.normal(size=(count, 64)) * scale
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def settled(vectors, **others):
    return cells.settle(replace(Vectors.alike(vectors), **others), 0.9)


@pytest.fixture(autouse=True)
def many_cells(monkeypatch):
    monkeypatch.setattr(cells, "OF_A_CELL", 100)


def test_rows_fall_against_rows_that_stay_by_the_cosine_that_is_told():
    vectors = made(3_000, 1_200, 0.4)

    found, _ = settled(vectors)

    fell = np.flatnonzero(found.other >= 0)
    table = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    assert len(fell) > 500
    assert (found.other[found.other[fell]] < 0).all()
    assert (found.other[fell] < fell).all()
    assert found.likeness[fell] == pytest.approx(table[fell, found.other[fell]], abs=1e-6)
    assert (found.likeness[fell] >= 0.9).all()


def test_the_recall_it_tells_is_that_of_a_plain_product(monkeypatch):
    monkeypatch.setattr(cells, "ASKED", 1)
    monkeypatch.setattr(cells, "CHECKED", 10**9)
    monkeypatch.setattr(cells, "BLOCK", 200)  # those of a block are all compared
    vectors = made(3_000, 1_200, 0.4)

    found, recall = settled(vectors)

    table = np.tril(vectors.astype(np.float64) @ vectors.T.astype(np.float64), -1)
    stays = found.other < 0
    missed = stays & (np.where(stays[None, :], table, 0).max(axis=1) >= 0.9)
    assert recall.found == (~stays).sum()
    assert recall.of == (~stays).sum() + missed.sum()
    assert missed.any()


def test_with_all_cells_asked_it_finds_what_comparing_all_finds(monkeypatch):
    monkeypatch.setattr(cells, "ASKED", 10**6)
    monkeypatch.setattr(cells, "BLOCK", 250)
    monkeypatch.setattr(nearest, "BLOCK", 100)
    vectors = made(1_500, 500, 0.4)
    draw = np.random.default_rng(1)
    held = {
        "classes": draw.integers(0, 2, 1_500),
        "apart": draw.integers(0, 3, 1_500).astype(np.uint64),
        "fixed": np.arange(1_500) < 200,
        "answers": made(1_500, 20, 0.1, seed=2),
    }
    held["classes"].sort()

    found, recall = settled(vectors, **held)
    exact = nearest.settle(replace(Vectors.alike(vectors), **held), 0.9)

    assert (found.other == exact.other).all()
    assert np.array_equal(found.likeness, exact.likeness, equal_nan=True)
    assert (found.kin == exact.kin).all()
    assert len(np.unique(exact.kin)) < 1_500
    assert recall.found == recall.of > 0


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_few_rows_are_one_cell(count):
    vectors = made(count, 5, 0.05) if count else np.zeros((0, 64), np.float32)

    found, recall = settled(vectors)

    exact = nearest.settle(Vectors.alike(vectors), 0.9)
    assert (found.other == exact.other).all()
    assert recall.found == recall.of


def test_a_crowd_of_equal_rows_leaves_one():
    vectors = np.repeat(made(1, 1, 0), 5_000, axis=0)

    found, recall = settled(vectors)

    assert (found.other < 0).sum() == 1
    assert recall.found == recall.of


def test_one_label_of_a_crowd_does_not_hide_the_duplicates_of_another():
    vectors = np.repeat(made(1, 1, 0), 400, axis=0)

    found, _ = settled(vectors, classes=np.repeat([0, 1], [100, 300]))

    assert np.flatnonzero(found.other < 0).tolist() == [0, 100]


def test_a_crowd_takes_no_longer_than_comparing_all(monkeypatch):
    monkeypatch.setattr(cells, "OF_A_CELL", 4_000)
    vectors = made(30_000, 1, 0.35)  # about one centre: few stay, and nearly all pairs are alike
    seconds = {}
    for name, settle in (("all", nearest.settle), ("cells", cells.settle)):
        began = time.perf_counter()
        settle(Vectors.alike(vectors), 0.9)
        seconds[name] = time.perf_counter() - began

    assert seconds["cells"] < 5 * seconds["all"] + 1


def test_rows_that_all_stay_are_compared_with_so_many_of_a_cell(monkeypatch):
    monkeypatch.setattr(cells, "MOST", 50)
    monkeypatch.setattr(cells, "BLOCK", 100)
    monkeypatch.setattr(nearest, "BLOCK", 100)
    vectors = np.repeat(made(1, 1, 0), 2_000, axis=0)

    found, recall = settled(vectors, apart=np.arange(2_000).astype(np.uint64) // 2)

    assert (found.other >= 0).sum() == 1_000  # the two of each kind lie in one block
    assert recall.found == recall.of
    far, recall = settled(vectors, apart=np.arange(2_000).astype(np.uint64) % 1_000)
    assert (far.other >= 0).sum() == 50
    assert recall.told()["share"] == pytest.approx(50 / 1_000, abs=0.02)


def test_zero_vectors_are_alike_nothing():
    found, recall = settled(np.zeros((300, 64), np.float32))

    assert (found.other < 0).all()
    assert recall.told()["share"] is None


def test_threads_of_the_library_change_nothing():
    from threadpoolctl import threadpool_limits

    vectors = made(3_000, 1_200, 0.4)
    with threadpool_limits(1):
        one, _ = settled(vectors)
    two, _ = settled(vectors)

    assert (one.other == two.other).all()
