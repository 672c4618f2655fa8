"""The same decisions again under other knobs: a run's stages over what it read and measured. Nothing is published."""

import json
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.runner import Progress
from corpus.schema import UserError
from corpus.stage import CorpusJudge
from corpus.store import Store
from flows import curate
from flows.alarms import alarms
from flows.job import Job, Options, stage_rows, totals
from flows.prepare import prepare
from flows.progress import shown
from flows.recipe import change, parse
from flows.said import said

SAMPLES = 5

AnyStage = TypeVar("AnyStage", bound=CorpusJudge)


def what_if(run: str, settings: Sequence[str], root: Path, *, quiet: bool = True) -> dict[str, Any]:
    """Return what would be dropped, marked and kept under other knobs, beside what was.

    Each segment is decided as a fresh run would: what was measured is taken from the store, and `measured` says how many
    times a row had to be measured for it (knobs that change features, and rows that the run dropped before a later segment).
    Raises `UserError` where the run is not whole, or a setting is no knob of one of its stages.
    """
    began = time.perf_counter()
    store = Store(root.resolve())
    with (
        store.shared(),
        shown(quiet) as progress,
        again(found_run(store, run), settings, progress) as (before, after),
    ):
        return {
            "run": before.folder.name,
            "set": list(settings),
            "rows": {"before": totals(before), "after": totals(after)},
            "stages": _beside(stage_rows(before), stage_rows(after)),
            "alarms": alarms(after),
            **_moved(before, after),
            "measured": _measured(after),
            "seconds": round(time.perf_counter() - began, 3),
        }


def found_run(store: Store, name: str) -> Job:
    """Return the run that is so called, or the last that judged its rows; raises `UserError` where it cannot be asked."""
    if not re.fullmatch(r"[\w-]+", name):
        raise UserError(f"needed the name of a run, or `latest`, and {name!r} came")
    names = [one for one in store.disk.names("runs") if name == "latest" or one.startswith(name)]
    if not names:
        raise UserError(f"no run in {store.root} is called {name!r}; its folders in runs/ are the names")
    if len(names) > 1 and name != "latest":
        raise UserError(f"{len(names)} runs begin with {name!r}; give more of the name")
    jobs = [Job.open(store.root / "runs" / one) for one in sorted(names, reverse=True)]
    job = next((one for one in jobs if _judged(one)), None)
    if job is None:
        raise UserError(
            f"the run {jobs[0].folder.name} judged no rows to the end, or found nothing new; name another run"
        )
    if not job.whole:
        raise UserError(
            f"what the run {job.folder.name} read or measured was collected or forgotten; run it again"
        )
    return job


def only(job: Job, kind: type[AnyStage], name: str | None) -> tuple[int, AnyStage]:
    """Return the one corpus judge of a kind in a run, or the one that is so called, with the number of its segment.

    Raises `UserError` where it is not one.
    """
    found = [
        (number, stage)
        for number, segment in enumerate(job.segments)
        for stage in segment.corpus_judges
        if isinstance(stage, kind) and name in (None, stage.title)
    ]
    if len(found) != 1:
        what = kind.model_fields["stage"].default
        names = ", ".join(stage.title for _, stage in found) or "none"
        raise UserError(
            f"needed one stage {what}{f' called {name!r}' if name else ''} in the run {job.folder.name}, "
            f"and there is {names}; name one with --stage"
        )
    return found[0]


def _judged(job: Job) -> bool:
    return (
        job.read("ingest.json") is not None
        and not job.unchanged
        and all((job.segment(number) / "stages.json").exists() for number in range(len(job.segments)))
    )


@contextmanager
def again(before: Job, settings: Sequence[str], progress: Progress) -> Iterator[tuple[Job, Job]]:
    """Lend the run and another that judged the same rows with other knobs, whose folder is removed at the end.

    Raises `UserError` where a setting is no knob of one of the run's stages.
    """
    held = before.recipe.model_dump(mode="json")
    titles = [stage.title for stage in before.recipe.stages]
    for setting in settings:
        if setting.split(".")[0] not in titles:
            raise UserError(
                f"--set {setting}: what-if changes knobs of stages, and there are: {', '.join(titles)}"
            )
        change(held, setting)
    recipe = parse(held, "what-if")
    options = Options(**json.loads((before.folder / "options.json").read_text()))
    with before.store.aside() as folder:  # not among the runs: nobody takes it for one
        after = Job(recipe, options, folder)
        after.write("recipe.json", recipe.model_dump(mode="json"))
        for name in ("options.json", "began.json", "ingest.json", "rejects.parquet", "replaced.parquet"):
            shutil.copyfile(before.folder / name, folder / name)
        prepare(after)
        for number in range(len(after.segments)):
            curate.curate(after, number, progress)
        yield before, after


def _beside(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"stage": one["stage"]}
        | {
            name: {key: held[key] for key in ("in", "out", "dropped", "marked", "changed") if key in held}
            for name, held in (("before", one), ("after", two))
        }
        for one, two in zip(before, after, strict=True)
    ]


def _measured(job: Job) -> int:
    """Count the rows that had to be measured, for which no earlier pass had left anything."""
    return sum(
        int(json.loads((job.segment(number) / "input.json").read_text())["measured"])
        for number in range(len(job.segments))
    )


def _moved(before: Job, after: Job) -> dict[str, Any]:
    """Tell how many rows stay that went, and go that stayed, with a few of each."""
    ids = []
    for job in (before, after):
        standing = job.standing
        ids.append(standing.narrow["id"].filter(pa.array(standing.fresh)).combine_chunks())
    told = {}
    for name, one, two, job in (
        ("dropped_now", ids[0], ids[1], after),
        ("kept_now", ids[1], ids[0], before),
    ):
        moved = one.filter(pc.invert(pc.is_in(one, two)))
        ledger = pa.concat_tables(
            [pq.read_table(job.segment(number) / "ledger.parquet") for number in range(len(job.segments))]
        )
        lines = ledger.filter(
            pc.and_(pc.is_in(ledger["id"], moved), pc.equal(ledger["action"], "drop"))
        ).sort_by([("stage", "ascending"), ("score", "ascending"), ("id", "ascending")])
        told[name] = {"rows": len(moved), "samples": _samples(job, lines)}
    return told


def _samples(job: Job, lines: pa.Table) -> list[dict[str, Any]]:
    """Return a few lines from the least score to the greatest, with what the rows say as they came."""
    some = (
        lines.take(pa.array(np.unique(np.linspace(0, len(lines) - 1, SAMPLES).astype(int))))
        if len(lines)
        else lines
    )
    told = some.to_pylist()
    texts = said(job, {line[name] for line in told for name in ("id", "other") if line[name] is not None})
    return [
        {key: line[key] for key in ("id", "stage", "reason", "score", "threshold", "other")}
        | {"text": texts.get(line["id"]), "other_text": texts.get(line["other"])}
        for line in told
    ]


def show(held: dict[str, Any]) -> None:
    """Print the stages side by side, and the rows that moved."""
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)
    console.print(f"{held['run']} with {', '.join(held['set'])}\n", soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "did", "would do"):
        table.add_column(name)
    for stage in held["stages"]:
        table.add_row(stage["stage"], *(_did(stage[name]) for name in ("before", "after")))
    console.print(table)
    before, after = held["rows"]["before"], held["rows"]["after"]
    console.print(f"\nkept     {before['kept']:,}, would keep {after['kept']:,}")
    for name, what in (("dropped_now", "rows would go that stay"), ("kept_now", "rows would stay that went")):
        console.print(f"\n{held[name]['rows']:,} {what}")
        for line in held[name]["samples"]:
            score = "" if line["score"] is None else f" {line['score']:.3f}"
            console.print(f"  {line['stage']}{score}  “{_short(line['text'])}”", soft_wrap=True)
            if line["other_text"] is not None:
                console.print(f"    against  “{_short(line['other_text'])}”", soft_wrap=True)
    console.print(
        f"\n{held['measured']:,} times a row was measured anew; {held['seconds']:.1f} s; nothing was changed"
    )


def _did(stage: dict[str, Any]) -> str:
    """Say what a stage did, or would do."""
    told = [
        f"{what} {count:,}"
        for what, count in (
            ("dropped", sum(stage["dropped"].values())),
            ("marked", sum(stage.get("marked", {}).values())),
            ("changed", stage.get("changed", 0)),
        )
        if count
    ]
    return ", ".join(told) or "nothing"


def _short(said: str | None, most: int = 160) -> str:
    whole = " ".join((said or "").split())
    return whole if len(whole) <= most else whole[: most - 1] + "…"
