"""Tells which stages could drop only some of the rows that reached them, for a share that is a product over such stages."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.findings import TOTAL, Finding


def narrowed(found: Sequence[Finding], stages: Sequence[str]) -> list[dict[str, Any]]:
    """Return those of `stages` that could drop fewer rows than stood before them: `{"stage", "stood", "entered", "kept"}`.

    `found` are findings of the rule `impact_ratio`. Any group tells of all rows, as it is compared with all others; clusters
    and crossings are of other rows, and candidates are none of those that came.
    """
    of_rows = [
        one
        for one in found
        if one["origin"] != "embedding-clusters" and "sides" not in one and "families" not in one
    ]
    whole = next((one for one in of_rows if one["stage"] == TOTAL), None)
    if whole is None:
        return []
    mine = {
        one["stage"]: one for one in of_rows if (one["axis"], one["group"]) == (whole["axis"], whole["group"])
    }
    stood, told = whole["n"] + whole["other_n"], []
    for stage in stages:
        one: Mapping[str, Any] | None = mine.get(stage)
        if one is None:
            continue
        entered, kept = one["n"] + one["other_n"], one["kept"] + one["other_kept"]
        if entered < stood and kept < entered:
            told.append({"stage": stage, "stood": stood, "entered": entered, "kept": kept})
        stood -= entered - kept
    return told
