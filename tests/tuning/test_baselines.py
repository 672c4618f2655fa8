"""What a tuned model must beat."""

from collections.abc import Sequence

import numpy as np
import pytest

from tuning.baselines import majority, probe

LABELS = ("negative", "neutral", "positive")


def _encode(texts: Sequence[str]) -> np.ndarray:
    """Counts of three letters."""
    return np.array([[text.count(letter) for letter in "abc"] for text in texts], dtype=float)


def test_the_majority_class_has_the_share_of_its_training_rows() -> None:
    found = majority(["neutral", "neutral", "negative"], LABELS, rows=2)

    assert np.exp(found) == pytest.approx(np.array([[1 / 3, 2 / 3, 0.0]] * 2))


def test_the_probe_learns_what_embeddings_tell() -> None:
    texts = ["aaa", "aab", "bbb", "bba", "ccc", "cca"] * 4
    labels = ["negative", "negative", "neutral", "neutral", "positive", "positive"] * 4

    found = probe(_encode, (texts, labels), (texts[:6], labels[:6]), ["aaaa", "bbbb", "cccc"], LABELS)

    assert found.argmax(axis=1).tolist() == [0, 1, 2]
    assert np.exp(found).sum(axis=1) == pytest.approx(np.ones(3))


def test_the_validation_rows_choose_how_strongly_the_probe_is_held_back() -> None:
    generator = np.random.default_rng(0)
    points = {str(row): generator.normal(size=20) for row in range(80)}

    def encode(texts: Sequence[str]) -> np.ndarray:
        return np.array([points[text] for text in texts])

    texts = list(points)
    noise = [LABELS[at] for at in generator.integers(0, 2, 80)]

    chosen = probe(encode, (texts[:40], noise[:40]), (texts[40:], noise[40:]), texts[40:], LABELS[:2])
    default = probe(encode, (texts[:40], noise[:40]), ([], []), texts[40:], LABELS[:2])

    # Labels that are noise are best foretold by holding back the most.
    assert np.abs(chosen - np.log(0.5)).mean() < np.abs(default - np.log(0.5)).mean()


def test_a_probe_with_one_class_has_nothing_to_learn() -> None:
    found = probe(_encode, (["a", "b"], ["neutral"] * 2), (["c"], ["positive"]), ["a"], LABELS)

    assert found.tolist() == [[-np.inf, 0.0, -np.inf]]
