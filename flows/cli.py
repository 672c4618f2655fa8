"""The command `winnow`: reads what the user typed, calls the package that does it, prints the answer."""

import atexit
import gc
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from corpus.schema import UserError


def _place(context: click.Context, option: click.Parameter, place: str) -> str:
    """Find the folder of a store: for one in a bucket, that of what does not lie there."""
    if "://" not in place:
        return place
    from corpus.store import Store

    return str(Store.at(place).root)


_STORE = click.option(
    "--store",
    default="winnow-store",
    show_default=True,
    callback=_place,
    help="folder of snapshots, versions and runs, or s3://BUCKET/PREFIX for the versions",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON object and nothing else")


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
            type=click.Choice(["local"]),
            default="local",
            show_default=True,
            help="where parts are worked on",
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
        _STORE,
        _JSON,
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
    _answer(summary, as_json, scorecard.show)
    if summary.get("stopped"):
        sys.exit(1)


@winnow.command()
@click.argument("recipe_or_stage")
@click.argument("inputs", nargs=-1)
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="gets kept/, dropped/ and ledger.parquet"
)
@click.option("--text-column", help="column of the text")
@click.option("--label-column", help="column of the class")
@_running
def apply(recipe_or_stage: str, inputs: tuple[str, ...], output: Path, as_json: bool, **options: Any) -> None:
    """Send INPUTS through one stage, or through a recipe's stages, without a server."""
    from flows import apply as applying
    from flows import scorecard

    summary = applying.apply(recipe_or_stage, inputs, output, quiet=as_json, **options)
    _answer(summary, as_json, scorecard.show_rows)


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
@_JSON
def init(files: tuple[str, ...], output: Path, rows: int, as_json: bool) -> None:
    """Look at FILES, draft a recipe, and show what it would do to 1,000 of the rows."""
    from flows import draft

    _answer(draft.init(files, output, rows), as_json, draft.show)


@winnow.command()
@click.argument("run_or_version")
@click.argument("row")
@_STORE
@_JSON
def explain(run_or_version: str, row: str, store: str, as_json: bool) -> None:
    """Tell ROW's biography: each stage's verdict, the row it lost to, the rows it displaced, its children."""
    from flows import biography

    _answer(biography.explain(run_or_version, row, Path(store)), as_json, biography.show)


@winnow.command()
@click.argument("versions", nargs=-1)
@click.option("--deep", is_flag=True, help="read every row too, and hash it against the manifest")
@_STORE
@_JSON
def verify(versions: tuple[str, ...], deep: bool, store: str, as_json: bool) -> None:
    """Check VERSIONS (ids, prefixes or names; all by default): that no byte changed since they were published."""
    from flows import versions as published

    found = published.verify(versions, Path(store), deep=deep, quiet=as_json)
    _answer(found, as_json, published.show_verified)
    if not found["ok"]:
        sys.exit(1)


@winnow.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--markdown", type=click.Path(path_type=Path), metavar="FILE", help="write the page for a review there"
)
@click.option(
    "--lexicon", metavar="NAME", help="count mentions too, by a lexicon: `mentions`, or a file of your own"
)
@_STORE
@_JSON
def diff(a: str, b: str, markdown: Path | None, lexicon: str | None, store: str, as_json: bool) -> None:
    """Tell what version B has that A has not: rows and tokens added, removed, changed, moved between splits."""
    from flows import compare

    held = compare.compare(a, b, Path(store), lexicon)
    if markdown is not None:
        markdown.write_text(compare.markdown(held), encoding="utf-8")
    _answer(held, as_json, compare.show)


@winnow.command()
@click.argument("name", required=False)
@_STORE
@_JSON
def log(name: str | None, store: str, as_json: bool) -> None:
    """Tell what NAME has meant, the newest first; all names by default."""
    from flows import versions as published

    _answer(published.log(name, Path(store)), as_json, published.show_log)


@winnow.command()
@click.argument("name")
@click.option("--to", metavar="VERSION", help="id, prefix or NAME~N; what it meant before by default")
@_STORE
@_JSON
def rollback(name: str, to: str | None, store: str, as_json: bool) -> None:
    """Let NAME mean an earlier version again. No version is removed, and the log keeps all."""
    from flows import versions as published

    _answer(published.roll_back(name, to, Path(store)), as_json, published.show_rolled_back)


@winnow.command()
@click.option("--source", metavar="NAME", help="all rows of a source, now and later")
@click.option("--row", metavar="ROW", help="a row's id, a unique prefix of it, or its key")
@click.option("--pattern", metavar="REGEX", help="rows whose text matches (RE2's syntax)")
@click.option("--why", required=True, help="the reason, for the log of names and for tombstones")
@click.option("--withdraw", is_flag=True, help="take back every version that holds one of them")
@click.option("--dry-run", is_flag=True, help="say what had seen them, and change nothing")
@_STORE
@_JSON
def forget(
    source: str | None,
    row: str | None,
    pattern: str | None,
    why: str,
    withdraw: bool,
    dry_run: bool,
    store: str,
    as_json: bool,
) -> None:
    """Forget rows and all that grew of them: publish without them, erase what quotes them, list what had seen them."""
    from corpus.forgetting.find import Wanted
    from flows import forget as forgetting

    held = forgetting.forget(
        Wanted(source, row, pattern), Path(store), why, withdraw=withdraw, dry_run=dry_run, quiet=as_json
    )
    _answer(held, as_json, forgetting.show)


@winnow.command("gc")
@click.option(
    "--days", type=click.FloatRange(min=0), default=30, show_default=True, help="leave what is younger"
)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="keep what the last N entries of each name mean; all by default",
)
@click.option("--dry-run", is_flag=True, help="say what would go, and remove nothing")
@_STORE
@_JSON
def collect(days: float, keep: int | None, dry_run: bool, store: str, as_json: bool) -> None:
    """Remove what nobody needs: versions that no name means, runs that made none, what they left behind."""
    from flows import collect as collecting

    _answer(collecting.collect(Path(store), days, keep, dry_run=dry_run), as_json, collecting.show)


@winnow.command()
@click.argument("version")
@click.option("--why", required=True, help="the reason, which its tombstone will tell")
@_STORE
@_JSON
def withdraw(version: str, why: str, store: str, as_json: bool) -> None:
    """Take VERSION back: its rows are removed, and a tombstone says why to whoever asks for it."""
    from flows import versions as published

    _answer(published.withdraw(version, why, Path(store)), as_json, published.show_withdrawn)


@winnow.command()
@_STORE
@_JSON
def doctor(store: str, as_json: bool) -> None:
    """Say what this machine has and lacks."""
    from flows import doctor as checks

    found = checks.examine(Path(store))
    _answer(found, as_json, checks.show)
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
@_STORE
def serve(port: int, reports_port: int, store: str) -> None:
    """Start the Prefect server with its UI, and serve the store's reports, on 127.0.0.1, until interrupted."""
    from flows.server import serve as start

    start(Path(store), port, reports_port)


def _answer(held: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    if as_json:
        click.echo(json.dumps(held, default=str, allow_nan=False))
    else:
        show(held)


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
