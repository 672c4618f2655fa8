"""Prepares what the report says of growth: the surest first, as many as a page holds. The page itself is `report.html`."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.growth.pronouns import KINDS

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


def _surest(lines: Sequence[Facts]) -> tuple[list[Facts], int]:
    ranked = sorted(lines, key=lambda one: (one["q"] is None, one["q"] or 0.0, one["axis"], one["group"]))
    return ranked[:MOST], max(0, len(ranked) - MOST)
