"""Prepares what the report says of growth: the surest first, as many as a page holds. The page itself is `report.html`."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.growth.pronouns import KINDS
from audit.page.histogram import histogram
from corpus.statistics import wilson

MOST = 40
"""Lines of a table; `audit.json` has all."""

Facts = Mapping[str, Any]


def growers(told: Sequence[Facts] | None) -> list[dict[str, Any]]:
    """Return each growth with its tables cut to what a page holds, and how many lines of each were left out."""
    return [
        {
            "stage": one["stage"],
            "parents": one["parents"],
            "candidates": one["candidates"],
            "grown": one["grown"],
            "yields": _surest(one["yields"]),
            "pronouns": one["pronouns"],
            "kinds": KINDS,
            "labels": one["labels"],
            "shown_labels": (one["labels"] or {"labels": []})["labels"][:MOST],
            "associations": _surest(one["associations"]),
        }
        for one in told or ()
    ]


def ledgers(stages: Sequence[Facts]) -> list[dict[str, Any]]:
    """Return what came of each growth's candidates at its gate, engine by engine, with how many a second were made and judged.

    A gate judges what the last growth before it made; what a stage between the two dropped never came to it.
    """
    found = []
    grower: Facts | None = None
    for stage in stages:
        grower = stage if "grown" in stage else grower
        if "yields" in stage and grower is not None:
            lines = [
                {
                    **line,
                    "share": _share(line),
                    "figures": [
                        histogram(line["chrf"], "chrF against the parent"),
                        histogram(line["cosine"], "cosine with the parent"),
                    ],
                }
                for line in stage["yields"]
            ]
            judged = sum(line["made"] for line in lines)
            found.append(
                {
                    "grower": grower["stage"],
                    "gate": stage["stage"],
                    "lines": lines,
                    "probe": stage.get("label_probe"),
                    "ungrown": grower.get("ungrown", 0),
                    "unmet": stage.get("unmet", ()),
                    "unasked": grower.get("unasked", 0),
                    "made_a_second": _rate(grower["grown"], grower["seconds"]),
                    "judged_a_second": _rate(judged, stage["seconds"]),
                }
            )
    return found


def _share(line: Facts) -> dict[str, Any]:
    """Return the share that was admitted; its interval is as wide as candidates of one parent make it."""
    made, worth = line["made"], line["independent"]
    share = line["admitted"] / made
    low, high = wilson(share * worth, worth)
    return {"value": share, "low": low, "high": high}


def _rate(rows: int, seconds: float) -> float | None:
    return rows / seconds if seconds else None


def _surest(lines: Sequence[Facts]) -> tuple[list[Facts], int]:
    ranked = sorted(lines, key=lambda one: (one["q"] is None, one["q"] or 0.0, one["axis"], one["group"]))
    return ranked[:MOST], max(0, len(ranked) - MOST)
