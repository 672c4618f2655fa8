"""What this machine has and lacks for the parts of a pipeline."""

import os
import platform
import shutil
import subprocess
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from augment import wordnet

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "sentence-transformers",
    "fairlearn",
    "prefect",
    "pyarrow",
    "numba",
    "datasets",
)
FREE_GB = 4


def examine(store: Path) -> dict[str, Any]:
    """Return {"ok", "checks": [{"what", "ok", "found", "needed_for", "do"}]}; `ok` is false where a run would fail."""
    checks = [
        _python(),
        *(_package(name) for name in PACKAGES),
        _apertium(),
        _wordnet(),
        _store(store),
        _disk(store),
        _memory(),
    ]
    return {"ok": all(check["ok"] for check in checks if check["required"]), "checks": checks}


def _check(
    what: str, ok: bool, found: str, needed_for: str, do: str, *, required: bool = True
) -> dict[str, Any]:
    return {
        "what": what,
        "ok": ok,
        "found": found,
        "needed_for": needed_for,
        "do": "" if ok else do,
        "required": required,
    }


def _python() -> dict[str, Any]:
    found = platform.python_version()
    ok = (3, 11) <= tuple(int(part) for part in found.split(".")[:2]) < (3, 14)
    return _check("Python", ok, found, "everything", "install Python 3.11, 3.12 or 3.13")


def _package(name: str) -> dict[str, Any]:
    try:
        return _check(name, True, version(name), "the pipeline", "")
    except PackageNotFoundError:
        return _check(
            name, False, "missing", "the pipeline", f"pip install --constraint constraints.txt {name}"
        )


def _apertium() -> dict[str, Any]:
    binary = shutil.which("apertium")
    do = "apt-get install apertium apertium-eng-spa apertium-eo-en"
    if binary is None:
        return _check("apertium", False, "missing", "back_translation", do, required=False)
    modes = subprocess.run([binary, "-l"], capture_output=True, text=True, check=False).stdout.split()  # noqa: S603  # our own word, found on the path
    pairs = [mode for mode in ("eng-spa", "spa-eng", "en-eo", "eo-en") if mode in modes]
    return _check(
        "apertium",
        len(pairs) == 4,
        f"{binary}, pairs {', '.join(pairs) or 'none'}",
        "back_translation",
        do,
        required=False,
    )


def _wordnet() -> dict[str, Any]:
    do = "apt-get install wordnet-base"
    there = (wordnet.FOLDER / "data.noun").exists()
    return _check(
        "wordnet", there, str(wordnet.FOLDER) if there else "missing", "paraphrase", do, required=False
    )


def _store(store: Path) -> dict[str, Any]:
    place = _place(store)
    do = "name another folder with --store"
    try:
        with tempfile.TemporaryDirectory(dir=place):
            return _check("store", True, f"{store} can be written", "every run", do)
    except OSError as error:
        return _check("store", False, f"{store} cannot be written ({error.strerror})", "every run", do)


def _place(store: Path) -> Path:
    """Return the store where it is there, else the nearest of the folders above it that is."""
    return next(place for place in (store.resolve(), *store.resolve().parents) if place.exists())


def _disk(store: Path) -> dict[str, Any]:
    free = shutil.disk_usage(_place(store)).free / 2**30
    return _check(
        "disk",
        free >= FREE_GB,
        f"{free:.1f} GiB free",
        "models and snapshots",
        f"free {FREE_GB} GiB, or name another disk with --store",
    )


def _memory() -> dict[str, Any]:
    total = psutil.virtual_memory().total / 2**30
    return _check(
        "memory",
        total >= 6,
        f"{total:.1f} GiB, {os.cpu_count()} cores",
        "the demo",
        "the demo takes up to 6 GiB",
        required=False,
    )


def show(held: dict[str, Any]) -> None:
    """Print a line a check; what was found is printed as it is, brackets and colons included."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("", "what", "found", "needed for", "to do"):
        table.add_column(name)
    for check in held["checks"]:
        colour = "green" if check["ok"] else ("red" if check["required"] else "yellow")
        mark = Text("ok" if check["ok"] else "lacks", colour)
        table.add_row(mark, check["what"], check["found"], check["needed_for"], check["do"])
    Console(markup=False, emoji=False).print(table)
