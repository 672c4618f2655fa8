"""What a nightly run costs over a corpus of which a hundredth is new, and over one that did not change.

    python -m bench.nightly [--rows 1000000] [--new 10000] [--folder FOLDER]

The corpus is made (texts of about 120 words, a label; a twentieth are copies or near-copies of others) and lies in
Parquet. `winnow run` takes it through the curation stages of the demo, audits and publishes it; then a file of new
rows is laid beside it and the command is run again, and once more with nothing new. `winnow serve` stands beside, as
where runs are scheduled; `alone` are the same commands without it, which then start Prefect's server themselves.
Wall-clock seconds of whole commands. Writes bench/results/nightly.json.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import corpora, machine
from corpus import text

RECIPE = """\
name: nightly
seed: 7
sources:
  - {{name: made, uri: "{corpus}"}}
stages:
  - {{stage: normalise, replacement_character: remove}}
  - {{stage: language, languages: [en], min_score: 1.0}}
  - {{stage: length, min_words: 3}}
  - {{stage: blocklist, words: ["BLOCK TRADE detected", "#FREE Nightly Updates"]}}
  - {{stage: exact_duplicates}}
  - {{stage: near_duplicates, shingle_words: 5}}
  - {{stage: label_conflicts}}
  - {{stage: split}}
"""
WINNOW = str(Path(sys.executable).parent / "winnow")
REPEATED = 0.05
EDITED = 0.03


def main() -> None:
    """Make the corpus, run three times, write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--new", type=int, default=10_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        corpus = folder / "corpus"
        corpus.mkdir(parents=True)
        write(corpus / "today.parquet", asked.rows, seed=1)
        (folder / "recipe.yaml").write_text(RECIPE.format(corpus=corpus))
        with served(folder) as api:
            told = {"full": run(folder, api)}
            write(corpus / "tomorrow.parquet", asked.new, seed=2)
            told["increment"] = run(folder, api)
            told["unchanged"] = run(folder, api)
        write(corpus / "later.parquet", asked.new, seed=3)
        told["increment alone"] = run(folder)
        told["unchanged alone"] = run(folder)
    for name in [name for name in told if name != "full"]:
        told[name]["share_of_full"] = round(told[name]["seconds"] / told["full"]["seconds"], 4)
    held = {
        "rows": asked.rows,
        "new": asked.new,
        **told,
        "pace": machine.pace(),
        "machine": machine.describe(),
    }
    (Path(__file__).parent / "results" / "nightly.json").write_text(json.dumps(held, indent=1) + "\n")
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


def write(file: Path, rows: int, *, seed: int) -> None:
    """Write a file of rows with text and label, in row groups of 10,000."""
    schema = pa.schema([("text", pa.string()), ("label", pa.string())])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for table in tables(rows, seed):
            writer.write_table(table.cast(schema))


def tables(rows: int, seed: int) -> Iterator[pa.Table]:
    """Yield texts and labels; some rows repeat one of the same table, with a few words changed or none."""
    generator = np.random.default_rng(seed)
    for made in corpora.tables(rows, seed=seed):
        texts = np.array(text.contents(made).to_pylist(), object)
        copies = np.flatnonzero(generator.random(len(texts)) < REPEATED)
        for copy, original in zip(copies, generator.integers(0, len(texts), len(copies)), strict=True):
            words = texts[original].split()
            if generator.random() < 0.5:
                for place in generator.integers(0, len(words), max(1, int(EDITED * len(words)))):
                    words[place] = "edited"
            texts[copy] = " ".join(words)
        yield pa.table({"text": pa.array(texts, pa.string()), "label": made["label"]})


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run `winnow serve` beside; yield the URL of Prefect's API."""
    ports = [str(free()) for _ in range(2)]
    command = [WINNOW, "serve", "--port", ports[0], "--reports-port", ports[1]]
    api = f"http://127.0.0.1:{ports[0]}/api"
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(240):
                with suppress(OSError), urllib.request.urlopen(f"{api}/health", timeout=2):  # noqa: S310  # this machine
                    break
                time.sleep(0.5)
            yield api
        finally:
            server.terminate()


def free() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def run(folder: Path, api: str | None = None) -> dict[str, Any]:
    """Run the recipe; return the command's seconds, and what it says of rows and stages."""
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    if api is not None:
        environment["PREFECT_API_URL"] = api
    command = [WINNOW, "run", "recipe.yaml", "--json"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, env=environment)
    seconds = time.perf_counter() - began
    summary = json.loads(done.stdout)
    return {
        "seconds": round(seconds, 1),
        "peak_rss_mb": summary["peak_rss_mb"],
        "version": summary["version"],
        "unchanged": summary["unchanged"],
        "rows": summary["rows"],
        "stages": {stage["stage"]: stage["seconds"] for stage in summary["stages"]},
    }


if __name__ == "__main__":
    main()
