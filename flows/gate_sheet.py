"""A blind sheet of candidates: admitted ones, refused ones and bad ones that were planted, mixed, for people to read.

The sheet has no word of where a line comes from; that is in the key beside it (`SHEET.key.json`), which no reader opens.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus.schema import UserError, digest
from flows.gate_candidates import Candidate
from flows.gate_plants import PLANTED, PLANTS, of_any, of_spare
from flows.reading_sheet import inert

ADMITTED, REFUSED = 150, 100
"""Candidates of each kind on a sheet, or as many as there are."""
QUESTIONS = ("same_meaning", "same_label")
"""What a reader answers of each line: `yes` or `no`."""
ASKED = (*QUESTIONS, "fluent")
"""The same and what may be left out: whether a fluent person would write the candidate."""

_ANSWERS = {
    "yes": True,
    "y": True,
    "1": True,
    "true": True,
    "no": False,
    "n": False,
    "0": False,
    "false": False,
}


def write(some: Sequence[Candidate], others: Sequence[Candidate], seed: int, sheet: Path) -> dict[str, Any]:
    """Draw a sheet and its key, the same for a seed; raises `UserError` where one is there already.

    `others` are originals, themselves as candidates, of which bad ones may be made.
    """
    lines = sorted(
        drawn(some, others, seed), key=lambda line: digest(str(seed), "sheet", line[0].id, line[1])
    )
    try:
        opened = sheet.open("x", newline="", encoding="utf-8")
    except FileExistsError as error:
        raise UserError(f"{sheet} is there already, and may hold verdicts; name another file") from error
    with opened as file:
        writer = csv.writer(file)
        writer.writerow(["line", *ASKED, "label", "original", "candidate"])
        for at, (one, _, said) in enumerate(lines):
            writer.writerow([at, *("" for _ in ASKED), *map(inert, (one.label or "", one.parent, said))])
    counted = {"admitted": sum(one.reason is None for one in some)}
    counted["refused"] = len(some) - counted["admitted"]
    key = {
        "of": counted,
        "lines": [
            {"line": at, "id": one.id, "kind": kind, "reason": one.reason if kind == "refused" else None}
            for at, (one, kind, _) in enumerate(lines)
        ],
    }
    key_of(sheet).write_text(json.dumps(key, indent=1))
    kinds = [kind for _, kind, _ in lines]
    return {
        "sheet": str(sheet),
        "key": str(key_of(sheet)),
        "lines": len(lines),
        "admitted": kinds.count("admitted"),
        "refused": kinds.count("refused"),
        "left_out": min(REFUSED, sum(_refused(one) for one in some)) - kinds.count("refused"),
        "planted": {
            "asked": PLANTED,
            "kinds": {kind: kinds.count(kind) for kind in PLANTS},
            "of_originals": sum(kind in PLANTS and one.id == one.parent_id for one, kind, _ in lines),
        },
    }


def drawn(
    some: Sequence[Candidate], others: Sequence[Candidate], seed: int
) -> list[tuple[Candidate, str, str]]:
    """Return candidates with their kind and what the sheet says of each: those of the least keyed hashes.

    Where admitted ones are too few to plant of, originals are taken that the sheet does not show, and where these are too
    few, so many refused ones are left out that enough are free: half of them stay in any case.
    """

    def first(these: Sequence[Candidate], most: int, what: str) -> list[Candidate]:
        return sorted(these, key=lambda one: digest(str(seed), what, one.id))[:most]

    admitted = [one for one in some if one.reason is None]
    shown = first(admitted, ADMITTED, "admitted")
    refused = first([one for one in some if _refused(one)], REFUSED, "refused")
    taken = {one.id for one in shown}
    spare = first([one for one in admitted if one.id not in taken], len(admitted), "planted")
    bad = of_spare(_unshown(spare, [*shown, *refused]), seed)
    if len(bad) < PLANTED:
        least = (len(refused) + 1) // 2
        bad = of_any(_unshown([*spare, *others], [*shown, *refused]), seed)
        while len(bad) < PLANTED and len(refused) > least:
            refused.pop()
            bad = of_any(_unshown([*spare, *others], [*shown, *refused]), seed)
    return [
        *((one, "admitted", one.said) for one in shown),
        *((one, "refused", one.said) for one in refused),
        *((one, kind, said) for one, kind, said in bad),
    ]


def key_of(sheet: Path) -> Path:
    """Return where the key of a sheet lies."""
    return sheet.with_suffix(".key.json")


def read(sheet: Path, lines: int) -> list[tuple[bool | None, ...]]:
    """Return what a reader answered of each line to what is `ASKED`: yes, no, or nothing.

    Raises `UserError` where the file is no such sheet; one without `fluent` is one.
    """
    found: list[tuple[bool | None, ...]] = [(None,) * len(ASKED)] * lines
    try:
        with sheet.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in ("line", *QUESTIONS) if name not in (reader.fieldnames or ())]
            if missing:
                raise UserError(f"{sheet} has no column {missing[0]!r}; needed a sheet that tune-gates wrote")
            for row in reader:
                at = row["line"].strip()
                if not at.isdigit() or int(at) >= lines:
                    raise UserError(f"{sheet} names a line {at!r}, and its key knows 0 to {lines - 1}")
                found[int(at)] = tuple(_answer(row.get(name), sheet, at) for name in ASKED)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"needed a sheet of verdicts, and {sheet} cannot be read: {error}") from error
    return found


def _answer(said: str | None, sheet: Path, line: str) -> bool | None:
    plain = (said or "").strip().casefold()
    if plain and plain not in _ANSWERS:
        raise UserError(f"{sheet}, line {line}: needed yes, no or nothing, and {said!r} came")
    return _ANSWERS.get(plain)


def _refused(one: Candidate) -> bool:
    """Say whether a candidate was refused that says anything."""
    return one.reason is not None and bool(one.said.strip())


def _unshown(rows: Sequence[Candidate], shown: Sequence[Candidate]) -> list[Candidate]:
    """Return rows whose original no line shows, one of each: a text that stands there twice would tell of itself."""
    seen = {text for one in shown for text in (one.parent, one.said)}
    found: dict[str, Candidate] = {}
    for one in rows:
        if one.said.strip() and one.parent not in seen:
            found.setdefault(one.parent, one)
    return list(found.values())
