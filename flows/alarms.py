"""Sources, labels and groups that lost more than half of their rows: each is said, stage by stage and over all of them."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.arrays import whole
from corpus.decide import DROPPED, NOT_ENTERED
from corpus.stage import CorpusJudge, Rewrite, Stage
from corpus.standing import Standing
from corpus.statistics import wilson
from flows.job import Job

LEAST_ROWS = 20
"""Of fewer rows the loss of more than half is no alarm."""
ALL = "all stages"

_Group = tuple[str, str]
_Counts = dict[_Group, tuple[int, int]]


def alarms(job: Job) -> list[dict[str, Any]]:
    """Return a line for each stage and group that lost more than half of its rows to it, the largest loss first.

    Stages that choose by design, as `diversity` does, and those that judge candidates raise none. Where no stage alone took
    more than half of a group but all of them together did, the stage is called `all stages`.
    """
    if job.unchanged:
        return []
    entered: dict[_Group, int] = {}
    lost: defaultdict[_Group, int] = defaultdict(int)
    found = []
    for number, segment in enumerate(job.segments):
        judges = [stage for stage in segment.measuring if _counts(stage)]
        if not judges:
            continue
        standing = Standing.load(job.segment(number))
        steps = pq.read_table(job.segment(number) / "steps.parquet")
        for stage in judges:
            way = steps[stage.title].to_numpy()
            counts = _of_groups(standing.narrow, way != NOT_ENTERED, way == DROPPED)
            found += list(_lines(stage.title, counts))
            for group, (came, gone) in counts.items():
                entered.setdefault(group, came)
                lost[group] += gone
    said = {(line["axis"], line["group"]) for line in found}
    rest = {group: (came, lost[group]) for group, came in entered.items() if group not in said}
    found += list(_lines(ALL, rest))
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


def _of_groups(rows: pa.Table, entered: np.ndarray, fell: np.ndarray) -> _Counts:
    """Count, for each axis and value, the rows that a stage was given and those that it dropped."""
    found: _Counts = {}
    for axis in ("source", "label"):
        column = whole(rows[axis])
        found |= {(axis, value): counts for value, counts in _tallied(column, entered, fell)}
    groups = whole(rows["groups"])
    held = groups.flatten()
    holders = pc.list_parent_indices(groups).to_numpy()
    for axis in pc.unique(held.field("axis")).to_pylist():
        mine = pc.equal(held.field("axis"), axis)
        of = holders[mine.to_numpy(zero_copy_only=False)]
        values = held.field("value").filter(mine)
        found |= {(axis, value): counts for value, counts in _tallied(values, entered[of], fell[of])}
    return found


def _tallied(
    values: pa.StringArray, entered: np.ndarray, fell: np.ndarray
) -> Iterator[tuple[str, tuple[int, int]]]:
    encoded = values.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    some = codes >= 0
    size = len(encoded.dictionary)
    came, gone = (np.bincount(codes[some], which[some], size).astype(int) for which in (entered, fell))
    many = np.flatnonzero(came >= LEAST_ROWS)
    names = encoded.dictionary.take(pa.array(many)).to_pylist()
    yield from zip(names, zip(came[many].tolist(), gone[many].tolist(), strict=True), strict=True)


def _lines(stage: str, counts: _Counts) -> Iterator[dict[str, Any]]:
    for (axis, group), (came, gone) in counts.items():
        if gone <= came / 2:
            continue
        low, high = wilson(gone, came)
        share = {"share": gone / came, "low": low, "high": high}
        yield {"stage": stage, "axis": axis, "group": group, "in": came, "lost": gone, **share}
