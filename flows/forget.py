"""Forgets rows: new versions without them, everything that quotes them erased, and a list of what had seen them."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from audit.report import ReportFacts, render
from corpus import forget as forgetting
from corpus.earlier import Earlier
from corpus.forget import Found, Wanted
from corpus.schema import LEDGER, UserError, conform
from corpus.store import Store
from corpus.versions.card import Card
from corpus.versions.rows import forget_decoded
from corpus.versions.version import Version
from flows import increment
from flows.finish import CURATION, RUN
from flows.job import Job
from flows.progress import shown

_LEDGER = "attestations/ledger.parquet"
_COPIED = (increment.SOURCES, RUN, "audit.json", "attestations/environment.json")
_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""The digest of no records: what came since the version that is built on."""


def forget(
    wanted: Wanted,
    root: Path,
    why: str,
    *,
    withdraw: bool = False,
    dry_run: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Forget rows and all that grew of them; `withdraw` takes back every version that holds one, too.

    Names get a version without them, no later run takes them in, and snapshots, memo, candidates, dropped rows,
    samples and reports are rid of them. Returns what had seen them. Nothing is changed on a dry run, or where a
    `UserError` is raised: no such row, a run in progress. A name of which nothing is left means nothing from then on.
    """
    if [wanted.source, wanted.row, wanted.pattern].count(None) != 2:
        raise UserError("say which rows are meant: one of --source, --row and --pattern")
    store = Store(root.resolve())
    with shown(quiet) as progress, store.alone():
        progress("looking for the rows", 0, 0)
        if not dry_run:
            forgetting.tidy(store)
        found = forgetting.find(store, wanted)
        told = _told(store, found)
        names = _names(store, found)
        if dry_run:
            return {**told, "names": dict.fromkeys(names), "erased": None, "withdrawn": [], "dry_run": True}
        barred = sorted(found.ids - _harmless(store, found))
        store.library.forget(barred, [wanted.source] if wanted.source else [], why)
        progress("publishing without them", 0, 0)
        made = {name: _publish(store, name, version, found, why) for name, version in names.items()}
        progress("erasing", 0, 0)
        erased = forgetting.erase(store, found)
        erased["reports"] = _clean_runs(store, found) + _clean_versions(store, found)
        taken = sorted(found.versions) if withdraw else []
        for version in taken:
            forget_decoded(store.library.shards_of(version))
            store.library.withdraw(version, why)
    return {**told, "names": made, "erased": erased, "withdrawn": taken, "dry_run": False}


def _harmless(store: Store, found: Found) -> set[str]:
    """Return the ids under which a name's rows now say something else: they were corrected since, and may be again."""
    held: set[str] = set()
    for name in store.library.refs() if found.matched else ():
        meant = store.library.last(name).version
        if meant is None or meant not in store.library.versions():
            continue
        for part in Earlier.of(store.library.open(meant), []).parts:
            rows = part.read(["id", "messages"])
            named = pc.is_in(rows["id"], found.sorted).combine_chunks()
            held |= {*rows.filter(pc.and_(named, pc.invert(found.mask(rows))))["id"].to_pylist()}
    return held


def _told(store: Store, found: Found) -> dict[str, Any]:
    """Tell what has seen the rows: versions with the names that meant them, shards, models."""
    library = store.library
    meant: dict[str, list[str]] = {}
    for name in library.refs():
        for entry in library.log(name):
            meant.setdefault(str(entry.version), []).append(f"{name} ({entry.n})")
    return {
        "rows": len(found.ids),
        "versions": [
            {
                "version": version,
                "names": meant.get(version, []),
                "rows": sum(shards.values()),
                "shards": [{"file": file, "rows": rows} for file, rows in shards.items()],
            }
            for version, shards in sorted(found.versions.items())
        ],
        "models": [
            {"adapter": str(adapter), "version": version}
            for adapter in sorted(store.root.glob("runs/*/adapter"))
            if (version := json.loads((adapter.parent / "version.json").read_text())["version"])
            in found.versions
        ],
        "snapshots": sorted(found.snapshots),
        "unreadable": forgetting.unreadable(store),
    }


def _names(store: Store, found: Found) -> dict[str, Version]:
    """Return the names that mean a version with one of the rows."""
    held = {}
    for name in store.library.refs():
        last = store.library.last(name)
        if last.version not in found.versions:
            continue
        version = Version.look(store.library.shelf, str(last.version))
        held[name] = version
    return held


def _publish(store: Store, name: str, version: Version, found: Found, why: str) -> str | None:
    """Publish what is left of a version, let the name mean it, and say of it what is still true.

    Where nothing is left none is published, and the name means nothing.
    """
    if sum(found.versions[version.id].values()) == sum(shard.rows for shard in version.shards):
        store.library.set_ref(name, None, store.library.last(name).n, forgot=f"all rows: {why}")
        return None
    parts = Earlier.of(version, []).parts
    columns = ["id", "source", "file", "row", "messages"]
    gone = pa.concat_tables(
        [rows.filter(found.mask(rows)) for rows in (part.read(columns) for part in parts)]
    )
    ids = gone["id"].to_pylist()
    recipe = version.manifest["recipe"]
    held = {
        **recipe,
        "builds_on": version.id,
        "sources": [{**source, "digest": _EMPTY} for source in recipe.get("sources", [])],
    }
    licences = _licences(version)
    made = store.library.publish([], held, Card(name.partition("@")[0], licences), base=version, without=ids)
    lines = {column: gone[column].combine_chunks() for column in ("id", "source", "file", "row")}
    said = {"stage": "forget", "action": "forget", "reason": "forgotten", "detail": why}
    lines |= {column: pa.array([value] * gone.num_rows, pa.string()) for column, value in said.items()}
    made.attest(_LEDGER, _parquet(conform(lines, LEDGER)))
    for file in _COPIED:
        if version.has(file):
            made.attest(file, version.shelf.read(f"{version.where}/{file}"))
    if version.has(CURATION):
        curation = version.attested(CURATION)
        forgetting.clean(curation, found)
        _attest_report(made, name, curation)
    if store.library.last(name).version != made.id:
        store.library.set_ref(name, made.id, store.library.last(name).n, forgot=f"{len(ids)} rows: {why}")
    return made.id


def _parquet(table: pa.Table) -> bytes:
    raw = io.BytesIO()
    pq.write_table(table, raw, compression="zstd")
    return raw.getvalue()


def _licences(version: Version) -> dict[str, str]:
    if not version.has(RUN):
        return {}
    return {source["name"]: source["licence"] or "" for source in version.attested(RUN)["recipe"]["sources"]}


def _attest_report(version: Version, title: str, curation: dict[str, Any]) -> None:
    """Lay what curation told, and the report of it, beside a version."""
    version.attest(CURATION, json.dumps(curation, indent=1).encode())
    scores = "attestations/scores.json"
    facts = ReportFacts(
        title=title,
        audit=version.attested("audit.json"),
        rows=curation["rows"],
        stages=curation["stages"],
        samples=curation["samples"],
        growth=curation["growth"],
        scores=_plain(version.attested(scores)) if version.has(scores) else None,
        comparison=version.attested(scores).get("comparisons") if version.has(scores) else None,
        reproduce={"version": version.id, "builds on": version.manifest["recipe"].get("builds_on") or "none"},
    )
    version.attest("report.html", render(facts).encode())


def _plain(scores: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {metric: value for metric, value in held.items() if metric != "per_class"}
        for name, held in scores.get("classifiers", {}).items()
    }


def _clean_versions(store: Store, found: Found) -> int:
    """Write the reports of versions anew that quote one of the rows; return how many they were."""
    count = 0
    for version in forgetting.versions(store):
        if version.has(_LEDGER):
            raw = version.shelf.read(f"{version.where}/{_LEDGER}")
            left = forgetting.redact(pq.read_table(io.BytesIO(raw)), found)
            if left is not None:
                version.attest(_LEDGER, _parquet(left))
        if version.has(CURATION):
            curation = version.attested(CURATION)
            if forgetting.clean(curation, found):
                _attest_report(version, version.id[:12], curation)
                count += 1
    return count


def _clean_runs(store: Store, found: Found) -> int:
    """Rid the runs' folders of what quotes the rows; return how many they were."""
    count = 0
    for folder in sorted((store.root / "runs").glob("*")):
        job = Job.open(folder)
        curation = job.read("curation.json")
        if curation is not None and forgetting.clean(curation, found):
            job.write("curation.json", curation)
            job.write("samples.json", curation["samples"])
            (folder / "report.html").unlink(missing_ok=True)
            count += 1
        elif (samples := job.read("samples.json")) and any(one["id"] in found.ids for one in samples):
            job.write("samples.json", [one for one in samples if one["id"] not in found.ids])
            (folder / "report.html").unlink(missing_ok=True)
            count += 1
    return count


def show(held: dict[str, Any]) -> None:
    """Print what had seen the rows, and what was done."""
    console = Console(markup=False, emoji=False, highlight=False)

    def say(line: str) -> None:
        console.print(line, soft_wrap=True)

    say(f"rows      {held['rows']:,}, those that grew of them included")
    for one in held["versions"]:
        names = f" ({', '.join(one['names'])})" if one["names"] else ""
        taken = ", withdrawn" if one["version"] in held["withdrawn"] else ""
        say(
            f"version   {one['version'][:12]}{names} holds {one['rows']:,} in {len(one['shards'])} shards{taken}"
        )
    for one in held["models"]:
        say(f"model     {one['adapter']} was tuned on version {one['version'][:12]}")
    if held["dry_run"]:
        say(
            f"names     {', '.join(held['names']) or 'none'} would get a version without them; nothing was changed"
        )
        return
    for name, version in held["names"].items():
        means = "nothing: no row is left" if version is None else f"version {version[:12]}, without them"
        say(f"name      {name} now means {means}")
    said = ", ".join(f"{count:,} {what}" for what, count in held["erased"].items())
    say(f"erased    {said}")
    for version in held["unreadable"]:
        say(
            f"version   {version[:12]} cannot be read and was not searched; `winnow verify` tells why, `winnow withdraw` takes it back"
        )
    left = [one["version"][:12] for one in held["versions"] if one["version"] not in held["withdrawn"]]
    if left:
        say(
            f"next      these versions still hold them: {', '.join(left)}; `winnow withdraw VERSION --why TEXT` takes one back"
        )
    say("          sources, copies of versions elsewhere and models are yours to see to")
