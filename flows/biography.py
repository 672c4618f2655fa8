"""A row's biography, both ways: what each stage said of it, what it lost to, what it displaced, its children."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from audit.page.spelt import visible
from corpus.schema import UserError, keyed_id
from corpus.store import Store
from corpus.versions.version import Version
from flows.chapters import RunChapter
from flows.difference import told
from flows.job import Job
from flows.leftovers import LedgerChapter

SHOWN = 200
"""Characters of a text that are printed; `--json` has all of them."""
TEXTS = {"parent_text": "parent ", "text": "", "child_text": "", "other_text": ""}
"""What rows say, in the order in which it is printed, and what is put before it."""
MAKER = ("engine", "revision", "licence", "fault")
"""What is told of a grown row's maker in words; other words are what was said on the way, a pivot."""

Chapter = RunChapter | LedgerChapter


def explain(run_or_version: str, row: str, root: Path) -> dict[str, Any]:
    """Return the events of a row's life in order, with what it said and what the rows said that it met.

    `run_or_version` is a run, `latest`, or a version or ref; `row` an id, a unique prefix, a key, or
    `source/file:row`. What earlier versions that it builds on tell comes first. Raises `UserError` where no run, or
    no one row, is so called, and for a run that has not judged its rows.
    """
    chapters = _chapters(Store(root.resolve()), run_or_version)
    row_id = _named(chapters, row)
    events = [event for chapter in chapters for event in chapter.tell(row_id)]
    what, _, which = chapters[-1].name.partition(" ")
    return {"run": which if what == "run" else None, "of": chapters[-1].name, "id": row_id, "events": events}


def _chapters(store: Store, name: str) -> Sequence[Chapter]:
    """Return the run or version that is so called, behind those that it builds on."""
    last = _chapter(store, name)
    base = _base(last)
    if base is None or base not in store.library.versions():
        return [last]
    earlier = []
    with suppress(UserError):  # a broken one tells nothing; `winnow verify` tells why
        earlier = list(Version.look(store.library.shelf, base).lineage)
    return [*[_of_version(store, version, last=False) for version in earlier][::-1], last]


def _base(chapter: Chapter) -> str | None:
    if isinstance(chapter, RunChapter):
        return chapter.base
    return None if chapter.version is None else chapter.version.builds_on


def _chapter(store: Store, name: str) -> Chapter:
    wanted = "" if name == "latest" else name
    runs = sorted((store.root / "runs").glob(f"{wanted}*")) if re.fullmatch(r"[\w-]+", name) else []
    if name == "latest":
        if not runs:
            raise UserError(f"there is no run in {store.root} yet; name another store with --store")
        runs = runs[-1:]
    if len(runs) == 1:
        return _of_run(Job.open(runs[0]), last=True)
    if len(runs) > 1:
        raise UserError(f"{len(runs)} runs begin with {name!r}; give more of the name")
    return _of_version(store, store.library.open(name), last=True)


def _of_version(store: Store, version: Version, *, last: bool) -> Chapter:
    """Return the run that made a version, or where it is gone the version itself."""
    for folder in sorted((store.root / "runs").glob("*"), reverse=True):
        made, began = (folder / name for name in ("version.json", "began.json"))
        if (
            made.exists()
            and json.loads(made.read_text())["version"] == version.id
            and json.loads(began.read_text())["builds_on"] != version.id
        ):
            return _of_run(Job.open(folder), last=last)
    return LedgerChapter.of_version(version, last=last)


def _of_run(job: Job, *, last: bool) -> Chapter:
    if job.whole:
        return RunChapter(job, last=last)
    return LedgerChapter.of_run(job, last=last)


def _named(told: Sequence[Chapter], row: str) -> str:
    """Find the one row that is meant, among those that came in and those that were grown or rejected."""
    # 18 digits fit the 64 bits of a row's number
    place = re.fullmatch(r"(?P<source>[\w-]+)(?:/(?P<file>.+))?:(?P<row>\d{1,18})", row)
    found = _placed(told, place) if place is not None else _called(told, row)
    if len(found) != 1:
        if place is not None and not found:
            _raise_rejected(told, place, row)
        what = "no row is" if not found else f"{len(found)} rows are"
        raise UserError(
            f"{what} called {row!r} in {told[-1].name}; give an id, a unique prefix, a key, source:row or "
            f"source/file:row, where rows count from 0 (sources: {', '.join(told[-1].sources)})"
        )
    return found[0]


def _placed(told: Sequence[Chapter], place: re.Match[str]) -> list[str]:
    """Find the rows that were read there, by the last run that read there."""
    for chapter in reversed(told):
        came = chapter.came
        mask = pc.and_(pc.equal(came["source"], place["source"]), pc.equal(came["row"], int(place["row"])))
        if place["file"] is not None:
            mask = pc.and_(mask, pc.equal(came["file"], place["file"]))
        read = pc.and_(mask, came["parent"].is_null())
        found = sorted({*came.filter(read)["id"].to_pylist()})
        if found:
            return found
    return []


def _called(told: Sequence[Chapter], row: str) -> list[str]:
    """Find the rows that are called so: a whole id goes before a key, and a key before the beginning of an id."""
    held = [ids for chapter in told for ids in chapter.ids]
    keyed = sorted({keyed_id(source, row) for chapter in told for source in chapter.sources})
    for called in ([row], keyed):
        found = [row_id for row_id in called if any(pc.index(ids, row_id).as_py() >= 0 for ids in held)]
        if found:
            return found
    return sorted({row_id for ids in held for row_id in ids.filter(pc.starts_with(ids, row)).to_pylist()})


def _raise_rejected(told: Sequence[Chapter], place: re.Match[str], row: str) -> None:
    for chapter in told:
        refused = chapter.refused
        mask = pc.and_(
            pc.equal(refused["source"], place["source"]), pc.equal(refused["row"], int(place["row"]))
        )
        for line in refused.filter(pc.fill_null(mask, False)).to_pylist():
            raise UserError(f"{row} was rejected at ingest: {line['reason']} ({line['detail']})")


def _cut(said: str) -> str:
    """Return the beginning of a text, on one line."""
    whole = " ".join(said.split())
    return f"“{whole if len(whole) <= SHOWN else whole[: SHOWN - 1] + '…'}”"


def _value(value: Any) -> str:
    """Return a fact in words: what has names is listed by them."""
    if isinstance(value, dict):
        return f"({', '.join(f'{name} {_value(one)}' for name, one in value.items())})"
    return str(value)


def _made(grown: dict[str, Any]) -> list[str]:
    """Say how a row was made: what is known of its maker on one line, then what was said on the way."""
    facts = {name: value for name, value in grown.items() if name in MAKER or not isinstance(value, str)}
    told = ", ".join(f"{name} {_value(value)}" for name, value in facts.items())
    return [
        *([told] if told else []),
        *(f"{name} {_cut(grown[name])}" for name in grown if name not in facts),
    ]


def show(held: dict[str, Any]) -> None:
    """Print a biography, a line an event; names are printed as they are, brackets and colons included."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"row {held['id']} in {held['of']}", title_justify="left", box=None, pad_edge=False)
    for name in ("stage", "event", "score", "threshold", "told"):
        table.add_column(name, justify="right" if name in ("score", "threshold") else "left", overflow="fold")
    for event in held["events"]:
        known = {
            key: value for key, value in event.items() if key not in ("stage", "event", "score", "threshold")
        }
        differs = known.pop("difference", None)
        made = _made(known.pop("grown", {}))
        said = [f"{whose}{_cut(known.pop(key))}" for key, whose in TEXTS.items() if key in known]
        if known.pop("other_is", None) == "parent":  # its text stands where the row was made of it
            known["other"] = f"{known['other']} (its parent)"
            said, differs = said[:0], None
        facts = ", ".join(f"{key} {_value(value)}" for key, value in known.items())
        lines = [facts, *made, *said, *([told(differs)] if differs else [])]
        rest = "\n".join(visible(line) for line in lines if line)
        numbers = ["" if event.get(key) is None else f"{event[key]:.3g}" for key in ("score", "threshold")]
        table.add_row(event["stage"], event["event"], *numbers, rest)
    Console(markup=False, emoji=False).print(table)
