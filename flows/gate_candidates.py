"""The candidates that a gate of admission judged, beside their parents, and the originals that it let stand."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from augment.admission import Admission
from corpus import text
from corpus.decide import KEPT, NOT_ENTERED
from corpus.schema import of_splits
from corpus.snapshot import Snapshot
from corpus.standing import Standing
from flows.job import Job


@dataclass(frozen=True)
class Candidate:
    """A candidate beside its parent; `reason` is None of those that were admitted. An original is its own parent."""

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
    snapshot = _snapshot(job, number)
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


def originals(job: Job, number: int) -> list[str]:
    """Return the ids of all training rows that stand after a segment and that no growth made, in id order."""
    standing = Standing.load(job.segment(number))
    narrow = standing.narrow
    mine = standing.fresh & of_splits(narrow["split"], ["train"]) & narrow["parent"].is_null().to_numpy()
    return sorted(narrow["id"].filter(pa.array(mine)).to_pylist())


def as_candidates(job: Job, number: int, ids: Sequence[str]) -> list[Candidate]:
    """Return originals as candidates that say what they said."""
    rows = _snapshot(job, number).take(pa.array(ids, pa.string()))
    texts, labels = text.contents(rows).to_pylist(), rows["label"].to_pylist()
    return [
        Candidate(row_id, row_id, said, said, label, None)
        for row_id, said, label in zip(ids, texts, labels, strict=True)
    ]


def _snapshot(job: Job, number: int) -> Snapshot:
    held = json.loads((job.segment(number) / "input.json").read_text())
    return job.store.open_snapshot(held["snapshot"])
