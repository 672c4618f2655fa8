"""Audits a model: whether it is right on a group's rows as often as on all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.findings import Finding
from audit.groups import AuditSettings, Membership
from corpus.statistics import (
    detectable_difference,
    difference_interval,
    ratio_interval,
    rows_needed,
    two_by_two_p,
    wilson,
)

_FRAME_ROWS = 1_000_000
"""Rows of a frame, each group's beside its others; one group is never parted."""


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
    *,
    baseline: bool = False,
    among: Sequence[np.ndarray] | None = None,
) -> list[Finding]:
    """Measure the rule `accuracy` of each group among the evaluated rows, against all other rows.

    `truth` and `predicted` are the classes as text, row-aligned; a null prediction is a wrong one, a null truth
    is not allowed. `stage` names the model, which is a `baseline` where it is there to be compared with. The difference of the two accuracies (`difference`, Newcombe's
    interval) is judged against `-max_accuracy_gap`; `ratio` is that of the accuracies. Both are None where the
    group has no evaluated row or every one. Point values are those of Fairlearn's MetricFrame over the labels. Where `among`
    is given, each group is judged among its own choice of the rows (bool, row-aligned) and nobody else.
    """
    assert len(truth) == len(predicted), "a prediction for each row"
    assert truth.null_count == 0, "evaluated rows have a class"
    classes = truth.unique()
    counts = _counts(_codes(truth, classes), _codes(predicted, classes), memberships, among)
    return [
        _finding(each, group, settings, stage) | {"baseline": baseline}
        for each, group in zip(counts, memberships, strict=True)
    ]


def _counts(
    truth: np.ndarray,
    predicted: np.ndarray,
    memberships: Sequence[Membership],
    among: Sequence[np.ndarray] | None,
) -> list[_Counts]:
    """Count by MetricFrame: its accuracy over the labels times its count, which are integers again.

    A frame takes long to make and little time for a group, so one is made of many groups, each beside its others.
    """
    if not len(truth):
        return [_Counts(0, 0, 0, 0)] * len(memberships)
    everywhere = np.ones(len(truth), dtype=bool)
    at_once = max(1, _FRAME_ROWS // len(truth))
    counts: list[_Counts] = []
    for start in range(0, len(memberships), at_once):
        groups = memberships[start : start + at_once]
        within = [everywhere] * len(groups) if among is None else among[start : start + at_once]
        rows = np.concatenate([np.flatnonzero(mine) for mine in within])
        sides = [
            2 * at + ~group.rows[mine] for at, (group, mine) in enumerate(zip(groups, within, strict=True))
        ]
        counts += _framed(truth[rows], predicted[rows], np.concatenate(sides), len(groups))
    return counts


def _framed(truth: np.ndarray, predicted: np.ndarray, sides: np.ndarray, groups: int) -> list[_Counts]:
    """Count the rows of each side of so many groups: `sides` is twice a group's number, and one more for its others."""
    from fairlearn.metrics import MetricFrame, count
    from sklearn.metrics import accuracy_score

    if not len(sides):
        return [_Counts(0, 0, 0, 0)] * groups
    frame = MetricFrame(
        metrics={"accuracy": accuracy_score, "n": count},
        y_true=truth,
        y_pred=predicted,
        sensitive_features=sides,
    ).by_group
    n = frame["n"].reindex(range(2 * groups), fill_value=0).to_numpy().astype(np.int64)
    right = frame["accuracy"].reindex(range(2 * groups), fill_value=0.0).to_numpy(dtype=float) * n
    told = np.stack([n, np.rint(right).astype(np.int64)], axis=1).reshape(groups, 4)
    return [_Counts(*line) for line in told.tolist()]


def _codes(labels: pa.Array, classes: pa.Array) -> np.ndarray:
    """Number the classes; -1 is none of them. As text, NumPy drops null characters at a label's end."""
    codes: np.ndarray = pc.fill_null(pc.index_in(labels, classes), -1).to_numpy(zero_copy_only=False)
    return codes


def _finding(counts: _Counts, group: Membership, settings: AuditSettings, stage: str) -> Finding:
    n, right, other_n, other_right = counts.n, counts.right, counts.other_n, counts.other_right
    rate_low, rate_high = wilson(right, n) if n else (None, None)
    finding: Finding = {
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
        **dict.fromkeys(("p", "detectable", "needed")),
        "limit": -settings.max_accuracy_gap,
        # Newcombe's interval holds in small tables too, so no least count is asked for.
        "expected": n,
    }
    if not min(n, other_n):
        return finding
    ratio = ratio_interval(right, n, other_right, other_n)
    difference = difference_interval(right, n, other_right, other_n)
    pooled = (right + other_right) / (n + other_n)
    return finding | {
        "ratio": ratio.value,
        "low": ratio.low,
        "high": ratio.high,
        "difference": difference.value,
        "difference_low": difference.low,
        "difference_high": difference.high,
        "p": two_by_two_p(right, n, other_right, other_n),
        "detectable": detectable_difference(pooled, n, other_n, settings.alpha),
        "needed": rows_needed(pooled, settings.max_accuracy_gap, n, other_n, settings.alpha),
    }
