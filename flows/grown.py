"""Rows that grew beside their parents, for people to read: some that were admitted, and some of each reason for which others were not."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import text
from corpus.schema import digest
from flows.job import Job, stage_rows

EXAMPLES, OF_EACH = 8, 3
"""Rows that are shown of those admitted, and of each reason."""

Shown = tuple[str, str, str, str]
"""The ids of parent and row, what was done, and what the row says."""


def grown(job: Job) -> dict[str, Any] | None:
    """Tell how many rows grew, and show some beside their parents, if text is to be shown; None where none was made.

    Whoever forgets a row takes out what is quoted of it or of what grew of it (`corpus.forgetting.erase.clean`).
    """
    made = sum(stage.get("grown", 0) for stage in stage_rows(job))
    if not made:
        return None
    standing = job.standing
    admitted = standing.fresh & pc.is_valid(standing.narrow["parent"]).to_numpy(zero_copy_only=False)
    quotes = job.recipe.audit is None or job.recipe.audit.show_text
    tables = standing.tables(admitted) if quotes else ()
    shown = _first([row for rows in tables for row in _told(rows)], EXAMPLES, job)
    refused = _refused(job) if quotes else []
    parents = _parents(job, {parent for parent, *_ in [*shown, *(row for _, row in refused)]})
    return {
        "candidates": made,
        "admitted": int(admitted.sum()),
        "examples": [_beside(row, parents) for row in shown],
        "refused": [{**_beside(row, parents), "reason": reason} for reason, row in refused],
    }


def in_short(told: Mapping[str, Any] | None, stages: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return what a summary says of growth without a word of a row: `told` is what `grown` told, `stages` are `stage_rows`.

    `{"candidates", "admitted", "rows_a_second": {stage: number}, "examples": {"admitted" or a reason: [id]}}`: rows that a growth
    made and that a gate judged in a second (None where it took none), and ids for `winnow explain`.
    """
    if told is None:
        return None
    pace = {
        stage["stage"]: rows / stage["seconds"] if stage["seconds"] else None
        for stage in stages
        if "grown" in stage or "yields" in stage
        for rows in [stage.get("grown") or sum(line["made"] for line in stage.get("yields", ()))]
    }
    examples: dict[str, list[str]] = {"admitted": [one["id"] for one in told["examples"]]}
    for one in told["refused"]:
        examples.setdefault(one["reason"], []).append(one["id"])
    return {
        "candidates": told["candidates"],
        "admitted": told["admitted"],
        "rows_a_second": pace,
        "examples": examples,
    }


def _told(rows: pa.Table) -> list[Shown]:
    columns = (rows[name].to_pylist() for name in ("parent", "id", "operation"))
    return list(zip(*columns, text.contents(rows).to_pylist(), strict=True))


def _first(rows: Sequence[Shown], most: int, job: Job) -> list[Shown]:
    """Draw rows, the same whenever they are asked for."""
    return sorted(rows, key=lambda row: (digest(str(job.recipe.seed), "example", row[0]), row[1]))[:most]


def _refused(job: Job) -> list[tuple[str, Shown]]:
    """Return some of the candidates that each gate refused, by reason."""
    gates = [stage.title for segment in job.segments for stage in segment.corpus_judges if stage.candidates]
    by_reason: dict[str, list[Shown]] = {}
    for file in sorted((job.folder / "dropped").glob("*.parquet")):
        rows = pq.read_table(file, columns=["id", "parent", "operation", "messages", "stage", "reason"])
        rows = rows.filter(pc.is_in(rows["stage"], value_set=pa.array(gates, pa.string())))
        for reason in pc.unique(rows["reason"]).to_pylist():
            some = rows.filter(pc.equal(rows["reason"], reason))
            by_reason[reason] = _first([*by_reason.get(reason, []), *_told(some)], OF_EACH, job)
    return [(reason, row) for reason in sorted(by_reason) for row in by_reason[reason]]


def _parents(job: Job, ids: set[str]) -> dict[str, str]:
    """Return what rows say by their ids, as they stood when the last rows grew; those that had gone by then are not there."""
    standing = job.standing
    wanted = pc.is_in(standing.narrow["id"], value_set=pa.array(sorted(ids), pa.string()))
    return {
        row_id: content
        for rows in standing.tables(np.asarray(wanted.to_numpy(zero_copy_only=False), bool))
        for row_id, content in zip(rows["id"].to_pylist(), text.contents(rows).to_pylist(), strict=True)
    }


def _beside(row: Shown, parents: dict[str, str]) -> dict[str, str]:
    parent, row_id, operation, content = row
    return {
        "id": row_id,
        "parent_id": parent,
        "operation": operation,
        "parent": parents.get(parent, "(gone)"),
        "grown": content,
    }
