"""The probe answers each row without having seen it or its family, and says nothing where there is nothing to learn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from corpus.out_of_fold import FOLDS, LEAST, answers, learn

RNG = np.random.default_rng(11)


def test_what_can_be_learned_is():
    truth = np.arange(200) % 2
    vectors = np.eye(4)[truth] + 0.2 * RNG.normal(size=(200, 4))

    told = answers(
        vectors, ["no" if code == 0 else "yes" for code in truth], [str(at) for at in range(200)], 1
    )

    assert told.classes == ["no", "yes"]
    assert (told.predicted == truth).mean() > 0.95
    assert np.exp(told.log_probabilities).sum(axis=1) == pytest.approx(np.ones(200))


def test_copies_in_one_family_do_not_help():
    """Each family has a vector and a label of its own, drawn by chance: who has seen one copy knows all."""
    family = np.repeat(np.arange(100), 4)
    vectors = RNG.normal(size=(100, 150))[family]
    labels = ["yes" if code else "no" for code in RNG.integers(0, 2, 100)[family]]

    apart = answers(vectors, labels, [str(one) for one in family], 1)
    leaked = answers(vectors, labels, [str(at) for at in range(400)], 1)

    assert (leaked.predicted == leaked.truth).mean() > 0.95
    assert (apart.predicted == apart.truth).mean() < 0.7


def test_it_does_as_well_as_scikit_learns_own_cross_validation():
    truth = RNG.integers(0, 3, 600)
    vectors = np.eye(3)[truth] + 0.8 * RNG.normal(size=(600, 3))

    told = answers(vectors, [f"c{code}" for code in truth], [str(at) for at in range(600)], 1)
    theirs = cross_val_predict(LogisticRegression(max_iter=1_000), vectors, truth, cv=FOLDS)

    assert abs((told.predicted == truth).mean() - (theirs == truth).mean()) < 0.02


def test_rows_without_a_label_and_rare_classes_take_no_part():
    labels = ["a"] * 20 + ["b"] * 20 + ["rare"] * (LEAST - 1) + [None] * 5
    families = [str(at) for at in range(len(labels))]

    told = answers(RNG.normal(size=(len(labels), 3)), labels, families, 1)

    assert told.classes == ["a", "b"]
    assert told.rows.tolist() == list(range(40))


@pytest.mark.parametrize("labels", [[None] * 30, ["a"] * 30, ["a"] * 25 + ["b"] * 5, []])
def test_where_there_is_nothing_to_tell_apart_it_says_nothing(labels):
    assert answers(np.zeros((len(labels), 2)), labels, [str(at) for at in range(len(labels))], 1) is None


@pytest.mark.parametrize("classes", [2, 3])
def test_any_vector_is_answered_as_scikit_learns_fit_of_the_other_folds_does(classes):
    truth = np.arange(150) % classes
    vectors = (np.eye(4)[truth] + 0.5 * RNG.normal(size=(150, 4))).astype(np.float32)
    other = RNG.normal(size=(30, 4)).astype(np.float32)
    fold = np.arange(30) % FOLDS

    probe = learn(vectors, [f"c{code}" for code in truth], [str(at // 2) for at in range(150)], 1)
    told = probe.ask(other, fold)

    for number in range(FOLDS):
        fit = LogisticRegression(max_iter=1_000).fit(
            vectors[probe.fold != number].astype(float), truth[probe.fold != number]
        )
        assert told[fold == number] == pytest.approx(fit.predict_log_proba(other[fold == number]), abs=1e-5)
    assert all(probe.fold[at] == probe.fold[at + 1] for at in range(0, 150, 2))


def test_a_vector_is_answered_alike_to_the_bit_whatever_stands_beside_it():
    truth = np.arange(100) % 2
    vectors = (np.eye(32)[truth] + RNG.normal(size=(100, 32))).astype(np.float32)
    probe = learn(vectors, [str(code) for code in truth], [str(at) for at in range(100)], 1)

    together = probe.ask(vectors, np.zeros(100, int))
    alone = np.concatenate([probe.ask(vectors[at : at + 1], np.zeros(1, int)) for at in range(100)])

    assert (together == alone).all()
