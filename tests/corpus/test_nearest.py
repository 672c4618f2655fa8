"""Alike vectors are found as comparing each with each finds them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import nearest
from corpus.nearest import Vectors

NONE = np.zeros((0, 1), np.float32)


def drawn(seed: int, rows: int, width: int = 40, spread: float = 0.25) -> np.ndarray:
    """Unit vectors around a few centres, of which some are repeated and some zero."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(size=(6, width))
    vectors = centres[draw.integers(0, 6, rows)] + spread * draw.normal(size=(rows, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[draw.random(rows) < 0.05] = vectors[0] if rows else 0
    vectors[draw.random(rows) < 0.05] = 0
    return vectors.astype(np.float32)


def one_by_one(vectors, answers, threshold, classes, apart, fixed):
    """Compare each row with each before it that stays."""
    count = len(vectors)
    wide = vectors.astype(np.float64)
    other, best, kin = np.full(count, -1), np.full(count, np.nan), []
    for row in range(count):
        for rival in range(row):
            if other[rival] >= 0 or apart[row] != apart[rival]:
                continue
            cosine = float(np.add.accumulate(wide[row] * wide[rival])[-1])
            if len(answers):
                cosine = min(
                    cosine,
                    float(
                        np.add.accumulate(
                            answers[row].astype(np.float64) * answers[rival].astype(np.float64)
                        )[-1]
                    ),
                )
            if cosine < threshold:
                continue
            kin.append((row, rival))
            if fixed[row] or classes[row] != classes[rival]:
                continue
            if other[row] < 0 or cosine > best[row]:
                other[row], best[row] = rival, cosine
    return other, best, sorted(kin)


def first_of_kin(rows, links):
    """Follow links until nothing changes."""
    first = list(range(rows))
    changed = True
    while changed:
        changed = False
        for one, two in links:
            least = min(first[one], first[two])
            changed = changed or first[one] != least or first[two] != least
            first[one] = first[two] = least
    return first


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(0, 60),
    threshold=st.sampled_from([0.3, 0.8, 0.9, 0.97, 1.0]),
    labels=st.integers(1, 3),
    block=st.sampled_from([1, 7, 1024]),
    fixed=st.integers(0, 20),
    answers=st.booleans(),
)
def test_all_pairs_are_met(seed, rows, threshold, labels, block, fixed, answers):
    draw = np.random.default_rng(seed)
    vectors = drawn(seed, rows)
    second = drawn(seed + 1, rows, spread=0.1) if answers else NONE
    classes, apart = draw.integers(0, labels, rows), draw.integers(0, labels, rows).astype(np.uint64)
    stays = np.arange(rows) < fixed
    expected = one_by_one(vectors, second, threshold, classes, apart, stays)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "BLOCK", block)
        patch.setattr(nearest, "CHUNK", 3 * block)
        found = nearest.settle(Vectors(vectors, second, classes, apart, stays), threshold)

    assert found.other.tolist() == expected[0].tolist()
    np.testing.assert_array_equal(found.likeness, expected[1])
    links = [pair for pair in expected[2] if not (stays[pair[0]] and stays[pair[1]])]
    assert found.kin.tolist() == first_of_kin(rows, links)


def test_a_thousand_equal_vectors_are_compared_with_one():
    vectors = np.repeat(drawn(3, 2), 2_000, axis=0)

    found = nearest.settle(Vectors.alike(vectors), 0.99)

    assert (found.other < 0).sum() == len(np.unique(vectors, axis=0)) == len(np.unique(found.kin))


def test_rows_that_are_apart_make_no_pairs():
    count = 3_000
    vectors = np.repeat(drawn(3, 1), count, axis=0)

    found = nearest.settle(replace(Vectors.alike(vectors), apart=np.arange(count, dtype=np.uint64)), 0.9)

    assert (found.other < 0).all()
    assert found.kin.tolist() == list(range(count))
