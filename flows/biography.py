"""A row's biography, both ways: what each stage said of it, what it lost to, what it displaced, its children."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import text
from corpus.schema import SPLITS, UserError, keyed_id
from corpus.segment import Measured, rewritten
from corpus.stage import Context, Judge, Rewrite
from corpus.standing import Standing
from corpus.store import Store
from flows.job import Job

SHOWN = 200
"""Characters of a text that are printed; `--json` has all of them."""


def explain(run_or_version: str, row: str, root: Path) -> dict[str, Any]:
    """Return the events of a row's life in order, with what it said and what the rows said that it met.

    `run_or_version` is a run, `latest`, or a version or ref; `row` an id, a unique prefix, a key, or
    `source/file:row`. Raises `UserError` where no run, or no one row, is so called, and for a run that has not judged its rows.
    """
    store = Store(root.resolve())
    job = _job(store, run_or_version)
    came = _came(job)
    row_id = _named(job, came, row)
    events = [*_read(job, came, row_id), *_lived(job, row_id), *_published(job, row_id)]
    return {"run": job.folder.name, "id": row_id, "events": events}


def _job(store: Store, name: str) -> Job:
    wanted = "" if name == "latest" else name
    runs = sorted((store.root / "runs").glob(f"{wanted}*")) if re.fullmatch(r"[\w-]+", name) else []
    if name == "latest":
        if not runs:
            raise UserError(f"there is no run in {store.root} yet; name another store with --store")
        runs = runs[-1:]
    if len(runs) == 1:
        return Job.open(runs[0])
    if len(runs) > 1:
        raise UserError(f"{len(runs)} runs begin with {name!r}; give more of the name")
    version = store.library.open(name)
    for folder in sorted((store.root / "runs").glob("*"), reverse=True):
        held = folder / "version.json"
        if held.exists() and json.loads(held.read_text())["version"] == version.id:
            return Job.open(folder)
    raise UserError(
        f"no run in {store.root} tells of version {version.id[:12]}; explain needs the run that made it"
    )


def _came(job: Job) -> pa.Table:
    """Return the rows that came in; raise `UserError` for a run that ended before that, or before all was judged."""
    ingested = job.read("ingest.json")
    judged = [(job.segment(number) / "stages.json").exists() for number in range(len(job.segments))]
    if ingested is None or not all(judged):
        what = "read" if ingested is None else "judged"
        raise UserError(
            f"run {job.folder.name} ended before its rows were {what}, or has not {what} them yet; name another run"
        )
    return job.store.open_snapshot(ingested["snapshot"]).narrow(["id", "source", "file", "row", "parent"])


def _named(job: Job, came: pa.Table, row: str) -> str:
    """Find the one row that is meant, among those that came in and those that were grown or rejected."""
    # 18 digits fit the 64 bits of a row's number
    place = re.fullmatch(r"(?P<source>[\w-]+)(?:/(?P<file>.+))?:(?P<row>\d{1,18})", row)
    if place is not None:
        mask = pc.and_(pc.equal(came["source"], place["source"]), pc.equal(came["row"], int(place["row"])))
        if place["file"] is not None:
            mask = pc.and_(mask, pc.equal(came["file"], place["file"]))
        found = came.filter(mask)["id"].to_pylist()
    else:
        ids = {
            row_id
            for table in (came, *(held for held in _steps(job)))
            for row_id in table["id"].filter(pc.starts_with(table["id"], row)).to_pylist()
        }
        keyed = {keyed_id(source.name, row) for source in job.recipe.sources} & {*came["id"].to_pylist()}
        found = [row] if row in ids else sorted(ids | keyed)
    if len(found) != 1:
        rejects = pq.read_table(job.folder / "rejects.parquet")
        if place is not None and not found:
            mask = pc.and_(
                pc.equal(rejects["source"], place["source"]), pc.equal(rejects["row"], int(place["row"]))
            )
            for line in rejects.filter(pc.fill_null(mask, False)).to_pylist():
                raise UserError(f"{row} was rejected at ingest: {line['reason']} ({line['detail']})")
        what = "no row is" if not found else f"{len(found)} rows are"
        raise UserError(
            f"{what} called {row!r} in run {job.folder.name}; give an id, a unique prefix, a key, source:row or "
            f"source/file:row, where rows count from 0 (sources: {', '.join(source.name for source in job.recipe.sources)})"
        )
    return str(found[0])


def _steps(job: Job) -> Iterator[pa.Table]:
    for number in range(len(job.segments)):
        yield pq.read_table(job.segment(number) / "steps.parquet")


def _read(job: Job, came: pa.Table, row_id: str) -> list[dict[str, Any]]:
    found = came.filter(pc.equal(came["id"], row_id)).to_pylist()
    if not found:
        return []
    row = job.store.open_snapshot(job.read("ingest.json")["snapshot"]).take(pa.array([row_id]))
    place = {key: found[0][key] for key in ("source", "file", "row")}
    return [{"stage": "ingest", "event": "read", **place, "text": text.contents(row)[0].as_py()}]


def _lived(job: Job, row_id: str) -> list[dict[str, Any]]:
    """Tell what each stage said of the row, in order."""
    ledger = job.ledger()
    lines = {line["stage"]: line for line in ledger.filter(pc.equal(ledger["id"], row_id)).to_pylist()}
    displaced = ledger.filter(pc.fill_null(pc.equal(ledger["other"], row_id), False)).to_pylist()
    events: list[dict[str, Any]] = []
    for number, segment in enumerate(job.segments):
        standing = Standing.load(job.segment(number))
        where = pc.index(standing.narrow["id"], row_id).as_py()
        if segment.grow is not None:
            events += _grown(standing, row_id, segment.grow.title)
        if where < 0:
            continue
        steps = pq.read_table(job.segment(number) / "steps.parquet").slice(where, 1).to_pylist()[0]
        part, at = _place(standing, where)
        row = pq.read_table(part.file).slice(at, 1)
        for stage in segment.measuring:
            if isinstance(stage, Rewrite):
                row, changed = _rewritten(job, row, stage)
                if changed:
                    said = text.contents(row)[0].as_py()
                    events.append({"stage": stage.title, "event": "rewrote", "text": said})
                    continue
            if stage.title in lines:
                line = lines[stage.title]
                told = {
                    key: line[key]
                    for key in ("reason", "score", "threshold", "other", "detail")
                    if line[key] is not None
                }
                events.append(
                    {"stage": stage.title, "event": "dropped", **told, **_other(standing, line["other"])}
                )
                break
            if steps[stage.title]:
                events.append(
                    {"stage": stage.title, "event": "passed", **_score(job, standing, stage, where)}
                )
            events += [
                {
                    "stage": stage.title,
                    "event": "displaced",
                    "other": line["id"],
                    "reason": line["reason"],
                    "score": line["score"],
                    **_other(standing, line["id"]),
                }
                for line in displaced
                if line["stage"] == stage.title
            ]
        family, split = (standing.narrow[name][where].as_py() for name in ("family", "split"))
        if number == len(job.segments) - 1 and standing.stands[where]:
            events.append({"stage": "end", "event": "stands", "family": family, "split": split or "train"})
    return events


def _grown(standing: Standing, row_id: str, title: str) -> list[dict[str, Any]]:
    narrow = standing.narrow
    parent = narrow.filter(pc.equal(narrow["id"], row_id))["parent"].to_pylist()
    children = narrow.filter(pc.fill_null(pc.equal(narrow["parent"], row_id), False))["id"].to_pylist()
    born = (
        [{"stage": title, "event": "grown", "parent": parent[0]}] if parent and parent[0] is not None else []
    )
    return born + [{"stage": title, "event": "parent of", "child": child} for child in children]


def _place(standing: Standing, where: int) -> tuple[Measured, int]:
    """Return the part that a row lies in, and its position there."""
    part = int(np.searchsorted(standing.bounds, where, side="right") - 1)
    return standing.parts[part], where - int(standing.bounds[part])


def _rewritten(job: Job, row: pa.Table, stage: Rewrite) -> tuple[pa.Table, int]:
    """Rewrite one row again, which a stage must do as it did among others."""
    with job.runner() as work:
        return rewritten(row, stage, work.context(stage))


def _other(standing: Standing, row_id: str | None) -> dict[str, Any]:
    """Say what another row said when the two met."""
    where = -1 if row_id is None else pc.index(standing.narrow["id"], row_id).as_py()
    if where < 0:
        return {}
    part, at = _place(standing, where)
    return {"other_text": text.contents(part.table(["messages"]).slice(at, 1))[0].as_py()}


def _score(job: Job, standing: Standing, stage: Any, where: int) -> dict[str, Any]:
    """Say by how much a row passed a judge, where it has a score: judge the stored features of its part again."""
    if not isinstance(stage, Judge):
        return {}
    held, at = _place(standing, where)
    with job.runner() as work:
        context: Context = work.context(stage)
    verdict = stage.judge(held.read(stage), context)
    score, threshold = verdict.score[at].as_py(), verdict.threshold[at].as_py()
    told = {} if score is None else {"score": score, "threshold": threshold}
    return {key: value for key, value in told.items() if value is not None}


def _published(job: Job, row_id: str) -> list[dict[str, Any]]:
    held = job.read("version.json")
    if held is None:
        return []
    version = job.store.library.open(held["version"])
    for split in SPLITS:
        for file in version.files(split):
            at = pc.index(pq.read_table(file, columns=["id"])["id"], row_id).as_py()
            if at >= 0:
                return [
                    {
                        "stage": "publish",
                        "event": "published",
                        "version": version.id,
                        "split": split,
                        "shard": file.name,
                        "row": at,
                    }
                ]
    return []


def _cut(said: str) -> str:
    """Return the beginning of a text, on one line."""
    whole = " ".join(said.split())
    return f"“{whole if len(whole) <= SHOWN else whole[: SHOWN - 1] + '…'}”"


def show(held: dict[str, Any]) -> None:
    """Print a biography, a line an event; names are printed as they are, brackets and colons included."""
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=f"row {held['id']} in run {held['run']}", title_justify="left", box=None, pad_edge=False
    )
    for name in ("stage", "event", "score", "threshold", "told"):
        table.add_column(name, justify="right" if name in ("score", "threshold") else "left", overflow="fold")
    for event in held["events"]:
        known = {
            key: value for key, value in event.items() if key not in ("stage", "event", "score", "threshold")
        }
        said = [known.pop(key) for key in ("text", "other_text") if key in known]
        rest = "\n".join(
            [", ".join(f"{key} {value}" for key, value in known.items()), *map(_cut, said)]
        ).strip()
        numbers = ["" if event.get(key) is None else f"{event[key]:.3g}" for key in ("score", "threshold")]
        table.add_row(event["stage"], event["event"], *numbers, rest)
    Console(markup=False, emoji=False).print(table)
