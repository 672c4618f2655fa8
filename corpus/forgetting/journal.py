"""What is being forgotten, written down until it is done: erased rows cannot be found again by who is broken off."""

import json
from dataclasses import asdict
from typing import Any

from corpus.forgetting.find import Found, Wanted
from corpus.store import Store

_FILE = "forgetting.json"


def begin(store: Store, found: Found, *, withdraw: bool, why: str) -> None:
    """Write down what is to be erased; `end` takes it away."""
    held = {
        "wanted": asdict(found.wanted),
        "ids": sorted(found.ids),
        "spared": {place: sorted(ids) for place, ids in found.spared.items() if ids},
        "prints": sorted(print_.hex() for print_ in found.prints),
        "versions": found.versions,
        "snapshots": sorted(found.snapshots),
        "broken": sorted(found.broken),
        "withdraw": withdraw,
        "why": why,
    }
    store.disk.write(_FILE, json.dumps(held).encode())


def begun(store: Store) -> tuple[Found, dict[str, Any]] | None:
    """Return what was begun and not ended, with `withdraw` and `why`; None where all was."""
    try:
        held = json.loads(store.disk.read(_FILE))
    except FileNotFoundError:
        return None
    found = Found(
        Wanted(**held["wanted"]),
        frozenset(held["ids"]),
        {place: {*ids} for place, ids in held["spared"].items()},
        {bytes.fromhex(print_) for print_ in held["prints"]},
        held["versions"],
        {*held["snapshots"]},
        {*held["broken"]},
    )
    return found, {"withdraw": held["withdraw"], "why": held["why"]}


def end(store: Store) -> None:
    """Say that all is erased."""
    store.disk.remove(_FILE)
