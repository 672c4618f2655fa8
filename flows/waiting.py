"""A run that a gate stopped waits a while for a person's word, which Prefect's pages ask for."""

from typing import Any

from prefect import pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from prefect.settings import PREFECT_API_URL
from pydantic import Field

from flows import approval, artifacts, assess
from flows.curate import opened
from flows.job import Job

POLL = 5
"""Seconds between two looks at whether somebody answered."""


class Word(RunInput):
    """The form of Prefect's page: an answer without a reason or a name is refused there, and the run stays paused."""

    approve: bool = Field(
        title="Approve", description="Go on, and let the name mean this version, though the gate failed."
    )
    reason: str = Field(pattern=r"\S", title="Reason", description="Why; it stays beside the version.")
    by: str = Field(pattern=r"\S", title="By", description="Who says so.")


def approved(job: Job) -> bool:
    """Ask, as long as the recipe's `wait_minutes` say, whether the run may go on; write down what came of it.

    Nobody is asked where Prefect's server runs in this process: it has no pages, and would end with the run. A version
    that is released on the command line meanwhile is approved too. Must be called from within the flow.
    """
    minutes = job.recipe.wait_minutes
    if not minutes or job.read("version.json") is None or job.options.limit is not None:
        return False
    if PREFECT_API_URL.value() is None:
        return _told(job, "nobody was asked, since no Prefect server is attached: `winnow serve` starts one")
    stopping = assess.stopping(job)
    form = Word.with_initial_data(description=artifacts.question(job, stopping))
    try:
        word: Word = pause_flow_run(wait_for_input=form, timeout=round(60 * minutes), poll_interval=POLL)
    except FlowPauseTimeout:
        return not assess.stopping(job) or _told(job, f"nobody answered within {minutes:g} minutes")
    reason, by = approval.checked(word.reason, word.by)
    if not word.approve:
        return _told(job, f"{by} refused: {reason}")
    approval.approve(opened(job), job.recipe.name, stopping, job.folder.name, reason, by)
    return True


def _told(job: Job, told: str) -> bool:
    """Write down why the run does not go on; return False."""
    held: dict[str, Any] = {"told": told}
    job.write("asked.json", held)
    return False
