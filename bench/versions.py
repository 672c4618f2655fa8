"""What it costs to publish, verify, open and compare versions of a million rows.

    python -m bench.versions [--rows 1000000] [--folder FOLDER]

Rows are made (about 120 words each) and lie in a snapshot. Publishing is timed beside pyarrow writing the same rows,
split by split, with the same codec, page index and row groups of the same size; both write and sync to the same disk,
in turns. `verify` is set against the disk's reading speed (O_DIRECT), `diff` is of two versions of which one lacks 2%
of the rows, has 3% of the labels changed and 1% of the rows moved. Writes bench/results/versions.json.
"""

import argparse
import json
import mmap
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench import corpora, machine
from corpus import snapshot
from corpus.disk import Disk
from corpus.schema import ROW, SPLITS
from corpus.snapshot import Snapshot
from corpus.sync import sync
from corpus.versions.blocks import BLOCK_BYTES
from corpus.versions.card import Card
from corpus.versions.library import Library
from corpus.versions.rows import Rows
from corpus.versions.verify import verify
from corpus.versions.version import Version

TURNS = 3
RECIPE = {"seed": 7, "stages": []}


def main() -> None:
    """Make the rows, time everything, write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as scratch:
        folder = Path(scratch)
        held = snapshot.write(folder / "rows", corpora.tables(asked.rows))
        told = {"rows": asked.rows, **measured(held, folder)}
    told |= {"pace": machine.pace(), "machine": machine.describe()}
    (Path(__file__).parent / "results" / "versions.json").write_text(json.dumps(told, indent=1) + "\n")
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


def measured(held: Snapshot, folder: Path) -> dict[str, Any]:
    """Return every measurement, by name."""
    published: list[float] = []
    plain: list[float] = []
    for turn in range(TURNS):
        plain.append(timed(lambda: write_plainly(held, folder / "plain")))
        shutil.rmtree(folder / "plain")
        published.append(timed(partial(publish, held, folder / f"store-{turn}")))
        if turn:
            shutil.rmtree(folder / f"store-{turn}")
    library = of(folder / "store-0")
    version = library.open(library.versions()[0])
    other = library.publish(changed(held), {**RECIPE, "seed": 8}, Card("made", {}))
    return {
        "publish": {
            "seconds": published,
            "pyarrow_seconds": plain,
            "ratio": round(statistics.median(published) / statistics.median(plain), 3),
        },
        "verify": verified(library, version),
        "open_and_read": opened(library, version, folder / "cache"),
        "diff": compare(folder / "store-0", version.id, other.id),
    }


def of(folder: Path) -> Library:
    """Return a library on a folder."""
    return Library(Disk(folder), Disk(folder))


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that some work takes."""
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 3)


def publish(held: Snapshot, folder: Path) -> Version:
    """Publish the rows as a version."""
    return of(folder).publish((part.read() for part in held.parts), RECIPE, Card("made", {}))


def write_plainly(held: Snapshot, folder: Path) -> None:
    """Write the rows with pyarrow alone: a file a split, row groups of about a block, synced."""
    folder.mkdir()
    low = ["label", "source", "file", "operation", "split"]
    writers = {
        split: pq.ParquetWriter(
            folder / f"{split}.parquet",
            ROW,
            compression="zstd",
            compression_level=3,
            write_page_index=True,
            use_dictionary=low,
        )
        for split in SPLITS
    }
    waiting: dict[str, list[pa.Table]] = {split: [] for split in SPLITS}
    for part in held.parts:
        rows = part.read()
        for split in SPLITS:
            waiting[split].append(rows.filter(pc.equal(rows["split"], split)))
            if sum(table.nbytes for table in waiting[split]) > BLOCK_BYTES:
                writers[split].write_table(pa.concat_tables(waiting[split]))
                waiting[split] = []
    for split in SPLITS:
        if waiting[split]:
            writers[split].write_table(pa.concat_tables(waiting[split]))
        writers[split].close()
        sync(folder / f"{split}.parquet")


def verified(library: Library, version: Version) -> dict[str, Any]:
    """Time `verify` and the disk: files are as warm as the machine holds them, which `verify` does not ask for."""
    files = [file for split in SPLITS for file in version.files(split)]
    size = sum(file.stat().st_size for file in files)
    disk = statistics.median(size / 2**20 / timed(lambda: read_directly(files)) for _ in range(TURNS))
    seconds = []
    for _ in range(TURNS):
        drop(files)
        seconds.append(timed(lambda: verify(library, version.id)))
    rate = size / 2**20 / statistics.median(seconds)
    return {
        "mib": round(size / 2**20, 1),
        "seconds_cold": seconds,
        "seconds_warm": [timed(lambda: verify(library, version.id)) for _ in range(TURNS)],
        "seconds_deep": timed(lambda: verify(library, version.id, deep=True)),
        "mib_per_second_cold": round(rate),
        "disk_mib_per_second": round(disk),
        "ratio": round(rate / disk, 3),
    }


def drop(files: list[Path]) -> None:
    """Let the system forget what it holds of files, so that they are read from disk."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def read_directly(files: list[Path]) -> None:
    """Read files from the disk itself, past the system's memory."""
    with mmap.mmap(-1, 8 * 2**20) as memory:
        for file in files:
            descriptor = os.open(file, os.O_RDONLY | os.O_DIRECT)
            while os.readv(descriptor, [memory]) > 0:
                pass
            os.close(descriptor)


def opened(library: Library, version: Version, cache: Path) -> dict[str, Any]:
    """Time opening a version and reading its last training row: the first time, which decodes the shards, and warm."""

    def last() -> None:
        rows = Rows(library.open(version.id), "train", cache=cache)
        rows[len(rows) - 1]

    return {"first_seconds": timed(last), "warm_ms": [round(1000 * timed(last), 2) for _ in range(TURNS)]}


def changed(held: Snapshot) -> Iterator[pa.Table]:
    """Yield the rows without 2% of them, 3% with another label, 1% in another split."""
    generator = np.random.default_rng(5)
    for part in held.parts:
        rows = part.read()
        draws = generator.random((3, rows.num_rows))
        label = pc.if_else(pa.array(draws[1] < 0.03), "positive", rows["label"])
        split = pc.if_else(pa.array(draws[2] < 0.01), "test", rows["split"])
        rows = rows.set_column(rows.schema.get_field_index("label"), "label", label)
        rows = rows.set_column(rows.schema.get_field_index("split"), "split", split)
        yield rows.filter(pa.array(draws[0] > 0.02)).cast(ROW)


def compare(store: Path, a: str, b: str) -> dict[str, Any]:
    """Time `winnow diff --json` as a command, and the memory that it had at most."""
    command = [str(Path(sys.executable).parent / "winnow"), "diff", a, b, "--store", str(store), "--json"]
    seconds, peaks = [], []
    for _ in range(TURNS):
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            raw = process.stdout.read()
            _, _, usage = os.wait4(process.pid, 0)
        seconds.append(round(time.perf_counter() - began, 2))
        peaks.append(round(usage.ru_maxrss / 1024))
    told = json.loads(raw)
    return {
        "seconds": seconds,
        "peak_rss_mb": max(peaks),
        "found": {kind: told[kind]["rows"] for kind in ("added", "removed", "changed", "moved")},
    }


if __name__ == "__main__":
    main()
