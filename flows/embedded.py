"""What a run's audit sees through embeddings: clusters as groups, how unlike a group's rows are, what the labels teach of it."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit import clusters, vendi
from audit.draws import Ranks, united
from audit.findings import Finding
from audit.groups import AuditSettings, Membership
from audit.models.accuracy import accuracy
from audit.models.classes import by_class
from audit.models.mitigation import mitigation
from audit.retention import retention
from audit.steps import Step
from corpus import text
from corpus.arrays import matrix
from corpus.engine import processes
from corpus.memo import Replay
from corpus.models import EncodeTexts
from corpus.out_of_fold import answers
from corpus.schema import digest
from corpus.snapshot import Snapshot
from corpus.stage import Context
from flows.job import Job

STAGE = "embedding probe"

_MANY = 1_000
"""Rows of which some are sooner embedded by a process that imports PyTorch anew: this one has something to do meanwhile."""

QUOTED = 3
"""Rows of each cluster that are quoted."""


@dataclass(frozen=True)
class Embedded:
    """Rows (positions in id order, ascending) with their texts and vectors; `came` and `stay` are even draws of all and of those that stay."""

    ranks: Ranks
    rows: np.ndarray
    texts: pa.StringArray
    vectors: np.ndarray
    came: np.ndarray
    stay: np.ndarray

    def of(self, rows: np.ndarray) -> np.ndarray:
        """Return where the `rows` (positions) are among those that were embedded."""
        found: np.ndarray = np.searchsorted(self.rows, rows)
        return found


@dataclass(frozen=True)
class Drawn:
    """Rows that are drawn to be embedded, and the vectors that are being made of them."""

    ranks: Ranks
    rows: np.ndarray
    texts: pa.StringArray
    came: np.ndarray
    stay: np.ndarray
    vectors: Future[pa.FixedSizeListArray]

    def embedded(self) -> Embedded:
        """Return them with their vectors, which are waited for."""
        return Embedded(
            self.ranks, self.rows, self.texts, matrix(self.vectors.result()), self.came, self.stay
        )


@dataclass(frozen=True)
class Probed:
    """What the probe tells: findings, lines class by class, and what evening out the largest gaps would cost."""

    measured: list[Finding]
    classes: list[dict[str, Any]]
    mitigation: list[dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """What embeddings tell: the clusters as groups of all rows, findings, and what `audit.json` says beside them."""

    clusters: list[Membership]
    measured: list[Finding]
    told: dict[str, Any]
    quotes: list[dict[str, Any]]


def seen(
    job: Job,
    drawn: Drawn | None,
    snapshot: Snapshot,
    groups: Sequence[Membership],
    kept: np.ndarray,
    steps: Sequence[Step],
    settings: AuditSettings,
) -> Seen:
    """Ask all that can be asked of the rows that were embedded; nothing where the audit names no model."""
    if drawn is None:
        return Seen([], [], {"classes": [], "diversity": [], "embedded": None, "mitigation": []}, [])
    here = drawn.embedded()
    found, measured = by_cluster(here, steps, settings, job.recipe.seed)
    asked = probed(job, here, snapshot, groups, kept, settings)
    told = {
        "classes": asked.classes,
        "diversity": unlike(here, groups, kept, job.recipe.seed),
        "embedded": {
            "model": settings.embedding,
            "rows": len(here.rows),
            "came": len(here.came),
            "published": len(here.stay),
        },
        "mitigation": asked.mitigation,
    }
    quotes = quoted(here, found, snapshot) if settings.show_text else []
    return Seen(found, [*measured, *asked.measured], told, quotes)


@contextmanager
def beside(job: Job, rows: int, settings: AuditSettings) -> Iterator[Executor]:
    """Lend what embeds while others count: a process, which loads the model at once, or for few rows a thread.

    PyTorch asks for the interpreter between its steps, and beside a thread that counts it would wait for it at each.
    """
    if settings.embedding is None or rows < _MANY:
        with ThreadPoolExecutor(1) as thread:
            yield thread
        return
    with processes(1) as alone:
        alone.submit(job.models.encode, settings.embedding, pa.array([""]))
        yield alone


def embed(
    job: Job,
    snapshot: Snapshot,
    groups: Sequence[Membership],
    kept: np.ndarray,
    settings: AuditSettings,
    by: Executor,
) -> Drawn | None:
    """Draw evenly of the rows that came and of those that stay, and some of each group, and have them embedded; None where the audit names no model."""
    if settings.embedding is None or not len(kept):
        return None
    ranks = Ranks.drawn(
        len(kept), np.random.default_rng(list(digest(str(job.recipe.seed), "audit", "embedded")))
    )
    came = ranks.first(np.ones(len(kept), dtype=bool), settings.embedded_rows)
    stay = ranks.first(kept, settings.embedded_rows)
    some = [ranks.first(rows, vendi.ROWS) for group in groups for rows in (group.rows, group.rows & kept)]
    rows = united([came, stay, *some])
    ids = snapshot.narrow(["id"])["id"].combine_chunks()
    texts = text.contents(snapshot.take(ids.take(pa.array(rows))))
    context = Context(job.recipe.seed, "audit", job.models, Replay(job.store.replay))
    encode = EncodeTexts(settings.embedding, threads=os.cpu_count() or 1)
    return Drawn(ranks, rows, texts, came, stay, by.submit(encode, texts, context))


def by_cluster(
    seen: Embedded, steps: Sequence[Step], settings: AuditSettings, seed: int
) -> tuple[list[Membership], list[Finding]]:
    """Return the clusters among the rows drawn of all that came, and what each stage did to those."""
    where = seen.of(seen.came)
    found = clusters.clusters(seen.vectors[where], seed)
    drawn = [
        Step(
            step.stage,
            step.entered[seen.came],
            step.kept[seen.came],
            None if step.reason is None else step.reason.take(pa.array(seen.came)),
            step.chooses,
            None if step.other is None else step.other[seen.came],
        )
        for step in steps
    ]
    measured = retention(drawn, found, settings, seed) if found else []
    return [_among(group, seen.came, len(seen.ranks.rank)) for group in found], measured


def quoted(seen: Embedded, found: Sequence[Membership], snapshot: Snapshot) -> list[dict[str, Any]]:
    """Quote the rows in the middle of each cluster: `{"id", "cluster", "text"}`; these go where a row is forgotten."""
    where = seen.of(seen.came)
    ids = snapshot.narrow(["id"])["id"].combine_chunks()
    told = []
    for group in found:
        for at in clusters.middle(seen.vectors[where], group.at(seen.came), QUOTED).tolist():
            row = int(seen.came[at])
            told.append(
                {"id": ids[row].as_py(), "cluster": group.group, "text": seen.texts[int(where[at])].as_py()}
            )
    return told


def _among(group: Membership, rows: np.ndarray, count: int) -> Membership:
    mask = np.zeros(count, dtype=bool)
    mask[rows[group.rows]] = True
    return replace(group, rows=mask)


def unlike(seen: Embedded, groups: Sequence[Membership], kept: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Return how unlike one another each group's rows are, as they came and as they stay; the first line is of all rows."""
    everybody = Membership("", "", "", np.ones(len(kept), dtype=bool))
    told = []
    for group in (everybody, *groups):
        scores = {}
        for name, rows in (("came", group.rows), ("published", group.rows & kept)):
            where = seen.of(seen.ranks.first(rows, vendi.ROWS))
            generator = np.random.default_rng(list(digest(str(seed), "vendi", group.axis, group.group, name)))
            scores[name] = vendi.diversity(seen.vectors[where], generator)
        if scores["came"] is not None:
            told.append({"axis": group.axis, "group": group.group, "origin": group.origin, **scores})
    return told


def probed(
    job: Job,
    seen: Embedded,
    snapshot: Snapshot,
    groups: Sequence[Membership],
    kept: np.ndarray,
    settings: AuditSettings,
) -> Probed:
    """Ask the probe about the rows that stay: how often it is right on each group, and class by class.

    It is told and not judged: where groups differ in their mix of labels, so does how often any model is right.
    A group's rows are those drawn of it, the others those drawn evenly of all, so that each side stands for itself. Labels are no
    groups here: how often a label's rows are answered rightly is told class by class.
    """
    groups = [group for group in groups if group.axis != "label"]
    some = [seen.ranks.first(group.rows & kept, vendi.ROWS) for group in groups]
    rows = united([seen.stay, *some])
    labels, families = _published(job, snapshot, rows)
    seed = job.recipe.seed
    told = answers(seen.vectors[seen.of(rows)], labels, families, seed)
    if told is None:
        return Probed([], [], [])
    position = rows[told.rows]
    everybody = np.isin(position, seen.stay)
    cases = []
    for group, mine in zip(groups, some, strict=True):
        side = everybody | np.isin(position, mine)
        cases.append((group.at(position[side]), side))
    names = pa.array(told.classes)
    measured = accuracy(
        names.take(pa.array(told.truth)),
        names.take(pa.array(told.predicted)),
        [group.at(position) for group in groups],
        settings,
        STAGE,
        baseline=True,
        among=[side for _, side in cases],
    )
    classes = []
    for group, side in cases:
        truth, said, scores = told.truth[side], told.predicted[side], told.log_probabilities[side]
        classes += by_class(truth, said, scores, told.classes, [group], STAGE, seed)
    evened = mitigation(
        told.truth, told.predicted, np.exp(told.log_probabilities), told.classes, cases, settings, seed
    )
    return Probed(measured, classes, evened)


def _published(job: Job, snapshot: Snapshot, rows: np.ndarray) -> tuple[list[str | None], list[str]]:
    """Return the labels and families that rows (positions of rows that stay) are published with."""
    standing = job.standing.narrow
    ids = snapshot.narrow(["id"])["id"].combine_chunks().take(pa.array(rows))
    mine = standing.take(pc.index_in(ids, standing["id"].combine_chunks()))
    families = pc.coalesce(mine["family"], mine["id"])
    return mine["label"].to_pylist(), families.to_pylist()
