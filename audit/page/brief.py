"""Says in a sentence each what came of growth and how good the model is, for the head of the page."""

from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, Any]


def brief(growth: Facts | None, scores: Facts | None) -> list[str]:
    """Return a sentence on each that there is: `growth` and `scores` are those of `audit.page.report.ReportFacts`."""
    return [said for said in (_of_growth(growth), _of_model(scores)) if said is not None]


def _of_growth(growth: Facts | None) -> str | None:
    if growth is None or not growth["candidates"]:
        return None
    share = growth["admitted"] / growth["candidates"]
    return (
        f"Growth: {growth['admitted']:,} of {growth['candidates']:,} candidates were admitted ({share:.1%})."
    )


def _of_model(scores: Facts | None) -> str | None:
    known = {name: metrics["accuracy"] for name, metrics in (scores or {}).items() if "accuracy" in metrics}
    if "tuned" not in known:
        return None
    tuned = known.pop("tuned")
    others = ", ".join(f"{name} {score['value']:.1%}" for name, score in known.items())
    beside = f" ({others})" if others else ""
    ends = "" if tuned["low"] is None else f" ({tuned['low']:.1%} to {tuned['high']:.1%})"
    return f"Model: tuned is right on {tuned['value']:.1%}{ends} of {tuned['n']:,} test rows{beside}."
