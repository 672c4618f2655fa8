"""Does a stage earn its place? Its effect on the demo's corpus, with an interval; `winnow init` drafts what helps.

    python -m bench.evidence

For each stage one share that it exists to lower is measured without it and with it, on the same rows: test rows
that have a near-copy among the training rows, rows that repeat another, rows whose label is contradicted, rows with broken characters. A stage
helps where the whole 95% interval of the difference lies above zero.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array, csr_array

from bench.machine import describe
from corpus import survival, text
from corpus.shingles import ShingleSets
from corpus.statistics import difference_interval
from flows import curate
from flows.job import Job, Options
from flows.recipe import load, parse

BROKEN = r"[\x00-\x08\x0b-\x1f\x7f\x{200b}\x{200e}\x{200f}\x{feff}\x{fffd}]|&(amp|lt|gt|quot|#\d+);|â€|Ã©"
SPLIT = {"stage": "split", "train": 0.8, "validation": 0.1, "test": 0.1}
SHINGLE = 2


def rows(stages: list[dict[str, Any]], store: Path) -> pa.Table:
    """Send the demo's corpus through `stages`; return the rows that stand."""
    return pa.concat_tables(list(curated(stages, store).standing.tables())).combine_chunks()


def curated(stages: list[dict[str, Any]], store: Path) -> Job:
    """Send the demo's corpus through `stages`; return the run."""
    demo = load(files("data") / "recipes" / "tweets.yaml")  # type: ignore[arg-type]
    recipe = parse(
        {
            "name": "evidence",
            "seed": 7,
            "sources": [demo.sources[0].model_dump(mode="json", exclude_none=True)],
            "stages": stages,
        },
        "evidence",
    )
    job = Job.begin(recipe, Options(store=str(store)))
    curate.ingest(job)
    for number in range(len(job.segments)):
        curate.curate(job, number)
    return job


def before_growth() -> list[dict[str, Any]]:
    """Return the demo's stages up to the split: those that leave growth nothing but rows to grow from."""
    demo = load(files("data") / "recipes" / "tweets.yaml")  # type: ignore[arg-type]
    held = [stage.model_dump(mode="json", exclude_none=True) for stage in demo.stages]
    return held[: [stage["stage"] for stage in held].index("split") + 1]


def broken(held: pa.Table) -> np.ndarray:
    """Say which rows hold control or invisible characters, entities, mojibake or U+FFFD."""
    return pc.match_substring_regex(text.contents(held), BROKEN).to_numpy(zero_copy_only=False)


def contradicted(held: pa.Table) -> np.ndarray:
    """Say which rows have the words of a row of another label."""
    table = pa.table({"words": text.word_keys(text.contents(held)), "label": held["label"]})
    labels = table.group_by("words").aggregate([("label", "count_distinct")])
    torn = labels.filter(pc.greater(labels["label_count_distinct"], 1))["words"].combine_chunks()
    return pc.is_in(table["words"], torn).to_numpy(zero_copy_only=False)


def repeated(held: pa.Table) -> np.ndarray:
    """Say which rows repeat the text and the label of an earlier one."""
    high, low = text.halves(text.fingerprints(held))
    first = survival.best(np.arange(len(held)), high, low, survival.codes(held["label"]))
    return first != np.arange(len(held))


def nearly_copied(held: pa.Table) -> np.ndarray:
    """Say of the test rows which share 0.8 of their word pairs with a training row: all pairs are compared."""
    sets = ShingleSets(SHINGLE)(held, None)
    _, shingle = np.unique(sets.values.to_numpy(), return_inverse=True)
    has = csr_array((np.ones(len(shingle), np.int32), shingle, sets.offsets.to_numpy()))
    split = held["split"].to_numpy()
    test, train = has[np.flatnonzero(split == "test")], has[np.flatnonzero(split == "train")]
    common = coo_array(test @ train.T)
    total = test.sum(axis=1)[common.row] + train.sum(axis=1)[common.col] - common.data
    near = np.zeros(test.shape[0], bool)
    near[common.row[common.data >= 0.8 * total]] = True
    return near


CASES: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any], Callable[[pa.Table], np.ndarray]]] = {
    "normalise": (
        "rows with broken characters",
        [],
        {"stage": "normalise", "replacement_character": "remove"},
        broken,
    ),
    "exact_duplicates": (
        "rows that repeat another's text and label",
        [{"stage": "normalise"}],
        {"stage": "exact_duplicates"},
        repeated,
    ),
    "near_duplicates": (
        "test rows with a near-duplicate training row",
        [{"stage": "normalise"}, {"stage": "exact_duplicates"}],
        {"stage": "near_duplicates", "threshold": 0.8, "shingle_words": SHINGLE},
        nearly_copied,
    ),
    "label_conflicts": (
        "rows whose words stand under another label",
        [{"stage": "normalise"}, {"stage": "exact_duplicates"}],
        {"stage": "label_conflicts"},
        contradicted,
    ),
}


def measure(store: Path) -> dict[str, Any]:
    """Return for each stage the share without it and with it, the difference with its interval, and the verdict."""
    found = {}
    for stage, (what, before, knobs, share) in CASES.items():
        without, with_it = (share(rows([*stages, SPLIT], store)) for stages in (before, [*before, knobs]))
        gain = difference_interval(int(without.sum()), len(without), int(with_it.sum()), len(with_it))
        found[stage] = {
            "lowers": what,
            "knobs": {knob: value for knob, value in knobs.items() if knob != "stage"},
            "without": {"value": float(without.mean()), "n": len(without)},
            "with": {"value": float(with_it.mean()), "n": len(with_it)},
            "difference": {"value": gain.value, "low": gain.low, "high": gain.high},
            "verdict": "helps" if gain.low > 0 else "cannot tell",
        }
    return found


def main() -> None:
    """Write bench/evidence/tweets.json, and data/evidence.json, which the wheel carries."""
    with tempfile.TemporaryDirectory() as folder:
        held = {"corpus": "data/recipes/tweets.yaml, all rows", "stages": measure(Path(folder))}
    root = Path(__file__).parents[1]
    (root / "data" / "evidence.json").write_text(json.dumps(held, indent=1) + "\n")
    (root / "bench" / "evidence" / "tweets.json").write_text(
        json.dumps({**held, "machine": describe()}, indent=1) + "\n"
    )
    sys.stdout.write(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main()
