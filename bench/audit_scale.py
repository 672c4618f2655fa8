"""How long the audit of a large corpus takes and what it holds: 1,000,000 rows of about 120 words, from run to report.

    python -m bench.audit_scale [--rows 1000000]

Made documents with a label and a region, of which some mention groups of the lexicon, go through `winnow run` (length and
exact duplicates). Then the audit alone is made again over the run's folder in a process of its own: groups, steps,
strata, shares, associations, findings, the page. Writes bench/results/audit_scale.json: seconds, the peak of that
process, the bytes of the page.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from bench import machine
from corpus import lexicon

RESULTS = Path(__file__).parent / "results" / "audit_scale.json"
SEED = 11
BATCH = 50_000

AGAIN = """
import sys, time
from pathlib import Path
from flows import assess, finish
from flows.job import Job
job = Job.open(Path(sys.argv[1]))
began = time.perf_counter()
assess.audit_data(job)
measured = time.perf_counter()
record = assess.conclude(job)
page = finish.page(job, record)
print(measured - began, time.perf_counter() - measured, len(page.encode()), len(record["findings"]))
"""


def make(file: Path, rows: int) -> None:
    """Write documents of 100 to 140 words of a vocabulary of 20,000, a term of the lexicon in three of ten."""
    draw = random.Random(SEED)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 9))) for _ in range(20_000)]
    terms = [
        term for axis in lexicon.load("mentions").axes.values() for group in axis.values() for term in group
    ]
    schema = pa.schema([("text", pa.string()), ("label", pa.string()), ("region", pa.string())])
    with pq.ParquetWriter(file, schema) as writer:
        for _ in range(0, rows, BATCH):
            table: dict[str, list[Any]] = {"text": [], "label": [], "region": []}
            for _ in range(min(BATCH, rows)):
                text = draw.choices(
                    words, k=draw.randint(2, 5) if draw.random() < 0.05 else draw.randint(100, 140)
                )
                if draw.random() < 0.3:
                    text[draw.randrange(len(text))] = draw.choice(terms)
                table["text"].append(" ".join(text))
                table["label"].append(draw.choice(("yes", "no", "perhaps")))
                table["region"].append(draw.choice(("north", "south", "east", "west")))
            writer.write_table(pa.table(table, schema=schema), row_group_size=BATCH)


def main() -> None:
    """Measure, and write the results."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=1_000_000)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "made.parquet", asked.rows)
        source = {
            "name": "made",
            "uri": "file:made.parquet",
            "text": "text",
            "label": "label",
            "groups": ["region"],
        }
        stages = [{"stage": "length", "min_words": 4}, {"stage": "exact_duplicates"}]
        recipe = {"name": "scale", "sources": [source], "stages": stages, "shards": {"publish": False}}
        (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
        command = [str(Path(sys.executable).parent / "winnow"), "run", str(folder / "recipe.yaml"), "--json"]
        began = time.perf_counter()
        done = subprocess.run([*command, "--store", str(folder / "store")], check=True, capture_output=True)
        whole = time.perf_counter() - began
        run = folder / "store" / "runs" / json.loads(done.stdout)["run"]
        again = subprocess.run(
            [sys.executable, "-c", AGAIN, str(run)], check=True, capture_output=True, text=True
        )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        measured, told, size, findings = again.stdout.split()
    written = {
        "rows": asked.rows,
        "run_seconds": round(whole, 1),
        "audit_seconds": round(float(measured) + float(told), 1),
        "of_these_findings_and_page": round(float(told), 1),
        "peak_mb_of_any_process": round(peak / 1024),
        "page_bytes": int(size),
        "findings": int(findings),
        "machine": machine.describe(),
    }
    RESULTS.write_text(json.dumps(written, indent=1) + "\n")
    print(json.dumps(written, indent=1))


if __name__ == "__main__":
    main()
