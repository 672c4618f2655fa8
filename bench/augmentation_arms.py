"""The ways to learn from a draw of originals: alone, with what an engine made of them, and with further originals.

From the same training rows for all engines, so many originals are drawn anew for each seed. Beside them stand the candidates of
theirs that `admission` let pass, all that were made, and as many further originals as were made, which is what rows of
one's own would have been worth. All are judged on the same test rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import stats

from augment.admission import Admission
from bench.evidence import before_growth, curated
from corpus import text
from corpus.arrays import matrix
from corpus.fetch import cache_folder
from corpus.memo import Replay
from corpus.models import EMBEDDING, EncodeTexts, Models
from corpus.stage import Context
from flows import gate_candidates
from flows.job import Job
from flows.what_if import only


@dataclass(frozen=True)
class Grown:
    """The candidates of an engine: what each says, the id of its parent, and whether it was admitted."""

    said: list[str]
    parents: list[str]
    admitted: np.ndarray


def grown(job: Job) -> Grown:
    """Return what a run's growth made: texts that say something and could be made."""
    some = [
        one
        for one in gate_candidates.candidates(job, *only(job, Admission, None))
        if one.said.strip() and one.reason != "not_made"
    ]
    return Grown(
        [one.said for one in some],
        [one.parent_id for one in some],
        np.array([one.reason is None for one in some], bool),
    )


@dataclass(frozen=True)
class World:
    """Originals and test rows with labels and vectors, and the candidates of each engine with theirs."""

    ids: list[str]
    texts: list[str]
    labels: np.ndarray
    vectors: np.ndarray
    test_texts: list[str]
    test_labels: np.ndarray
    test_vectors: np.ndarray
    validation: pa.Table
    grown: Mapping[str, Grown]
    grown_vectors: Mapping[str, np.ndarray]

    def drawn(self, size: int, seed: int) -> np.ndarray:
        """Return the originals of a seed; a smaller draw is the beginning of a larger one."""
        found: np.ndarray = np.random.default_rng([seed, 71]).permutation(len(self.ids))[:size]
        return found

    def arms(self, size: int, seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, list[str]]]:
        """Yield each way to learn from the originals of a seed: its name, vectors, labels and texts."""
        own = self.drawn(size, seed)
        held = {self.ids[at] for at in own}
        yield "originals", self.vectors[own], self.labels[own], [self.texts[at] for at in own]
        place = {row_id: at for at, row_id in enumerate(self.ids)}
        most = 0
        for engine, made in self.grown.items():
            mine = np.array([parent in held for parent in made.parents], bool)
            most = max(most, int(mine.sum()))
            for name, some in (("admitted", mine & made.admitted), ("made", mine)):
                at = np.flatnonzero(some)
                labels = self.labels[[place[made.parents[one]] for one in at]] if len(at) else self.labels[:0]
                yield (
                    f"{engine}, {name}",
                    np.r_[self.vectors[own], self.grown_vectors[engine][at]],
                    np.r_[self.labels[own], labels],
                    [self.texts[one] for one in own] + [made.said[one] for one in at],
                )
        more = self.drawn(min(size + most, len(self.ids)), seed)
        yield "more originals", self.vectors[more], self.labels[more], [self.texts[at] for at in more]


def world(store: Path, engines: Mapping[str, dict[str, Any]], pool: int) -> World:
    """Run engines in one store, each on so many training rows, and embed what they say."""
    made, standing = {}, None
    pooled = {"stage": "diversity", "keep": pool, "pool": pool}
    for engine, growth in engines.items():
        job = curated([*before_growth(), pooled, growth, {"stage": "admission"}], store)
        made[engine] = grown(job)
        rows = pa.concat_tables(list(job.standing.tables())).combine_chunks()
        standing = rows.filter(rows["parent"].is_null()) if standing is None else standing
        print(engine, len(made[engine].said), int(made[engine].admitted.sum()), flush=True)
    assert standing is not None
    context = Context(7, "evidence", Models(store, cache_folder()), Replay(job.store.replay))

    def encode(texts: Sequence[str]) -> np.ndarray:
        return matrix(EncodeTexts(EMBEDDING, threads=2)(pa.array(list(texts), pa.string()), context))

    train, test = (standing.filter(pc.equal(standing["split"], split)) for split in ("train", "test"))
    texts, test_texts = text.contents(train).to_pylist(), text.contents(test).to_pylist()
    return World(
        train["id"].to_pylist(),
        texts,
        np.array(train["label"].to_pylist()),
        encode(texts),
        test_texts,
        np.array(test["label"].to_pylist()),
        encode(test_texts),
        standing.filter(pc.equal(standing["split"], "validation")),
        made,
        {engine: encode(one.said) for engine, one in made.items()},
    )


def paired(scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return each arm's mean, and its difference from the originals alone, paired by seed."""
    base = np.array(scores["originals"])
    found: dict[str, Any] = {}
    for arm, values in scores.items():
        difference = np.array(values) - base
        half = float(stats.t.ppf(0.975, len(base) - 1) * difference.std(ddof=1) / np.sqrt(len(base)))
        found[arm] = {
            "accuracy": float(np.mean(values)),
            "difference": float(difference.mean()),
            "low": float(difference.mean()) - half,
            "high": float(difference.mean()) + half,
            "seeds": [round(float(one), 5) for one in values],
        }
    return found
