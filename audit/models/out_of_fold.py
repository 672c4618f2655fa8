"""A probe that stands for a model: logistic regression on embeddings, each row answered by a fit that never saw its family.

Held-out rows are few, so that of most groups nothing can be said of a tuned model. What the labels teach of a group a probe
tells over all rows that were embedded (Alain and Bengio 2016 of probes; Stone 1974 of cross-validation).
"""

from dataclasses import dataclass

import numpy as np

FOLDS = 5
LEAST = 2 * FOLDS
"""Rows of a class below which it takes no part."""


@dataclass(frozen=True)
class Answers:
    """What the probe says of each row that has a class: its log-probabilities are (rows, classes)."""

    classes: list[str]
    truth: np.ndarray
    predicted: np.ndarray
    log_probabilities: np.ndarray
    rows: np.ndarray
    """Positions, among the rows that were asked about, of those that took part."""


def answers(vectors: np.ndarray, labels: list[str | None], families: list[str], seed: int) -> Answers | None:
    """Answer each row by a fit on the other folds; all are row-aligned, and a family lies in one fold.

    Rows without a label take no part, nor those of a class of fewer than `LEAST` families. None where fewer than two
    classes are left.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    held: dict[str, set[str]] = {}
    for label, family in zip(labels, families, strict=True):
        if label is not None:
            held.setdefault(label, set()).add(family)
    classes = sorted(label for label, members in held.items() if len(members) >= LEAST)
    if len(classes) < 2:
        return None
    number = {label: at for at, label in enumerate(classes)}
    rows = np.flatnonzero([label in number for label in labels])
    truth = np.array([number[str(labels[row])] for row in rows])
    groups = np.array([families[row] for row in rows], dtype=object)
    out = np.zeros((len(rows), len(classes)))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    for learned, asked in folds.split(vectors[rows], truth, groups):
        fit = LogisticRegression(max_iter=1_000).fit(vectors[rows[learned]], truth[learned])
        out[np.ix_(asked, fit.classes_)] = fit.predict_proba(vectors[rows[asked]])
    with np.errstate(divide="ignore"):
        return Answers(classes, truth, out.argmax(axis=1), np.log(out), rows)
