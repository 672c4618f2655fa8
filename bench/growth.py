"""How time and memory grow with the rows: near-duplicates from Parquet to kept Parquet at 100,000, 1,000,000 and 10,000,000.

    python -m bench.growth [--rows 100000 1000000 10000000] [--folder FOLDER]

The corpus is that of `bench.near_duplicates`, made as it is written. Each size is a whole `winnow apply` in a store of its
own, several times (the least counts, since what is shared only ever takes longer). The time of no row is
that of 1,000 rows; what a row more takes is the difference of two sizes. The peak is of the process tree, its shared pages
counted once a process, so it is an upper end. Writes bench/results/growth.json.
"""

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench import machine
from bench.near_duplicates import GROUP_ROWS, groups

RESULTS = Path(__file__).parent / "results" / "growth.json"
NOTHING = 1_000
TIMES = {NOTHING: 3, 100_000: 3, 1_000_000: 3, 10_000_000: 2}


def measured(file: Path, folder: Path) -> dict[str, Any]:
    """Apply the stage once."""
    command = [str(Path(sys.executable).parent / "winnow"), "apply", "near_duplicates", str(file), "--json"]
    command += ["--output", str(folder / "out"), "--store", str(folder / "store")]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for name in ("out", "store"):
        shutil.rmtree(folder / name)
    rows = answer["rows"]
    assert rows["in"] == rows["kept"] + rows["dropped"], rows
    return {"seconds": answer["seconds"], "peak_mb": answer["peak_rss_mb"], "kept": rows["kept"]}


def main() -> None:
    """Make each corpus, measure, and write the results."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    words.add_argument("--folder", type=Path, help="has room for three times the largest corpus")
    asked = words.parse_args()
    runs: dict[int, list[dict[str, Any]]] = {}
    for count in (NOTHING, *asked.rows):
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            file = Path(folder) / "docs.parquet"
            with pq.ParquetWriter(file, pa.schema([("text", pa.string())])) as writer:
                for texts, _ in groups(count):
                    writer.write_table(pa.table({"text": texts}), row_group_size=GROUP_ROWS)
            runs[count] = [measured(file, Path(folder)) for _ in range(TIMES.get(count, 1))]
            print(count, runs[count], flush=True)
    least = {count: min(run["seconds"] for run in held) for count, held in runs.items()}
    sizes = [NOTHING, *asked.rows]
    marginal = {
        f"{low} to {high}": round((least[high] - least[low]) / (high - low) * 1e6, 2)
        for low, high in itertools.pairwise(sizes)
    }
    found = [*marginal.values()]
    held = {
        "runs": {str(count): those for count, those in runs.items()},
        "microseconds_of_a_row_more": marginal,
        "last_to_the_one_before": round(found[-1] / found[-2], 3),
        "pace": machine.pace(),
        "machine": machine.describe(),
    }
    RESULTS.write_text(json.dumps(held, indent=1) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
