"""What would help, named with numbers: rows to add, weights that even labels out, thresholds to move.

None of them is applied by itself. {"rows": [{"axis": "gender", "group": "women", "published": 512, "of": 9000, "reference": 0.5,
"to_limit": 5147, "to_reference": 7976, "per_row": 15.6}], "weights": [...], "thresholds": [...]}
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

from audit.findings import Finding

Facts = Mapping[str, Any]

MOST = 5
"""Worst findings for which a threshold is moved."""

MOST_WEIGHTED = 20
"""Axes or groups that are weighed, those surest to go with a label first."""

OTHERS = "(others)"
"""All rows that are not of a group that is weighed against the rest."""


def rows_to_add(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return how many rows of each group that lies under its reference must be added, if nothing else is.

    `to_limit` for the least share that is no failure, `to_reference` for the reference's. Added rows count in the whole too, so
    that the share t asks for (t n - k) / (1 - t) rows more, rounded up. `per_row` is how many each of the group's published rows
    would have to be grown into to reach the reference; None where it has none to grow.
    """
    under = [
        one
        for one in findings
        if one["rule"] == "representation" and one["ratio"] is not None and one["ratio"] < 1
    ]
    found = []
    for one in sorted(under, key=lambda one: (one["ratio"], one["axis"], one["group"])):
        share = Fraction(str(one["reference"]))
        least = share * Fraction(str(one["limit"]))
        more = _missing(one["kept"], one["n"], share)
        found.append(
            {
                "axis": one["axis"],
                "group": one["group"],
                "published": one["kept"],
                "of": one["n"],
                "reference": one["reference"],
                "to_limit": _missing(one["kept"], one["n"], least),
                "to_reference": more,
                "per_row": more / one["kept"] if one["kept"] else None,
            }
        )
    return found


def _missing(rows: int, of: int, share: Fraction) -> int:
    return max(0, math.ceil((share * of - rows) / (1 - share)))


def reweighing(labels: Sequence[Facts], alpha: float) -> list[dict[str, Any]]:
    """Return weights under which label and group are independent, for what goes with a label more than chance explains.

    `labels` are those of `audit.association.with_labels`. A row of group g and label y weighs P(g) P(y) / P(g, y) (Kamiran and
    Calders 2012, "Data preprocessing techniques for classification without discrimination", Knowledge and Information
    Systems 33). Groups that part all rows are weighed together (`group` is None); those that may overlap each against the
    rest. `effective` is the size of an unweighted sample as sure as the weighted one, (sum w)^2 / sum w^2 (Kish 1965). A cell
    without rows has no weight, and what is missing there no weight can even out.
    """
    found = []
    for axis, of_axis in groupby(labels, key=lambda one: one["axis"]):
        pairs = list(of_axis)
        sure = [one for one in pairs if one["q"] < alpha]
        if not sure:
            continue
        if _part(pairs):
            found.append((min(one["q"] for one in sure), _weighed(axis, None, pairs)))
            continue
        for name in dict.fromkeys(one["group"] for one in sure):
            mine = [one for one in pairs if one["group"] == name]
            least = min(one["q"] for one in mine)
            found.append((least, _weighed(axis, name, [*mine, *map(_rest, mine)])))
    found.sort(key=lambda one: (one[0], one[1]["axis"], one[1]["group"] or ""))
    return [one for _, one in found[:MOST_WEIGHTED]]


def _part(pairs: Sequence[Facts]) -> bool:
    """Say whether the groups of an axis share no rows and leave none out; those that texts mention may always overlap."""
    sizes = {one["group"]: int(one["n"]) for one in pairs}
    rows = int(pairs[0]["n"] + pairs[0]["other_n"])
    return pairs[0]["origin"] != "mention-lexicon" and sum(sizes.values()) == rows


def _rest(one: Facts) -> dict[str, Any]:
    others = round(one["other_rate"] * one["other_n"])
    return {"group": OTHERS, "with": one["with"], "n": one["other_n"], "both": others}


def _weighed(axis: str, group: str | None, cells: Sequence[Facts]) -> dict[str, Any]:
    sizes = {one["group"]: one["n"] for one in cells}
    of_label: dict[str, int] = {}
    for one in cells:
        of_label[one["with"]] = of_label.get(one["with"], 0) + one["both"]
    rows = sum(sizes.values())
    weights = [
        {
            "group": one["group"],
            "label": one["with"],
            "rows": one["both"],
            "weight": one["n"] * of_label[one["with"]] / (rows * one["both"]) if one["both"] else None,
        }
        for one in cells
    ]
    filled = [(one["rows"], one["weight"]) for one in weights if one["weight"] is not None]
    whole = math.fsum(count * weight for count, weight in filled)
    return {
        "axis": axis,
        "group": group,
        "rows": rows,
        "effective": whole**2 / math.fsum(count * weight**2 for count, weight in filled),
        "weights": weights,
    }


def thresholds(sweeps: Sequence[Facts]) -> list[dict[str, Any]]:
    """Return, of each sweep of a knob, the moves that no other beats, and the mildest under which the group no longer fails.

    A sweep is `{"axis", "group", "stage", "by", "rule", "knob", "points"}`: how the finding of a group in `stage` would be, if the
    knob of the stage `by` had other values; its points are `{"value", "more", "ratio", "low", "high", "verdict"}`, the first of them
    the present one, `more` the rows that `by` would keep beside those that it keeps. The front is Pareto's: no other point
    keeps as few rows more and has as high a ratio. `mildest` is the value that keeps fewest, or None.
    """
    return [
        {
            **{key: sweep[key] for key in ("axis", "group", "stage", "by", "rule", "knob")},
            "now": sweep["points"][0],
            "front": front,
            "mildest": next((one["value"] for one in front if one["verdict"] != "FAIL"), None),
        }
        for sweep in sweeps
        if (front := list(_front(sweep["points"])))
    ]


def _front(points: Sequence[Facts]) -> Iterator[Facts]:
    """Yield the points that no other beats, from the mildest on; the present one is no move."""
    highest = points[0]["ratio"]
    for one in sorted(points[1:], key=lambda one: (one["more"], -one["ratio"])):
        if one["ratio"] > highest:
            highest = one["ratio"]
            yield one


def remedies(audit: Facts, sweeps: Sequence[Facts]) -> dict[str, Any]:
    """Return what would help by what an audit found (`audit.json` without its `remedies`) and the `sweeps` of its worst findings."""
    labels = (audit["associations"] or {}).get("labels", [])
    return {
        "rows": rows_to_add(audit["findings"]),
        "weights": reweighing(labels, audit["settings"]["alpha"]),
        "thresholds": thresholds(sweeps),
    }
