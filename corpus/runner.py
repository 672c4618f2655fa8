"""One segment after another, from sources to what stands at the end. What is done is in the store, not here."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import snapshot
from corpus.amend import with_columns
from corpus.carry import carry
from corpus.decide import Decided, decide
from corpus.earlier import NOTHING, Earlier
from corpus.engine import Engine
from corpus.ingest import Ingested, ingest
from corpus.known import Known
from corpus.memo import Replay
from corpus.models import Models
from corpus.release import release
from corpus.schema import ROW, of_splits
from corpus.segment import Measured, Pass, Segment, memo_key, remembered, run_pass
from corpus.snapshot import Part, Snapshot
from corpus.sources import File, Source
from corpus.stage import Context, CorpusJudge, Grow, Stage
from corpus.standing import Standing
from corpus.store import Store

MEMORY = 512 * 2**20
Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is (0: not known)."""


def silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True)
class Runner:
    """What all segments of a run share."""

    store: Store
    engine: Engine
    models: Models
    seed: int
    part_rows: int = snapshot.PART_ROWS
    progress: Progress = silent
    earlier: Earlier = NOTHING
    memory: int = MEMORY
    """Bytes of rows and of what is measured that are held at a time."""

    def context(self, stage: Stage) -> Context:
        """Return the one door through which `stage` sees the world."""
        return Context(self.seed, stage.title, self.models, Replay(self.store.replay))

    def ingest(
        self,
        sources: Sequence[Source],
        files: Callable[[Source], list[File]],
        limit: int | None,
        known: Mapping[str, Known] | None = None,
        before: Callable[[list[str]], pa.Table] | None = None,
    ) -> tuple[Snapshot, Ingested]:
        """Read the sources into a snapshot; of those that are known what is new, with what `before` tells of it."""
        read = 0

        def told(rows: int) -> None:
            nonlocal read
            read += rows
            self.engine.expect(read)
            self.progress("reading", read, 0)

        with self.store.aside() as folder:
            held = ingest(
                sources,
                files,
                folder / "made",
                folder,
                seed=self.seed,
                limit=limit,
                known=known,
                forgotten=self.store.library.forgotten,
                before=before,
                part_rows=self.part_rows,
                memory=self.memory,
                engine=self.engine,
                progress=told,
            )
            release()
            return self.store.keep(Snapshot.open(folder / "made")), held

    def run(self, segment: Segment, before: Snapshot, grown: Sequence[str] = ()) -> Decided:
        """Pass over a snapshot, measuring only what was never measured, and decide.

        The rows of the version that is built on are as its stages left them: only what corpus judges ask of
        all rows is measured of them.
        """
        contexts = {stage.title: self.context(stage) for stage in segment.measuring}
        of_all = Segment(None, (), segment.corpus_judges)
        passes = [(part, of_all) for part in self.earlier.parts] + [(part, segment) for part in before.parts]
        keys = [memo_key(part, asked, contexts, self.seed) for part, asked in passes]
        found = [remembered(self.store, part, key) for (part, _), key in zip(passes, keys, strict=True)]
        tasks = [
            Pass(self.store, part, asked, contexts, key)
            for (part, asked), key, known in zip(passes, keys, found, strict=True)
            if known is None
        ]
        fresh: Iterator[Measured] = iter(
            self.engine.map(run_pass, tasks, sum(task.part.rows for task in tasks))
        )
        parts = []
        for number, known in enumerate(found, 1):
            parts.append(next(fresh) if known is None else known)
            self.progress("measuring", number, len(found))
        for _ in fresh:
            raise AssertionError("more parts came back than were sent")
        count = self.earlier.rows + before.rows
        stands = np.r_[self.earlier.stands, np.ones(before.rows, bool)]
        candidates = np.zeros(count, bool)
        if len(grown):
            ids = before.narrow(["id"])["id"]
            candidates[self.earlier.rows :] = pc.is_in(ids, pa.array(grown)).to_numpy(zero_copy_only=False)
        standing = Standing(tuple(parts), stands, {}, candidates, self.earlier.rows)
        self.progress("judging", 0, 0)
        release()
        return decide(segment, standing, contexts, self.engine, self.store.aside, self.memory)

    def carry(self, segment: Segment, standing: Standing, last: Standing, published: Sequence[Part]) -> None:
        """Keep what a segment measured for the run that will build on what was published."""
        contexts = {stage.title: self.context(stage) for stage in segment.corpus_judges}
        carry(self.store, segment, contexts, self.seed, standing, last, published)

    def settle(self, standing: Standing) -> Snapshot:
        """Write what stands as the next segment's input; the rows of the version that is built on are there already."""
        return self.store.snapshot(standing.tables(), self.part_rows)

    def grow(
        self, stage: Grow, standing: Standing, gate: CorpusJudge | None = None
    ) -> tuple[Snapshot, list[str], dict[str, Any]]:
        """Let `stage` grow from the rows that stand; return all of them together, the new ids, and a summary.

        Of which rows the `gate` behind it could keep no child, none is asked; the summary counts them (`unasked`).
        `ungrown` counts those that were asked and have no candidate (too short, too long, not to be said anew).
        """
        began = time.perf_counter()
        could = standing.fresh & of_splits(standing.narrow["split"], stage.splits)
        parents = could & _wanted(standing, gate)
        unasked = int(could.sum() - parents.sum())
        tasks = [
            Growing(stage, self.context(stage), rows) for rows in standing.tables(parents) if rows.num_rows
        ]
        forgotten = self.store.library.forgotten
        made = []
        for number, candidates in enumerate(
            self.engine.map(run_growth, tasks, int(parents.sum()), heavy=True), 1
        ):
            self.progress(stage.title, number, len(tasks))
            made.append(candidates.filter(pc.invert(forgotten.mask(candidates))))
        grown = pa.concat_tables([ROW.empty_table(), *made]).sort_by("id")
        after = self.store.snapshot(_merged(standing.tables(), grown), self.part_rows)
        stood = int(standing.fresh.sum())
        summary = {
            "stage": stage.title,
            "in": stood,
            "out": stood + grown.num_rows,
            "grown": grown.num_rows,
            "ungrown": int(parents.sum()) - len(pc.unique(grown["parent"])),
            **({"unasked": unasked} if unasked else {}),
            "dropped": {},
            "seconds": round(time.perf_counter() - began, 3),
        }
        return after, grown["id"].to_pylist(), summary


@dataclass(frozen=True)
class Growing:
    """The task of growing from the rows of one part."""

    stage: Grow
    context: Context
    rows: pa.Table


def run_growth(task: Growing) -> pa.Table:
    """Grow, and give each candidate what it has from its parent: label, groups, family, split."""
    candidates = task.stage.grow(task.rows, task.context)
    where = pc.index_in(candidates["parent"].combine_chunks(), task.rows["id"].combine_chunks())
    if where.null_count:
        raise ValueError(f"{task.stage.title} made a row whose parent it was not given")
    families = pc.coalesce(task.rows["family"], task.rows["id"]).take(where)
    inherited = {name: task.rows[name].take(where) for name in ("label", "groups", "split")}
    return with_columns(candidates, {**inherited, "family": families}).cast(ROW)


def _wanted(standing: Standing, gate: CorpusJudge | None) -> np.ndarray:
    """Say of which rows that stand a gate could keep children; of all where there is none."""
    if gate is None:
        return standing.stands
    rows = standing.narrow.filter(pa.array(standing.stands))
    wanted = np.zeros(len(standing.stands), bool)
    wanted[standing.stands] = gate.wanted(rows)
    return wanted


def _merged(standing: Iterator[pa.Table], grown: pa.Table) -> Iterator[pa.Table]:
    """Merge rows that are grown (in id order) into a stream of rows in id order; a parent begins its family."""
    parents = pc.unique(grown["parent"])
    for rows in standing:
        if not rows.num_rows:
            continue
        family = pc.if_else(
            pc.is_in(rows["id"], parents), pc.coalesce(rows["family"], rows["id"]), rows["family"]
        )
        before = int(pc.sum(pc.less_equal(grown["id"], rows["id"][-1])).as_py() or 0)
        yield pa.concat_tables(
            [with_columns(rows, {"family": family}).cast(ROW), grown.slice(0, before)]
        ).sort_by("id")
        grown = grown.slice(before)
    yield grown


def save(decided: Decided, folder: Path) -> None:
    """Keep what a segment decided in the run's folder, for the next task and for whoever asks later."""
    decided.standing.save(folder)
    pq.write_table(decided.ledger, folder / "ledger.parquet", compression="zstd")
    pq.write_table(decided.scores, folder / "scores.parquet", compression="zstd")
    pq.write_table(decided.steps, folder / "steps.parquet", compression="zstd")
    (folder / "stages.json").write_text(json.dumps(decided.stages))
