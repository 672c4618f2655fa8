"""Drops are a mask, applied in stage order by one function; `what-if` is the same function again."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import kinship, offspring
from corpus.amend import CUT, CUTS, MARKS
from corpus.arrays import whole
from corpus.engine import Engine
from corpus.schema import LEDGER, SCORES, SPLITS, of_splits
from corpus.segment import Measured, Segment
from corpus.stage import Context, CorpusJudge, Judge, Rewrite, Stage
from corpus.standing import Standing, StandingRows
from corpus.verdict import Action, Verdict

NOT_ENTERED, KEPT, DROPPED = 0, 1, 2


@dataclass(frozen=True)
class Decided:
    """What a segment's judges said: what stands, each drop and mark in the ledger's form, and each row's way."""

    standing: Standing
    ledger: pa.Table
    stages: tuple[dict[str, Any], ...]
    scores: pa.Table
    """What stages measured of rows beside the ledger's score (`Verdict.scores`): `SCORES`, a line for each row, stage and name."""
    steps: pa.Table
    """`id`, and for each stage int8: 0 not asked (gone, or of a split that the stage leaves alone), 1 kept, 2 dropped."""


def decide(
    segment: Segment,
    standing: Standing,
    contexts: Mapping[str, Context],
    engine: Engine,
    scratch: Callable[[], AbstractContextManager[Path]],
    memory: int,
) -> Decided:
    """Apply a segment's judges in order to what its pass measured; `scratch` lends folders for what does not fit in `memory`."""
    count = len(standing.stands)
    kin, parents = kinship.forest(standing), offspring.parents(standing)
    told, scores, stages, steps = [], [], [], {"id": standing.narrow["id"]}
    for stage in segment.measuring:
        began = time.perf_counter()
        entered = standing.fresh
        if isinstance(stage, CorpusJudge) and stage.candidates:
            entered &= standing.candidates
        if set(stage.splits) != set(SPLITS):
            entered &= of_splits(standing.narrow["split"], stage.splits)
        if isinstance(stage, Judge):
            verdict = stage.judge(_table(standing.fresh_parts, stage), contexts[stage.title])
            spread = np.arange(standing.earlier, count)
        elif isinstance(stage, CorpusJudge):
            spread = np.flatnonzero(standing.stands)
            rows = StandingRows(
                standing, spread, kin, stage.roles, engine, contexts[stage.title], scratch, memory
            )
            features = MeasuredFeatures(standing.parts, stage, spread)
            verdict = stage.judge(features, rows, contexts[stage.title])
        else:
            spread, verdict = np.arange(count), Verdict.keep(count)
        verdict = offspring.with_children(verdict.on(entered[spread]), spread, parents, standing.fresh)
        fell = verdict.says("drop")
        stands = standing.stands.copy()
        stands[spread[fell]] = False
        kinship.unite(kin, spread, verdict.family)
        told.append(_told(standing.narrow, stage, spread, verdict))
        scores += _scores(standing.narrow, stage, spread, verdict)
        steps[stage.title] = pa.array(
            np.where(entered, np.where(stands, KEPT, DROPPED), NOT_ENTERED).astype(np.int8)
        )
        columns = {
            name: _set(standing.narrow[name], spread, column, standing.earlier)
            for name, column in verdict.columns.items()
        }
        columns |= _marks(standing, stage, spread[verdict.says("mark")])
        columns |= _cuts(standing, stage, spread, verdict)
        standing = standing.after(stands, columns)
        stages.append(
            _summary(
                segment,
                standing,
                stage,
                verdict,
                int(standing.fresh.sum() + fell.sum()),
                time.perf_counter() - began,
            )
        )
    standing = standing.after(standing.stands, {"family": kinship.families(standing, kin)})
    return Decided(
        standing,
        _events(standing, told),
        tuple(stages),
        pa.concat_tables([SCORES.empty_table(), *scores]),
        pa.table(steps),
    )


def _table(parts: Sequence[Measured], stage: Stage) -> pa.Table:
    return pa.concat_tables([part.read(stage) for part in parts]).combine_chunks()


@dataclass(frozen=True)
class MeasuredFeatures:
    """The `corpus.stage.Features` that a corpus judge is given: of the rows at positions, in the parts' files."""

    parts: Sequence[Measured]
    stage: Stage
    positions: np.ndarray

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        """Read a column."""
        held = pa.concat_tables([part.read(self.stage, name) for part in self.parts]).combine_chunks()[name]
        return held if len(self.positions) == len(held) else held.take(pa.array(self.positions))

    def stream(self, name: str) -> Iterator[pa.Array]:
        """Read a column part by part."""
        start = 0
        for part in self.parts:
            first, last = np.searchsorted(self.positions, [start, start + part.rows])
            mine = self.positions[first:last] - start
            start += part.rows
            if len(mine):
                held = whole(part.read(self.stage, name)[name])
                yield held if len(mine) == part.rows else held.take(pa.array(mine))


def _summary(
    segment: Segment, standing: Standing, stage: Stage, verdict: Verdict, entered: int, seconds: float
) -> dict[str, Any]:
    changed = sum(part.changed.get(stage.title, 0) for part in standing.parts)
    if verdict.cuts is not None:
        changed = verdict.cuts.is_valid().true_count
    return {
        "stage": stage.title,
        "in": entered,
        "out": int(standing.fresh.sum()),
        "dropped": _counts(verdict, "drop"),
        **({"marked": marked} if (marked := _counts(verdict, "mark")) else {}),
        **({"changed": changed} if isinstance(stage, Rewrite) or verdict.cuts is not None else {}),
        **verdict.measured,
        "seconds": round(seconds + sum(part.seconds.get(stage.title, 0.0) for part in standing.parts), 3),
    }


def _counts(verdict: Verdict, action: Action) -> dict[str, int]:
    """Count the rows of each reason, in the order of the reasons."""
    counts = pc.value_counts(verdict.reason.filter(pa.array(verdict.says(action)))).to_pylist()
    return {found["values"]: found["counts"] for found in sorted(counts, key=lambda found: found["values"])}


def _marks(standing: Standing, stage: Stage, places: np.ndarray) -> dict[str, pa.Array]:
    """Return the marks of all rows, `stage` among those of the rows at `places`; nothing where it marked none."""
    if not len(places):
        return {}
    count = len(standing.stands)
    marked = np.zeros(count, bool)
    marked[places] = True
    mine = pc.if_else(pa.array(marked), pa.scalar(stage.title), pa.scalar(None, pa.string()))
    before = standing.columns.get(MARKS, pa.nulls(count, pa.string()))
    return {MARKS: pc.coalesce(pc.binary_join_element_wise(before, mine, "\n"), before, mine)}


def _cuts(standing: Standing, stage: Stage, spread: np.ndarray, verdict: Verdict) -> dict[str, pa.Array]:
    """Return what is cut out of each row, in the numbers of all its messages; nothing where nothing is."""
    if verdict.cuts is None or not verdict.cuts.is_valid().true_count:
        return {}
    at = np.full(len(standing.stands), -1)
    at[spread] = np.arange(len(spread))
    cuts = verdict.cuts.take(pa.array(at, mask=at < 0))
    return {CUTS: cuts if stage.roles is None else _of_all_messages(standing, cuts, stage.roles)}


def _of_all_messages(standing: Standing, cuts: pa.ListArray, roles: Sequence[str]) -> pa.ListArray:
    """Number messages among all of a row, where they are numbered among those of `roles`."""
    places = np.flatnonzero(cuts.is_valid().to_numpy(zero_copy_only=False))
    asked = pa.array(roles)
    read: list[np.ndarray] = []
    for part, start, stop in zip(standing.parts, standing.bounds, standing.bounds[1:], strict=False):
        mine = places[(places >= start) & (places < stop)] - start
        if len(mine):
            messages = whole(part.table(["messages"])["messages"]).take(pa.array(mine))
            read += [
                np.flatnonzero(pc.is_in(turns.values.field("role"), asked).to_numpy(zero_copy_only=False))
                for turns in messages
            ]
    held = cuts.drop_null()
    counts = held.value_lengths().to_numpy()
    spans = held.flatten()
    base = np.cumsum([0, *(len(own) for own in read)])[:-1]
    where = np.repeat(base, counts) + spans.field("message").to_numpy()
    numbers = np.concatenate(read)[where].astype(np.int32)
    values = pa.StructArray.from_arrays(
        [pa.array(numbers), spans.field("start"), spans.field("stop")], fields=list(CUT)
    )
    offsets = np.zeros(len(cuts) + 1, np.int32)
    offsets[places + 1] = counts
    return pa.ListArray.from_arrays(pa.array(np.cumsum(offsets, dtype=np.int32)), values, mask=cuts.is_null())


def _told(
    narrow: pa.Table, stage: Stage, spread: np.ndarray, verdict: Verdict
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the positions of the rows of which a stage said something, and their lines but for where they were read."""
    fell = np.flatnonzero(verdict.reason.is_valid().to_numpy(zero_copy_only=False))
    chosen, where = pa.array(fell), pa.array(spread[fell])
    rows = narrow.select(["id", "source"]).take(where)
    others = pc.if_else(pc.is_valid(verdict.other), verdict.other, None).take(chosen)
    named = whole(narrow["id"]).take(pa.array(spread, pa.int64()).take(others))
    return spread[fell], {
        "id": rows["id"],
        "source": rows["source"],
        "stage": pa.repeat(stage.title, len(fell)),
        "action": verdict.action.take(chosen),
        "reason": verdict.reason.take(chosen),
        "score": verdict.score.take(chosen),
        "threshold": verdict.threshold.take(chosen),
        "other": named,
        "detail": verdict.detail.take(chosen),
    }


def _scores(narrow: pa.Table, stage: Stage, spread: np.ndarray, verdict: Verdict) -> list[pa.Table]:
    """Return what a stage measured, a table for each name."""
    found = []
    for name, values in verdict.scores.items():
        known = np.flatnonzero(~np.isnan(values))
        ids = narrow["id"].take(pa.array(spread[known]))
        columns = [
            ids,
            pa.repeat(stage.title, len(known)),
            pa.repeat(name, len(known)),
            pa.array(values[known]),
        ]
        found.append(pa.table(columns, schema=SCORES))
    return found


def _events(standing: Standing, told: Sequence[tuple[np.ndarray, dict[str, Any]]]) -> pa.Table:
    """Put the stages' lines together, each with where its row was read."""
    if not told:
        return LEDGER.empty_table()
    rows, at = np.unique(np.concatenate([where for where, _ in told]), return_inverse=True)
    read = standing.take(rows, ["file", "row"]).take(pa.array(at))
    said = pa.concat_tables([pa.table(lines) for _, lines in told])
    return pa.table(
        [(read if name in ("file", "row") else said)[name] for name in LEDGER.names], schema=LEDGER
    )


def _set(before: pa.ChunkedArray, spread: np.ndarray, column: pa.Array, earlier: int) -> pa.Array:
    """Put what a judge set in the place of what was; rows of the version that is built on keep theirs."""
    mask = np.zeros(len(before), bool)
    mask[spread] = True
    mask[:earlier] = False
    return pc.replace_with_mask(whole(before), pa.array(mask), column.filter(pa.array(spread >= earlier)))
