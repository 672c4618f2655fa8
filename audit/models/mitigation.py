"""What it would cost to treat a group as the others: Fairlearn's thresholds by group, tried on the probe as a comparison.

Thresholds that differ by group (Hardt, Price and Srebro 2016) need to know who is asked about, so they are no remedy for a
corpus; they show how much accuracy stands against how much of a gap.

{"axis": "gender", "group": "women", "class": "negative", "n": 100, "other_n": 812, "ways": [
  {"way": "none", "accuracy": {...}, "selection": {...}, "true_positive": {...}, "false_positive": {...}}, ...]}
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from audit.groups import OF_TEXTS, AuditSettings, Membership
from corpus.statistics import difference_interval, wilson

WAYS = ("demographic_parity", "equalized_odds")
"""Constraints of Fairlearn's ThresholdOptimizer: the same share of answers, or the same rates of true and false ones."""

MOST = 3
"""Gaps that are looked at, the largest first."""

Case = tuple[Membership, np.ndarray]
"""A group among some rows, and which of all rows these are (bool)."""


def mitigation(
    truth: np.ndarray,
    predicted: np.ndarray,
    scores: np.ndarray,
    classes: Sequence[str],
    cases: Sequence[Case],
    settings: AuditSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Even out the gaps that are surest, and tell what is left of each and what it costs.

    `truth` and `predicted` are numbers of classes, `scores` how likely each class is, (rows, classes). A gap is how much
    more or less often a class is said of a group's rows than of the others; those whose interval holds 0, of groups under
    `min_group`, and of what is no group of people, are left out. Thresholds are fitted on one half of the rows and applied to the other, and the other way.
    Differences are the group's rate less the others' (Newcombe's interval), `accuracy` is of the class against all others.
    """
    gaps = sorted(_gaps(predicted, classes, cases, settings), key=lambda one: (-one[0], one[1:]))
    return [
        _told(truth == number, predicted == number, scores[:, number], classes[number], cases[at], seed)
        for _, at, number in gaps[:MOST]
    ]


def _gaps(
    predicted: np.ndarray, classes: Sequence[str], cases: Sequence[Case], settings: AuditSettings
) -> Iterator[tuple[float, int, int]]:
    for at, (group, rows) in enumerate(cases):
        mine = int(group.rows.sum())
        others = int(rows.sum()) - mine
        if group.origin in OF_TEXTS or min(mine, others) < settings.min_group:
            continue
        for number in range(len(classes)):
            said = predicted[rows] == number
            hits, rest = int(said[group.rows].sum()), int(said[~group.rows].sum())
            gap = difference_interval(hits, mine, rest, others)
            if not gap.low <= 0 <= gap.high:
                yield abs(gap.value), at, number


def _told(
    true: np.ndarray, said: np.ndarray, scores: np.ndarray, name: str, case: Case, seed: int
) -> dict[str, Any]:
    group, rows = case
    true, said, scores = true[rows], said[rows], scores[rows]
    ways = [_way("none", true, said, group.rows)]
    for way in WAYS:
        evened = _evened(true, scores, group.rows, way, seed)
        if evened is not None:
            ways.append(_way(way, true, evened, group.rows))
    return {
        "axis": group.axis,
        "group": group.group,
        "class": name,
        "n": int(group.rows.sum()),
        "other_n": int((~group.rows).sum()),
        "ways": ways,
    }


def _evened(true: np.ndarray, scores: np.ndarray, mine: np.ndarray, way: str, seed: int) -> np.ndarray | None:
    """Return what thresholds by group would say; None where a half lacks positives or negatives of either side."""
    from fairlearn.postprocessing import ThresholdOptimizer
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
        """Says what it is given."""

        classes_ = np.array([0, 1])

        def fit(self, rows: np.ndarray, answers: np.ndarray) -> "Scores":
            return self

        def predict(self, rows: np.ndarray) -> np.ndarray:
            return rows[:, 0]

        def __sklearn_is_fitted__(self) -> bool:
            return True

    halves = np.random.default_rng([seed, len(true)]).permutation(len(true)) % 2
    out = np.zeros(len(true), dtype=bool)
    for half in (0, 1):
        learned, asked = halves == half, halves != half
        cells = [true[learned & side].mean() for side in (mine, ~mine) if (learned & side).any()]
        if len(cells) < 2 or any(share in (0, 1) for share in cells):
            return None
        optimizer = ThresholdOptimizer(
            estimator=Scores(), constraints=way, prefit=True, predict_method="predict"
        )
        optimizer.fit(scores[learned, None], true[learned].astype(int), sensitive_features=mine[learned])
        told = optimizer.predict(
            scores[asked, None], sensitive_features=mine[asked], random_state=seed % 2**32
        )
        out[asked] = np.asarray(told) == 1
    return out


def _way(way: str, true: np.ndarray, said: np.ndarray, mine: np.ndarray) -> dict[str, Any]:
    right, n = int((true == said).sum()), len(true)
    low, high = wilson(right, n)
    return {
        "way": way,
        "accuracy": {"value": right / n, "low": low, "high": high, "n": n},
        "selection": _difference(said, mine, np.ones(n, dtype=bool)),
        "true_positive": _difference(said, mine, true),
        "false_positive": _difference(said, mine, ~true),
    }


def _difference(said: np.ndarray, mine: np.ndarray, among: np.ndarray) -> dict[str, Any]:
    """Return the group's rate less the others' among some rows; None where there are none of one side."""
    sides = [said[among & side] for side in (mine, ~mine)]
    n = min(map(len, sides))
    if not n:
        return {"value": None, "low": -1.0, "high": 1.0, "n": 0}
    (hits, count), (others, rest) = ((int(side.sum()), len(side)) for side in sides)
    gap = difference_interval(hits, count, others, rest)
    return {"value": gap.value, "low": gap.low, "high": gap.high, "n": count}
