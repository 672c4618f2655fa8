"""The end of a run that is stopped: what a person reads and needs to let its candidate pass."""

from typing import Any

from flows import approval, assess, finish, gates
from flows.curate import opened
from flows.job import Job


def stop(job: Job) -> dict[str, Any]:
    """End a run that is stopped: audit and report are there, of the candidate too, and the recipe's name does not move."""
    record = review(job)
    summary = {**finish.summary_of(job, record), "stopped": _why_stopped(job)}
    summary["report"] = str(job.folder / "report.html")
    job.write("summary.json", summary)
    return summary


def review(job: Job) -> dict[str, Any]:
    """Write what a person reads before a version is approved, and what stopped it; return what `audit.json` holds.

    A version that stays keeps its own report, which tells of its models too.
    """
    record, stopping = assess.conclude(job), assess.stopping(job)
    rendered = finish.page(job, record)
    job.store.write_file(job.folder / "report.html", rendered)
    if job.read("version.json") is not None:
        told = {
            "run": job.folder.name,
            "name": job.recipe.name,
            "after": job.read("began.json")["ref"],
            "gates": stopping,
        }
        job.write("stopped.json", told)
        if not job.unchanged:
            finish.attest(job, rendered)
        approval.attest_stop(opened(job), told)
    return record


def _why_stopped(job: Job) -> str:
    """Say what stopped the run, and how a person lets it pass."""
    if assess.empty(job):
        return "no row is left; the ledger says which stage dropped each, and nothing was published"
    said = "; ".join(map(gates.sentence, assess.stopping(job)))
    asked = job.read("asked.json")
    said += f"; {asked['told']}" if asked else ""
    version = job.read("version.json")
    if version is None:
        return f"{said}; the recipe publishes nothing, so there is nothing to approve"
    said += f"; the run ended at version {version['version'][:12]}"
    if job.options.limit is not None:
        return f"{said}, which is of a limited run and gets no name"
    return f"{said}; to approve it: winnow release {job.folder.name} --store {job.store.root} --reason TEXT"
