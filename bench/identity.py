"""The demo's version id under all that must not change it, each in a fresh store; nothing is tuned.

    python -m bench.identity

Writes bench/results/identity.json: for each way its version id and seconds. Fails where two ids differ.
"""

import csv
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from bench.machine import describe
from corpus.fetch import cache_folder, fetch
from flows import curate
from flows.job import Job, Options
from flows.prepare import prepare
from flows.recipe import load

RECIPE = Path(str(files("data") / "recipes" / "tweets.yaml"))
SEED = 20_261_123


def published(recipe: Path, store: str, workers: int, part_rows: int) -> str:
    """Take a recipe to its published version; return the id."""
    options = Options(base=str(recipe.parent), store=store, workers=workers, part_rows=part_rows)
    job = Job.begin(load(recipe), options)
    prepare(job)
    curate.ingest(job)
    for number in range(len(job.segments)):
        curate.curate(job, number)
    curate.account(job)
    return curate.publish(job)


def shuffled(folder: Path) -> Path:
    """Write the demo's corpus anew: its records in another order, dealt to seven files; return the recipe over them."""
    recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    source = recipe["sources"][0]
    corpus = fetch(source["uri"], RECIPE.parent, cache_folder()).path
    with corpus.open(encoding="latin-1", newline="") as file:  # latin-1 gives every byte back as it was
        header, *records = csv.reader(file)
    random.Random(SEED).shuffle(records)
    dealt = folder / "dealt"
    dealt.mkdir()
    for number in range(7):
        with (dealt / f"{number}.csv").open("w", encoding="latin-1", newline="") as file:
            csv.writer(file).writerows([header, *records[number::7]])
    source["uri"] = str(dealt)
    written = folder / "dealt.yaml"
    written.write_text(yaml.safe_dump(recipe))
    return written


def started(recipe: Path, store: Path, workers: int, part_rows: int) -> subprocess.Popen[str]:
    """Start a process that publishes, and prints the id."""
    words = [str(recipe), str(store), str(workers), str(part_rows)]
    return subprocess.Popen(
        [sys.executable, "-m", "bench.identity", *words], stdout=subprocess.PIPE, text=True
    )


def way(what: str, recipe: Path, store: Path, workers: int, part_rows: int) -> dict[str, Any]:
    """Publish in a process of its own; return what it came to."""
    began = time.perf_counter()
    with started(recipe, store, workers, part_rows) as process:
        said, _ = process.communicate()
    assert process.returncode == 0, what
    found = {"way": what, "version": said.strip(), "seconds": round(time.perf_counter() - began, 1)}
    print(found, flush=True)
    return found


def main() -> None:
    """Publish in every way, compare, and write the result."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        found = [
            way("1 worker, parts of 10,000 rows", RECIPE, folder / "a", 1, 10_000),
            way("2 workers, parts of 10,000 rows", RECIPE, folder / "b", 2, 10_000),
            way("2 workers, parts of 500 rows", RECIPE, folder / "c", 2, 500),
            way("1 worker, records shuffled and dealt to 7 files", shuffled(folder), folder / "d", 1, 10_000),
        ]
        after = random.Random(SEED).uniform(0.1, 0.9) * found[1]["seconds"]
        with started(RECIPE, folder / "e", 2, 10_000) as process:
            time.sleep(after)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        found.append(way(f"2 workers, after SIGKILL at {after:.0f} s", RECIPE, folder / "e", 2, 10_000))
    assert len({one["version"] for one in found}) == 1, found
    held = {
        "machine": describe(),
        "what": "version id of the demo, untuned, each way in a fresh store",
        "ways": found,
    }
    target = Path(__file__).parent / "results" / "identity.json"
    target.write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(published(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
    else:
        main()
