"""A recipe's stages on any files, without a server: for a first try, for scripts, for benchmarks."""

import re
import shutil
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from corpus.reading.files import form_of
from corpus.schema import UserError
from corpus.stage import Grow
from corpus.store import Store
from flows import curate
from flows.alarms import alarms
from flows.cautions import warnings
from flows.job import Job, Options, stage_rows, totals
from flows.look import parting
from flows.memory import Peak
from flows.prepare import prepare
from flows.progress import shown
from flows.recipe import Recipe, change, load, parse
from flows.stages import named

FILES = ("ledger.parquet", "scores.parquet")
"""What is written beside the rows: each reject, drop and mark, and what stages measured of rows beside its score."""


def apply(
    recipe_or_stage: str,
    inputs: Sequence[str],
    output: Path,
    *,
    settings: Sequence[str] = (),
    seed: int | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    quiet: bool = True,
    **options: Any,
) -> dict[str, Any]:
    """Write `kept/`, `dropped/`, `ledger.parquet` and `scores.parquet` to `output`; return the account of the rows."""
    began = time.perf_counter()
    columns = {
        name: column
        for name, column in (("text", text_column), ("label", label_column))
        if column is not None
    }
    _outputs(output, inputs)
    recipe, base = _recipe(recipe_or_stage, inputs, settings, seed, columns)
    held = Store(Path(options.get("store", Options.store)).resolve())
    with Peak(psutil.Process()) as peak, shown(quiet) as progress, held.shared():
        job = Job.begin(recipe, Options(base=str(base), fresh=True, **options))
        prepare(job)
        curate.ingest(job, progress)
        for number in range(len(job.segments)):
            curate.curate(job, number, progress)
        _write(job, output)
    return {
        "run": job.folder.name,
        "rows": totals(job),
        "stages": stage_rows(job),
        "alarms": alarms(job),
        "warnings": warnings(job),
        "output": str(output),
        "seconds": round(time.perf_counter() - began, 3),
        "peak_rss_mb": peak.megabytes,
    }


def _recipe(
    recipe_or_stage: str,
    inputs: Sequence[str],
    settings: Sequence[str],
    seed: int | None,
    columns: dict[str, str],
) -> tuple[Recipe, Path]:
    """Return a recipe's stages over the inputs, or one of a stage alone; admission ends a growth."""
    path = Path(recipe_or_stage)
    if path.is_file() and form_of(path.name, None) is not None:
        raise UserError(
            f"{path} holds data, and what is applied is a recipe or a stage: winnow apply STAGE {path} --output FOLDER, "
            f"or winnow init {path} for a recipe"
        )
    if path.suffix in {".yaml", ".yml"} or path.exists():
        held = load(path, settings, seed).model_dump(
            mode="json", exclude={"audit", "tuning", "evaluation", "gates", "wait_minutes"}
        )
        base = path.resolve().parent
    else:
        kind = named(recipe_or_stage)
        stages = [{"stage": recipe_or_stage}, *([{"stage": "admission"}] if issubclass(kind, Grow) else [])]
        source = {"name": "input", "uri": "", **parting([uri for uri in inputs if Path(uri).exists()])}
        held = {"name": "apply", "seed": seed or 0, "stages": stages, "sources": [source] if inputs else []}
        for setting in settings:
            change(held, setting if "." in setting.split("=")[0] else f"{recipe_or_stage}.{setting}")
        base = Path.cwd()
    if inputs and len(held["sources"]) > 1:
        names = ", ".join(source["name"] for source in held["sources"])
        raise UserError(
            f"{recipe_or_stage} has the sources {names}, and files were named too: leave the files out, or keep one source"
        )
    if inputs:
        held["sources"] = [{**held["sources"][0], "uri": [_absolute(uri) for uri in inputs], **columns}]
    elif not held["sources"]:
        raise UserError(f"winnow apply {recipe_or_stage} needs files to read; name them before --output")
    elif columns:
        held["sources"] = [{**source, **columns} for source in held["sources"]]
    return parse(held, recipe_or_stage), base


def _absolute(uri: str) -> str:
    return uri if "://" in uri or uri.startswith("file:") else str(Path(uri).absolute())


def _outputs(output: Path, inputs: Sequence[str]) -> None:
    """Raise UserError where what is written would be read by the next call, or replace what no call wrote."""
    for given in inputs:
        if Path(given).is_dir() and output.resolve().is_relative_to(Path(given).resolve()):
            raise UserError(
                f"--output {output} lies in {given}, so the next call would read it; name a folder beside it"
            )
    for folder in (output / "kept", output / "dropped"):
        strange = [file for file in folder.glob("*") if not re.fullmatch(r"part-\d{5,}\.parquet", file.name)]
        if strange:
            raise UserError(
                f"{strange[0]} is not of winnow, and {folder} would be replaced; name another --output"
            )


def _write(job: Job, output: Path) -> None:
    """Write all aside, then put it in place of what an earlier call left."""
    curate.account(job)
    output.mkdir(parents=True, exist_ok=True)
    aside = output / f".{uuid.uuid4().hex}"
    try:
        curate.write_kept(job, aside / "kept")
        shutil.copytree(job.folder / "dropped", aside / "dropped")
        for name in FILES:
            shutil.copyfile(job.folder / name, aside / name)
        for name in ("kept", "dropped"):
            if (output / name).exists():
                (output / name).rename(aside / f"old-{name}")
            (aside / name).rename(output / name)
        for name in FILES:
            (aside / name).replace(output / name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
