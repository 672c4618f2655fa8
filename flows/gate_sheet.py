"""A blind sheet of candidates: admitted ones, refused ones and bad ones that were planted, mixed, for people to read.

The sheet has no word of where a line comes from; that is in the key beside it (`SHEET.key.json`), which no reader opens.
"""

import csv
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from augment import planted
from augment.admission import Admission
from corpus import text
from corpus.decide import KEPT, NOT_ENTERED
from corpus.schema import UserError, digest
from flows.job import Job
from flows.reading_sheet import inert

ADMITTED, REFUSED, PLANTED = 150, 100, 30
"""Candidates of each kind on a sheet, or as many as there are."""
PLANTS = ("renumbered", "negated", "shifted")
"""What is planted: other numbers first, for few texts have one; then pairs that do not belong together."""
QUESTIONS = ("same_meaning", "same_label")
"""What a reader answers of each line: `yes` or `no`."""

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


@dataclass(frozen=True)
class Candidate:
    """A candidate beside its parent; `reason` is None of those that were admitted."""

    id: str
    parent_id: str
    said: str
    parent: str
    label: str | None
    reason: str | None


def candidates(job: Job, number: int, gate: Admission) -> list[Candidate]:
    """Return all candidates that a gate judged, in id order, as they stood before it."""
    steps = pq.read_table(job.segment(number) / "steps.parquet", columns=["id", gate.title])
    way = steps[gate.title].to_numpy()
    ids = steps["id"].filter(pa.array(way != NOT_ENTERED)).combine_chunks()
    ledger = pq.read_table(job.segment(number) / "ledger.parquet", columns=["id", "stage", "reason"])
    mine = ledger.filter(pc.equal(ledger["stage"], gate.title))
    reasons = dict(zip(mine["id"].to_pylist(), mine["reason"].to_pylist(), strict=True))
    held = json.loads((job.segment(number) / "input.json").read_text())
    snapshot = job.store.open_snapshot(held["snapshot"])
    rows = snapshot.take(ids)
    parents = snapshot.take(rows["parent"].combine_chunks())
    found = [
        Candidate(row_id, parent_id, said, parent, label, reasons.get(row_id))
        for row_id, parent_id, said, parent, label in zip(
            ids.to_pylist(),
            rows["parent"].to_pylist(),
            text.contents(rows).to_pylist(),
            text.contents(parents).to_pylist(),
            parents["label"].to_pylist(),
            strict=True,
        )
    ]
    assert sum(one.reason is None for one in found) == int((way == KEPT).sum())
    return found


def write(some: Sequence[Candidate], seed: int, sheet: Path) -> dict[str, Any]:
    """Draw a sheet and its key, the same for a seed; raises `UserError` where one is there already."""
    drawn = _drawn(some, seed)
    lines = sorted(drawn, key=lambda line: digest(str(seed), "sheet", line[0].id, line[1]))
    try:
        opened = sheet.open("x", newline="", encoding="utf-8")
    except FileExistsError as error:
        raise UserError(f"{sheet} is there already, and may hold verdicts; name another file") from error
    with opened as file:
        writer = csv.writer(file)
        writer.writerow(["line", *QUESTIONS, "label", "original", "candidate"])
        for at, (one, _, said) in enumerate(lines):
            writer.writerow([at, "", "", *map(inert, (one.label or "", one.parent, said))])
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
    return {"sheet": str(sheet), "key": str(key_of(sheet)), "lines": len(lines)}


def key_of(sheet: Path) -> Path:
    """Return where the key of a sheet lies."""
    return sheet.with_suffix(".key.json")


def read(sheet: Path, lines: int) -> list[tuple[bool | None, ...]]:
    """Return what a reader answered of each line: yes, no, or nothing; raises `UserError` where the file is no such sheet."""
    found: list[tuple[bool | None, ...]] = [(None,) * len(QUESTIONS)] * lines
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
                found[int(at)] = tuple(_answer(row[name], sheet, at) for name in QUESTIONS)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"needed a sheet of verdicts, and {sheet} cannot be read: {error}") from error
    return found


def _answer(said: str | None, sheet: Path, line: str) -> bool | None:
    plain = (said or "").strip().casefold()
    if plain and plain not in _ANSWERS:
        raise UserError(f"{sheet}, line {line}: needed yes, no or nothing, and {said!r} came")
    return _ANSWERS.get(plain)


def _drawn(some: Sequence[Candidate], seed: int) -> list[tuple[Candidate, str, str]]:
    """Return candidates with their kind and what the sheet says of each: those of the least keyed hashes."""

    def first(these: Sequence[Candidate], most: int, what: str) -> list[Candidate]:
        return sorted(these, key=lambda one: digest(str(seed), what, one.id))[:most]

    admitted = [one for one in some if one.reason is None]
    shown = first(admitted, ADMITTED, "admitted")
    refused = first([one for one in some if one.reason is not None and one.said.strip()], REFUSED, "refused")
    spare = first([one for one in admitted if one not in shown], len(admitted), "planted")
    return [
        *((one, "admitted", one.said) for one in shown),
        *((one, "refused", one.said) for one in refused),
        *_planted(spare, seed),
    ]


def _planted(spare: Sequence[Candidate], seed: int) -> list[tuple[Candidate, str, str]]:
    """Plant as many texts with another number as texts that deny, and as pairs that are shifted by one among themselves."""
    found: list[tuple[Candidate, str, str]] = []
    left = list(spare)
    most = PLANTED // len(PLANTS)
    for kind in ("renumbered", "negated"):
        made = ((one, _bad(kind, one, seed)) for one in list(left))
        some = list(itertools.islice(((one, kind, said) for one, said in made if said is not None), most))
        left = [one for one in left if one not in [each for each, *_ in some]]
        found += some
    ring = list({one.parent: one for one in left}.values())[:most]
    return found + [
        (one, "shifted", other.said)
        for one, other in zip(ring, ring[1:] + ring[:1], strict=True)
        if len(ring) > 1
    ]


def _bad(kind: str, one: Candidate, seed: int) -> str | None:
    """Return what a candidate says once it is made bad; None where it cannot be made so."""
    if kind == "negated":
        return planted.negated(one.said)
    return planted.renumbered(one.said, np.random.default_rng(list(digest(str(seed), kind, one.id))))
