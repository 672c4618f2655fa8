"""Whether time grows with the rows where all of them are alike: 100,000 and 1,000,000 rows that try to make it quadratic.

    python -m bench.hostile [--rows 100000 1000000]

Corpora: equal rows; rows that differ in one character; rows of which half the words are the same; rows of one paragraph
that all share. Each goes through the stages that it is made for by `winnow apply`, in a store of its own.
Writes bench/results/hostile.json: seconds and the peak of the process tree, and the ratio of the times.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench import machine

RESULTS = Path(__file__).parent / "results" / "hostile.json"
SEED = 1
_DRAW = random.Random(SEED)
_KNOWN = [f"{chr(97 + number % 26)}{number}" for number in range(5_000)]
_RARE = [f"x{number}" for number in range(200_000)]
_TEXT = " ".join(_DRAW.choices(_KNOWN, k=40))
_HALF = " ".join(_DRAW.choices(_KNOWN, k=20))


def _one_letter(draw: random.Random) -> str:
    at = draw.randrange(len(_TEXT))
    return _TEXT[:at] + chr(97 + draw.randrange(26)) + _TEXT[at + 1 :]


CORPORA: dict[str, tuple[Callable[[random.Random], str], tuple[tuple[str, ...], ...]]] = {
    "equal rows": (
        lambda _: _TEXT,
        (("near_duplicates", "shingle_words=2"), ("exact_duplicates",), ("paragraph_duplicates",)),
    ),
    "one character differs": (_one_letter, (("near_duplicates", "shingle_words=2"),)),
    "half the words are the same": (
        lambda draw: f"{_HALF} {' '.join(draw.choices(_RARE, k=20))}",
        (("near_duplicates", "shingle_words=2"), ("substring_duplicates", "min_words=15")),
    ),
    "one paragraph is the same": (
        lambda draw: f"{' '.join(draw.choices(_RARE, k=20))}\n\n{_HALF}",
        (("paragraph_duplicates",),),
    ),
}


def measured(file: Path, stage: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """Apply a stage to a file, and return what it told."""
    command = [str(Path(sys.executable).parent / "winnow"), "apply", stage[0], str(file), "--json"]
    command += ["--output", str(folder / "out"), "--store", str(folder / "store")]
    for knob in stage[1:]:
        command += ["--set", knob]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    rows = answer["rows"]
    assert rows["in"] == rows["kept"] + rows["dropped"] + rows["rejected"], rows
    return {
        "seconds": answer["seconds"],
        "peak_mb": answer["peak_rss_mb"],
        "kept": rows["kept"],
        "dropped": rows["dropped"],
    }


def main() -> None:
    """Make the corpora, measure, and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs=2, default=[100_000, 1_000_000])
    sizes = parser.parse_args().rows
    results = []
    for name, (text, stages) in CORPORA.items():
        for stage in stages:
            times = []
            for count in sizes:
                with tempfile.TemporaryDirectory() as folder:
                    draw = random.Random(SEED)
                    file = Path(folder) / "rows.parquet"
                    pq.write_table(pa.table({"text": pa.array([text(draw) for _ in range(count)])}), file)
                    times.append({"rows": count, **measured(file, stage, Path(folder))})
            ratio = round(times[1]["seconds"] / times[0]["seconds"], 2)
            results.append({"corpus": name, "stage": list(stage), "runs": times, "times_as_long": ratio})
    held = {"results": results, "pace": machine.pace(), "machine": machine.describe()}
    RESULTS.write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main()
