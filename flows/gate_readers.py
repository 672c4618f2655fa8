"""What those who read a sheet found, each for itself, and how far two of them agree.

{"sheet": "one.csv", "admitted": {"same_meaning": {"value": 0.91, "low": 0.86, "high": 0.95, "n": 150}, ...}, "refused": {...},
 "planted": {"lines": 30, "fluent": null}, "planted_caught": {"all": {...}, "renumbered": {...}, ...}}
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus.statistics import kappa, wilson
from flows.gate_plants import PLANTS
from flows.gate_sheet import ASKED, QUESTIONS


def reader(sheet: Path, key: dict[str, Any], answers: Sequence[tuple[bool | None, ...]]) -> dict[str, Any]:
    """Say what a reader found of each kind: how many kept meaning and label, were fluent, how many of the planted were seen."""
    found: dict[str, Any] = {"sheet": sheet.name}
    for kind in ("admitted", "refused"):
        mine = [answers[line["line"]] for line in key["lines"] if line["kind"] == kind]
        found[kind] = {
            question: _share([one[place] for one in mine if one[place] is not None])
            for place, question in enumerate(ASKED)
        }
    planted = [(line["kind"], answers[line["line"]]) for line in key["lines"] if line["kind"] in PLANTS]
    seen = {
        kind: [not all(judged(one)) for mine, one in planted if mine == kind and None not in judged(one)]
        for kind in PLANTS
    }
    found["planted"] = {
        "lines": len(planted),
        "fluent": _share([one[-1] for _, one in planted if one[-1] is not None]),
    }
    found["planted_caught"] = {
        "all": _share([one for of_kind in seen.values() for one in of_kind]),
        **{kind: _share(of_kind) for kind, of_kind in seen.items()},
    }
    return found


def agreement(read: Sequence[Sequence[tuple[bool | None, ...]]]) -> dict[str, Any]:
    """Return how far two readers agree on each question (Cohen's kappa); None where nothing could differ."""
    found = {}
    for place, question in enumerate(ASKED):
        both = [
            (bool(one[place]), bool(other[place]))
            for one, other in zip(*read, strict=True)
            if one[place] is not None and other[place] is not None
        ]
        told = kappa([one for one, _ in both], [other for _, other in both])
        found[question] = told and {"kappa": told[0], "low": told[1], "high": told[2], "n": len(both)}
    return found


def judged(answers: tuple[bool | None, ...]) -> tuple[bool | None, ...]:
    """Return the answers that say whether a candidate is right; that it is fluent is no part of it."""
    return answers[: len(QUESTIONS)]


def _share(said: Sequence[bool | None]) -> dict[str, Any] | None:
    if not said:
        return None
    low, high = wilson(sum(map(bool, said)), len(said))
    return {"value": sum(map(bool, said)) / len(said), "low": low, "high": high, "n": len(said)}
