"""Puts the gates of a recipe beside what people approved of them, so that each failure is told once."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.findings import TOTAL

Facts = Mapping[str, Any]

_NUMBERS = ("group", "stage", "ratio", "low", "high", "n")
_LONGEST = 100
"""Characters of a reason that stand in the banner; the rest is folded away."""


def beside(gates: Sequence[Facts], approvals: Sequence[Facts]) -> list[dict[str, Any]]:
    """Return the failures of gates by who approved them, nobody first: `{"approval", "gates": [{"axis", "limit", "stops", "failed"}]}`.

    A failure is approved by the last who approved it, of the same gate with the same numbers. `failed` are the worst of each
    group, the whole pipeline before its stages. An approval of failures that these gates have not is told with its own.
    """
    by: dict[tuple[Any, ...], int | None] = {
        _key(gate, one): None for gate in gates for one in gate["failed"]
    }
    for number, approval in enumerate(approvals):
        by |= {_key(gate, one): number for gate in approval["gates"] for one in gate["failed"]}
    told: list[dict[str, Any]] = []
    untouched = _of(gates, by, None)
    if untouched:
        told.append({"approval": None, "gates": untouched})
    for number, approval in enumerate(approvals):
        mine = _of(gates, by, number) or _of(approval["gates"], by, number)
        told.append({"approval": _said(approval), "gates": mine})
    return told


def _of(
    gates: Sequence[Facts], by: Mapping[tuple[Any, ...], int | None], number: int | None
) -> list[dict[str, Any]]:
    """Return the gates of which something failed that is of one approval, or of none."""
    return [told for told in (_told(gate, by, number) for gate in gates) if told["failed"]]


def _told(gate: Facts, by: Mapping[tuple[Any, ...], int | None], number: int | None) -> dict[str, Any]:
    """Return a gate with the worst failure of each group among those that one approval is of."""
    mine = [one for one in gate["failed"] if by[_key(gate, one)] == number]
    ranked = sorted(mine, key=lambda one: (one["stage"] != TOTAL, one["ratio"], one["stage"]))
    firsts: dict[str, Facts] = {}
    for one in ranked:
        firsts.setdefault(one["group"], one)
    return {
        "axis": gate["axis"],
        "limit": gate["min_impact_ratio"],
        "stops": gate.get("on_fail", "stop") == "stop",
        "failed": sorted(firsts.values(), key=lambda one: (one["ratio"], one["group"])),
    }


def _said(approval: Facts) -> dict[str, Any]:
    """Return who approved, when (UTC, to the minute) and why."""
    reason = approval["reason"]
    rest = reason[_LONGEST:] if len(reason) > _LONGEST else ""
    return {
        "by": approval["by"],
        "at": f"{approval['at'][:16].replace('T', ' ')} UTC",
        "reason": reason[: _LONGEST if rest else None],
        "rest": rest,
    }


def _key(gate: Facts, failed: Facts) -> tuple[Any, ...]:
    return gate["axis"], gate["min_impact_ratio"], *(failed[name] for name in _NUMBERS)
