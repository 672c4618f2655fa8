"""A probe that stands for a model: logistic regression on embeddings, each row answered by a fit that never saw its family.

Held-out rows are few, so that of most groups nothing can be said of a tuned model. What the labels teach of a group a probe
tells over all rows that were embedded (Alain and Bengio 2016 of probes; Stone 1974 of cross-validation). Shared by the audit
and by admission, which asks the fits about what grew of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FOLDS = 5
LEAST = 2 * FOLDS
"""Families of a class below which it takes no part."""


@dataclass(frozen=True)
class Answers:
    """What the probe says of each row that has a class: its log-probabilities are (rows, classes)."""

    classes: list[str]
    truth: np.ndarray
    predicted: np.ndarray
    log_probabilities: np.ndarray
    rows: np.ndarray
    """Positions, among the rows that were asked about, of those that took part."""


@dataclass(frozen=True)
class Probe:
    """A fit for each fold, of the rows of all other folds; `truth` and `fold` are aligned with `rows`, which took part."""

    classes: list[str]
    rows: np.ndarray
    truth: np.ndarray
    fold: np.ndarray
    fits: Sequence["Fit"]

    def ask(self, vectors: np.ndarray, fold: np.ndarray) -> np.ndarray:
        """Return the log-probabilities (float64, (vectors, classes)) of vectors, each by the fit that never saw its fold."""
        out = np.full((len(vectors), len(self.classes)), -np.inf)
        for number, fit in enumerate(self.fits):
            mine = np.flatnonzero(fold == number)
            out[np.ix_(mine, fit.classes)] = fit.log_probabilities(vectors[mine])
        return out


@dataclass(frozen=True)
class Fit:
    """One logistic regression: `weights` are (classes, dimensions); `classes` are the numbers of those that it saw."""

    classes: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    def log_probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Return the log-probability of each class; a vector's do not depend on what stands beside it."""
        scores = np.stack([(vectors.astype(np.float64) * each).sum(axis=1) for each in self.weights], axis=1)
        scores += self.bias
        scores -= scores.max(axis=1, keepdims=True)
        found: np.ndarray = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return found


def classes_of(labels: Sequence[str | None], families: Sequence[str]) -> list[str]:
    """Return the labels, in order, that `LEAST` families or more have."""
    held: dict[str, set[str]] = {}
    for label, family in zip(labels, families, strict=True):
        if label is not None:
            held.setdefault(label, set()).add(family)
    return sorted(label for label, members in held.items() if len(members) >= LEAST)


def learn(
    vectors: np.ndarray, labels: Sequence[str | None], families: Sequence[str], seed: int
) -> Probe | None:
    """Fit the probe, fold by fold; all are row-aligned, and a family lies in one fold.

    Rows without a label take no part, nor those of a class of fewer than `LEAST` families. None where fewer than two
    classes are left. One thread computes in float64, so that equal rows in the same order give equal bits.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    classes = classes_of(labels, families)
    if len(classes) < 2:
        return None
    number = {label: at for at, label in enumerate(classes)}
    rows = np.flatnonzero([label in number for label in labels])
    truth = np.array([number[str(labels[int(row)])] for row in rows])
    groups = np.array([*families], dtype=object)[rows]
    held = vectors[rows].astype(np.float64)
    fold = np.zeros(len(rows), np.int64)
    fits = []
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    with threadpool_limits(1):
        for place, (learned, asked) in enumerate(folds.split(held, truth, groups)):
            fold[asked] = place
            fit = LogisticRegression(max_iter=1_000).fit(held[learned], truth[learned])
            fits.append(_of_all(fit.classes_, fit.coef_, fit.intercept_))
    return Probe(classes, rows, truth, fold, fits)


def _of_all(classes: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> Fit:
    """Write a fit of two classes, which has one row of weights, as one of several."""
    if len(weights) < len(classes):
        weights, bias = np.concatenate([np.zeros_like(weights), weights]), np.r_[0.0, bias]
    return Fit(classes, weights, bias)


def answers(
    vectors: np.ndarray, labels: Sequence[str | None], families: Sequence[str], seed: int
) -> Answers | None:
    """Answer each row by a fit on the other folds; None where `learn` finds nothing to tell apart."""
    probe = learn(vectors, labels, families, seed)
    if probe is None:
        return None
    told = probe.ask(vectors[probe.rows], probe.fold)
    return Answers(probe.classes, probe.truth, told.argmax(axis=1), told, probe.rows)
