"""What rows said as they came, or as they were made."""

import json
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import text
from corpus.snapshot import Snapshot
from flows.job import Job


def said(job: Job, ids: Collection[str]) -> dict[str, str]:
    """Return what the rows that are named said; rows of the version that the run builds on are not among them."""
    found: dict[str, str] = {}
    inputs = [job.segment(number) / "input.json" for number in range(len(job.segments))]
    for held in (job.read("ingest.json"), *(json.loads(file.read_text()) for file in inputs)):
        left = pa.array(sorted({*ids} - found.keys()), pa.string())
        if len(left):
            found |= _of(job.store.open_snapshot(held["snapshot"]), left)
    return found


def _of(snapshot: Snapshot, ids: pa.StringArray) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in snapshot.parts:
        mine = pc.is_in(part.read(["id"])["id"], value_set=ids).to_numpy()
        if mine.any():
            rows = part.read(["id", "messages"], np.flatnonzero(mine))
            found |= zip(rows["id"].to_pylist(), text.contents(rows).to_pylist(), strict=True)
    return found
