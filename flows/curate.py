"""The steps from sources to a published version: plain functions over a run's folder, which tasks and `apply` call."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import runner
from corpus.earlier import Earlier
from corpus.release import release
from corpus.runner import Progress, silent
from corpus.schema import LEDGER, ROW, UserError
from corpus.snapshot import COMPARED, PART_ROWS, REPEATED
from corpus.standing import Span, Standing
from corpus.versions.card import Card
from corpus.versions.version import Version
from flows import alarms, certificate, increment
from flows.job import Job

RUN = "attestations/run.json"
"""How a version was made, beside it."""
FALLEN = pa.schema(
    [*ROW, *(LEDGER.field(name) for name in ("stage", "reason", "score", "threshold", "other", "detail"))]
)
"""A dropped row, whole, and why."""


def ingest(job: Job, progress: Progress = silent) -> dict[str, Any]:
    """Read the sources; rejects are kept with file, line and reason."""
    base, forgotten = job.base, job.store.library.forgotten

    def before(ids: list[str]) -> pa.Table:
        increment.prove(base)
        return increment.before(base, ids)

    with job.runner(progress) as work:
        held, came = work.ingest(
            job.recipe.sources, job.files, job.options.limit, increment.known(base), before
        )
    if (came.rows or forgotten) and not came.replaced:  # else it was proven before
        increment.prove(base)
    gone = increment.without(base, came.replaced, forgotten)
    pq.write_table(came.rejects, job.folder / "rejects.parquet", compression="zstd")
    pq.write_table(gone, job.folder / "replaced.parquet", compression="zstd")
    with pq.ParquetWriter(
        job.folder / "records.parquet",
        came.records.schema,
        compression="lz4",
        use_dictionary=["source", "file"],
    ) as writer:  # digests: nothing comes twice, nothing is made smaller
        for batch in came.records:
            writer.write_batch(batch)
    summary = {
        "snapshot": held.folder.name,
        "rows": came.rows,
        "rejected": came.rejects.num_rows,
        "digests": came.digests,
        "files": came.files,
        "without": gone["id"].to_pylist(),
    }
    job.write("ingest.json", summary)
    return summary


def curate(job: Job, number: int, progress: Progress = silent) -> list[dict[str, Any]]:
    """Run one segment, on what the one before it left standing; return its lines of the stage table."""
    segment = job.segments[number]
    first: list[dict[str, Any]] = []
    grown: list[str] = []
    with job.runner(progress) as work:
        if number == 0:
            before = job.store.open_snapshot(job.read("ingest.json")["snapshot"])
            if segment.grow is not None:
                untouched = work.run(type(segment)(None, (), ()), before).standing
                before, grown, summary = work.grow(segment.grow, untouched, segment.gate)
                first = [summary]
        elif segment.grow is not None:
            stood = Standing.load(job.segment(number - 1))
            before, grown, summary = work.grow(segment.grow, stood, segment.gate)
            first = [summary]
        else:
            before = work.settle(Standing.load(job.segment(number - 1)))
        decided = work.run(segment, before, grown)
    release()
    runner.save(decided, job.segment(number))
    pq.write_table(alarms.counted(segment, decided, number == 0), job.segment(number) / alarms.FILE)
    stages = [*first, *decided.stages]
    job.write(f"segments/{number}/stages.json", stages)
    fresh = sum(part.rows for part in decided.standing.parts if part.seconds)
    job.write(
        f"segments/{number}/input.json",
        {"snapshot": before.folder.name, "grown": len(grown), "measured": fresh},
    )
    return stages


@dataclass(frozen=True)
class Writing:
    """The task of writing rows to a file, `told` beside each."""

    span: Span
    told: pa.Table | None
    file: Path


def write_span(task: Writing) -> None:
    """Write the rows of a span."""
    rows = task.span.table()
    told = task.told or pa.table({})
    for name in told.column_names:
        rows = rows.append_column(name, told[name])
    pq.write_table(
        rows.combine_chunks() if rows.nbytes < 2**30 else rows,  # an Arrow array holds 2 GiB
        task.file,
        compression="zstd",
        compression_level=1,
        use_dictionary=REPEATED,
        write_statistics=[*COMPARED],
    )


def write_kept(job: Job, folder: Path) -> None:
    """Write what stands at the end as `part-*.parquet`; one file at least."""
    standing = job.standing
    _write_parts(job, folder, ((span, None) for span in standing.spans(standing.fresh, PART_ROWS)), ROW)


def account(job: Job) -> None:
    """Write the run's ledger and scores, and its dropped rows: each whole as it was when it fell, with its stage and reason."""
    pq.write_table(job.ledger(), job.folder / "ledger.parquet", compression="zstd")
    pq.write_table(job.scores(), job.folder / "scores.parquet", compression="zstd")
    _write_parts(job, job.folder / "dropped", _fallen(job), FALLEN)


def _fallen(job: Job) -> Iterator[tuple[Span, pa.Table]]:
    for number in range(len(job.segments)):
        standing = Standing.load(job.segment(number))
        ledger = pq.read_table(job.segment(number) / "ledger.parquet")
        fell = ledger.filter(pc.equal(ledger["action"], "drop")).sort_by("id")  # a line for each that fell
        told = fell.select(FALLEN.names[len(ROW) :]).combine_chunks()
        for at, span in enumerate(standing.spans(standing.fell, PART_ROWS)):
            mine = np.arange(at * PART_ROWS, at * PART_ROWS + len(span.positions))
            yield span, told.take(pa.array(mine))  # a slice would send the whole ledger


def _write_parts(
    job: Job, folder: Path, spans: Iterator[tuple[Span, pa.Table | None]], schema: pa.Schema
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [
        Writing(span, told, folder / f"part-{number:05d}.parquet")
        for number, (span, told) in enumerate(spans)
    ]
    with job.runner() as work:
        for _ in work.engine.map(write_span, tasks, sum(len(task.span.positions) for task in tasks)):
            pass
    if not tasks:
        pq.write_table(schema.empty_table(), folder / "part-00000.parquet")


def publish(job: Job) -> str:
    """Write what stands as a version; return its id. No name refers to it yet."""
    came = job.read("ingest.json")
    version = job.store.library.publish(
        _with_splits(job.standing),
        identity(job),
        Card(job.recipe.name, {source.name: source.licence or "" for source in job.recipe.sources}),
        base=job.base,
        without=came["without"],
        records=pq.read_table(job.folder / "records.parquet"),
    )
    if told := certificate.certificate(job):
        version.attest(certificate.FILE, json.dumps(told, indent=1).encode())
    if job.options.limit is None:
        _carry(job, version)
    return _published(job, version)


def _carry(job: Job, version: Version) -> None:
    """Keep what was measured for the run that will build on the version."""
    parts = Earlier.of(version, []).parts
    with job.runner() as work:
        for number, segment in enumerate(job.segments):
            work.carry(segment, Standing.load(job.segment(number)), job.standing, parts)


def stay(job: Job) -> str:
    """Take the version that the run builds on for its own, since nothing new came; return its id."""
    version = job.base
    assert version is not None
    return _published(job, version)


def _published(job: Job, version: Version) -> str:
    files = job.read("ingest.json")["files"]
    if not version.says(increment.SOURCES, files):
        version.attest(increment.SOURCES, json.dumps(files, indent=1).encode())
    job.write("version.json", {"version": version.id, "folder": version.shelf.url(version.where)})
    return version.id


def _with_splits(standing: Standing) -> Iterator[pa.Table]:
    """Yield what stands, part by part; a row without a split is a training row."""
    for rows in standing.tables():
        split = pc.fill_null(rows["split"], "train")
        yield rows.set_column(rows.schema.get_field_index("split"), "split", split).cast(ROW)


def identity(job: Job) -> dict[str, Any]:
    """Return what a version's id depends on beside its rows."""
    came = job.read("ingest.json")
    held = increment.asked(job.recipe, job.models)
    return {
        **held,
        "limit": job.options.limit,
        "sources": [{**source, "digest": came["digests"][source["name"]]} for source in held["sources"]],
        "builds_on": job.read("began.json")["builds_on"],
    }


def opened(job: Job) -> Version:
    """Open the version that the run published."""
    held = job.read("version.json")
    if held is None:
        raise UserError(f"the run {job.folder.name} published no version")
    return job.store.library.open(held["version"])
