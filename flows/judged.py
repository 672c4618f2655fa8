"""The rows that a run's `near_duplicates` was given, looked at again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.decide import DROPPED, NOT_ENTERED
from corpus.runner import Runner
from corpus.standing import Standing, StandingRows
from curation.near_duplicates import NearDuplicates
from flows.job import Job


@dataclass(frozen=True)
class Judged:
    """The rows that stood before the stage (positions in the standing), which of them it judged, and which stayed unmarked."""

    job: Job
    stage: NearDuplicates
    standing: Standing
    positions: np.ndarray
    entered: np.ndarray
    kept: np.ndarray
    rows: StandingRows

    @property
    def ids(self) -> pa.StringArray:
        """Their ids."""
        return self.rows.table["id"].combine_chunks()

    def texts(self, positions: Sequence[int]) -> list[str]:
        """Return what some of them say."""
        order = np.argsort(positions)
        found = self.rows.map(_same, np.asarray(positions)[order]).to_pylist()
        back = np.argsort(order)
        return [found[at] for at in back]


def _same(texts: pa.StringArray, context: object) -> pa.StringArray:
    return texts


def judged(job: Job, number: int, stage: NearDuplicates, work: Runner) -> Judged:
    """Return the rows that the stage was given, those of the version that was built on included."""
    standing = Standing.load(job.segment(number))
    steps = pq.read_table(job.segment(number) / "steps.parquet")
    stood = np.ones(len(steps), bool)
    stood[: standing.earlier] = standing.stands[: standing.earlier]
    for before in job.segments[number].measuring:
        if before.title == stage.title:
            break
        if before.title in steps.column_names:
            stood &= steps[before.title].to_numpy() != DROPPED
    positions = np.flatnonzero(stood)
    way = steps[stage.title].to_numpy()
    ledger = pq.read_table(job.segment(number) / "ledger.parquet", columns=["id", "stage"])
    told = ledger.filter(pc.equal(ledger["stage"], stage.title))["id"]
    went = pc.is_in(standing.narrow["id"], told.combine_chunks()).to_numpy()
    rows = StandingRows(
        standing,
        positions,
        np.arange(len(way)),
        stage.roles,
        work.engine,
        job.context(stage),
        work.store.aside,
        work.memory,
    )
    return Judged(job, stage, standing, positions, (way != NOT_ENTERED)[positions], ~went[positions], rows)
