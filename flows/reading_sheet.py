"""A sheet of removals, beside each of which a person writes whether it was right."""

import csv
from pathlib import Path
from typing import Any

from corpus.schema import UserError
from flows.difference import difference, told

READ = 100


def write(removals: list[dict[str, Any]], sheet: Path) -> str:
    """Write removals to be read: a person says of each whether it was right."""
    try:
        opened = sheet.open("x", newline="", encoding="utf-8")
    except FileExistsError as error:
        raise UserError(f"{sheet} is there already, and may hold verdicts; name another file") from error
    with opened as file:
        writer = csv.writer(file)
        writer.writerow(["verdict", "score", "id", "other", "differs", "dropped", "stays"])
        for line in removals[:READ]:
            differs = told(difference(line["text"], line["other_text"]))
            row = [line["id"], line["other"], differs, line["text"], line["other_text"]]
            writer.writerow(["", f"{line['score']:.3f}", *map(inert, row)])
    return str(sheet)


def inert(said: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{said}" if said[:1] in ("=", "+", "-", "@", "\t", "\r") else said
