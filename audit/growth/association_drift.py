"""Measures whether growth changes which labels go with which groups: before it, and with the rows that it made.

The two are dependent, for the rows before are part of those after, and a child is like its parent. So the difference is
linearised in what each parent adds to it together with its children (the delta method over clusters: Binder 1983;
Deville 1999), which costs one pass over the rows and agrees with a bootstrap over parents.

{"axis": "gender", "group": "women", "origin": "mention-lexicon", "with": "negative", "n": 400, "n_after": 520, "both": 90,
 "both_after": 180, "rate": {"before": 0.225, "after": 0.346, "difference": 0.121, "low": 0.08, "high": 0.162},
 "npmi": {...}, "log_odds": {...}, "families": 85.2, "p": 0.0003, "q": 0.004}
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from audit.association import npmi
from audit.groups import Membership, partition
from corpus.statistics import Z95

LEAST = 10
"""Families that a difference must rest on: of fewer the normal distribution that the interval is of says nothing."""

Statistic = Callable[[np.ndarray], tuple[float, np.ndarray] | None]
"""A value of four counts (group and label, group without, label without, neither) with its slope in each; None of none."""


def association_drift(
    memberships: Sequence[Membership],
    labels: pa.Array | pa.ChunkedArray,
    owner: np.ndarray,
    grown: np.ndarray,
) -> list[dict[str, Any]]:
    """Return what growth changed between each group and each label.

    Groups, `labels` (string), `owner` (int, the number of the parent, of itself for a row that was read) and `grown`
    (bool) are row-aligned, over the rows that were read and those that grew of them. Rows without a label do not count.
    `rate` is the share of the label among the group's rows. `families` is how many parents the difference of the log
    odds rests on, as many as if all added as much; under `LEAST` of them there is neither interval nor p. The axes
    `label` and `source` are left out: grown rows have the first from their parents, and not the second.
    """
    classes = [one for one in partition(labels, "label", "label") if one.group != "(missing)"]
    if len(classes) < 2 or not grown.any():
        return []
    labelled = np.logical_or.reduce([one.rows for one in classes])
    owner, read = owner[labelled], ~grown[labelled]
    found = []
    for group in memberships:
        if group.axis in ("label", "source"):
            continue
        mine = group.rows[labelled]
        for one in classes:
            cell = np.where(mine, 0, 2) + ~one.rows[labelled]
            before = np.bincount(cell[read], minlength=4)
            after = np.bincount(cell, minlength=4)
            if min(before[:2].sum(), before[2:].sum()):
                found.append(
                    {"axis": group.axis, "group": group.group, "origin": group.origin, "with": one.group}
                    | _changed(before, after, cell, read, owner)
                )
    return found


def _changed(
    before: np.ndarray, after: np.ndarray, cell: np.ndarray, read: np.ndarray, owner: np.ndarray
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "n": int(before[:2].sum()),
        "n_after": int(after[:2].sum()),
        "both": int(before[0]),
        "both_after": int(after[0]),
    }
    families, p = 0.0, None
    for name, statistic in (("rate", _rate), ("npmi", _npmi), ("log_odds", _log_odds)):
        empty = 0.5 * (min(before.min(), after.min()) == 0) if name == "log_odds" else 0.0
        one, other = statistic(before + empty), statistic(after + empty)
        if one is None or other is None:
            ends = [None if each is None else each[0] for each in (one, other)]
            told[name] = dict(zip(("before", "after"), ends, strict=True)) | dict.fromkeys(
                ("difference", "low", "high")
            )
            continue
        added = np.bincount(owner, weights=other[1][cell] - read * one[1][cell])
        added[np.abs(added) < 1e-12 * np.abs(other[1]).max()] = 0.0  # what cancels, but for rounding
        families = _size(added)
        error = _error(added, int(read.sum()))
        sure = families >= LEAST
        difference = other[0] - one[0]
        told[name] = {
            "before": one[0],
            "after": other[0],
            "difference": difference,
            "low": difference - Z95 * error if sure else None,
            "high": difference + Z95 * error if sure else None,
        }
        p = math.erfc(abs(difference) / error / math.sqrt(2)) if sure else None
    return told | {"families": families, "p": p}


def _size(added: np.ndarray) -> float:
    """Return how many parents alike would add as unevenly: (sum of squares)^2 / sum of fourth powers."""
    squares = np.square(added)
    fourth = float(np.sum(np.square(squares)))
    return float(np.sum(squares)) ** 2 / fourth if fourth else 0.0


def _error(added: np.ndarray, parents: int) -> float:
    """Return the standard error of a sum over parents, those that add nothing included."""
    total = float(np.sum(added))
    spread = float(np.sum(np.square(added))) - total * total / parents
    return math.sqrt(max(spread, 0.0) * parents / max(parents - 1, 1))


def _rate(cells: np.ndarray) -> tuple[float, np.ndarray] | None:
    both, alone = cells[:2]
    n = both + alone
    return float(both / n), np.array([alone, -both, 0, 0]) / n**2


def _log_odds(cells: np.ndarray) -> tuple[float, np.ndarray] | None:
    a, b, c, d = cells
    return math.log(a * d / (b * c)), np.array([1, -1, -1, 1]) / cells


def _npmi(cells: np.ndarray) -> tuple[float, np.ndarray] | None:
    both, alone, others, _ = map(float, cells)
    of, one, other = float(cells.sum()), both + alone, both + others
    if not both or both == of or not other:
        return None  # at an end there is no slope
    chance, own = math.log(both * of / (one * other)), math.log(of / both)
    of_chance = np.array([1 / both - 1 / one - 1 / other, -1 / one, -1 / other, 0]) + 1 / of
    of_own = np.array([-1 / both, 0, 0, 0]) + 1 / of
    value = npmi(int(both), int(one), int(other), int(of))
    return value or 0.0, (of_chance * own - chance * of_own) / own**2
