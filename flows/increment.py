"""Whether a run builds on the last version of its name, and what came before it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus.earlier import NOTHING, Earlier
from corpus.ingest import sha256
from corpus.known import Known
from corpus.models import Models
from corpus.schema import LEDGER, ROW, UserError, conform
from corpus.sources import File, Source
from corpus.versions.diff import knobs
from corpus.versions.forgotten import Forgotten
from corpus.versions.library import Library
from corpus.versions.version import Version
from flows.recipe import Recipe

SOURCES = "attestations/sources.json"
"""The SHA-256 of every file of each source, as the run found them that published a version."""


def begin(recipe: Recipe, library: Library, models: Models, *, alone: bool) -> dict[str, Any]:
    """Say what the name means as a run begins, and which version the run builds on, or why on none.

    It builds on the last version of its name if that was made by the same sources, stages and seed.
    """
    last = library.names.last(recipe.name)
    found: dict[str, Any] = {
        "ref": last.n,
        "candidate": library.names.last(f"{recipe.name}@candidate").n,
        "forgotten": Forgotten.entries(library.shelf),
        "version": last.version,
        "builds_on": None,
        "because": None,
    }
    if alone or last.version is None:
        return found
    try:
        version = library.open(last.version)
        _ = version.attested(SOURCES), version.record_layers  # which raise where they cannot be read
    except (UserError, FileNotFoundError) as error:
        raise _unsound(last.version, error) from error
    theirs = {
        **version.manifest["recipe"],
        "sources": [{**source, "digest": None} for source in version.manifest["recipe"]["sources"]],
        "builds_on": None,
    }
    differs = [
        one["knob"] for one in knobs(theirs, asked(recipe, models)) if one["knob"] != "sources in order"
    ]
    if differs:
        return {**found, "because": f"the recipe is another: {', '.join(differs[:3])}"}
    return {**found, "builds_on": version.id}


def _unsound(version: str, error: Exception) -> UserError:
    return UserError(
        f"version {version[:12]}, which this run would build on, cannot be used: {error}; "
        "mend it, roll the name back, or run with --fresh to start anew without it"
    )


def prove(base: Version | None) -> None:
    """Raise `UserError` where the version that a run builds on is not what was published."""
    if base is None:
        return
    try:
        base.prove()
    except UserError as error:
        raise _unsound(base.id, error) from error


def alone(recipe: Recipe, fresh: bool, limit: int | None) -> bool:
    """Say whether a run builds on no version, whatever the name means: one that publishes none, or takes a part."""
    return fresh or limit is not None or not recipe.shards.publish


def asked(recipe: Recipe, models: Models) -> dict[str, Any]:
    """Return what a version's id depends on beside its rows and records: the recipe as it is written."""
    return {
        "seed": recipe.seed,
        "limit": None,
        "sources": [{**source.identity(), "digest": None} for source in recipe.sources],
        "stages": [stage.identity(models) for stage in recipe.stages],
        "builds_on": None,
    }


def known(base: Version | None) -> Mapping[str, Known]:
    """Return what came before of each source."""
    if base is None:
        return {}
    return {
        name: Known(partial(_records, base, name), tuple(last))
        for name, last in base.attested(SOURCES).items()
    }


def _records(base: Version, source: str) -> pa.Table:
    records = base.records
    return records.filter(pc.equal(records["source"], source))


def untouched(base: Version, sources: Sequence[Source], files: Callable[[Source], list[File]]) -> bool:
    """Say whether the files of all sources are as the run found them that published the version."""
    before = base.attested(SOURCES)
    for source in sources:
        found = files(source)
        if any(file.problem is not None for file in found):
            return False
        if sorted(map(sha256, found)) != before.get(source.name):
            return False
    return True


def without(base: Version | None, replaced: Sequence[str], forgotten: Forgotten) -> pa.Table:
    """Return lines of the ledger for the earlier rows that go, and for what grew of them.

    These are rows whose records were corrected, and rows that were forgotten but stand in the version.
    """
    if base is None or not (replaced or forgotten):
        return LEDGER.empty_table()
    rows = pa.concat_tables(
        [part.read(["id", "source", "file", "row", "parent"]) for part in Earlier.of(base, []).parts]
    )
    tables = []
    for gone, reason in (
        (pc.is_in(rows["id"], pa.array(replaced, pa.string())), "corrected"),
        (base.in_its_ids(forgotten).mask(rows), "forgotten"),
    ):
        found = rows.filter(gone)
        tables.append(_lines(found, reason))
        while found.num_rows:
            found = rows.filter(pc.is_in(rows["parent"], found["id"].combine_chunks()))
            tables.append(_lines(found, f"parent_{reason}"))
    lines = pa.concat_tables(tables)
    first = pc.index_in(pc.unique(lines["id"]), lines["id"].combine_chunks())
    return lines.take(first)


def before(base: Version | None, ids: Sequence[str]) -> pa.Table:
    """Return id, family and split of earlier rows: what a corrected record takes over."""
    columns = ["id", "family", "split"]
    if base is None or not ids:
        return ROW.empty_table().select(columns)
    named = pa.array(ids, pa.string())
    tables = [part.read(columns) for part in Earlier.of(base, []).parts]
    return pa.concat_tables([rows.filter(pc.is_in(rows["id"], named)) for rows in tables])


def _lines(rows: pa.Table, reason: str) -> pa.Table:
    count = rows.num_rows
    columns = {name: rows[name].combine_chunks() for name in ("id", "source", "file", "row")}
    told = {"stage": "ingest", "action": "replace", "reason": reason}
    return conform(
        {**columns, **{name: pa.array([said] * count, pa.string()) for name, said in told.items()}}, LEDGER
    )


def earlier(base: Version | None, gone: list[str]) -> Earlier:
    """Return the rows of the version that is built on."""
    return NOTHING if base is None else Earlier.of(base, gone)
