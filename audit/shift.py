"""Measures how far one number moved from one audit to another, and whether by more than chance explains.

{"scale": "log", "a": 0.71, "b": 0.96, "change": 0.30, "low": 0.12, "high": 0.48, "p": 0.001}: a ratio of 0.71, then of 0.96
"""

import math
from typing import Any

from audit.findings import Finding, judged_rows
from corpus.statistics import Interval, difference_of, difference_p, ratio_interval

Shift = dict[str, Any]
"""JSON: scale, a, b, change, low, high, p. Of the scale `log` (natural logarithms of ratios) `a` and `b` are the ratios
themselves. What does not exist is None."""

VALUES = {
    "impact_ratio": ("ratio", "log"),
    "removal_ratio": ("removal_ratio", "log"),
    "accuracy": ("difference", "difference"),
    "survival": ("rate", "share"),
    "representation": ("rate", "share"),
}
"""The value of each rule that is compared, and its scale. `lost_most` rests on the numbers of `impact_ratio`."""

MORE_IS_WORSE = "removal_ratio"

_COUNTS = ("n", "kept", "other_n", "other_kept", "rate", "other_rate", "reference")


def same(a: Finding, b: Finding) -> bool:
    """Say whether two findings of one rule rest on equal counts."""
    return all(a.get(name) == b.get(name) for name in _COUNTS)


def shift(a: Finding, b: Finding, *, told: bool) -> Shift:
    """Return how the value of a rule moved from finding `a` to `b`, with a 95% interval.

    The samples are taken for independent (`corpus.statistics.difference_of`). Where they share rows, and so are positively
    correlated, interval and p are too large: what is found then is still found. Interval and p are None where they are
    not to be `told`, or one of the values does not exist.
    """
    scale = VALUES[a["rule"]][1]
    before, after = _value(a), _value(b)
    none: Shift = {"scale": scale, "a": before, "b": after, **dict.fromkeys(("change", "low", "high", "p"))}
    if not told or before is None or after is None:
        return none
    found = difference_of(_estimate(b), _estimate(a))
    return none | {"change": found.value, "low": found.low, "high": found.high, "p": difference_p(found)}


def _value(finding: Finding) -> float | None:
    """Return the value that is compared; where a stage dropped nothing, and nothing was judged, both sides fared alike."""
    if finding["rule"] == "impact_ratio" and finding["rate"] == finding["other_rate"] == 1:
        return 1.0
    value: float | None = finding[VALUES[finding["rule"]][0]]
    return value


def _estimate(finding: Finding) -> Interval:
    """Return the value of a finding on its scale, with its interval."""
    match finding["rule"]:
        case "impact_ratio" | "removal_ratio":
            return _log_ratio(finding)
        case "accuracy":
            return Interval(*(finding[key] for key in ("difference", "difference_low", "difference_high")))
        case "survival":
            return Interval(finding["rate"], finding["low"], finding["high"])
        case _:  # the ends of a representation are over those of the reference
            ends = (finding[end] * finding["reference"] for end in ("low", "high"))
            return Interval(finding["rate"], *ends)


def _log_ratio(finding: Finding) -> Interval:
    """Return the logarithm of a ratio; where a cell is empty that of the adjusted one (Haldane 1956), which is finite."""
    removed = finding["rule"] == MORE_IS_WORSE
    keys = ("removal_ratio", "removal_low", "removal_high") if removed else ("ratio", "low", "high")
    if finding["ratio"] is not None and not finding["adjusted"]:
        value, low, high = (math.log(finding[key]) for key in keys)
        return Interval(value, low, high)
    n, other_n = (finding[key] for key in ("effective_n", "effective_other_n"))
    if finding["ratio"] is None:  # nothing was dropped
        n = judged_rows(finding)
        other_n = finding.get("other_families", finding["other_n"])
    mine, others = (1 - rate if removed else rate for rate in (finding["rate"], finding["other_rate"]))
    found = ratio_interval(mine * n + 0.5, n + 1, others * other_n + 0.5, other_n + 1)
    return Interval(math.log(found.value), math.log(found.low), math.log(found.high))
