"""The gates of a recipe, over what the audit of the data measured: how each was met, and which stop a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit import findings, gates
from audit.groups import AuditSettings
from audit.page.spelt import named
from flows import approval
from flows.recipe import Recipe

NUMBERS = ("group", "stage", "ratio", "low", "high", "n")


def outcomes(recipe: Recipe, data: Mapping[str, Any], settings: AuditSettings) -> list[dict[str, Any]]:
    """Judge each gate among the tests of the data alone: no model that is audited later changes what stopped a run.

    `data` is what the audit of the data measured; that of an earlier build may have no crossings.
    """
    found = findings.settle(data["measured"], settings)
    crossings = data.get("crossings", ()), data.get("crossings_of_few", ())
    return [
        gate.model_dump() | gates.outcome(gate.axis, gate.min_impact_ratio, found, settings, *crossings)
        for gate in recipe.gates
    ]


def stopping(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return those that stop a run, the worst group first: `{"axis", "min_impact_ratio", "failed": [{"group", "stage", ...}]}`.

    This is what a person approves, or not: the bound, and each group with stage, ratio, interval and rows.
    """
    return [
        {
            "axis": gate["axis"],
            "min_impact_ratio": gate["min_impact_ratio"],
            "failed": sorted(
                ({name: one[name] for name in NUMBERS} for one in gate["failed"]),
                key=lambda one: (one["ratio"], one["stage"], one["group"]),
            ),
        }
        for gate in told
        if gate["on_fail"] == "stop" and not gate["ok"]
    ]


def unmet(
    recipe: Recipe, data: Mapping[str, Any] | None, approved: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the gates that stop a run and that nobody approved; `data` is what the audit of the data measured."""
    if data is None:
        return []
    told = outcomes(recipe, data, AuditSettings.model_validate(data["settings"]))
    return approval.waiting(stopping(told), approved)


def sentence(gate: Mapping[str, Any]) -> str:
    """Say by whom a gate was not met, and by how much."""
    worst, more = gate["failed"][0], len(gate["failed"]) - 1
    return (
        f"gate {gate['axis']}: {named(worst['group'])} is kept {worst['ratio']:.2f} times as often as the others "
        f"({worst['low']:.2f} to {worst['high']:.2f}, n {worst['n']:,}) by {worst['stage']}, under {gate['min_impact_ratio']:g}"
        + (f", and {more:,} more" if more else "")
    )
