"""Measures who is in the data: each group's share as the rows came in and as they are published, against a reference.

{"axis": "gender", "origin": "mention-lexicon", "effective": {"came": 1.9, "published": 1.8}, "groups": [
  {"group": "women", "came": {"rows": 512, "of": 9000, "share": 0.057, "low": 0.052, "high": 0.062},
   "published": {...}, "reference": 0.5}]}
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from audit.findings import Finding
from audit.groups import AuditSettings, Membership
from corpus.statistics import detectable_difference, rows_needed, wilson


def representation(
    memberships: Sequence[Membership], kept: np.ndarray, beside: Mapping[tuple[str, str], int], rows: int, settings: AuditSettings
) -> list[dict[str, Any]]:  # fmt: skip
    """Return for each axis its groups' shares with Wilson intervals, and how many equal groups they amount to.

    `kept` says which of the audited rows (bool, row-aligned) are published. `beside` counts by (axis, group) what is
    published beside them (grown rows, those of the version that a run builds on), of which there are `rows`. A group that
    only stands beside, or that `reference` names and no row has, is told too. `effective` is the exponential of the entropy of the groups' rows (Hill
    1973, order 1), None where no group has any.
    """
    found = []
    for axis, of_axis in groupby(memberships, key=lambda group: group.axis):
        groups = list(of_axis)
        names = {group.group for group in groups}
        told = settings.reference.get(axis, {})
        came = {group.group: int(group.rows.sum()) for group in groups}
        here = [name for (other, name), count in beside.items() if other == axis and count]
        came |= dict.fromkeys((name for name in (*told, *here) if name not in names), 0)
        stay = {group.group: int((group.rows & kept).sum()) for group in groups}
        published = {name: stay.get(name, 0) + beside.get((axis, name), 0) for name in came}
        found.append(
            {
                "axis": axis,
                "origin": groups[0].origin,
                "effective": {"came": _effective(came.values()), "published": _effective(published.values())},
                "groups": [
                    {
                        "group": name,
                        "came": _share(came[name], len(kept)),
                        "published": _share(published[name], int(kept.sum()) + rows),
                        "reference": told.get(name),
                    }
                    for name in came
                ],
            }
        )
    return found


def against_reference(measured: Sequence[Mapping[str, Any]], settings: AuditSettings) -> list[Finding]:
    """Measure the rule `representation` of each group for which the recipe names a share.

    `ratio` is the published share over the one that `reference` names, judged against `min_representation`; p is that
    of the exact binomial test. `n` are all published rows: a share is one of them all.
    """
    return [
        _against(axis["axis"], axis["origin"], group, settings)
        for axis in measured
        for group in axis["groups"]
        if group["reference"] is not None
    ]


def _against(axis: str, origin: str, group: Mapping[str, Any], settings: AuditSettings) -> Finding:
    from scipy.stats import binomtest

    share, n, wanted = group["published"], group["published"]["of"], group["reference"]
    limit = settings.min_representation
    finding: Finding = {
        "axis": axis,
        "group": group["group"],
        "origin": origin,
        "stage": "published",
        "rule": "representation",
        "n": n,
        "kept": share["rows"],
        "rate": share["share"],
        "reference": wanted,
        **dict.fromkeys(("ratio", "low", "high", "p", "detectable", "needed")),
        "limit": limit,
        "expected": n * min(wanted, 1 - wanted),
    }
    if not n:
        return finding
    return finding | {
        "ratio": share["share"] / wanted,
        "low": share["low"] / wanted,
        "high": share["high"] / wanted,
        "p": float(binomtest(share["rows"], n, wanted).pvalue),
        "detectable": detectable_difference(wanted, n, math.inf, settings.alpha),
        "needed": rows_needed(wanted, wanted * (1 - limit), n, math.inf, settings.alpha),
    }


def _share(rows: int, of: int) -> dict[str, Any]:
    low, high = wilson(rows, of)
    return {"rows": rows, "of": of, "share": rows / of if of else None, "low": low, "high": high}


def _effective(rows: Iterable[int]) -> float | None:
    shares = np.array([count for count in rows if count], dtype=float)
    if not len(shares):
        return None
    shares /= shares.sum()
    return float(np.exp(-np.sum(shares * np.log(shares))))
