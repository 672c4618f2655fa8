"""Two versions side by side: what a review reads before the new one is used, as JSON, as Markdown, on a terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpus import lexicon
from corpus.store import Store
from corpus.versions import diff
from flows import changed
from flows.markdown import escaped, table

_KINDS = {"added": "Added", "removed": "Removed", "changed": "Changed", "moved": "Moved between splits"}
_GROUPS = 40
"""Lines of the table by group; `--json` has all."""


def compare(a: str, b: str, root: Path, axes: str | None) -> dict[str, Any]:
    """Compare version `b` with the earlier `a`; mentions are counted by the lexicon `axes`, if one is named.

    Under `audit` it says what changed in the audits beside them.
    """
    library = Store(root.resolve()).library
    one, other = library.open(a), library.open(b)
    with one.reading(), other.reading():
        found = diff.diff(one, other, None if axes is None else lexicon.load(axes))
        return {**found, "audit": changed.changed(one, other)}


def markdown(held: dict[str, Any]) -> str:
    """Return what `compare` found as a page for a review."""
    return "\n".join(_page(held)) + "\n"


def _page(held: dict[str, Any]) -> Iterator[str]:
    rows = held["rows"]
    yield f"# {held['a'][:12]} → {held['b'][:12]}\n"
    yield f"{rows['a']:,} rows → {rows['b']:,} rows; {rows['same']:,} are the same.\n"
    yield from table(
        ("", "rows", "tokens"),
        [
            ("added", held["added"]["rows"], held["added"]["tokens"]),
            ("removed", held["removed"]["rows"], held["removed"]["tokens"]),
            ("changed", held["changed"]["rows"], "{a:,} → {b:,}".format(**held["changed"]["tokens"])),
            ("moved between splits", held["moved"]["rows"], held["moved"]["tokens"]),
        ],
    )
    if held["changed"]["what"]:
        told = ", ".join(f"{what} in {count:,}" for what, count in held["changed"]["what"].items())
        yield f"Changed: {told}.\n"
    for way in held["moved"]["ways"]:
        yield f"**{way['rows']:,} rows moved from {way['from']} to {way['to']}.**\n"
    yield from changed.page(held["audit"])
    yield "## Splits\n"
    yield from table(
        ("split", "before", "after", "added", "removed"),
        [(split, one["a"], one["b"], one["added"], one["removed"]) for split, one in held["splits"].items()],
    )
    for kind, told in held["why"].items():
        if told:
            yield f"## Why rows were {kind}\n"
            yield _WHY[kind] + "\n"
            yield from table(
                ("stage", "reason", "rows"),
                [(one["stage"] or "", one["reason"], one["rows"]) for one in told],
            )
    if held["recipe"]:
        yield "## Recipe\n"
        yield from table(
            ("knob", "before", "after"),
            [(one["knob"], _cell(one["a"]), _cell(one["b"])) for one in held["recipe"]],
        )
    if held["by"]:
        yield "## By source, label and group\n"
        found = sorted(held["by"], key=lambda one: -(one["added"] + one["removed"]))
        yield from table(
            ("axis", "value", "added", "removed"),
            [(escaped(one["axis"]), escaped(one["value"]), *_of(one)) for one in found[:_GROUPS]],
        )
        if len(found) > _GROUPS:
            yield f"{len(found) - _GROUPS} more are in `--json`.\n"
    for kind, title in _KINDS.items():
        if held["samples"][kind]:
            yield f"## {title}: {len(held['samples'][kind])} of {held[kind]['rows']:,} rows\n"
            yield from (_sample(row) for row in held["samples"][kind])
            yield ""


_WHY = {
    "added": "What the earlier version's ledger has on them.",
    "removed": "What the later version's ledger has on them.",
}


def _of(one: dict[str, Any]) -> tuple[str, str]:
    sizes = one.get("of")
    if sizes is None:
        return f"{one['added']:,}", f"{one['removed']:,}"
    return f"{one['added']:,} of {sizes['added']:,}", f"{one['removed']:,} of {sizes['removed']:,}"


def _sample(row: dict[str, Any]) -> str:
    now = f"- `{row['id']}` {_said(row)}"
    return now if "before" not in row else f"{now}\n  - before: {_said(row['before'])}"


def _said(row: dict[str, Any]) -> str:
    label = "" if row["label"] is None else f", {escaped(row['label'])}"
    return f"({row['split']}{label}) {escaped(row['text'])}"


def _cell(value: Any) -> str:
    return "(none)" if value is None else escaped(value)


def show(held: dict[str, Any]) -> None:
    """Print the page on the terminal."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console(emoji=False).print(Markdown(markdown(held)))
