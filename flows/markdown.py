"""Markdown of what users' data say: tables, and texts in which all that would be obeyed is written out."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

_CUT = 240


def escaped(said: Any) -> str:
    """Return a text on one line, cut, with all that Markdown or HTML would obey written out."""
    whole = " ".join(str(said).split())
    return re.sub(
        r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", whole if len(whole) <= _CUT else whole[: _CUT - 1] + "…"
    )


def table(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Yield the lines of a table and an empty one; columns whose first value is an integer stand to the right."""
    sides = ["---:" if rows and isinstance(value, int) else "---" for value in (rows[0] if rows else names)]
    yield f"| {' | '.join(names)} |\n| {' | '.join(sides)} |"
    for row in rows:
        yield f"| {' | '.join(f'{one:,}' if isinstance(one, int) else str(one) for one in row)} |"
    yield ""
