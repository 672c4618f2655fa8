"""What a tuned model must beat to have been worth it: the largest class, and a linear probe on embeddings."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

Encode = Callable[[Sequence[str]], np.ndarray]
"""Texts in, their embeddings out: rows by dimensions."""

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Values of C, the inverse of the ridge, that the validation rows choose from; 1, sklearn's default, without them."""


def majority(trained_on: Sequence[str], labels: Sequence[str], rows: int) -> np.ndarray:
    """Return the log-share of each class among the training rows, for each of `rows` rows: rows by classes.

    Of classes of one size the first of `labels` is the largest by all that follows. A class of no training
    row has minus infinity.
    """
    counts = Counter(trained_on)
    with np.errstate(divide="ignore"):
        shares = np.log(np.array([counts[label] for label in labels]) / len(trained_on))
    return np.tile(shares, (rows, 1))


def probe(
    encode: Encode,
    training: tuple[Sequence[str], Sequence[str]],
    validation: tuple[Sequence[str], Sequence[str]],
    texts: Sequence[str],
    labels: Sequence[str],
) -> np.ndarray:
    """Return the log-probability of each class for each of `texts` by logistic regression: rows by classes.

    `training` and `validation` are texts and labels. It learns from the same training rows as the tuned
    model; the validation rows choose C by their log-loss. A class of no training row has minus infinity; with
    one class alone there is nothing to learn, and it has all.
    """
    out = np.full((len(texts), len(labels)), -np.inf)
    known = sorted(set(training[1]))
    columns = [labels.index(label) for label in known]
    if len(known) == 1:
        out[:, columns] = 0.0
        return out
    from sklearn.linear_model import LogisticRegression

    seen = encode(training[0])
    fitted = {
        strength: LogisticRegression(C=strength, max_iter=1_000).fit(seen, training[1])
        for strength in STRENGTHS
    }
    judged = [(text, label) for text, label in zip(*validation, strict=True) if label in known]
    best = 1.0
    if judged:
        answers = np.array([known.index(label) for _, label in judged])
        held_out = encode([text for text, _ in judged])
        right = {
            strength: model.predict_log_proba(held_out)[np.arange(len(answers)), answers].mean()
            for strength, model in fitted.items()
        }
        best = max(right, key=right.__getitem__)
    out[:, columns] = fitted[best].predict_log_proba(encode(texts))
    return out
