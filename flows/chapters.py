"""What one run tells of a row."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import text
from corpus.amend import CUTS
from corpus.schema import UserError
from corpus.segment import Measured, rewritten
from corpus.stage import Judge, Rewrite, Stage
from corpus.standing import Standing
from flows.descent import made_here
from flows.difference import difference
from flows.job import Job
from flows.lines import CAME, EVENTS, displaced, made_by, published, scored, why


@dataclass(frozen=True)
class RunChapter:
    """What a run tells; `last` where no later run tells of the rows that it left standing."""

    job: Job
    last: bool

    @property
    def name(self) -> str:
        """How users may call it."""
        return f"run {self.job.folder.name}"

    @property
    def base(self) -> str | None:
        """The version that the run built on."""
        found = self.job.read("began.json")["builds_on"]
        return None if found is None else str(found)

    @cached_property
    def came(self) -> pa.Table:
        """The rows that came in: id and where they were read; raises `UserError` where not all is judged yet."""
        ingested = self.job.read("ingest.json")
        judged = ingested is not None and (
            self.job.unchanged
            or all(
                (self.job.segment(number) / "stages.json").exists()
                for number in range(len(self.job.segments))
            )
        )
        if not judged:
            what = "read" if ingested is None else "judged"
            raise UserError(
                f"{self.name} ended before its rows were {what}, or has not {what} them yet; name another run"
            )
        return self.job.store.open_snapshot(ingested["snapshot"]).narrow(CAME)

    @property
    def ids(self) -> Iterator[pa.ChunkedArray]:
        """The ids of all rows that it knows."""
        yield self.came["id"]
        for number in range(0 if self.job.unchanged else len(self.job.segments)):
            yield pq.read_table(self.job.segment(number) / "steps.parquet", columns=["id"])["id"]

    @property
    def refused(self) -> pa.Table:
        """The rejects, as lines of the ledger."""
        return pq.read_table(self.job.folder / "rejects.parquet")

    @property
    def sources(self) -> list[str]:
        """The names of the sources."""
        return [source.name for source in self.job.recipe.sources]

    def tell(self, row_id: str) -> list[dict[str, Any]]:
        """Return the events of a row's life in this run, in order."""
        gone = pq.read_table(self.job.folder / "replaced.parquet")
        events = [
            {"stage": line["stage"], "event": "replaced", "reason": line["reason"]}
            for line in gone.filter(pc.equal(gone["id"], row_id)).to_pylist()
        ]
        events += _read(self.job, self.came, row_id)
        if not self.job.unchanged:
            events += _lived(self.job, row_id, ends=self.last)
        version = made_by(self.job)
        if version is not None and self.last:
            events += published(version, row_id)
        return events


def _read(job: Job, came: pa.Table, row_id: str) -> list[dict[str, Any]]:
    found = came.filter(pc.equal(came["id"], row_id)).to_pylist()
    if not found:
        return []
    row = job.store.open_snapshot(job.read("ingest.json")["snapshot"]).take(pa.array([row_id]))
    place = {key: found[0][key] for key in ("source", "file", "row")}
    return [{"stage": "ingest", "event": "read", **place, "text": text.contents(row)[0].as_py()}]


def _lived(job: Job, row_id: str, *, ends: bool) -> list[dict[str, Any]]:
    """Tell what each stage said of the row, in order."""
    ledger = job.ledger()
    lines = {line["stage"]: line for line in ledger.filter(pc.equal(ledger["id"], row_id)).to_pylist()}
    losers = ledger.filter(pc.fill_null(pc.equal(ledger["other"], row_id), False)).to_pylist()
    measured = scored(job.scores(), row_id)
    events: list[dict[str, Any]] = []
    for number, segment in enumerate(job.segments):
        standing = Standing.load(job.segment(number))
        where = pc.index(standing.narrow["id"], row_id).as_py()
        events += made_here(job, number, standing, row_id, ledger)
        if where < 0:
            continue
        steps = pq.read_table(job.segment(number) / "steps.parquet").slice(where, 1).to_pylist()[0]
        others = _others(standing, losers, row_id)
        part, at = _place(standing, where)
        row = part.part.read().slice(at, 1)
        events += _left(job, number, text.contents(row)[0].as_py(), row_id)
        for stage in segment.measuring:
            if isinstance(stage, Rewrite):
                row, changed = _rewritten(job, row, stage)
                if changed:
                    events.append(
                        {"stage": stage.title, "event": "rewrote", "text": text.contents(row)[0].as_py()}
                    )
                    continue
            said = text.contents(row)[0].as_py()
            events += [measured[stage.title]] if stage.title in measured else []
            line = lines.get(stage.title)
            met = [
                {**displaced(other), **_met(standing, other["id"], said, fell=False)}
                for other in others
                if other["stage"] == stage.title
            ]
            if (
                line is not None and line["action"] == "drop"
            ):  # of a gate, who was too like a row that it found enough of
                events += [*met, _judged(standing, line, said)]
                break
            events += [] if line is None else [_judged(standing, line, said)]
            events += _passed(job, standing, stage, where) if line is None and steps[stage.title] else []
            events += met
        family, split = (standing.narrow[name][where].as_py() for name in ("family", "split"))
        if ends and number == len(job.segments) - 1 and standing.stands[where]:
            events.append({"stage": "end", "event": "stands", "family": family, "split": split or "train"})
    return events


def _left(job: Job, number: int, said: str, row_id: str) -> list[dict[str, Any]]:
    """Say what a row says once the segment before this one has cut it, if it did."""
    before = Standing.load(job.segment(number - 1)) if number else None
    where = -1 if before is None else pc.index(before.narrow["id"], row_id).as_py()
    if before is None or where < 0 or CUTS not in before.columns:
        return []
    if not before.columns[CUTS][where].is_valid:
        return []
    return [{"stage": job.segments[number - 1].stages[-1].title, "event": "cut", "text": said}]


def _judged(standing: Standing, line: dict[str, Any], said: str) -> dict[str, Any]:
    met = _met(standing, line["other"], said, fell=True)
    own = standing.narrow.filter(pc.equal(standing.narrow["id"], line["id"]))["parent"].to_pylist()
    kin = {"other_is": "parent"} if line["other"] is not None and line["other"] in own else {}
    return {"stage": line["stage"], "event": EVENTS[line["action"]], **why(line), **kin, **met}


def _others(standing: Standing, lines: list[dict[str, Any]], row_id: str) -> list[dict[str, Any]]:
    """Leave out the lines of a row's own children that went: what became of them is told where they grew."""
    narrow = standing.narrow
    children = {*narrow.filter(pc.fill_null(pc.equal(narrow["parent"], row_id), False))["id"].to_pylist()}
    return [line for line in lines if line["action"] != "drop" or line["id"] not in children]


def _place(standing: Standing, where: int) -> tuple[Measured, int]:
    """Return the part that a row lies in, and its position there."""
    part = int(np.searchsorted(standing.bounds, where, side="right") - 1)
    return standing.parts[part], where - int(standing.bounds[part])


def _rewritten(job: Job, row: pa.Table, stage: Rewrite) -> tuple[pa.Table, int]:
    """Rewrite one row again, which a stage must do as it did among others."""
    return rewritten(row, stage, job.context(stage))


def _met(standing: Standing, row_id: str | None, said: str, *, fell: bool) -> dict[str, Any]:
    """Say what another row said when the two met, and how the words of the row that stays differ from the other's."""
    where = -1 if row_id is None else pc.index(standing.narrow["id"], row_id).as_py()
    if where < 0:
        return {}
    part, at = _place(standing, where)
    other = text.contents(part.table(["messages"]).slice(at, 1))[0].as_py()
    return {"other_text": other, "difference": difference(said, other) if fell else difference(other, said)}


def _passed(job: Job, standing: Standing, stage: Stage, where: int) -> list[dict[str, Any]]:
    """Say that a row passed, and by how much where it has a score: judge the stored features of its part again."""
    event = {"stage": stage.title, "event": "passed"}
    if not isinstance(stage, Judge):
        return [event]
    held, at = _place(standing, where)
    verdict = stage.judge(held.read(stage), job.context(stage))
    score, threshold = verdict.score[at].as_py(), verdict.threshold[at].as_py()
    told = {} if score is None else {"score": score, "threshold": threshold}
    return [{**event, **{key: value for key, value in told.items() if value is not None}}]
