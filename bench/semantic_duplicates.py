"""How fast and how complete `semantic_duplicates` is over embeddings that are made already, beside SemHash.

    python -m bench.semantic_duplicates [--peer-python PYTHON] [--rows 100000]

The rows are 38,158 tweets, then sentences of film reviews and news, embedded by all-MiniLM-L6-v2 (about 100 a second and
core, kept in the cache, not timed). What is timed is a process of its own that loads the vectors and settles them.
Truth is a plain product of all vectors with all. `--peer-python` is a Python in which semhash is installed; it is given
the same vectors. `winnow by cells` is the way past the recipe's memory, forced: the vectors are mapped from disk, and the
recall that it tells of itself stands beside that of the plain product. Writes bench/results/semantic_duplicates.json.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench import machine
from bench.duplicates_corpora import NEWS, REVIEWS, TWEETS, documents, tweets
from corpus import cells, nearest
from corpus.fetch import cache_folder
from corpus.models import EMBEDDING, Models
from corpus.nearest import Vectors
from corpus.schema import digest
from corpus.statistics import wilson

RESULTS = Path(__file__).parent / "results" / "semantic_duplicates.json"
THRESHOLDS = (0.85, 0.9, 0.95)
CHUNK = 5_000

SEMHASH = """
import json, sys, time
import numpy as np
from semhash import SemHash
vectors, threshold = np.load(sys.argv[1]), float(sys.argv[2])
class Made:
    def encode(self, inputs, **more):
        return vectors[np.array([int(one) for one in inputs])]
began = time.perf_counter()
held = SemHash.from_records(records=[str(number) for number in range(len(vectors))], model=Made())
found = held.self_deduplicate(threshold=threshold)
seconds = time.perf_counter() - began
kept = [int(one) for one in getattr(found, "selected", None) or found.deduplicated]
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
json.dump({"kept": kept, "seconds": seconds, "peak_mb": peak}, sys.stdout)
"""


def rows(count: int) -> list[str]:
    """Return all tweets, and then other sentences, each once."""
    found = tweets()
    seen = {*found}
    for said in documents():
        for piece in re.split(r"(?<=[.!?])\s+", said):
            sentence = " ".join(piece.split())
            if 20 <= len(sentence) <= 160 and sentence not in seen:
                seen.add(sentence)
                found.append(sentence)
        if len(found) >= count:
            break
    return found[:count]


def embedded(texts: list[str]) -> np.ndarray:
    """Return the vectors of texts, from the cache where they were made before."""
    models = Models(Path(), cache_folder())
    folder = cache_folder() / "bench" / digest(EMBEDDING, *texts).hex()
    folder.mkdir(parents=True, exist_ok=True)
    order = np.argsort([len(text) for text in texts], kind="stable")
    vectors = np.zeros((len(texts), 384), np.float32)
    for start in range(0, len(texts), CHUNK):
        mine = order[start : start + CHUNK]
        file = folder / f"{start:07d}.npy"
        if not file.exists():
            np.save(file, models.encode(EMBEDDING, pa.array([texts[at] for at in mine])))
        vectors[mine] = np.load(file)
    return vectors


def settled(file: Path, threshold: float, by_cells: bool) -> dict[str, Any]:
    """Settle vectors, as the stage does, and say what it took; mapped pages count as memory."""
    vectors = np.asarray(np.load(file, mmap_mode="r" if by_cells else None))
    held = Vectors.alike(vectors)
    began = time.perf_counter()
    recall = {}
    if by_cells:
        found, missed = cells.settle(held, threshold)
        recall = {"recall_it_tells": missed.told()}
    else:
        found = nearest.settle(held, threshold)
    seconds = time.perf_counter() - began
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    return {"kept": np.flatnonzero(found.other < 0).tolist(), "seconds": seconds, "peak_mb": peak} | recall


def alike(vectors: np.ndarray, threshold: float) -> np.ndarray:
    """Return all pairs of cosine `threshold` or more, the lesser row first."""
    found = []
    for start in range(0, len(vectors), 2_000):
        one, two = np.nonzero(vectors[start : start + 2_000] @ vectors.T >= threshold)
        later = two > one + start
        found.append(np.stack([one[later] + start, two[later]], axis=1))
    return np.concatenate(found)


def judged(pairs: np.ndarray, kept: np.ndarray) -> dict[str, Any]:
    """Return the share of pairs of which one went, and of what went had a partner that stays."""
    one, two = pairs.T
    gone = ~kept
    partner = np.zeros(len(kept), bool)
    partner[one[kept[two]]] = True
    partner[two[kept[one]]] = True
    return {
        "removed": int(gone.sum()),
        "recall_of_pairs": _rate(int((gone[one] | gone[two]).sum()), len(one)),
        "removed_with_a_partner_that_stays": _rate(int((gone & partner).sum()), int(gone.sum())),
    }


def _rate(successes: int, n: int) -> dict[str, Any]:
    low, high = wilson(successes, n)
    return {"share": successes / max(n, 1), "low": low, "high": high, "n": n}


def _answer(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Embed, time, compare, and write what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--settle", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.settle:
        way, file, threshold = asked.settle
        json.dump(settled(Path(file), float(threshold), way == "cells"), sys.stdout)
        return
    vectors = embedded(rows(asked.rows))
    results = []
    with tempfile.TemporaryDirectory() as folder:
        file, script = Path(folder) / "vectors.npy", Path(folder) / "peer.py"
        np.save(file, vectors)
        script.write_text(SEMHASH)
        for threshold in THRESHOLDS:
            ours = [sys.executable, "-m", "bench.semantic_duplicates", "--settle"]
            commands = {"winnow": [*ours, "all"], "winnow by cells": [*ours, "cells"]}
            if asked.peer_python:
                commands["semhash"] = [asked.peer_python, str(script)]
            pairs = alike(vectors, threshold)
            for name, command in commands.items():
                answer = _answer([*command, str(file), str(threshold)])
                kept = np.zeros(len(vectors), bool)
                kept[answer["kept"]] = True
                measured = {"seconds": round(answer["seconds"], 2), "peak_mb": round(answer["peak_mb"])}
                measured |= {name: answer[name] for name in ("recall_it_tells",) if name in answer}
                results.append(
                    {"system": name, "threshold": threshold, "true_pairs": len(pairs)}
                    | measured
                    | judged(pairs, kept)
                )
    held = {
        "corpora": [TWEETS, REVIEWS, NEWS],
        "embedding": EMBEDDING,
        "rows": len(vectors),
        "results": results,
        "pace": machine.pace(),
        "machine": machine.describe(),
    }
    RESULTS.write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main()
