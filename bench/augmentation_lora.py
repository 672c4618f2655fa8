"""Does growing rows help a tuned language model? Each arm of `bench.augmentation_arms` at one size, as the demo tunes.

python -m bench.augmentation_evidence [--model] --lora [--store FOLDER]
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.augmentation_arms import World, paired
from bench.machine import describe
from corpus.fetch import cache_folder
from corpus.schema import ROW
from flows.recipe import load

SIZE, SEEDS, TEST = 100, 5, 300


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
    test = np.random.default_rng(71).permutation(len(seen.test_texts))[:TEST]
    prompts, answers = asked(
        Template(model.tokenizer(), demo.tuning.max_tokens), [seen.test_texts[at] for at in test], classes
    )
    *_, (_, tuned) = base_and_tuned(model, folder / "out" / ADAPTER)
    said = class_log_probabilities(tuned, prompts, answers).argmax(axis=1)
    return float((np.array(classes)[said] == seen.test_labels[test]).mean())


def tune_arms(seen: World, folder: Path, out: Path, part: str | None) -> None:
    """Tune with each arm that the results (a part of them) lack, seed by seed, and write the results after each arm.

    An arm that has the originals alone in a seed's draw has their score: rows and seed are all that tuning depends on.
    """
    held = json.loads(out.read_text())
    of = held if part is None else held[part]
    scores = {arm: told["seeds"] for arm, told in of.get("lora", {}).get("arms", {}).items()}
    rows = {arm: told.get("rows") for arm, told in of.get("lora", {}).get("arms", {}).items()}
    made = [f"{engine}, {name}" for engine in seen.grown for name in ("made", "admitted")]
    for at, arm in enumerate(["originals", *made]):
        if arm in scores:
            continue
        found, sizes = [], []
        for seed in range(SEEDS):
            _, _, labels, texts = next(one for one in seen.arms(SIZE, seed) if one[0] == arm)
            alone = arm != "originals" and len(texts) == SIZE
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
        of["lora"] = {"machine": describe(), "originals": SIZE, "test_rows": TEST, "arms": told}
        out.write_text(json.dumps(held, indent=1) + "\n")
