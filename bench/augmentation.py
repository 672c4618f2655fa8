"""How fast rows are grown and judged: round trips through Apertium, the gates without a model, embeddings, and other growths.

    python -m bench.augmentation [--rows 4000] [--rounds 5]

The demo's tweets as they stand before `diversity`: training rows drawn by chance to grow from, and all held-out rows. A
growth runs as in a run, its parts over two workers, in a store that nobody used before; `parts` of the usual size, and of a
quarter of the rows, so that both workers have as much. The gates that need no model judge the candidates that Apertium
made: what admission takes for them is the time to measure the candidates and to judge them, less the time in which it
waits for the embedding model. `alone` is what each gate takes where it is asked of all candidates. Then admission with a
cap on top, which needs embeddings too, counts what it has embedded.
Writes bench/results/augmentation.json: of each the rate of every round, the median and the spread, and the machine's pace.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from augment.back_translation import BackTranslation
from augment.chrf import scores
from augment.counterfactual import Counterfactual
from augment.kept import groups_changed, lost, word_ratio
from augment.masks import pieces_lost, said
from augment.paraphrase import Paraphrase
from bench import evidence, machine
from bench.watched import Watched, timed
from corpus import language_id, lexicon, text
from corpus.engine import Local
from corpus.fetch import cache_folder
from corpus.models import Models
from corpus.runner import Runner
from corpus.schema import of_splits
from corpus.segment import Segment
from corpus.snapshot import PART_ROWS, Snapshot
from corpus.stage import Grow
from corpus.store import Store
from flows.recipe import load

SEED = 7
WORKERS = 2
MIN_WORDS = 4
"""Words that a row must have to be grown from, as the stages have it by default."""
BARS = {"round_trip_rows_per_second": 200, "gates_candidates_per_second": 2_000}
PAIRS = ("eng-spa", "en-eo")
"""Of Apertium: the one that the bar is for, and the one that the demo goes through."""
GROWTHS: dict[str, Grow] = {
    "paraphrase wordnet": Paraphrase(engine="wordnet"),
    "paraphrase edits": Paraphrase(engine="edits"),
    "counterfactual": Counterfactual(),
}


def standing(store: Path) -> pa.Table:
    """Return the demo's rows as they stand before those are chosen that grow."""
    demo = load(files("data") / "recipes" / "tweets.yaml")  # type: ignore[arg-type]
    stages = [stage.model_dump(mode="json", exclude_none=True) for stage in demo.stages]
    names = [stage["stage"] for stage in stages]
    return evidence.rows(stages[: names.index("diversity")], store)


def drawn(rows: pa.Table, count: int, seed: int = SEED) -> np.ndarray:
    """Return the positions (ascending) of training rows drawn by chance that are long enough to grow."""
    long = text.count_words(rows).to_numpy() >= MIN_WORDS
    free = np.flatnonzero(of_splits(rows["split"], ["train"]) & long)
    return np.sort(np.random.default_rng(seed).choice(free, count, replace=False))


def rates(count: int, seconds: Sequence[float], paces: Sequence[float]) -> dict[str, Any]:
    """Return how many a second: the median of the rounds, the least and the most."""
    each = sorted(count / one for one in seconds)
    return {
        "of": count,
        "seconds": [round(one, 3) for one in seconds],
        "pace": [*paces],
        "per_second": {
            "median": round(statistics.median(each)),
            "low": round(each[0]),
            "high": round(each[-1]),
        },
    }


@dataclass(frozen=True)
class Bed:
    """A store that nobody used before, with the rows in it."""

    runner: Runner
    before: Snapshot

    @classmethod
    def made(cls, folder: Path, rows: pa.Table, engine: Local, part_rows: int) -> "Bed":
        """Put the rows into a store in an empty folder."""
        store = Store(folder)
        runner = Runner(store, engine, Models(folder, cache_folder()), SEED, part_rows)
        return cls(runner, store.snapshot([rows], part_rows))

    def grown(self, stage: Grow) -> tuple[Snapshot, list[str], float]:
        """Return all rows with those that the stage grows, the new ids, and the seconds."""
        found = self.runner.run(Segment(None, (), ()), self.before).standing
        after, ids, told = self.runner.grow(stage, found)
        return after, ids, told["seconds"]

    def judged(self, stage: Watched, after: Snapshot, ids: Sequence[str]) -> dict[str, Any]:
        """Return what admission was watched to do."""
        decided = self.runner.run(Segment(None, (), (stage,)), after, ids)
        watched: dict[str, Any] = decided.stages[-1]["watched"]
        return watched


def growth(rows: pa.Table, stage: Grow, rounds: int, engine: Local, part_rows: int = PART_ROWS) -> Any:
    """Grow from the rows as often as asked, each time anew."""
    seconds, paces, made = [], [], 0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            paces.append(machine.pace())
            _, ids, took = Bed.made(Path(folder), rows, engine, part_rows).grown(stage)
            seconds.append(took)
            made = len(ids)
            print(type(stage).__name__, round(took, 2), flush=True)
    grown = int(of_splits(rows["split"], ["train"]).sum())
    return {"part_rows": part_rows, "candidates": made, **rates(grown, seconds, paces)}


def gates(rows: pa.Table, rounds: int, engine: Local) -> dict[str, Any]:
    """Judge the candidates of a round trip: without labels and caps as often as asked, then with all."""
    plain = Watched(min_label_margin=None, min_word_similarity=None)
    with tempfile.TemporaryDirectory() as folder:
        bed = Bed.made(Path(folder), rows, engine, PART_ROWS)
        after, ids, _ = bed.grown(BackTranslation())
        full = bed.judged(Watched(keep=1_000), after, ids)
        vectors = replayed(Path(folder))
        context = bed.runner.context(plain)
        seconds, paces, alone = [], [], []
        for _ in range(rounds):
            paces.append(machine.pace())
            made, pairs = _made(bed, after, ids)
            told = bed.judged(plain, after, ids)
            measuring = timed(lambda made=made: plain.measure(made, context))  # type: ignore[misc]
            seconds.append(measuring + told["seconds"] - told["model_seconds"])
            alone.append({"measuring": measuring, **_alone(pairs), **told["alone"]})
            print("gates", round(seconds[-1], 2), flush=True)
    middle = {name: statistics.median(each[name] for each in alone) for name in alone[0]}
    return {
        "gates": {
            **rates(len(ids), seconds, paces),
            "beside_rows": len(rows),
            "alone_per_second": {name: round(len(ids) / one) for name, one in middle.items()},
        },
        "embeddings": {"asked": full["embedded"], "made": vectors},
    }


def replayed(store: Path) -> dict[str, int]:
    """Count the vectors that were made in a store, and the texts that they are of."""
    tables = [pq.read_table(file) for file in sorted(Store(store).replay.rglob("*.parquet"))]
    vectors = [one["text"] for one in tables if _is_of_vectors(one.schema.field("value").type)]
    texts = pa.chunked_array(vectors, pa.binary(16))
    return {"vectors": len(texts), "texts": len(texts.unique())}


def _is_of_vectors(value: pa.DataType) -> bool:
    """Say whether replayed values are embeddings, with those of word pieces or without."""
    words = pa.types.is_struct(value) and value.get_field_index("vector") >= 0
    return words or pa.types.is_fixed_size_list(value)


def _made(bed: Bed, after: Snapshot, ids: Sequence[str]) -> tuple[pa.Table, list[tuple[str, str]]]:
    """Return the candidates, and each one's text beside its parent's."""
    held = pa.concat_tables(bed.runner.run(Segment(None, (), ()), after).standing.tables()).combine_chunks()
    said_by = dict(zip(held["id"].to_pylist(), text.contents(held).to_pylist(), strict=True))
    made = held.filter(pa.array([one in {*ids} for one in held["id"].to_pylist()]))
    parents = zip(made["id"].to_pylist(), made["parent"].to_pylist(), strict=True)
    return made, [(said_by[one], said_by[parent]) for one, parent in parents]


def _alone(pairs: list[tuple[str, str]]) -> dict[str, float]:
    """Time the gates that ask two texts, each of all pairs."""
    asked_of, mentions = Watched().kept, lexicon.load(Watched().lexicon)
    words = [(said(one), said(other)) for one, other in pairs]
    asked: dict[str, Callable[[], Any]] = {
        "pieces": lambda: [pieces_lost(*pair, near=False) for pair in pairs],
        "without links": lambda: [(said(one), said(other)) for one, other in pairs],
        "words": lambda: [word_ratio(*pair) for pair in words],
        "kept": lambda: [lost(*pair, asked_of, bare) for pair, bare in zip(pairs, words, strict=True)],
        "groups": lambda: groups_changed(*zip(*pairs, strict=True), mentions),
        "language": lambda: [language_id.likeliest(side) for side in zip(*pairs, strict=True)],
        "chrf": lambda: scores(*zip(*words, strict=True)),
    }
    return {name: timed(call) for name, call in asked.items()}


def measure(count: int, rounds: int) -> dict[str, Any]:
    """Measure all in turn."""
    with tempfile.TemporaryDirectory() as folder:
        held = standing(Path(folder))
    others = np.flatnonzero(~of_splits(held["split"], ["train"]))
    rows = held.take(pa.array(np.sort(np.r_[drawn(held, count), others])))
    with Local(WORKERS) as engine:
        return {
            "what": f"{count} of the demo's tweets to grow from, beside {len(others)} held-out rows; {WORKERS} workers",
            "bars": BARS,
            "round_trip": {
                pair: [
                    growth(rows, BackTranslation(engine=f"apertium:{pair}"), rounds, engine, size)
                    for size in (PART_ROWS, len(rows) // 4)
                ]
                for pair in PAIRS
            },
            **gates(rows, rounds, engine),
            "growths": {name: growth(rows, stage, rounds, engine) for name, stage in GROWTHS.items()},
        }


def main() -> None:
    """Measure, and write the results file."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=4_000)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "augmentation.json")
    asked = words.parse_args()
    measured = measure(asked.rows, asked.rounds)
    asked.output.write_text(json.dumps({**measured, "machine": machine.describe()}, indent=1) + "\n")
    sys.stdout.write(asked.output.read_text())


if __name__ == "__main__":
    main()
