"""What is said of published versions: whether they are sound, what a name has meant."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from audit.page.spelt import visible
from corpus.schema import UserError
from corpus.store import Store
from corpus.versions.library import Library
from corpus.versions.names import Ref
from corpus.versions.verify import verify as examine
from corpus.versions.version import Version
from flows.approval import approvals, stops, waiting
from flows.progress import shown


def verify(names: tuple[str, ...], root: Path, *, deep: bool, quiet: bool) -> dict[str, Any]:
    """Check versions, all of the store where none is named; a single one answers for itself."""
    library = Store(root.resolve()).library
    wanted = names or tuple(library.versions())
    if not wanted:
        raise UserError(f"there is no version in {root} yet; name another store with --store")
    with shown(quiet) as progress:
        found = [
            examine(
                library,
                name,
                deep=deep,
                progress=lambda done, total: progress("verifying", done >> 20, total >> 20),
            )
            for name in wanted
        ]
    if len(found) == 1:
        return found[0]
    return {"ok": all(one["ok"] for one in found), "versions": found}


def show_verified(held: dict[str, Any]) -> None:
    """Print a line a version, and its problems."""
    console = _console()
    for one in held.get("versions", [held]):
        how = "bytes, digests and rows" if one["deep"] else "bytes and digests"
        count = len(one["problems"])
        said = f"sound, by {how}" if one["ok"] else f"{count} problem{'s' if count > 1 else ''}"
        console.print(f"{one['version'][:12]}  {said}", soft_wrap=True)
        for problem in one["problems"]:
            console.print(f"  {problem}", soft_wrap=True)


def withdraw(name: str, why: str, root: Path) -> dict[str, Any]:
    """Take a version back; raises `UserError` where a name means it."""
    store = Store(root.resolve())
    with store.alone():
        version = store.library.withdraw(name, why)
    return {"version": version.id, **(version.withdrawn or {})}


def show_withdrawn(held: dict[str, Any]) -> None:
    """Print which version was withdrawn."""
    _console().print(f"version {held['version'][:12]} was withdrawn: {held['why']}", soft_wrap=True)


def log(name: str | None, root: Path) -> dict[str, Any]:
    """Tell what a name has meant, the newest first; without a name all names, and the versions that have none."""
    library = Store(root.resolve()).library
    if name is not None:
        entries = library.names.log(name)
        if not entries:
            known = ", ".join(library.names.all()) or "none yet"
            raise UserError(f"{root} has no name {name!r}; there are: {known}")
        return {"name": name, "log": [_told(library, entry) for entry in reversed(entries)]}
    logs = {name: library.names.log(name) for name in library.names.all()}
    named = {entry.version for entries in logs.values() for entry in entries}
    return {
        "names": {name: _told(library, entries[-1]) for name, entries in logs.items() if entries},
        "unnamed": [_rows(library, version) for version in library.versions() if version not in named],
    }


def _told(library: Library, entry: Ref) -> dict[str, Any]:
    if entry.version is None:
        state = entry.problem or "means nothing"
        return {**entry.held, "version": "nothing", "rows": None, "state": state}
    return {**entry.held, **_rows(library, entry.version)}


def _rows(library: Library, version: str) -> dict[str, Any]:
    """Return a version's rows by split, and what is wrong with it, if it cannot be read."""
    try:
        held = Version.look(library.shelf, version)
        approved = [] if held.withdrawn is not None else approvals(held)
    except FileNotFoundError:
        return {"version": version, "rows": None, "state": "not in the store"}
    except UserError as error:
        return {"version": version, "rows": None, "state": str(error)}
    state = "published" if held.withdrawn is None else f"withdrawn: {held.withdrawn['why']}"
    rows = {split: found["rows"] for split, found in held.manifest["splits"].items()}
    return {"version": version, "rows": rows, "state": state, "approvals": approved}


def show_log(held: dict[str, Any]) -> None:
    """Print the log of a name, or all names."""
    table = Table(box=None, pad_edge=False)
    entries = (
        [(str(entry["n"]), entry) for entry in held["log"]]
        if "log" in held
        else [*held["names"].items(), *(("(no name)", entry) for entry in held["unnamed"])]
    )
    for name in ("n" if "log" in held else "name", "version", "since", "train", "validation", "test", "what"):
        right = name in ("n", "train", "validation", "test")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "what")
    for label, entry in entries:
        rows = entry["rows"] or {}
        counts = [f"{rows[split]:,}" if split in rows else "" for split in ("train", "validation", "test")]
        table.add_row(label, entry["version"][:12], entry.get("at", ""), *counts, _what(entry))
    _console().print(table)
    approved = {entry["version"]: entry.get("approvals", ()) for _, entry in entries}
    for version, told in approved.items():
        for one in told:
            _console().print(
                f"{version[:12]} was approved by {visible(one['by'])} on {one['at']}: {visible(one['reason'])}",
                soft_wrap=True,
            )


def _what(entry: dict[str, Any]) -> str:
    if entry["state"] != "published":
        return str(entry["state"])
    if "rolled_back_from" in entry:
        return f"rolled back from {entry['rolled_back_from'][:12]}"
    if "forgot" in entry:
        return f"forgot {entry['forgot']}"
    return f"run {entry['run']}" if "run" in entry else ""


def roll_back(name: str, to: str | None, root: Path) -> dict[str, Any]:
    """Let a name mean an earlier version again."""
    store = Store(root.resolve())
    with store.shared():
        before = store.library.names.last(name).version
        _raise_if_stopped(store.library, name, to)
        entry = store.library.roll_back(name, to)
    return {"name": name, "n": entry.n, "version": entry.version, "before": before}


def _raise_if_stopped(library: Library, name: str, to: str | None) -> None:
    """Raise `UserError` where that would go on to a version that a gate stopped and nobody approved."""
    if to is None:
        return
    version = library.open(to)
    if version.id in {entry.version for entry in library.names.log(name)}:
        return
    short, told = version.id[:12], stops(version).get(name)
    if not version.has("audit.json"):
        raise UserError(
            f"version {short} was never judged, for its run did not end, and {name!r} never meant it; run again"
        )
    if told is not None and waiting(told["gates"], approvals(version, name)):
        raise UserError(
            f"version {short} was stopped by a gate, and {name!r} never meant it; `winnow release {name}@candidate` approves it"
        )


def show_rolled_back(held: dict[str, Any]) -> None:
    """Print what a name means now."""
    _console().print(
        f"{held['name']} means {held['version'][:12]} again, and no longer {held['before'][:12]}; both stay in the store",
        soft_wrap=True,
    )


def _console() -> Console:
    return Console(markup=False, emoji=False, highlight=False)
