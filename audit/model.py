"""Audits a model: whether it is right on a group's rows as often as on all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.findings import Finding, Outcome, judge
from audit.groups import AuditSettings, Membership
from corpus.statistics import (
    benjamini_hochberg,
    detectable_difference,
    difference_interval,
    ratio_interval,
    two_by_two_p,
    wilson,
)


@dataclass(frozen=True)
class _Counts:
    n: int
    right: int
    other_n: int
    other_right: int


def accuracy(
    truth: pa.Array,
    predicted: pa.Array,
    memberships: Sequence[Membership],
    settings: AuditSettings,
    stage: str,
) -> list[Finding]:
    """Return a finding of rule `accuracy` for each group among the evaluated rows, against all other rows.

    `truth` and `predicted` are the classes as text, row-aligned; a null prediction is a wrong one, a null truth
    is not allowed. `stage` names the model. The outcome rests on the difference of the two accuracies
    (`difference`, Newcombe's interval) against `-max_accuracy_gap`, with q over all groups here; `ratio` is
    that of the accuracies. NOT_APPLICABLE where the group has no evaluated row or every one. Point values are
    those of Fairlearn's MetricFrame over the labels.
    """
    assert len(truth) == len(predicted), "a prediction for each row"
    assert truth.null_count == 0, "evaluated rows have a class"
    counted = [_count(truth, predicted, group) for group in memberships]
    p = [_p(counts) for counts in counted if min(counts.n, counts.other_n)]
    tests = iter(zip(p, benjamini_hochberg(p), strict=True))
    return [
        _finding(counts, group, next(tests) if min(counts.n, counts.other_n) else None, settings, stage)
        for counts, group in zip(counted, memberships, strict=True)
    ]


def _count(truth: pa.Array, predicted: pa.Array, group: Membership) -> _Counts:
    """Count by MetricFrame: its accuracy over the labels times its count, which are integers again."""
    from fairlearn.metrics import MetricFrame, count
    from sklearn.metrics import accuracy_score

    if not len(truth):
        return _Counts(0, 0, 0, 0)
    classes = truth.unique()
    frame = MetricFrame(
        metrics={"accuracy": accuracy_score, "n": count},
        y_true=_codes(truth, classes),
        y_pred=_codes(predicted, classes),
        sensitive_features=np.where(group.rows, "group", "others"),
    ).by_group
    sides = []
    for side in ("group", "others"):
        n = int(frame["n"].get(side, 0))
        sides += [n, round(float(frame["accuracy"].get(side, 0.0)) * n)]
    return _Counts(*sides)


def _codes(labels: pa.Array, classes: pa.Array) -> np.ndarray:
    """Number the classes; -1 is none of them. As text, NumPy drops null characters at a label's end."""
    codes: np.ndarray = pc.fill_null(pc.index_in(labels, classes), -1).to_numpy(zero_copy_only=False)
    return codes


def _p(counts: _Counts) -> float:
    return two_by_two_p(counts.right, counts.n, counts.other_right, counts.other_n)


def _finding(
    counts: _Counts,
    group: Membership,
    tested: tuple[float, float] | None,
    settings: AuditSettings,
    stage: str,
) -> Finding:
    n, right, other_n, other_right = counts.n, counts.right, counts.other_n, counts.other_right
    rate_low, rate_high = wilson(right, n) if n else (None, None)
    finding: Finding = {
        "verdict": "NOT_APPLICABLE",
        "axis": group.axis,
        "group": group.group,
        "origin": group.origin,
        "stage": stage,
        "rule": "accuracy",
        "n": n,
        "kept": right,
        "rate": right / n if n else None,
        "rate_low": rate_low,
        "rate_high": rate_high,
        "other_n": other_n,
        "other_rate": other_right / other_n if other_n else None,
        **dict.fromkeys(("ratio", "low", "high", "difference", "difference_low", "difference_high")),
        **dict.fromkeys(("p", "q", "detectable")),
    }
    if tested is None:
        return finding
    p, q = tested
    ratio = ratio_interval(right, n, other_right, other_n)
    difference = difference_interval(right, n, other_right, other_n)
    # Newcombe's interval holds in small tables too, so no least expected count is asked for.
    outcome: Outcome = judge(difference, -settings.max_accuracy_gap, q=q, n=n, expected=n, settings=settings)
    return finding | {
        "verdict": outcome,
        "ratio": ratio.value,
        "low": ratio.low,
        "high": ratio.high,
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "p": p,
        "q": q,
        "detectable": detectable_difference(
            (right + other_right) / (n + other_n), n, other_n, settings.alpha
        ),
    }
