"""The flow: a column of task calls."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import flow

from corpus.store import Store
from flows import finish, stop, tasks, waiting
from flows.job import Job, Options
from flows.memory import watched
from flows.recipe import Recipe


@flow(name="winnow", flow_run_name="{recipe.name}", validate_parameters=False, log_prints=False)
def pipeline(recipe: Recipe, options: Options) -> dict[str, Any]:
    """Take raw rows to an audited version and, where the recipe says so, to a tuned and judged model."""
    with Store(Path(options.store).resolve()).shared():
        job = Job.begin(recipe, options)
        with watched(job):
            end = _work(job, str(job.folder))
        return end(job)


def _work(job: Job, run: str) -> Callable[[Job], dict[str, Any]]:
    """Do the tasks; return what ends the run."""
    tasks.prepare(run)
    tasks.ingest(run)
    if job.unchanged:
        if tasks.stay(run):
            return finish.unchanged
    else:
        for number, segment in enumerate(job.segments):
            tasks.segment(run, number, ", ".join(stage.title for stage in segment.stages) or "what is left")
        tasks.account(run)
        if not tasks.audit_data(run):
            return stop.stop
        if job.recipe.shards.publish:
            tasks.publish(run)
    if tasks.gates(run) and not waiting.approved(job):
        return stop.stop
    if job.recipe.tuning is not None:
        tasks.tune(run)
    if job.recipe.evaluation is not None:
        tasks.evaluate(run)
        tasks.audit_model(run)
    return lambda job: tasks.report(str(job.folder))


def run(recipe: Recipe, options: Options) -> dict[str, Any]:
    """Run the flow; return the summary that `winnow run --json` prints."""
    return pipeline(recipe, options)
