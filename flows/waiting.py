"""A run that a gate stopped waits a while for a person's word, which Prefect's pages ask for."""

from typing import Any

from prefect import pause_flow_run
from prefect.exceptions import FlowPauseTimeout
from prefect.input import RunInput
from prefect.logging import get_run_logger
from prefect.settings import PREFECT_API_URL
from pydantic import Field

from flows import approval, artifacts, assess
from flows.curate import opened
from flows.job import Job

POLL = 5
"""Seconds between two looks at whether somebody answered."""

_WHERE = (
    "A gate of %s failed, and the run waits %g minutes for a person: the menu of this page (three dots, above on the right) has Resume, "
    "which asks whether to go on. Unanswered, the run ends at the candidate."
)


class Word(RunInput):
    """The form of Prefect's page: an answer without a reason or a name is refused there, and the run stays paused."""

    approve: bool = Field(
        title="Approve",
        description="On: the run goes on, and the name means this version. Off: refused, the run ends at the candidate.",
    )
    reason: str = Field(
        pattern=r"\S",
        title="Reason",
        description="Needed either way; that of an approval stays beside the version.",
    )
    by: str = Field(
        pattern=r"\S", title="Your name", description="Needed either way; it stands by the reason."
    )


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
    get_run_logger().warning(_WHERE, job.recipe.name, minutes)
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
