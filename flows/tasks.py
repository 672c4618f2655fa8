"""Prefect tasks: each takes the run's folder and does one step over it. Their cache is the store, not Prefect's."""

from pathlib import Path
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows import artifacts, assess, curate, finish, learn, stop
from flows import prepare as preparing
from flows.job import Job
from flows.progress import current


@task(name="prepare", cache_policy=NO_CACHE)
def prepare(run: str) -> dict[str, str]:
    """Find what is wrong before anything heavy runs, and fetch what the recipe names."""
    return preparing.prepare(Job.open(Path(run)))


@task(name="ingest", cache_policy=NO_CACHE)
def ingest(run: str) -> dict[str, Any]:
    """Read the sources."""
    return curate.ingest(Job.open(Path(run)), current.get())


@task(name="curate", task_run_name="curate: {stages}", cache_policy=NO_CACHE)
def segment(run: str, number: int, stages: str) -> list[dict[str, Any]]:
    """Run the stages of one pass."""
    return curate.curate(Job.open(Path(run)), number, current.get())


@task(name="account", cache_policy=NO_CACHE)
def account(run: str) -> None:
    """Write the ledger and the dropped rows."""
    job = Job.open(Path(run))
    curate.account(job)
    artifacts.stages(job)


@task(name="audit the data", cache_policy=NO_CACHE)
def audit_data(run: str) -> bool:
    """Audit each stage; say whether a row is left to be published."""
    job = Job.open(Path(run))
    assess.audit_data(job, current.get())
    return not assess.empty(job)


@task(name="publish", cache_policy=NO_CACHE)
def publish(run: str) -> str:
    """Write the version, and let the candidate ref mean it."""
    job = Job.open(Path(run))
    version = curate.publish(job)
    finish.candidate(job)
    return version


@task(name="stay", cache_policy=NO_CACHE)
def stay(run: str) -> bool:
    """Take the version that the run builds on for its own; say whether nothing more is to be done."""
    job = Job.open(Path(run))
    curate.stay(job)
    artifacts.unchanged(job)
    return finish.stay(job)


@task(name="gates", cache_policy=NO_CACHE)
def gates(run: str) -> list[dict[str, Any]]:
    """Return the gates that stop the run; of these, write down what a person needs to approve them."""
    job = Job.open(Path(run))
    stopping = assess.stopping(job)
    if stopping:
        stop.review(job)
        artifacts.stopped(job, stopping)
    return stopping


@task(name="tune", cache_policy=NO_CACHE)
def tune(run: str) -> dict[str, Any]:
    """Fine-tune on the published shards."""
    return learn.tune(Job.open(Path(run)), current.get())


@task(name="evaluate", cache_policy=NO_CACHE)
def evaluate(run: str) -> dict[str, Any]:
    """Judge base, tuned and baselines on the same held-out rows."""
    return learn.evaluate(Job.open(Path(run)), current.get())


@task(name="audit the model", cache_policy=NO_CACHE)
def audit_model(run: str) -> None:
    """Audit by group how often the models were right, and what they would say had a row spoken of another group."""
    job = Job.open(Path(run))
    assess.audit_model(job, learn.say(job, current.get()))


@task(name="report", cache_policy=NO_CACHE)
def report(run: str) -> dict[str, Any]:
    """Write report and summary, move the ref, and show the scorecard in the UI."""
    job = Job.open(Path(run))
    summary = finish.finish(job)
    artifacts.summary(job, summary)
    return summary
