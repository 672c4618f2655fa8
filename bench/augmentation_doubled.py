"""Is a candidate that was admitted worth a row? Test accuracy where each original has one, beside originals alone and as many more.

    python -m bench.augmentation_doubled --store FOLDER

Of a hundred originals four have a candidate that is admitted, so `bench.augmentation_evidence` adds four rows to them, and what these do nobody
could see. Here all training rows of the demo are grown through Esperanto (the rows of `bench.augmentation_sheet`, from whose store
they are replayed), and originals are drawn of those that have an admitted candidate: as many rows come as there are. Beside them the same
originals twice, which is the weight of the candidates without their words, and as many originals more, drawn of all others. A
probe learns from each, paired by seed. Adds what came of it to bench/evidence/augmentation.json.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bench.augmentation_arms import grown, paired
from bench.augmentation_evidence import OUT, probe
from bench.augmentation_sheet import GROWTH
from bench.evidence import before_growth, curated
from bench.machine import describe
from corpus import text
from corpus.arrays import matrix
from corpus.fetch import cache_folder
from corpus.memo import Replay
from corpus.models import EMBEDDING, EncodeTexts, Models
from corpus.stage import Context

SIZES, SEEDS, TEST = (100, 400, 1_000), 20, 3_000


@dataclass(frozen=True)
class Learned:
    """Vectors and labels that a probe learns from."""

    vectors: np.ndarray
    labels: np.ndarray

    def of(self, at: np.ndarray) -> "Learned":
        """Return some of them."""
        return Learned(self.vectors[at], self.labels[at])

    def beside(self, other: "Learned") -> "Learned":
        """Return these and others."""
        return Learned(np.r_[self.vectors, other.vectors], np.r_[self.labels, other.labels])


@dataclass(frozen=True)
class Pairs:
    """Originals that have an admitted candidate each, these candidates, and as many other originals."""

    originals: Learned
    candidates: Learned
    others: Learned
    test: Learned

    def arms(self, size: int, seed: int) -> Iterator[tuple[str, Learned]]:
        """Yield each way to learn from `size` originals of a seed."""
        generator = np.random.default_rng([seed, 72])
        own, more = (generator.permutation(len(self.originals.labels))[:size] for _ in range(2))
        originals = self.originals.of(own)
        yield "originals", originals
        yield "with a candidate each", originals.beside(self.candidates.of(own))
        yield "the same twice", originals.beside(originals)
        yield "as many originals more", originals.beside(self.others.of(more))


def found(store: Path) -> Pairs:
    """Grow all training rows, and embed those that have an admitted candidate, these, and as many others of each label."""
    job = curated([*before_growth(), *GROWTH], store)
    made = grown(job)
    child = {
        parent: said
        for parent, said, passed in zip(made.parents, made.said, made.admitted, strict=True)
        if passed
    }
    rows = pa.concat_tables(list(job.standing.tables())).combine_chunks()
    rows = rows.filter(rows["parent"].is_null())
    train, test = (rows.filter(pc.equal(rows["split"], split)) for split in ("train", "test"))
    has = pc.is_in(train["id"], pa.array([*child])).to_numpy(zero_copy_only=False)
    generator = np.random.default_rng(72)
    others = train.filter(pa.array(~has))
    others = others.take(pa.array(_alike(train.filter(pa.array(has)), others, generator)))
    mine = train.filter(pa.array(has))
    context = Context(7, "evidence", Models(store, cache_folder()), Replay(job.store.replay))

    def learned(table: pa.Table, said: Sequence[str] | None = None) -> Learned:
        texts = text.contents(table) if said is None else pa.array(said, pa.string())
        return Learned(
            matrix(EncodeTexts(EMBEDDING, threads=2)(texts, context)), np.array(table["label"].to_pylist())
        )

    some = generator.permutation(len(test))[:TEST]
    return Pairs(
        learned(mine),
        learned(mine, [child[one] for one in mine["id"].to_pylist()]),
        learned(others),
        learned(test.take(pa.array(np.sort(some)))),
    )


def _alike(mine: pa.Table, others: pa.Table, generator: np.random.Generator) -> np.ndarray:
    """Draw of each label as many of the others as there are of mine: what differs is then the rows and not their labels."""
    labels = np.array(others["label"].to_pylist())
    drawn = [
        generator.permutation(np.flatnonzero(labels == one["values"]))[: one["counts"]]
        for one in pc.value_counts(mine["label"].combine_chunks()).to_pylist()
    ]
    return generator.permutation(np.concatenate(drawn))


def main() -> None:
    """Measure, and add to the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    pairs = found(parser.parse_args().store)
    told: dict[str, object] = {
        "machine": describe(),
        "engine": "apertium eo",
        "originals_with_a_candidate": len(pairs.originals.labels),
        "test_rows": len(pairs.test.labels),
        "seeds": SEEDS,
    }
    for size in SIZES:
        scores: dict[str, list[float]] = {}
        for seed in range(SEEDS):
            for arm, learned in pairs.arms(size, seed):
                scores.setdefault(arm, []).append(
                    probe(learned.vectors, learned.labels, pairs.test.vectors, pairs.test.labels)
                )
        told[str(size)] = paired(scores)
        print(size, {arm: one["difference"] for arm, one in paired(scores).items()}, flush=True)
    held = json.loads(OUT.read_text())
    held["doubled"] = told
    OUT.write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main()
