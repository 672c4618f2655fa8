"""What commands share: the options that most of them take, and how they answer."""

import json
from collections.abc import Callable
from typing import Any

import click


def _place(context: click.Context, option: click.Parameter, place: str) -> str:
    """Find the folder of a store: for one in a bucket, that of what does not lie there."""
    if "://" not in place:
        return place
    from corpus.store import Store

    return str(Store.at(place).root)


STORE = click.option(
    "--store",
    default="winnow-store",
    show_default=True,
    callback=_place,
    help="folder of snapshots, versions and runs, or s3://BUCKET/PREFIX for the versions",
)
JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON object and nothing else")


def answer(held: dict[str, Any], as_json: bool, show: Callable[[dict[str, Any]], None]) -> None:
    """Print what was found: as one JSON object, or as `show` shows it."""
    if as_json:
        click.echo(json.dumps(held, default=str, allow_nan=False))
    else:
        show(held)
