"""Frees the disk of what a store no longer needs."""

from pathlib import Path
from typing import Any

from rich.console import Console

from corpus import collect as collecting
from corpus.store import Store
from flows import forget


def collect(root: Path, days: float, keep: int | None, *, dry_run: bool) -> dict[str, Any]:
    """Remove what nobody refers to and nobody used for `days`; return how much of each, and the bytes.

    Raises `UserError` while a run is in progress. Versions that somebody reads stay.
    """
    store = Store(root.resolve())
    with store.alone():
        if not dry_run:
            forget.finish(store)
        found = collecting.find(store, days, keep)
        kinds = {
            "runs": found.runs,
            "snapshots": found.snapshots,
            "measured": found.measured,
            "leftovers": found.leftovers,
        }
        told: dict[str, Any] = {
            "versions": found.versions,
            "in_use": found.read,
            **{kind: len(folders) for kind, folders in kinds.items()},
            "bytes": sum(collecting.size(folder) for folder in found.folders),
            "objects": None,
            "dry_run": dry_run,
        }
        if not dry_run:
            told["objects"] = collecting.remove(store, found)
    return told


def show(held: dict[str, Any]) -> None:
    """Print what went, or would go."""
    console = Console(markup=False, emoji=False, highlight=False)
    for version in held["versions"]:
        console.print(f"version   {version[:12]}: no name means it")
    for version in held["in_use"]:
        console.print(f"stays     {version[:12]}: no name means it, and somebody reads it")
    counts = ", ".join(f"{held[kind]:,} {kind}" for kind in ("runs", "snapshots", "measured", "leftovers"))
    verb = "would go" if held["dry_run"] else "gone"
    objects = "" if held["objects"] is None else f", {held['objects']:,} shards and lists of records"
    console.print(
        f"{verb:9} {counts}{objects}; {held['bytes'] / 2**20:,.1f} MiB beside the shards", soft_wrap=True
    )
