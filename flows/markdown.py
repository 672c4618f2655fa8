"""Markdown of what users' data say: tables, and texts in which all that would be obeyed is written out."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

_CUT = 240


def escaped(said: Any) -> str:
    """Return a text on one line, cut, with all that Markdown or HTML would obey written out."""
    whole = " ".join(str(said).split())
    cut = whole if len(whole) <= _CUT else whole[: _CUT - 1] + "…"
    return unlinked(re.sub(r"([\\`*_{}\[\]<>#|!~&$])", r"\\\1", cut))


def unlinked(said: str) -> str:
    """Return text in which no page makes a link of an address, and none calls somebody by a name with an @."""
    return said.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "&#64;")


def table(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Yield the lines of a table and an empty one; columns whose first value is an integer stand to the right."""
    sides = ["---:" if rows and isinstance(value, int) else "---" for value in (rows[0] if rows else names)]
    yield f"| {' | '.join(names)} |\n| {' | '.join(sides)} |"
    for row in rows:
        yield f"| {' | '.join(f'{one:,}' if isinstance(one, int) else str(one) for one in row)} |"
    yield ""
