"""The commands that ask a run: why a row went, what other knobs would do, how good deduplication was."""

from pathlib import Path
from typing import Any

import click

from flows.options import JSON, STORE, answer


@click.command()
@click.argument("run_or_version")
@click.argument("row")
@STORE
@JSON
def explain(run_or_version: str, row: str, store: str, as_json: bool) -> None:
    """Tell ROW's biography: each stage's verdict, the row it lost to, the rows it displaced, its children."""
    from flows import biography

    answer(biography.explain(run_or_version, row, Path(store)), as_json, biography.show)


@click.command("what-if")
@click.argument("run")
@click.option(
    "--set",
    "settings",
    multiple=True,
    required=True,
    metavar="KEY=VALUE",
    help="another value of a stage's knob, e.g. near_duplicates.threshold=0.7",
)
@STORE
@JSON
def what_if(run: str, settings: tuple[str, ...], store: str, as_json: bool) -> None:
    """Decide again with other knobs on what RUN (or `latest`) measured: what would be dropped and kept. Changes nothing."""
    from flows import what_if as asking

    answer(asking.what_if(run, settings, Path(store), quiet=as_json), as_json, asking.show)


@click.command("dedup-quality")
@click.argument("run")
@click.option("--stage", metavar="NAME", help="which stage, where the recipe has several `near_duplicates`")
@click.option(
    "--sample",
    type=click.IntRange(min=10),
    default=2_000,
    show_default=True,
    help="rows, and removals, looked at",
)
@click.option(
    "--sheet", type=click.Path(path_type=Path), metavar="FILE", help="write removals to be read there (CSV)"
)
@STORE
@JSON
def dedup_quality(run: str, as_json: bool, store: str, **asked: Any) -> None:
    """Measure the deduplication of RUN (or `latest`) on its own rows: precision, recall, and the pairs at the margin."""
    from flows.dedup_quality import dedup_quality as measured
    from flows.dedup_quality import show

    answer(measured(run, Path(store), quiet=as_json, **asked), as_json, show)


@click.command("tune-gates")
@click.argument("run")
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    metavar="SHEET",
    help="write candidates to be read there (CSV)",
)
@click.option(
    "--read",
    "sheets",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="SHEET",
    help="a sheet that somebody answered; once for each reader",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="the sheet's key; beside the first sheet by default",
)
@click.option("--stage", metavar="NAME", help="which stage, where the recipe has several `admission`")
@click.option(
    "--precision",
    type=click.FloatRange(0, 1),
    default=0.9,
    show_default=True,
    help="share of right candidates that thresholds must surely reach to be proposed",
)
@STORE
@JSON
def tune_gates(
    run: str,
    write: Path | None,
    sheets: tuple[Path, ...],
    key: Path | None,
    stage: str | None,
    precision: float,
    store: str,
    as_json: bool,
) -> None:
    """Choose the thresholds of `admission` by what people read of RUN's candidates: --write a blind sheet, --read it answered."""
    from flows import tune_gates as tuning

    if (write is None) == (not sheets):
        raise click.UsageError("name a sheet to --write, or answered ones to --read")
    if write is not None:
        answer(tuning.write(run, Path(store), write, stage), as_json, tuning.show_written)
        return
    told = tuning.tune(run, Path(store), sheets, key, stage, precision, quiet=as_json)
    answer(told, as_json, tuning.show)


COMMANDS = (explain, what_if, dedup_quality, tune_gates)
