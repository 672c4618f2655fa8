"""The audits of a run, over its folder: of the data stage by stage, of growth, of the model; and the gates."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audit import findings, growth, model, retention
from audit.groups import AuditSettings, Membership, memberships
from audit.steps import Step
from corpus import lexicon, text
from corpus.decide import DROPPED, KEPT, NOT_ENTERED
from corpus.schema import digest
from corpus.snapshot import Snapshot
from corpus.stage import CorpusJudge, Rewrite
from flows.curate import opened
from flows.job import Job

SAMPLES = 5
"""Removed texts shown beside a finding."""


def audit_data(job: Job) -> list[dict[str, Any]]:
    """Audit what each stage did to whom; what was found is kept in the run's folder."""
    settings = _settings(job)
    snapshot = job.store.open_snapshot(job.read("ingest.json")["snapshot"])
    groups = _memberships(snapshot, settings)
    steps = list(_steps(job, snapshot.narrow(["id"])["id"].combine_chunks()))
    found = retention.findings(retention.retention(steps, groups, settings, job.recipe.seed))
    found += _growth(job, settings)
    job.write("audit-data.json", found)
    job.write("samples.json", _samples(job, found, groups, steps, snapshot))
    return found


def audit_model(job: Job) -> list[dict[str, Any]]:
    """Audit by group how often each model was right; needs the predictions that evaluation left."""
    file = job.folder / "predictions.parquet"
    if not file.exists():
        return []
    settings = _settings(job)
    said = pq.read_table(file)
    ids = said["id"].combine_chunks()
    kept = pa.concat_tables(
        [rows.filter(pc.is_in(rows["id"], ids)) for rows in map(pq.read_table, opened(job).files("test"))]
    ).combine_chunks()
    said = said.take(pc.index_in(kept["id"].combine_chunks(), said["id"].combine_chunks()))
    groups = memberships(kept, _mentions(kept, settings), settings)
    found = []
    for name in ("base", "tuned"):
        if name in said.column_names:
            found += model.accuracy(
                said["label"].combine_chunks(), said[name].combine_chunks(), groups, settings, f"{name} model"
            )
    job.write("audit-model.json", found)
    return found


def conclude(job: Job) -> dict[str, Any]:
    """Join the audits and apply the gates; return what `audit.json` holds."""
    settings = _settings(job)
    found = [*(job.read("audit-data.json") or []), *(job.read("audit-model.json") or [])]
    record = findings.record(found, settings, lexicon.load(settings.lexicon))
    record["gates"] = [_gate(gate.model_dump(), found) for gate in job.recipe.gates]
    job.write("audit.json", record)
    return record


def stopped(job: Job) -> str | None:
    """Say what stops the run before it publishes, if something does: no row is left, or a gate of the recipe."""
    if not job.unchanged and not job.standing.stands.any():
        return "no row is left; the ledger says which stage dropped each, and nothing was published"
    found = job.read("audit-data.json") or []
    for gate in job.recipe.gates:
        told = _gate(gate.model_dump(), found)
        if gate.on_fail == "stop" and not told["ok"]:
            group = told["failed"][0]
            return (
                f"gate {gate.axis}: {group['group']} is kept {group['ratio']:.2f} times as often as the others by {group['stage']}, "
                f"under {gate.min_impact_ratio:g}; nothing was published"
            )
    return None


def _gate(gate: Mapping[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    """A gate fails where the whole interval of an impact ratio lies under its bound."""
    failed = [
        finding
        for finding in found
        if finding["axis"] == gate["axis"]
        and finding["rule"] == "impact_ratio"
        and finding["verdict"] in ("PASS", "FAIL")
        and finding["high"] is not None
        and finding["high"] < gate["min_impact_ratio"]
    ]
    return {**gate, "ok": not failed, "failed": failed}


def _settings(job: Job) -> AuditSettings:
    return job.recipe.audit or AuditSettings()


def _mentions(rows: pa.Table, settings: AuditSettings) -> pa.Table:
    return lexicon.load(settings.lexicon).mentions(text.contents(rows))


def _memberships(snapshot: Snapshot, settings: AuditSettings) -> list[Membership]:
    """Find the groups of the rows as they came in, part by part: cleaning must not hide a mention."""
    known = lexicon.load(settings.lexicon)
    mentions = [known.mentions(text.contents(part.read(["id", "messages"]))) for part in snapshot.parts]
    narrow = snapshot.narrow(["label", "source", "groups"])
    return memberships(narrow.combine_chunks(), pa.concat_tables(mentions) if mentions else None, settings)


def _steps(job: Job, ids: pa.StringArray) -> Iterator[Step]:
    """Yield what each judge did to the rows that came in; rows that were grown are audited by `_growth`."""
    for number, segment in enumerate(job.segments):
        ways = pq.read_table(job.segment(number) / "steps.parquet")
        ledger = pq.read_table(job.segment(number) / "ledger.parquet")
        fell = ledger.filter(pc.equal(ledger["action"], "drop"))
        where = pc.index_in(ids, ways["id"].combine_chunks())
        for stage in segment.measuring:
            if isinstance(stage, Rewrite) or (isinstance(stage, CorpusJudge) and stage.candidates):
                continue
            way = pc.fill_null(ways[stage.title].combine_chunks().take(where), NOT_ENTERED).to_numpy(
                zero_copy_only=False
            )
            lines = fell.filter(pc.equal(fell["stage"], stage.title))
            reason = lines["reason"].combine_chunks().take(pc.index_in(ids, lines["id"].combine_chunks()))
            yield Step(stage.title, way != NOT_ENTERED, way == KEPT, reason)


def _growth(job: Job, settings: AuditSettings) -> list[dict[str, Any]]:
    """Audit which groups' candidates were admitted, and which mentions outlived the growth."""
    found: list[dict[str, Any]] = []
    for number, segment in enumerate(job.segments):
        gate = next((stage for stage in segment.corpus_judges if stage.candidates), None)
        if segment.grow is None or gate is None:
            continue
        before = job.store.open_snapshot(
            json.loads((job.segment(number) / "input.json").read_text())["snapshot"]
        )
        ways = pq.read_table(job.segment(number) / "steps.parquet")
        way = ways[gate.title].combine_chunks().to_numpy(zero_copy_only=False)
        candidates = pc.filter(ways["id"].combine_chunks(), pa.array(way != NOT_ENTERED))
        if not len(candidates):
            continue
        grown = before.take(candidates)
        parents = before.take(grown["parent"].combine_chunks())
        told = way[way != NOT_ENTERED]
        step = Step(gate.title, np.ones(len(told), bool), told == KEPT)
        mentions, inherited = _mentions(grown, settings), _mentions(parents, settings)
        found += growth.admission(step, memberships(grown, inherited, settings), settings, job.recipe.seed)
        admitted = pa.array(told != DROPPED)
        found += growth.survival(
            inherited.filter(admitted), mentions.filter(admitted), settings, segment.grow.title
        )
    return found


def _samples(
    job: Job, found: list[dict[str, Any]], groups: list[Membership], steps: list[Step], snapshot: Snapshot
) -> list[dict[str, Any]]:
    """Draw removed texts for the findings that a report shows first."""
    ids = snapshot.narrow(["id"])["id"].combine_chunks()
    by_stage = {step.stage: step for step in steps}
    member = {(group.axis, group.group): group.rows for group in groups}
    wanted: list[tuple[str, dict[str, Any]]] = []
    for finding in findings.worst(found):
        key = (finding["axis"], finding["group"])
        stages = [finding["stage"]] if finding["stage"] in by_stage else list(by_stage)
        for stage in stages if key in member else []:
            gone = member[key] & by_stage[stage].entered & ~by_stage[stage].kept
            drawn = sorted(
                ids.filter(pa.array(gone)).to_pylist(),
                key=lambda row_id: digest(str(job.recipe.seed), "sample", row_id),
            )
            wanted += [
                (row_id, {"stage": stage, "axis": key[0], "group": key[1]}) for row_id in drawn[:SAMPLES]
            ]
    return _with_texts(job.folder / "dropped", wanted)


def _with_texts(dropped: Path, wanted: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    names = pa.array([row_id for row_id, _ in wanted], pa.string())
    texts: dict[str, dict[str, str]] = {}
    for file in sorted(dropped.glob("*.parquet")):
        rows = pq.read_table(file, columns=["id", "messages", "reason"])
        rows = rows.filter(pc.is_in(rows["id"], names))
        for row_id, content, reason in zip(
            rows["id"].to_pylist(), text.contents(rows).to_pylist(), rows["reason"].to_pylist(), strict=True
        ):
            texts[row_id] = {"id": row_id, "text": content, "reason": reason}
    return [{**place, **texts[row_id]} for row_id, place in wanted if row_id in texts]
