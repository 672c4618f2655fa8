"""Other values of the knob that a group's loss is owed to most, judged again on what the run measured, as `winnow what-if` would."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from audit.findings import RETENTION, TOTAL, Finding, settle, worst
from audit.groups import AuditSettings, Membership
from audit.moves import moved
from audit.remedies import MOST
from audit.steps import Step
from corpus.arrays import whole
from corpus.schema import UserError
from corpus.stage import Context, Judge
from corpus.standing import Standing
from curation.decontaminate import Decontaminate
from flows.job import Job

POINTS = 5
"""Values that are tried of a knob: each keeps a further fifth of what the rule removed."""

_STEP = 10_000
"""Knobs that are no whole numbers are moved in these parts of one."""


@dataclass(frozen=True)
class _Judged:
    """A row stage with what it measured of the rows that came (`rows`: their positions among the audited ones, -1 for others)."""

    stage: Judge
    features: pa.Table
    context: Context
    rows: np.ndarray

    def kept(self, stage: Judge, step: Step) -> np.ndarray:
        """Return which of the audited rows (bool) stay if `stage`, which has other knobs, judges those that entered `step`."""
        kept, mine = step.kept.copy(), self.rows >= 0
        kept[self.rows[mine]] = ~stage.judge(self.features, self.context).says("drop")[mine]
        stayed: np.ndarray = kept & step.entered
        return stayed


def sweeps(
    job: Job, measured: Sequence[Finding], groups: Sequence[Membership], steps: Sequence[Step], settings: AuditSettings
) -> list[dict[str, Any]]:  # fmt: skip
    """Return sweeps (`audit.remedies.thresholds`) for the worst failures that are owed most to a threshold of a row stage.

    Stages that compare rows with one another are not asked, for that takes a run, and neither is decontamination: what
    evaluation sets hold must go, whomever it strikes.
    """
    failed = [
        one
        for one in worst(settle(measured, settings), MOST)
        if one["verdict"] == "FAIL" and one["rule"] in RETENTION
    ]
    known: dict[str, _Judged | None] = {}
    found: list[dict[str, Any]] = []
    for one in failed:
        rows, part = _rows(one, groups), next(iter(one["parts"]), None)
        if rows is None or part is None or not part["removed"]:
            continue
        by = part["stage"]
        if by not in known:
            known[by] = _judged(job, by, steps)
        held = known[by]
        if held is not None:
            group = Membership(one["axis"], one["group"], one["origin"], rows)
            found += _sweep(one, part["rule"], held, group, measured, steps, settings)
    return found


def _rows(finding: Finding, groups: Sequence[Membership]) -> np.ndarray | None:
    """Return the rows of the finding's group, or of both of a crossing; None of a cluster, of which some rows are known alone."""
    member = {(group.axis, group.group): group.rows for group in groups}
    sides = [tuple(side) for side in finding.get("sides", [(finding["axis"], finding["group"])])]
    if not all(side in member for side in sides):
        return None
    rows: np.ndarray = np.logical_and.reduce([member[side] for side in sides])
    return rows


def _judged(job: Job, name: str, steps: Sequence[Step]) -> _Judged | None:
    """Find a row stage by its title, with what it measured; None of other stages."""
    ids = job.store.open_snapshot(job.read("ingest.json")["snapshot"]).narrow(["id"])["id"].combine_chunks()
    for number, segment in enumerate(job.segments):
        for stage in segment.measuring:
            if stage.title == name and isinstance(stage, Judge) and not isinstance(stage, Decontaminate):
                standing = Standing.load(job.segment(number))
                features = pa.concat_tables(
                    [part.read(stage) for part in standing.fresh_parts]
                ).combine_chunks()
                came = whole(standing.narrow["id"]).slice(standing.earlier)
                where = pc.fill_null(pc.index_in(came, ids), -1).to_numpy(zero_copy_only=False)
                return _Judged(stage, features, job.context(stage), where)
    return None


def _sweep(
    finding: Finding,
    rule: str,
    held: _Judged,
    group: Membership,
    measured: Sequence[Finding],
    steps: Sequence[Step],
    settings: AuditSettings,
) -> Iterator[dict[str, Any]]:
    """Yield the sweep of the knob that the rule goes by, if there is one that keeps more."""
    number = next(at for at, step in enumerate(steps) if step.stage == held.stage.title)
    step, place = steps[number], (group.axis, group.group)
    others = [
        one
        for one in measured
        if (one["axis"], one["group"]) != place or one["stage"] not in (steps[number].stage, TOTAL)
    ]
    for knob, values in _knobs(held, rule):
        points = []
        for value in values:
            stage = _with(held.stage, knob, value)
            if stage is None:
                continue
            kept = held.kept(stage, step)
            told = settle([*others, *moved(steps, number, kept, group, settings)], settings)
            more = int(kept.sum() - (step.kept & step.entered).sum())
            points.append({"value": value, "more": more, **_outcome(finding, told)})
        if points[-1]["more"]:
            by = {"stage": finding["stage"], "by": step.stage, "rule": rule, "knob": knob}
            yield {"axis": group.axis, "group": group.group, **by, "points": points}
            return


def _knobs(held: _Judged, rule: str) -> Iterator[tuple[str, list[float]]]:
    """Yield the knobs that have the rule's threshold, with values: the present one, then such as keep ever more of what fell."""
    verdict = held.stage.judge(held.features, held.context)
    fell = pa.array(verdict.says("drop") & (held.rows >= 0))
    mine = pc.and_(fell, pc.fill_null(pc.equal(verdict.reason, rule), False))
    scores, limits = verdict.score.filter(mine).drop_null(), verdict.threshold.filter(mine).drop_null()
    if not len(scores) or len(limits.unique()) != 1:
        return
    limit = limits[0].as_py()
    told = scores.to_numpy()
    near = told[np.argsort(np.abs(told - limit), kind="stable")]
    up = bool(near[-1] >= limit)
    kept = [float(near[math.ceil(len(near) * (number + 1) / POINTS) - 1]) for number in range(POINTS)]
    for knob in sorted(held.stage.thresholds):
        now = getattr(held.stage, knob)
        if isinstance(now, int | float) and not isinstance(now, bool) and now == limit:
            yield (
                knob,
                list(dict.fromkeys([now, *(_beyond(score, up, isinstance(now, int)) for score in kept)])),
            )


def _beyond(score: float, up: bool, integer: bool) -> float:
    """Return the value nearest to a score under which a row of that score stays."""
    if integer:
        return math.ceil(score) if up else math.floor(score)
    return (math.floor(score * _STEP) + 1) / _STEP if up else (math.ceil(score * _STEP) - 1) / _STEP


def _with(stage: Judge, knob: str, value: float) -> Judge | None:
    """Return the stage with another value of a knob; None where it takes no such value."""
    try:
        return type(stage).model_validate({**stage.model_dump(), knob: value})
    except (ValidationError, UserError):
        return None


def _outcome(finding: Finding, told: Sequence[Finding]) -> dict[str, Any]:
    """Return what became of the finding: its ratio, and FAIL where any of its rules fails."""
    key = (finding["axis"], finding["group"], finding["stage"])
    mine = [
        one for one in told if (one["axis"], one["group"], one["stage"]) == key and one["rule"] in RETENTION
    ]
    one = mine[0]
    even = one["ratio"] is None and one["rate"] == one["other_rate"] == 1
    failed = any(each["verdict"] == "FAIL" for each in mine)
    return {
        "ratio": 1.0 if even else one["ratio"],
        "low": one["low"],
        "high": one["high"],
        "verdict": "FAIL" if failed else one["verdict"],
    }
