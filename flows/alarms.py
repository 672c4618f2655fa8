"""Sources, labels and groups that lost more than half of their rows: each is said, stage by stage and over all of them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.arrays import whole
from corpus.decide import DROPPED, NOT_ENTERED, Decided
from corpus.segment import Segment
from corpus.stage import CorpusJudge, Rewrite, Stage
from corpus.statistics import wilson
from flows.job import Job

LEAST_ROWS = 20
"""Of fewer rows the loss of more than half is no alarm."""
ALL = "all stages"
FILE = "groups.parquet"
_LINE = pa.schema(
    [
        ("stage", pa.string()),
        ("axis", pa.string()),
        ("group", pa.string()),
        ("in", pa.int64()),
        ("lost", pa.int64()),
    ]
)

_Group = tuple[str, str]
_Counts = dict[_Group, tuple[int, int]]


def counted(segment: Segment, decided: Decided, first: bool) -> pa.Table:
    """Count, for each stage of a segment and each group, the rows that it was given and those that it dropped.

    Under `all stages` stand the rows that came in (of the `first` segment alone: they are the same in all) and those of
    them that fell in this one; rows that were grown are left out.
    """
    judges = [stage for stage in segment.measuring if _counts(stage)]
    rows = decided.standing.narrow
    came = rows["parent"].is_null().to_numpy()
    came[: decided.standing.earlier] = False
    fell = np.zeros(len(came), bool)
    lines: list[tuple[str, str, str, int, int]] = []
    for stage in judges:
        way = decided.steps[stage.title].to_numpy()
        fell |= way == DROPPED
        found = _of_groups(rows, way != NOT_ENTERED, way == DROPPED, LEAST_ROWS)
        lines += [(stage.title, *group, *counts) for group, counts in found.items()]
    for group, (there, gone) in _of_groups(rows, came, came & fell, 1).items():
        if gone or (first and there >= LEAST_ROWS):
            lines.append((ALL, *group, there if first else 0, gone))
    return pa.table(
        [
            pa.array(column, field.type)
            for column, field in zip(
                zip(*lines, strict=True) if lines else [[]] * len(_LINE), _LINE, strict=True
            )
        ],
        schema=_LINE,
    )


def alarms(job: Job) -> list[dict[str, Any]]:
    """Return a line for each stage and group that lost more than half of its rows to it, the largest loss first.

    Stages that choose by design, as `diversity` does, and those that judge candidates raise none. Where no stage alone took
    more than half of a group but all of them together did, the stage is called `all stages`.
    """
    if job.unchanged:
        return []
    found: list[dict[str, Any]] = []
    over_all: defaultdict[_Group, list[int]] = defaultdict(lambda: [0, 0])
    for number in range(len(job.segments)):
        for line in pq.read_table(job.segment(number) / FILE).to_pylist():
            group = (line["axis"], line["group"])
            if line["stage"] == ALL:
                over_all[group][0] += line["in"]
                over_all[group][1] += line["lost"]
            else:
                found += _lines(line["stage"], {group: (line["in"], line["lost"])})
    said = {(line["axis"], line["group"]) for line in found}
    rest = {
        group: (came, lost)
        for group, (came, lost) in over_all.items()
        if group not in said and came >= LEAST_ROWS
    }
    found += _lines(ALL, rest)
    return sorted(found, key=lambda line: (-line["lost"], line["stage"], line["axis"], line["group"]))


def sentences(found: list[dict[str, Any]], most: int = 10) -> list[str]:
    """Say the alarms in words; of many the first."""
    told = [
        f"{line['axis']} {line['group']!r} lost {line['lost']:,} of {line['in']:,} rows ({line['share']:.0%}) to {line['stage']}"
        for line in found[:most]
    ]
    return told + (
        [f"{len(found) - most} more groups lost more than half of their rows"] if len(found) > most else []
    )


def _counts(stage: Stage) -> bool:
    if isinstance(stage, Rewrite):
        return False
    return not (isinstance(stage, CorpusJudge) and (stage.candidates or stage.chooses))


def _of_groups(rows: pa.Table, entered: np.ndarray, fell: np.ndarray, least: int) -> _Counts:
    """Count, for each axis and value, the rows that a stage was given and those that it dropped."""
    found: _Counts = {}
    for axis in ("source", "label"):
        column = whole(rows[axis])
        found |= {(axis, value): counts for value, counts in _tallied(column, entered, fell, least)}
    groups = whole(rows["groups"])
    held = groups.flatten()
    holders = pc.list_parent_indices(groups).to_numpy()
    for axis in pc.unique(held.field("axis")).to_pylist():
        mine = pc.equal(held.field("axis"), axis)
        of = holders[mine.to_numpy(zero_copy_only=False)]
        values = held.field("value").filter(mine)
        found |= {(axis, value): counts for value, counts in _tallied(values, entered[of], fell[of], least)}
    return found


def _tallied(
    values: pa.StringArray, entered: np.ndarray, fell: np.ndarray, least: int
) -> Iterator[tuple[str, tuple[int, int]]]:
    encoded = values.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    some = codes >= 0
    size = len(encoded.dictionary)
    came, gone = (np.bincount(codes[some], which[some], size).astype(int) for which in (entered, fell))
    many = np.flatnonzero(came >= least)
    names = encoded.dictionary.take(pa.array(many)).to_pylist()
    yield from zip(names, zip(came[many].tolist(), gone[many].tolist(), strict=True), strict=True)


def _lines(stage: str, counts: _Counts) -> Iterator[dict[str, Any]]:
    for (axis, group), (came, gone) in counts.items():
        if gone <= came / 2:
            continue
        low, high = wilson(gone, came)
        share = {"share": gone / came, "low": low, "high": high}
        yield {"stage": stage, "axis": axis, "group": group, "in": came, "lost": gone, **share}
