"""What the report says of how a run is done again: what it depends on, and the commands."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from corpus.schema import digest
from corpus.store import Store
from flows.curate import RUN

MOST_INPUTS = 5
"""Digests of a source's files that the page shows."""


def reproduce(
    version: str,
    run: str,
    recipe: Mapping[str, Any],
    store: Store,
    files: Mapping[str, Sequence[str]],
    repeated: str,
) -> dict[str, Any]:
    """Return what a version depends on, in the order to be shown; `files` has by source the digests of what was read."""
    return {
        "version": version,
        "run": run,
        "recipe": f"{recipe['name']}, {digest(orjson.dumps(recipe, option=orjson.OPT_SORT_KEYS)).hex()}",
        "seed": recipe["seed"],
        "inputs (SHA-256)": "; ".join(_inputs(name, found) for name, found in files.items()) or "not kept",
        "run it again": repeated,
        "where": f"in the recipe's folder, against which relative URIs are read; what its YAML was called is not kept, {RUN} of the version has every knob",
        "explain a row": f"winnow explain {run} ID --store {store.root}",
    }


def _inputs(source: str, digests: Sequence[str]) -> str:
    """Name a source with the digests of its files, the first few of many."""
    more = f" and {len(digests) - MOST_INPUTS:,} more" if len(digests) > MOST_INPUTS else ""
    return f"{source} {', '.join(digests[:MOST_INPUTS])}{more}"


def again(run: str, recipe: Mapping[str, Any], store: Store, builds_on: str | None, limit: int | None) -> str:
    """Return the commands that run the same again, on as many workers and by either engine."""
    words = ["winnow", "run", f"{run}.json", "--seed", str(recipe["seed"]), "--store", str(store.root)]
    words += [] if limit is None else ["--limit", str(limit)]
    # Where the run built on nothing, another must not build on what it published.
    words += ["--fresh"] if builds_on is None else []
    copy = ["cp", f"{store.root}/runs/{run}/recipe.json", f"{run}.json"]
    return f"{shlex.join(copy)} && {shlex.join(words)}"
