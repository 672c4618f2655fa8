"""Compares a group with others of the same length and source, so that a filter of length is not taken for one of people.

A stage that drops short rows drops more of any group that writes shortly. What is left of an impact ratio among rows
of the same stratum is not owed to length or source; where it turns round (Simpson 1951) the plain ratio misleads.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from audit.groups import Membership, partition
from audit.steps import Step
from corpus.statistics import Interval, stratified_ratio

BANDS = 100
"""Bands of length, each with as many rows as the others (more where many rows are of one length)."""


@dataclass(frozen=True)
class Strata:
    """Which stratum each audited row is in (0 to `count` - 1), and what strata are made of."""

    by: tuple[str, ...]
    codes: np.ndarray
    count: int


def strata(words: np.ndarray, sources: pa.Array | pa.ChunkedArray) -> Strata:
    """Cut the rows by length (`words`, int, row-aligned) and source; what has only one value does not cut."""
    edges = np.unique(np.quantile(words, np.arange(1, BANDS) / BANDS)) if len(words) else np.empty(0)
    bands = np.searchsorted(edges, words, side="right")
    origin = np.zeros(len(words), dtype=np.int64)
    for number, group in enumerate(partition(sources, "source", "source-metadata")):
        origin[group.rows] = number
    by = tuple(name for name, codes in (("length", bands), ("source", origin)) if len(np.unique(codes)) > 1)
    pairs, codes = np.unique(origin * (BANDS + 1) + bands, return_inverse=True)
    return Strata(by, codes.astype(np.int64), len(pairs))


def adjusted(step: Step, memberships: Sequence[Membership], cut: Strata) -> list[dict[str, Any] | None]:
    """Return for each group the impact ratio that a stage has among rows of the same stratum.

    `{"by", "strata", "ratio", "low", "high"}`, Mantel and Haenszel's; `strata` counts those that hold rows of both
    sides. None where nothing cuts the rows, the stage dropped nothing, or no stratum tells.
    """
    stayed = step.entered & step.kept
    if not cut.by or np.array_equal(stayed, step.entered):
        return [None for _ in memberships]
    everybody, kept = (np.bincount(cut.codes[rows], minlength=cut.count) for rows in (step.entered, stayed))
    found = []
    for group in memberships:
        rows = np.flatnonzero(group.rows)
        codes = cut.codes[rows]
        n = np.bincount(codes[step.entered[rows]], minlength=cut.count)
        mine = np.bincount(codes[stayed[rows]], minlength=cut.count)
        ratio = stratified_ratio(mine, n, kept - mine, everybody - n)
        found.append(
            None
            if ratio is None
            else {
                "by": list(cut.by),
                "strata": int(np.count_nonzero((n > 0) & (everybody > n))),
                "ratio": ratio.value,
                "low": ratio.low,
                "high": ratio.high,
            }
        )
    return found


def multiplied(stages: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """Return the product of what `adjusted` says of a group at each stage that there is something to compare at, for the whole pipeline.

    Each stage's is of the rows that entered it, so their logarithms add up, and so do the variances of these. `strata` is the
    least number of them. None where a stage says nothing, as one that left nothing of a side, and where there is no stage.
    """
    told = [one for one in stages if one is not None]
    if not told or len(told) < len(stages):
        return None
    spread = math.sqrt(sum((math.log(one["high"]) - math.log(one["low"])) ** 2 for one in told)) / 2
    ratio = math.exp(math.fsum(math.log(one["ratio"]) for one in told))
    return {
        "by": told[0]["by"],
        "strata": min(one["strata"] for one in told),
        "ratio": ratio,
        "low": ratio * math.exp(-spread),
        "high": ratio * math.exp(spread),
    }


def turned(plain: Interval, within: Interval) -> bool:
    """Say whether a ratio turns round among rows alike: both intervals leave 1 out, on different sides."""
    return (plain.high < 1 < within.low) or (within.high < 1 < plain.low)
