"""Probes a run's stages: rows that speak of a group are judged again as if they spoke of another."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.groups import MENTIONS, AuditSettings, Membership
from audit.probes import Fates, Pair, probe, settled, worst
from corpus import lexicon, text
from corpus.exchange import Slots
from corpus.schema import digest
from corpus.segment import Segment, pass_over, with_messages
from corpus.snapshot import Snapshot
from corpus.stage import Judge
from flows.job import Job

ROWS = 40
"""Rows of a group that are probed, half of them removed ones where there are so many."""
TARGETS = 3
"""Other groups that a group's terms are exchanged for: the largest of its axis."""


def probes(
    job: Job, snapshot: Snapshot, groups: Sequence[Membership], kept: np.ndarray, settings: AuditSettings
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Exchange the terms of each lexicon group in some of its rows, and send both through the stages that look at rows alone.

    Returns what the exchanges did, and the worst pairs of texts with the ids of their rows: none where no text is to be shown.

    Stages that compare rows with one another (duplicates, diversity) do not take part, and those behind growth neither.
    """
    known = lexicon.load(settings.lexicon)
    of_axis = {
        axis: [
            group
            for group in groups
            if group.axis.removesuffix(MENTIONS) == axis and group.origin == "mention-lexicon"
        ]
        for axis in known.swaps
    }
    chosen = {
        (group.axis, group.group): _drawn(group, kept, job.recipe.seed)
        for mine in of_axis.values()
        for group in mine
    }
    numbers = np.unique(np.concatenate([np.empty(0, np.int64), *chosen.values()]))
    if not len(numbers):
        return [], []
    rows = snapshot.take(snapshot.narrow(["id"])["id"].combine_chunks().take(pa.array(numbers)))
    alone = pc.equal(pc.list_value_length(rows["messages"]), 1).to_pylist()
    contents = text.contents(rows).to_pylist()
    fates = fates_of(job, rows)
    found: list[dict[str, Any]] = []
    pairs: list[Pair] = []
    for axis, slots in known.swaps.items():
        texts = {
            group.group: {
                at: contents[at]
                for at in np.searchsorted(numbers, chosen[group.axis, group.group]).tolist()
                if alone[at]
            }
            for group in of_axis[axis]
        }
        probed = probe(texts, axis, slots, pairs_of(of_axis[axis], slots), fates)
        found, pairs = [*found, *probed.told], [*pairs, *probed.pairs]
    told, ids = settled(found), rows["id"].to_pylist()
    shown = worst(told, pairs) if settings.show_text else []
    return told, [{"id": ids[pair.pop("row")], **pair} for pair in shown]


def pairs_of(groups: Sequence[Membership], slots: Slots) -> list[tuple[str, str]]:
    """Return which group's terms are exchanged for whose: the largest others first, as many as are probed."""
    values = {value for slot in slots for value in slot}
    size = {group.group: int(group.rows.sum()) for group in groups}
    others = sorted(values, key=lambda value: (-size.get(value, 0), value))
    return [
        (name, other)
        for name in size
        if name in values
        for other in [value for value in others if value != name][:TARGETS]
    ]


def _drawn(group: Membership, kept: np.ndarray, seed: int) -> np.ndarray:
    """Draw rows of a group: removed ones, up to half or as many as are wanting, then others."""
    generator = np.random.default_rng(list(digest(str(seed), "probe", group.axis, group.group)))
    gone, stay = np.flatnonzero(group.rows & ~kept), np.flatnonzero(group.rows & kept)
    half = min(len(gone), max(ROWS // 2, ROWS - len(stay)))
    return np.sort(
        np.concatenate([generator.permutation(gone)[:half], generator.permutation(stay)[: ROWS - half]])
    )


def fates_of(job: Job, model: pa.Table) -> Fates:
    """Return what tells what the stages would do with rows of `model` if they said other texts."""
    segments = [segment for segment in job.segments if segment.grow is None]

    def fates(numbers: Sequence[int], texts: Sequence[str]) -> list[str | None]:
        told: list[str | None] = [None] * len(texts)
        if not texts:
            return told
        rows = model.take(pa.array(numbers, pa.int64()))
        said = [
            [{**messages[0], "content": content}]
            for messages, content in zip(rows["messages"].to_pylist(), texts, strict=True)
        ]
        rows = with_messages(rows, pa.array(said, rows["messages"].type))
        for segment in segments:
            contexts = {stage.title: job.context(stage) for stage in segment.row_stages}
            passed = pass_over(rows, Segment(None, segment.row_stages, ()), contexts)
            for stage in segment.row_stages:
                if isinstance(stage, Judge):
                    verdict = stage.judge(_features(passed.features, stage.title), contexts[stage.title])
                    reasons = verdict.reason.to_pylist()
                    for at in np.flatnonzero(verdict.says("drop")):
                        told[at] = told[at] or f"{stage.title}: {reasons[at]}"
            if passed.messages is not None:
                rows = with_messages(rows, passed.messages)
        return told

    return fates


def _features(features: pa.Table, stage: str) -> pa.Table:
    mine = features.select([name for name in features.column_names if name.startswith(f"{stage}/")])
    return mine.rename_columns([name.removeprefix(f"{stage}/") for name in mine.column_names])
