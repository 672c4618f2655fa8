"""A recipe whose gate fails: a blocklist takes all odd rows, and no even one."""

from pathlib import Path
from typing import Any

from flows import assess, curate, finish, stop
from tests.flows import jobs

STAGES = [{"stage": "blocklist", "words": ["forbidden"]}]


def records(start: int, end: int) -> list[dict[str, Any]]:
    """Make records of two kinds, of which one says a word of the blocklist."""
    return [
        {
            "text": f"{'forbidden ' if number % 2 else ''}row {number} of a kind",
            "label": "a",
            "kind": "odd" if number % 2 else "even",
        }
        for number in range(start, end)
    ]


def corpus(folder: Path, count: int = 200) -> Path:
    """Write them."""
    return jobs.write(folder / "corpus", records(0, count))


def recipe(folder: Path, **more: Any) -> Any:
    """Return a recipe over them, with a gate that stops."""
    held = {
        "stages": STAGES,
        "sources": [{"name": "small", "uri": str(folder), "groups": ["kind"]}],
        "audit": {"axes": ["kind"]},
        "gates": [{"axis": "kind", "min_impact_ratio": 0.8, "on_fail": "stop"}],
    }
    return jobs.recipe(folder, **(held | more))


def run(held: Any, store: Path, **options: Any) -> dict[str, Any]:
    """Do what the flow does, without Prefect and models; return the summary."""
    done = jobs.job(held, store, **options)
    if done.unchanged:
        curate.stay(done)
        if finish.stay(done):
            return finish.unchanged(done)
    else:
        assess.audit_data(done)
        if held.shards.publish:
            curate.publish(done)
            finish.candidate(done)
    return stop.stop(done) if assess.stopping(done) else finish.finish(done)
