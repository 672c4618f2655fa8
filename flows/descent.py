"""What a run tells of growth: how a row was made of its parent, and what became of the rows that were made of it.

{"stage": "back_translation", "event": "grown", "parent": "9f2c...", "operation": "back_translation", "seed": 7, "grown": {"engine": "apertium", ...},
 "text": "...", "parent_text": "...", "difference": [("same", "thanks for the "), ("gone", "quick"), ("new", "fast"), ...]}
{"stage": "back_translation", "event": "parent of", "child": "41d0...", "operation": "back_translation", "became": "refused", "by": "admission",
 "reason": "too_close", "score": 95.4, "threshold": 85.0, "child_text": "...", "difference": [...]}
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import text
from corpus.decide import KEPT
from corpus.stage import CorpusJudge
from corpus.standing import Standing
from flows.difference import difference
from flows.job import Job

Event = dict[str, Any]


def made_here(job: Job, number: int, standing: Standing, row_id: str, ledger: pa.Table) -> list[Event]:
    """Tell how the growth that begins a segment made a row, if it did, and what became of those that it made of the row.

    `standing` is what the segment left, `ledger` that of the whole run. Texts are those that the growth read and wrote.
    """
    growth = job.segments[number].grow
    if growth is None:
        return []
    told = [
        told_of(growth.title, row, parent, job.recipe.seed) for row, parent in _pairs(standing, "id", row_id)
    ]
    stages = job.recipe.stages
    gates = [stage.title for stage in stages if isinstance(stage, CorpusJudge) and stage.candidates]
    fates = Fates(gates, ledger, pq.read_table(job.segment(number) / "steps.parquet"))
    told += [
        told_to(growth.title, row, parent, fates.of(row["id"], row_id))
        for row, parent in _pairs(standing, "parent", row_id)
    ]
    return told


def told_of(stage: str, row: Event, parent: str | None, seed: int) -> Event:
    """Tell how a row was made; `parent` is what its parent said, if that is known.

    `grown` is what the row's `extra` has under that name, whole, and `seed` the run's.
    """
    beside = {} if parent is None else {"parent_text": parent, "difference": difference(parent, row["text"])}
    made = json.loads(row["extra"] or "{}").get("grown", {})
    return {
        "stage": stage,
        "event": "grown",
        "parent": row["parent"],
        "operation": row["operation"],
        "seed": seed,
        "grown": made,
        "text": row["text"],
        **beside,
    }


def told_to(stage: str, row: Event, parent: str | None, fate: Event) -> Event:
    """Tell a parent of one row that was made of it, and what became of that; `parent` is what it said, if that is known."""
    beside = {} if parent is None else {"difference": difference(parent, row["text"])}
    event = {"stage": stage, "event": "parent of", "child": row["id"], "operation": row["operation"]}
    return {**event, **fate, "child_text": row["text"], **beside}


@dataclass(frozen=True)
class Fates:
    """What became of the candidates of one growth, by the run's ledger and each row's way through the segment of the growth."""

    gates: Sequence[str]
    ledger: pa.Table
    steps: pa.Table

    def of(self, child: str, parent: str) -> Event:
        """Say what a candidate `became`, and by which stage: `admitted`, `refused` (and why), or `dropped` by another.

        Where no gate judged it and it stayed it is `kept`.
        """
        fell = pc.and_(pc.equal(self.ledger["id"], child), pc.equal(self.ledger["action"], "drop"))
        lines = self.ledger.filter(fell).to_pylist()
        if lines:
            return lost(lines[0], parent, "refused" if lines[0]["stage"] in self.gates else "dropped")
        where = pc.index(self.steps["id"], child).as_py()
        passed = [
            gate
            for gate in self.gates
            if gate in self.steps.column_names and self.steps[gate][where].as_py() == KEPT
        ]
        return {"became": "admitted", "by": passed[0]} if passed else {"became": "kept"}


def lost(line: Mapping[str, Any], parent: str, became: str) -> Event:
    """Return a line of the ledger as what became of a child; the other row is named where it is not the parent."""
    names = ("reason", "score", "threshold", "other", "detail")
    why = {name: line[name] for name in names if line[name] is not None}
    if why.get("other") == parent:
        del why["other"]
    return {"became": became, "by": line["stage"], **why}


def _pairs(standing: Standing, column: str, row_id: str) -> list[tuple[Event, str | None]]:
    """Return the candidates that have an id in a column, each with what its parent said."""
    narrow = standing.narrow
    meant = pc.fill_null(pc.equal(narrow[column], row_id), False).to_numpy(zero_copy_only=False)
    rows = _rows(standing, np.flatnonzero(meant & standing.candidates))
    ids = pa.array(sorted({row["parent"] for row in rows}), pa.string())
    theirs = pc.is_in(narrow["id"], value_set=ids).to_numpy(zero_copy_only=False)
    said = {row["id"]: row["text"] for row in _rows(standing, np.flatnonzero(theirs))}
    return [(row, said.get(row["parent"])) for row in rows]


def _rows(standing: Standing, positions: np.ndarray) -> list[Event]:
    """Return rows at positions (ascending) as they came into the segment, each with its `text`."""
    found = []
    for measured, start, stop in zip(standing.parts, standing.bounds, standing.bounds[1:], strict=False):
        mine = positions[(positions >= start) & (positions < stop)] - start
        if len(mine):
            rows = measured.part.read(["id", "parent", "operation", "extra", "messages"], mine)
            found += plain(rows)
    return found


def plain(rows: pa.Table) -> list[Event]:
    """Return rows with `text` in the place of their messages."""
    told: list[Event] = rows.drop_columns(["messages"]).append_column("text", text.contents(rows)).to_pylist()
    return told
