"""What a run warns of: what would otherwise be silent."""

from collections.abc import Mapping
from typing import Any

from flows.curate import RUN, opened
from flows.job import Job, stage_rows, totals
from flows.scorecard import recalled


def warnings(job: Job) -> list[str]:
    """Say what would otherwise be silent: a rule that never fired, a growth that made nothing, a target that was not met."""
    found = []
    because = job.read("began.json")["because"]
    if because is not None:
        found.append(f"this run builds on no version: {because}")
    judges = {stage.title for segment in job.segments for stage in segment.measuring} - {"split"}
    for stage in stage_rows(job):
        if "grown" in stage:
            if not stage["grown"]:
                why = f": of {stage['unasked']:,} rows no child is wanted" if stage.get("unasked") else ""
                found.append(f"{stage['stage']} made no candidate{why}")
        elif stage["stage"] in judges and not any(
            stage.get(what) for what in ("dropped", "marked", "changed")
        ):
            found.append(f"{stage['stage']} changed and dropped nothing")
        found += [
            f"{stage['stage']} was asked for {one['wanted']:,} training rows {_of(one)}, and there are {one['held']:,}"
            for one in stage.get("unmet", ())
        ]
        if "recall" in stage:
            found.append(
                f"{stage['stage']} compared near rows alone, since its vectors are more than the recipe's memory: "
                f"recall {recalled(stage['recall'])}"
            )
    if (
        job.unchanged
        and opened(job).attested(RUN)["recipe"]["audit"] != job.recipe.model_dump(mode="json")["audit"]
    ):
        found.append(
            "the audit of the steps is that of the run that took them, by what `audit:` said then; --fresh audits them anew"
        )
    rejected = totals(job)["rejected"]
    if rejected:
        found.append(f"{rejected} records were rejected; the ledger says which and why")
    if not job.unchanged and not job.standing.stands.any():
        found.append("no row is left")
    return found


def _of(target: Mapping[str, Any]) -> str:
    """Say which rows a target counts."""
    said = "labelled" if target["axis"] == "label" else f"of {target['axis']}"
    return f"{said} {target['value']!r}"
