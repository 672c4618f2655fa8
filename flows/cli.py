"""The command `winnow`: reads what the user typed, calls the package that does it, prints the answer."""

import atexit
import gc
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from corpus.schema import UserError
from flows import published, questions
from flows.options import JSON, STORE, answer


def _running(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that `run` and `apply` share."""
    options = (
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="KEY=VALUE",
            help="change a knob, e.g. near_duplicates.threshold=0.7",
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            help="processes; every core by default, where it is worth it",
        ),
        click.option("--seed", type=click.IntRange(min=0), help="the recipe's by default"),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="where parts are worked on: processes of this machine, or a Ray cluster (RAY_ADDRESS)",
        ),
        click.option(
            "--limit", type=click.IntRange(min=1), help="take N rows, drawn by a keyed hash of their id"
        ),
        click.option(
            "--part-rows",
            type=click.IntRange(min=1),
            default=10_000,
            show_default=True,
            help="rows in a part",
        ),
        STORE,
        JSON,
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="winnow")
def winnow() -> None:
    """From raw text to a fine-tuned model, with every row accounted for."""


@winnow.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--fresh", is_flag=True, help="do not build on the version that the recipe's name means")
@_running
def run(recipe: Path, settings: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Run RECIPE: ingest, stages, audit, version, tuning, evaluation, as a Prefect flow."""
    from flows import scorecard
    from flows.job import Options
    from flows.recipe import load
    from flows.server import run_flow

    seed = options.pop("seed")
    held = load(recipe, settings, seed)
    summary = run_flow(held, Options(base=str(recipe.resolve().parent), **options), quiet=as_json)
    answer(summary, as_json, scorecard.show)
    if summary.get("stopped"):
        sys.exit(1)


@winnow.command()
@click.argument("recipe_or_stage")
@click.argument("inputs", nargs=-1)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="gets kept/, dropped/, ledger.parquet and scores.parquet",
)
@click.option("--text-column", help="column of the text")
@click.option("--label-column", help="column of the class")
@_running
def apply(recipe_or_stage: str, inputs: tuple[str, ...], output: Path, as_json: bool, **options: Any) -> None:
    """Send INPUTS through one stage, or through a recipe's stages, without a server."""
    from flows import apply as applying
    from flows import scorecard

    summary = applying.apply(recipe_or_stage, inputs, output, quiet=as_json, **options)
    answer(summary, as_json, scorecard.show_rows)


@winnow.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="recipe.yaml",
    show_default=True,
    help="where the draft is written",
)
@click.option(
    "--rows", default=1_000, show_default=True, type=click.IntRange(min=1), help="rows to try the draft on"
)
@JSON
def init(files: tuple[str, ...], output: Path, rows: int, as_json: bool) -> None:
    """Look at FILES, draft a recipe, and show what it would do to 1,000 of the rows."""
    from flows import draft

    answer(draft.init(files, output, rows), as_json, draft.show)


@winnow.command()
@STORE
@JSON
def doctor(store: str, as_json: bool) -> None:
    """Say what this machine has and lacks."""
    from flows import doctor as checks

    found = checks.examine(Path(store))
    answer(found, as_json, checks.show)
    if not found["ok"]:
        sys.exit(1)


@winnow.command()
@click.option(
    "--port",
    default=4200,
    show_default=True,
    type=click.IntRange(1, 65_535),
    help="of the Prefect server and its UI",
)
@click.option(
    "--reports-port", default=4201, show_default=True, type=click.IntRange(1, 65_535), help="of the reports"
)
@STORE
def serve(port: int, reports_port: int, store: str) -> None:
    """Start the Prefect server with its UI, the deployment `release`, and the store's reports, on 127.0.0.1, until interrupted."""
    from flows.server import serve as start

    start(Path(store), port, reports_port)


for command in (*questions.COMMANDS, *published.COMMANDS):
    winnow.add_command(command)


def main() -> None:
    """Run a command; a user's mistake is one line and status 2, our own bug is status 3 with its trace."""
    atexit.register(gc.freeze)  # collecting what the process's end frees anyway takes half a second
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")  # progress is told in our own way
    warnings.filterwarnings(
        "ignore", category=FutureWarning, module="transformers"
    )  # their own renaming, not ours
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        winnow(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        click.echo(f"winnow: {error.format_message()}", err=True)
        sys.exit(2)
    except (UserError, OSError) as error:
        click.echo(f"winnow: {_line(error)}", err=True)
        sys.exit(2)
    except Exception:  # noqa: BLE001  # the last door: whatever comes here is a bug of ours, and is said with its trace
        traceback.print_exc()
        click.echo("winnow: this is a bug in Winnow; please report it with the lines above", err=True)
        sys.exit(3)


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}; nothing published was changed"
    return " ".join(str(error).split())
