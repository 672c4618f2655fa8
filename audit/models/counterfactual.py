"""Asks models whether they would say the same of a row that speaks of another group.

Counterfactual token fairness (Garg et al. 2019, arXiv 1809.10610): of a row x and what it says with other terms, x', the
gap is the total variation distance of the two distributions over the classes, half of the sum of |p(x) - p(x')|, from 0
to 1. An exchange may change what is right ("his wife", "her wife"), so a gap is to be looked at, and no fault by itself.

{"stage": "tuned model", "baseline": false, "rows": 41, "n": 100, "of": 412, "unmoved": 2,
 "gap": {"value": 0.03, "low": 0.02, "high": 0.04, "n": 41}, "flips": {"value": 0.05, "low": 0.02, "high": 0.13, "n": 100},
 "lost": 2, "won": 1, "p": 1.0, "q": 1.0,
 "pairs": [{"axis": "gender", "group": "women", "instead": "men", "n": 20, "gap": {...}, "flips": {...}, "lost": 1, "won": 0,
            "p": 1.0, "q": 1.0, "signed": [{"class": "positive", "value": -0.02, "low": -0.03, "high": -0.01}]}]}
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpus.statistics import benjamini_hochberg, effective_size, wilson

Say = Callable[[Sequence[str]], Mapping[str, np.ndarray]]
"""What each model says of texts: log-probabilities of the classes (float, texts by classes), by the model's name."""


@dataclass(frozen=True)
class Exchange:
    """An evaluated row, by its position, that speaks of a group, and what it says with the terms of another."""

    row: int
    axis: str
    group: str
    instead: str
    text: str


def counterfactual(
    exchanges: Sequence[Exchange],
    of: int,
    known: Mapping[str, np.ndarray],
    say: Say,
    truth: np.ndarray,
    classes: Sequence[str],
) -> list[dict[str, Any]]:
    """Return how far apart each model's answers are before and after the exchanges; nothing of no exchanges.

    `of` is how many exchanges these were drawn from. `known` are the log-probabilities of the evaluated rows (rows by
    classes) by the model's name, and `truth` the numbers of their classes (-1 is none of them). Both sides are made to
    sum to 1 over the classes. `gap` is the mean over rows of a row's mean over its exchanges, `signed` what an exchange
    adds to the probability of a class; their intervals are Student's over rows, None of fewer than two or where all are
    alike. `flips` is the share of exchanges after which the likeliest class is another, with Wilson's interval for as many
    rows as they are worth. `unmoved` counts exchanges without any effect: the words may stand behind what the model reads.
    `lost` rows were right and are not with one of the exchanges at least, `won` ones the other way round; p is that of
    McNemar's exact test between the two, q over all models and pairs.
    """
    if not exchanges:
        return []
    said = say([one.text for one in exchanges])
    at = np.array([one.row for one in exchanges])
    told = []
    for name, log_probabilities in known.items():
        was, would = log_probabilities[at], said[name]
        assert was.shape == would.shape, "an answer for each exchange"
        moved = _shares(would) - _shares(was)
        answers = np.stack([was.argmax(axis=1), would.argmax(axis=1), truth[at]], axis=1)
        lines = []
        for pair in dict.fromkeys((one.axis, one.group, one.instead) for one in exchanges):
            mine = np.array([(one.axis, one.group, one.instead) == pair for one in exchanges])
            signed = [
                {"class": label, **_mean(moved[mine, number], at[mine], -1.0)}
                for number, label in enumerate(classes)
            ]
            lines.append(
                dict(zip(("axis", "group", "instead"), pair, strict=True))
                | _measured(at[mine], moved[mine], answers[mine])
                | {"signed": signed}
            )
        told.append(
            {
                "stage": f"{name} model",
                "baseline": name == "base",
                "rows": len(np.unique(at)),
                "of": of,
                "unmoved": int((moved == 0).all(axis=1).sum()),
                **_measured(at, moved, answers),
                "pairs": lines,
            }
        )
    return _corrected(told)


def _shares(log_probabilities: np.ndarray) -> np.ndarray:
    """Return probabilities that sum to 1 over the classes."""
    raised = np.exp(log_probabilities - log_probabilities.max(axis=1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _measured(rows: np.ndarray, moved: np.ndarray, answers: np.ndarray) -> dict[str, Any]:
    """Measure some exchanges: their rows, what they add to each class, and the answers before, after and right."""
    from scipy.stats import binomtest

    was, would, truth = answers.T
    flipped = int((was != would).sum())
    size = effective_size(np.bincount(rows))
    low, high = wilson(flipped / len(rows) * size, size)
    lost = len(np.unique(rows[(was == truth) & (would != truth)]))
    won = len(np.unique(rows[(was != truth) & (would == truth)]))
    return {
        "n": len(rows),
        "gap": {**_mean(np.abs(moved).sum(axis=1) / 2, rows, 0.0), "n": len(np.unique(rows))},
        "flips": {"value": flipped / len(rows), "low": low, "high": high, "n": len(rows)},
        "lost": lost,
        "won": won,
        "p": float(binomtest(won, won + lost, 0.5).pvalue) if won + lost else 1.0,
    }


def _mean(values: np.ndarray, rows: np.ndarray, least: float) -> dict[str, Any]:
    """Return the mean over rows of their mean values, between `least` and 1, with Student's interval."""
    from scipy.stats import t

    counts = np.bincount(rows)
    means = np.bincount(rows, weights=values)[counts > 0] / counts[counts > 0]
    value, n = float(means.mean()), len(means)
    if n < 2 or not means.std():
        return {"value": value, "low": None, "high": None}
    half = float(t.ppf(0.975, n - 1)) * float(means.std(ddof=1)) / math.sqrt(n)
    return {"value": value, "low": max(least, value - half), "high": min(1.0, value + half)}


def _corrected(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    q = iter(benjamini_hochberg([each["p"] for one in told for each in (one, *one["pairs"])]))
    return [{**one, "q": next(q), "pairs": [{**pair, "q": next(q)} for pair in one["pairs"]]} for one in told]
