"""How long the commands take from cold start, as whole processes; numba's cache warm, the store fresh each time.

    python -m bench.curation

Writes bench/results/curation.json: of each command the seconds of every run, their median, and the peak memory;
before each run of `apply` the machine's own pace at that moment.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from bench.machine import describe, pace

RUNS = 5
FIRST = (
    "normalise",
    "language",
    "length",
    "blocklist",
    "exact_duplicates",
    "near_duplicates",
    "label_conflicts",
    "split",
)
COMMAND = [sys.executable, "-c", "from flows.cli import main; main()"]


def timed(words: list[str]) -> tuple[float, dict[str, Any]]:
    """Run a command; return its wall seconds and the JSON that it printed, if any."""
    began = time.perf_counter()
    answer = subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    return seconds, json.loads(answer.stdout) if "--json" in words else {}


def curation(folder: Path) -> dict[str, Any]:
    """Time `winnow apply` of the eight first stages on the demo's corpus, which is fetched before."""
    recipe = yaml.safe_load((files("data") / "recipes" / "tweets.yaml").read_text(encoding="utf-8"))
    recipe["stages"] = [stage for stage in recipe["stages"] if stage["stage"] in FIRST]
    written = folder / "first.yaml"
    written.write_text(yaml.safe_dump({key: recipe[key] for key in ("name", "seed", "sources", "stages")}))
    found, paces = [], []
    for number in range(RUNS + 1):
        words = [
            "apply",
            str(written),
            "--output",
            str(folder / f"out{number}"),
            "--store",
            str(folder / f"store{number}"),
            "--json",
        ]
        paces.append(pace())
        found.append(timed(words))
    seconds = [run[0] for run in found[1:]]  # the first one warms numba's cache and fetches the corpus
    last = found[-1][1]
    return {
        "what": f"winnow apply of {', '.join(FIRST)} on 38,158 tweets, cold start, fresh store",
        "seconds": [round(second, 2) for second in seconds],
        "median": round(statistics.median(seconds), 2),
        "pace": paces[1:],
        "peak_rss_mb": last["peak_rss_mb"],
        "rows": last["rows"],
        "stages": last["stages"],
    }


def first_answer() -> dict[str, Any]:
    """Time `winnow --help`."""
    seconds = [timed(["--help"])[0] for _ in range(RUNS + 1)][1:]
    return {
        "what": "winnow --help",
        "seconds": [round(second, 3) for second in seconds],
        "median": round(statistics.median(seconds), 3),
    }


def main() -> None:
    """Measure, and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        held = {"machine": describe(), "commands": [curation(Path(folder)), first_answer()]}
    held["children_peak_rss_mb"] = round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    target = Path(__file__).parent / "results" / "curation.json"
    target.write_text(json.dumps(held, indent=1) + "\n")
    sys.stdout.write(target.read_text())


if __name__ == "__main__":
    main()
