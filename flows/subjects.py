"""What a run's audit looks at, over the run's folder: who its rows are, and what each stage did."""

import json
import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audit.groups import AuditSettings, Membership, Told, memberships
from audit.steps import Step
from audit.strata import Strata, strata
from augment.choice import ENOUGH
from corpus import lexicon, text
from corpus.decide import KEPT, NOT_ENTERED
from corpus.schema import digest
from corpus.snapshot import Part, Snapshot
from corpus.stage import CorpusJudge, Grow, Rewrite
from corpus.standing import Standing
from flows.job import Job
from flows.metadata import metadata

READ = 20_000
"""Rows whose words are counted; of more, as many are drawn."""


def settings_of(job: Job) -> AuditSettings:
    """Return what the recipe's `audit:` section asks for."""
    return job.recipe.audit or AuditSettings()


def came(job: Job) -> Snapshot:
    """Return the rows as they came in."""
    return job.store.open_snapshot(job.read("ingest.json")["snapshot"])


def mentions(rows: pa.Table, settings: AuditSettings) -> pa.Table:
    """Return which groups of the lexicon each row speaks of."""
    return lexicon.load(settings.lexicon).mentions(text.contents(rows))


def members(rows: pa.Table, settings: AuditSettings, declared: Collection[str] = ()) -> list[Membership]:
    """Return the groups of rows (with `label`, `source`, `groups`, `messages`) that the audit asks for."""
    return memberships(rows, mentions(rows, settings), settings, declared, metadata(rows, settings))


def groups_of(snapshot: Snapshot, settings: AuditSettings) -> tuple[list[Membership], Strata]:
    """Find the groups of the rows as they came in, and cut these by length and source; cleaning must not hide a mention.

    The texts are read once, part by part; matching leaves the interpreter free, so parts are read side by side.
    """
    known = lexicon.load(settings.lexicon)

    def read(part: Part) -> tuple[pa.Table, np.ndarray, list[Told]]:
        rows = part.read(["id", "messages"])
        words = text.count_words(rows).to_numpy()
        return known.mentions(text.contents(rows)), words, metadata(rows, settings)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        told = list(pool.map(read, snapshot.parts))
    narrow = snapshot.narrow(["label", "source", "groups"]).combine_chunks()
    spoken = pa.concat_tables([mentions for mentions, _, _ in told]) if told else None
    words = np.concatenate([counts for _, counts, _ in told]) if told else np.empty(0, np.int64)
    beside = [
        replace(one, values=pa.chunked_array([part.values for part in parts]).combine_chunks())
        for one, *rest in zip(*(each for _, _, each in told), strict=True)
        for parts in [[one, *rest]]
    ]
    return memberships(narrow, spoken, settings, (), beside), strata(words, narrow["source"])


def steps_of(job: Job, ids: pa.StringArray) -> Iterator[Step]:
    """Yield what each judge did to the rows that came in; rows that were grown are audited beside their parents."""
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
            line = pc.index_in(ids, lines["id"].combine_chunks())
            reason, other = (lines[name].combine_chunks().take(line) for name in ("reason", "other"))
            met = pc.fill_null(other.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
            chooses = isinstance(stage, CorpusJudge) and stage.chooses
            yield Step(stage.title, way != NOT_ENTERED, way == KEPT, reason, chooses, met)


@dataclass(frozen=True)
class Candidates:
    """What a segment grew and a gate judged: each candidate beside its parent, row-aligned with the gate's step.

    Candidates that were good and not wanted (`enough`) did not enter it: what a choice leaves out is no loss.
    """

    grower: Grow
    gate: Step
    grown: pa.Table
    parents: pa.Table
    among: Snapshot
    """All candidates, those included that fell before the gate, and all rows that stood as they were made."""
    made: np.ndarray
    """Which of these are candidates."""


def candidates_of(job: Job) -> Iterator[Candidates]:
    """Yield the candidates of each segment that grew rows."""
    for number, segment in enumerate(job.segments):
        gate = next((stage for stage in segment.corpus_judges if stage.candidates), None)
        if segment.grow is None or gate is None:
            continue
        before = job.store.open_snapshot(
            json.loads((job.segment(number) / "input.json").read_text())["snapshot"]
        )
        ways = pq.read_table(job.segment(number) / "steps.parquet")
        way = ways[gate.title].combine_chunks().to_numpy(zero_copy_only=False)
        ids = pc.filter(ways["id"].combine_chunks(), pa.array(way != NOT_ENTERED))
        if not len(ids):
            continue
        grown = before.take(ids)
        parents = before.take(grown["parent"].combine_chunks())
        ledger = pq.read_table(job.segment(number) / "ledger.parquet", columns=["id", "stage", "reason"])
        chosen = pc.and_(pc.equal(ledger["stage"], gate.title), pc.equal(ledger["reason"], ENOUGH))
        unwanted = pc.is_in(ids, value_set=ledger["id"].filter(chosen).combine_chunks())
        step = Step(gate.title, ~unwanted.to_numpy(zero_copy_only=False), way[way != NOT_ENTERED] == KEPT)
        standing = Standing.load(job.segment(number))
        yield Candidates(segment.grow, step, grown, parents, before, standing.candidates[standing.earlier :])


def drawn(snapshot: Snapshot, rows: np.ndarray, seed: int) -> tuple[np.ndarray, pa.StringArray]:
    """Draw up to `READ` of the `rows` (bool); return their positions in id order, and their texts."""
    chosen = np.flatnonzero(rows)
    if len(chosen) > READ:
        generator = np.random.default_rng(list(digest(str(seed), "words")))
        chosen = np.sort(generator.choice(chosen, READ, replace=False))
    if not len(chosen):
        return chosen, pa.array([], pa.string())
    ids = snapshot.narrow(["id"])["id"].combine_chunks().take(pa.array(chosen))
    return chosen, text.contents(snapshot.take(ids))
