"""Lets a name mean the version that a gate stopped, on a person's word, which stays beside the version."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from audit.page.spelt import visible
from corpus.schema import UserError
from corpus.store import Store
from corpus.versions.version import Version
from flows import approval, finish, gates
from flows.curate import RUN, opened
from flows.job import Job


def release(run_or_version: str, reason: str, root: Path, by: str | None = None) -> dict[str, Any]:
    """Approve the version of a run that a gate stopped, and let the recipe's name mean it; return the approval.

    `by` is this system's user by default. Where the name means the version already (a gate came later), the approval
    alone is written. Raises `UserError` where nothing was stopped, where name or candidate moved since, and where the
    version was withdrawn or holds rows that were forgotten.
    """
    reason, by = approval.checked(reason, by)
    store = Store(root.resolve())
    with store.shared():
        version, told = _stopped(store, run_or_version)
        named = store.library.names.last(told["name"])
        if named.version != version.id:
            _raise_if_moved(store, version, told)
        elif not approval.waiting(told["gates"], approval.approvals(version, told["name"])):
            raise UserError(f"version {version.id[:12]} is approved, and {told['name']!r} means it already")
        entry = approval.approve(version, told["name"], told["gates"], told["run"], reason, by)
        _show_in_reports(store, version, told["run"])
        if named.version != version.id:
            named = store.library.names.give(
                told["name"], version.id, told["after"], run=told["run"], released_by=by
            )
    return {
        "version": version.id,
        "name": told["name"],
        "n": named.n,
        **entry,
        "report": version.shelf.url(f"{version.where}/report.html"),
        "left": _left(version),
    }


def _stopped(store: Store, name: str) -> tuple[Version, Mapping[str, Any]]:
    """Return the version that is meant, and what stopped it."""
    runs = [run for run in store.disk.names("runs") if name == "latest" or run.startswith(name)]
    if name == "latest" and not runs:
        raise UserError(f"there is no run in {store.root} yet; name another store with --store")
    if not runs:
        version = store.library.open(name)
        stops, asked = approval.stops(version), name.removesuffix("@candidate")
        if not stops or (asked != name and asked not in stops):
            raise UserError(
                f"version {version.id[:12]} was not stopped by a gate, so there is nothing to approve"
            )
        if asked not in stops and len(stops) > 1:
            names = ", ".join(f"{one}@candidate" for one in sorted(stops))
            raise UserError(
                f"version {version.id[:12]} was stopped under several names; say which is meant: {names}"
            )
        return version, stops.get(asked, next(iter(stops.values())))
    if len(runs) > 1 and name != "latest":
        raise UserError(f"{len(runs)} runs begin with {name!r}; give more of the name")
    job = Job.open(store.root / "runs" / runs[-1])
    told = job.read("stopped.json")
    if told is None:
        raise UserError(
            f"the run {job.folder.name} was not stopped by a gate at a version, so there is nothing to approve"
        )
    return opened(job), told


def _raise_if_moved(store: Store, version: Version, told: Mapping[str, Any]) -> None:
    """Raise `UserError` where the name may not mean the version any more."""
    name, short, names = told["name"], version.id[:12], store.library.names
    if version.manifest["recipe"].get("limit") is not None:
        raise UserError(
            f"version {short} is of a limited run, to which no name is given; run without --limit"
        )
    candidate = names.last(f"{name}@candidate").version
    if version.holds(store.library.forgotten):
        other = f"; {name}@candidate means one without them" if candidate not in (None, version.id) else ""
        raise UserError(
            f"version {short} holds rows that were forgotten since it was made{other}; release that, or run again"
        )
    if candidate != version.id:
        raise UserError(
            f"version {short} is the candidate of {name!r} no more, {str(candidate)[:12]} is; read its report, and release that"
        )
    last = names.last(name)
    since = [entry for entry in names.log(name) if entry.n > told["after"]]
    if any("forgot" not in entry.held for entry in since):
        raise UserError(
            f"the name {name!r} was given to version {str(last.version)[:12]} since the run {told['run']} began; "
            "run again to build on it"
        )


def _show_in_reports(store: Store, version: Version, run: str) -> None:
    """Write the reports of the version and of its run anew, with the approval."""
    version.attest("report.html", finish.page_of(version, store).encode())
    if (folder := store.root / "runs" / run).exists():
        job = Job.open(folder)
        store.write_file(folder / "report.html", finish.page(job, job.read("audit.json")))


def _left(version: Version) -> list[str]:
    """Return what the recipe asks for and the stopped run left undone."""
    recipe = version.attested(RUN)["recipe"]
    made = {"tuning": finish.TRAINING, "evaluation": finish.SCORES}
    return [
        section for section, file in made.items() if recipe[section] is not None and not version.has(file)
    ]


def show(held: dict[str, Any]) -> None:
    """Print what was approved, and what is left to do."""
    console = Console(markup=False, emoji=False, highlight=False)
    console.print(
        f"{held['name']} means version {held['version'][:12]}, approved by {visible(held['by'])}",
        soft_wrap=True,
    )
    for gate in held["gates"]:
        console.print(f"though   {gates.sentence(gate)}", soft_wrap=True)
    console.print(f"reason   {visible(held['reason'])}", soft_wrap=True)
    console.print(f"report   {held['report']}", soft_wrap=True)
    if held["left"]:
        console.print(
            f"next     run the recipe again: {' and '.join(held['left'])} of this version is still to be done",
            soft_wrap=True,
        )
