"""Measures what a model does with each class in a group's rows: how often it says it, rightly and wrongly, and how sure.

A group is compared with all other rows, class by class. Areas under the curve are those of Borkan et al. 2019 (arXiv
1903.04561), who take the group's rows apart from the background: a low BPSN says that its negatives look like others'
positives, a low BNSP that its positives look like others' negatives.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from audit.groups import Membership
from corpus.statistics import Z95, wilson

Share = dict[str, Any]
"""JSON: value, low, high, n; value is None where n is 0: without positives there is no rate of true ones, and no 0."""

DRAWS = 1_000
_CELLS = 4_000_000
"""Cells of drawn tables that are held at a time."""


def by_class(
    truth: np.ndarray,
    predicted: np.ndarray,
    scores: np.ndarray | None,
    classes: Sequence[str],
    memberships: Sequence[Membership],
    stage: str,
    seed: int,
) -> list[dict[str, Any]]:
    """Return a line for each group of the evaluated rows, with one for each class below it.

    `truth` and `predicted` are numbers of classes (int, row-aligned; -1 in `predicted` is none of them), `scores` how
    likely each class is (float of shape (rows, classes)). Of a line: `f1_macro` over the classes that stand in the
    group's rows or answers, with an interval from multinomial draws of its table of truths and answers; of a class:
    `selection`, `true_positive`, `false_positive` with those of the others, `equalized_odds` (the larger difference of
    the two, None where one of the four does not exist), `f1`, and `auc`, `bpsn`, `bnsp` where there are scores.
    """
    assert not len(truth) or truth.min() >= 0, "evaluated rows have a class"
    return [
        {
            "stage": stage,
            "axis": group.axis,
            "group": group.group,
            "origin": group.origin,
            "n": int(group.rows.sum()),
            "f1_macro": _f1(truth[group.rows], predicted[group.rows], len(classes), seed),
            "classes": [
                {"class": name, **_class(truth == number, predicted == number, group.rows)}
                | ({} if scores is None else _areas(truth == number, scores[:, number], group.rows))
                for number, name in enumerate(classes)
            ],
        }
        for group in memberships
        if group.rows.any()
    ]


def _class(true: np.ndarray, said: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    mine, others = _rates(true[rows], said[rows]), _rates(true[~rows], said[~rows])
    gaps = [
        abs(mine[rate]["value"] - others[rate]["value"])
        for rate in ("true_positive", "false_positive")
        if mine[rate]["n"] and others[rate]["n"]
    ]
    found = int((true & said & rows).sum())
    asked = int((true & rows).sum()) + int((said & rows).sum())
    return {
        **mine,
        "others": others,
        "equalized_odds": max(gaps) if len(gaps) == 2 else None,
        "f1": 2 * found / asked if asked else None,
    }


def _rates(true: np.ndarray, said: np.ndarray) -> dict[str, Share]:
    return {
        "selection": _share(said),
        "true_positive": _share(said[true]),
        "false_positive": _share(said[~true]),
    }


def _share(said: np.ndarray) -> Share:
    hits, n = int(said.sum()), len(said)
    low, high = wilson(hits, n)
    return {"value": hits / n if n else None, "low": low, "high": high, "n": n}


def _f1(truth: np.ndarray, predicted: np.ndarray, classes: int, seed: int) -> Share:
    """Return the mean F1 of the classes that stand in truth or answers, and its interval over tables drawn anew."""
    table = np.zeros((classes, classes + 1), np.int64)
    np.add.at(table, (truth, predicted), 1)  # -1 is the last column
    n = int(table.sum())
    generator, shares = np.random.default_rng([seed, n]), table.ravel() / n
    at_once = max(1, _CELLS // table.size)
    drawn = [
        _macro(generator.multinomial(n, shares, min(at_once, DRAWS - done)).reshape(-1, *table.shape))
        for done in range(0, DRAWS, at_once)
    ]
    low, high = np.quantile(np.concatenate(drawn), (0.025, 0.975))
    value = float(_macro(table[None])[0])
    return {"value": value, "low": min(float(low), value), "high": max(float(high), value), "n": n}


def _macro(tables: np.ndarray) -> np.ndarray:
    """Return the macro F1 of tables of shape (draws, classes, classes + 1)."""
    right = np.diagonal(tables, axis1=1, axis2=2)
    asked = tables.sum(axis=2) + tables[:, :, :-1].sum(axis=1)
    each = np.divide(2 * right, asked, out=np.zeros(right.shape), where=asked > 0)
    found: np.ndarray = each.sum(axis=1) / np.maximum((asked > 0).sum(axis=1), 1)
    return found


def _areas(true: np.ndarray, scores: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    mine, background = scores[rows & true], scores[~rows & true]
    mine_not, background_not = scores[rows & ~true], scores[~rows & ~true]
    return {
        "auc": area(mine, mine_not),
        "bpsn": area(background, mine_not),
        "bnsp": area(mine, background_not),
    }


def area(positives: np.ndarray, negatives: np.ndarray) -> Share:
    """Return how often a positive's score lies above a negative's (ties count half), with DeLong's interval.

    The variance is that of the placements (DeLong, DeLong and Clarke-Pearson 1988), computed by ranks (Sun and Xu 2014).
    `n` are positives and negatives together; value is None where there are none of one kind. Where one kind has a single
    row there is a value and no interval; where placements say nothing (no overlap, or all scores alike), the interval is
    Wilson's for as many rows as the fewer of the two.
    """
    from scipy.stats import rankdata

    ups, downs = len(positives), len(negatives)
    if min(ups, downs) == 0:
        return {"value": None, "low": 0.0, "high": 1.0, "n": ups + downs}
    together = rankdata(np.concatenate([positives, negatives]))
    above = (together[:ups] - rankdata(positives)) / downs
    below = 1 - (together[ups:] - rankdata(negatives)) / ups
    value = float(above.mean())
    if min(ups, downs) == 1:
        return {"value": value, "low": 0.0, "high": 1.0, "n": ups + downs}
    error = math.sqrt(above.var(ddof=1) / ups + below.var(ddof=1) / downs)
    if error == 0:
        low, high = wilson(value * min(ups, downs), min(ups, downs))
        return {"value": value, "low": low, "high": high, "n": ups + downs}
    return {
        "value": value,
        "low": max(0.0, value - Z95 * error),
        "high": min(1.0, value + Z95 * error),
        "n": ups + downs,
    }
