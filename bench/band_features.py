"""Time and memory of grouping the band features of very many rows, as `near_duplicates` does it: narrow, on disk, some bands at a time.

    python -m bench.band_features [--rows 1000000 10000000 100000000] [--folder FOLDER]

The keys are made: 8% of the rows share the keys of one or more others, half of these in each band; all others are alone.
They lie in Parquet files of a million rows, as a pass over a corpus leaves them (20 bands of 8 bytes and a key of 16). What
is measured is a process of its own that finds copies and joins rows that share a band to components; beside it stands how
many rows it joined, which is told by how they were made. Writes bench/results/band_features.json.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench import machine
from corpus import measures, similarity
from corpus.arrays import values
from corpus.decide import MeasuredFeatures
from corpus.segment import Measured
from corpus.shingles import Bands
from corpus.snapshot import Part
from curation.near_duplicates import NearDuplicates

RESULTS = Path(__file__).parent / "results" / "band_features.json"
PART = 1_000_000
SHAPE = Bands.at(0.8)


def family(rows: np.ndarray) -> np.ndarray:
    """Return the family of each row: of every 25 rows the first two are one."""
    return np.where(rows % 25 == 1, rows - 1, rows)


def _mixed(keys: np.ndarray) -> np.ndarray:
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))


def make(folder: Path, rows: int) -> None:
    """Write the features of a corpus."""
    stage = NearDuplicates().title
    for number, start in enumerate(range(0, rows, PART)):
        places = np.arange(start, min(start + PART, rows))
        own, shared = places.astype(np.uint64), family(places).astype(np.uint64)
        columns = {f"{stage}/said": values(np.stack([_mixed(own + np.uint64(1)), _mixed(~own)], axis=1))}
        for band, name in enumerate(SHAPE.names):
            told = np.where((places // 25 + band) % 2 == 0, shared, own)
            key = _mixed(told * np.uint64(SHAPE.count) + np.uint64(band + 1))
            columns[f"{stage}/{name}"] = pa.array(np.where(key == 0, np.uint64(1), key))
        memo = folder / f"{number:05d}"
        memo.mkdir()
        measures.write(memo, pa.table(columns))


class _Order:
    """The order in which rows came."""

    def rank(self, positions: np.ndarray) -> np.ndarray:
        return np.arange(len(positions))

    def classes(self, positions: np.ndarray) -> np.ndarray:
        return np.zeros(len(positions), np.int64)


def grouped(folder: Path, rows: int) -> dict[str, Any]:
    """Group the rows, and say what it took."""
    parts = [
        Measured(Part(memo, min(PART, rows - number * PART), ""), memo, {})
        for number, memo in enumerate(sorted(folder.iterdir()))
    ]
    features = MeasuredFeatures(parts, NearDuplicates(), np.arange(rows))
    asked = np.ones(rows, bool)
    began = time.perf_counter()
    copies = similarity.same_words(features, asked, asked, _Order())
    copied = time.perf_counter()
    components = similarity.components(features, copies == np.arange(rows), asked, SHAPE)
    done = time.perf_counter()
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    assert (components == family(np.arange(rows))).all(), "rows are joined as they were made"
    return {
        "copies_s": round(copied - began, 2),
        "bands_s": round(done - copied, 2),
        "peak_mb": round(peak),
        "joined": int((components != np.arange(rows)).sum()),
    }


def main() -> None:
    """Make, group, and write what was measured."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000, 100_000_000])
    words.add_argument("--folder", type=Path, help="has room for 180 bytes a row")
    words.add_argument("--group", nargs=2, help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.group:
        json.dump(grouped(Path(asked.group[0]), int(asked.group[1])), sys.stdout)
        return
    runs = {}
    for rows in asked.rows:
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            make(Path(folder), rows)
            command = [sys.executable, "-m", "bench.band_features", "--group", folder, str(rows)]
            runs[rows] = json.loads(
                subprocess.run(command, check=True, capture_output=True, text=True).stdout
            )
            print(rows, runs[rows], flush=True)
    last, before = max(runs), sorted(runs)[-2]
    bytes_a_row = (runs[last]["peak_mb"] - runs[before]["peak_mb"]) * 2**20 / (last - before)
    held = {
        "bands": SHAPE.count,
        "runs": {str(rows): run for rows, run in runs.items()},
        "microseconds_of_a_row_more": {
            f"{low} to {high}": round(
                sum(runs[high][name] - runs[low][name] for name in ("copies_s", "bands_s"))
                / (high - low)
                * 1e6,
                3,
            )
            for low, high in itertools.pairwise(sorted(runs))
        },
        "bytes_of_a_row_more": round(bytes_a_row, 1),
        "machine": machine.describe(),
    }
    RESULTS.write_text(json.dumps(held, indent=1) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
