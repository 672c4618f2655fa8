"""Forgets rows: new versions without them, everything that quotes them erased, and a list of what had seen them."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console

from corpus.earlier import Earlier
from corpus.forgetting import corrected, journal
from corpus.forgetting.erase import clean, erase, tidy
from corpus.forgetting.find import Found, Wanted, find
from corpus.schema import LEDGER, SCORES, UserError, conform
from corpus.store import Store
from corpus.versions.card import Card
from corpus.versions.forgotten import Forgotten
from corpus.versions.scores import attest_scores
from corpus.versions.version import Version
from flows import increment
from flows.approval import APPROVALS, STOPPED
from flows.curate import RUN
from flows.finish import CURATION
from flows.progress import shown
from flows.quotes import attest_report, can_be_told, clean_runs, clean_versions, title, told_of

_COPIED = (increment.SOURCES, RUN, "audit.json", APPROVALS, STOPPED, "attestations/environment.json")
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
    samples and reports are rid of them. Returns what had seen them. No row is erased on a dry run, or where a
    `UserError` is raised: no such row, a run in progress. A name of which nothing is left means nothing from then on.
    What was begun before and broke off, withdrawals included, is brought to its end first.
    """
    if [wanted.source, wanted.row, wanted.pattern].count(None) != 2:
        raise UserError("say which rows are meant: one of --source, --row and --pattern")
    store = Store(root.resolve())
    with shown(quiet) as progress, store.alone():
        if not dry_run:
            finish(store)
        progress("looking for the rows", 0, 0)
        found = find(store, wanted)
        unreadable = _unreadable(store, found)
        told = {**_told(store, found), "unreadable": unreadable}
        names = _names(store, found)
        if dry_run:
            return {**told, "names": dict.fromkeys(names), "erased": None, "withdrawn": [], "dry_run": True}
        progress("publishing without them", 0, 0)
        made = {version: _publish(store, version, found, why) for version in sorted({*names.values()})}
        rows, records = corrected.barred(store, found.ids, found.spared)
        sources = [wanted.source] if wanted.source else []
        Forgotten.note(store.library.shelf, rows, records, sources, why)
        for name, version in names.items():
            left = sum(found.versions[version].values()) if made[version] else "all"
            store.library.names.give(
                name, made[version], store.library.names.last(name).n, forgot=f"{left} rows: {why}"
            )
        progress("erasing", 0, 0)
        journal.begin(store, found, withdraw=withdraw, why=why)
        erased = _erase(store, found, withdraw=withdraw, why=why)
        taken = sorted(found.versions) if withdraw else []
    given = {name: made[version] for name, version in names.items()}
    return {**told, "names": given, "erased": erased, "withdrawn": taken, "dry_run": False}


def _erase(store: Store, found: Found, *, withdraw: bool, why: str) -> dict[str, int]:
    """Erase what was found, and what quotes it; return how much of each."""
    tidy(store)
    reports = clean_runs(store, found) + clean_versions(store, found)
    erased = {**erase(store, found), "reports": reports}
    for version in sorted({*found.versions} & {*store.library.versions()}) if withdraw else ():
        store.library.withdraw(version, why)
    journal.end(store)
    return erased


def finish(store: Store) -> None:
    """Bring to its end what was begun to be forgotten or withdrawn, and broke off: the store is held alone."""
    store.library.finish()
    begun = journal.begun(store)
    if begun is not None:
        found, how = begun
        _erase(store, found, **how)


def _told(store: Store, found: Found) -> dict[str, Any]:
    """Tell what has seen the rows: versions with the names that meant them, shards, models."""
    library = store.library
    meant: dict[str, list[str]] = {}
    for name in library.names.all():
        for entry in library.names.log(name):
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
    }


def _unreadable(store: Store, found: Found) -> list[str]:
    """Return the versions of which something cannot be read: rows there are not found, or quotes not erased."""
    library = store.library
    readable = {version.id for version in library.readable() if can_be_told(version)} - found.broken
    return [held for held in library.versions() if held not in readable and not library.withdrawn(held)]


def _names(store: Store, found: Found) -> dict[str, str]:
    """Return the names that mean a version with one of the rows."""
    meant = {name: str(store.library.names.last(name).version) for name in store.library.names.all()}
    return {name: version for name, version in meant.items() if version in found.versions}


def _publish(store: Store, version_id: str, found: Found, why: str) -> str | None:
    """Publish what is left of a version, and say of it what is still true; None where no row is left."""
    version = store.library.open(version_id)
    if sum(found.versions[version.id].values()) == sum(shard.rows for shard in version.shards):
        return None
    columns = ["id", "source", "file", "row"]
    read = [part.read(columns) for part in Earlier.of(version, []).parts]
    gone = pa.concat_tables([rows.filter(found.mask(rows, version.where)) for rows in read])
    recipe = version.manifest["recipe"]
    held = {
        **recipe,
        "builds_on": version.id,
        "sources": [{**source, "digest": _EMPTY} for source in recipe.get("sources", [])],
    }
    sources = told_of(version).get("recipe", {}).get("sources", [])
    card = Card(title(version), {source["name"]: source["licence"] or "" for source in sources})
    made = store.library.publish([], held, card, base=version, without=gone["id"].to_pylist())
    said = {"stage": "forget", "action": "forget", "reason": "forgotten", "detail": why}
    lines = {column: gone[column].combine_chunks() for column in columns}
    lines |= {column: pa.array([value] * gone.num_rows, pa.string()) for column, value in said.items()}
    made.attest_ledger(conform(lines, LEDGER))
    attest_scores(made, version, SCORES.empty_table())
    for file in _COPIED:
        with suppress(UserError):  # what is broken is not said of another
            made.attest(file, _wordless(version) if file == "audit.json" else version.said(file))
    if version.has(CURATION) and can_be_told(version):
        curation = version.attested(CURATION)
        clean(curation, found)
        if curation.get("audit"):
            curation["audit"]["associations"] = _without_words(curation["audit"]["associations"])
        attest_report(made, curation)
    return made.id


def _wordless(version: Version) -> bytes:
    """Return a version's audit without the words that go with groups: nobody counted them anew without the rows."""
    record = version.attested("audit.json")
    record["associations"] = _without_words(record.get("associations"))
    return json.dumps(record, indent=1).encode()


def _without_words(associations: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if associations is None else {**associations, "words": []}


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
            f"version   {version[:12]} cannot be read whole, and may hold or quote them; `winnow verify` tells why, `winnow withdraw` takes it back"
        )
    left = [one["version"][:12] for one in held["versions"] if one["version"] not in held["withdrawn"]]
    if left:
        say(
            f"next      these versions still hold them: {', '.join(left)}; `winnow withdraw VERSION --why TEXT` takes one back"
        )
    say("          sources, models, and copies and work areas on other machines are yours to see to")
