"""How fast an epoch of a version is read in shuffled order through torch, beside mosaicml-streaming and HF streaming.

    python -m bench.reading [--rows 100000] [--peer-python PYTHON]

`--peer-python` is a Python in which `mosaicml-streaming`, `datasets` and `torch` are installed (its pins are not
ours). Each reader reads the same rows (id, messages or text, label) from the same disk, in a process of its own, in
turns; each process warms up with a tenth of the rows. The peers are also read in order, without shuffling, which
winnow is not. Writes bench/results/reading.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BATCH = 32
TURNS = 3
WORKERS = (0, 2)
NAMES = (
    "winnow",
    "mosaicml-streaming",
    "hf streaming",
    "hf map-style",
    "mosaicml-streaming in order",
    "hf streaming in order",
)


def loader(name: str, folder: Path, workers: int) -> Any:
    """Return a DataLoader over the shuffled training rows in `folder`."""
    from torch.utils.data import DataLoader

    if name == "winnow":
        from corpus.disk import Disk
        from corpus.versions.library import Library
        from corpus.versions.training import Epoch, TrainingRows

        library = Library(Disk(folder / "store"), Disk(folder / "store"))
        rows = TrainingRows(library.open(library.versions()[0]), "train", cache=folder / "cache")
        held: Any = Epoch(rows, seed=7, batch=BATCH)
    elif name.startswith("mosaicml-streaming"):
        from streaming import StreamingDataset

        held = StreamingDataset(local=str(folder / "mds"), shuffle="in order" not in name, batch_size=BATCH)
    else:
        from datasets import load_dataset

        files = sorted(str(file) for file in folder.glob("store/versions/*/data/train-*.parquet"))
        streaming = name.startswith("hf streaming")
        found = load_dataset(
            "parquet",
            data_files=files,
            split="train",
            streaming=streaming,
            columns=["id", "messages", "label"],
            cache_dir=str(folder / "hf"),
        )
        if not streaming:
            return DataLoader(found, batch_size=BATCH, shuffle=True, num_workers=workers, collate_fn=list)
        held = found if "in order" in name else found.shuffle(seed=7, buffer_size=10_000)
    return DataLoader(held, batch_size=BATCH, num_workers=workers, collate_fn=list)


def read(name: str, folder: Path, workers: int, rows: int) -> dict[str, float]:
    """Read one epoch; return the seconds to open it, to the first batch, and the rows a second behind the first tenth."""
    began = time.perf_counter()
    batches = iter(loader(name, folder, workers))
    opened = time.perf_counter()
    count = len(next(batches))
    first = time.perf_counter()
    while count < rows // 10:
        count += len(next(batches))
    warm, before = time.perf_counter(), count
    for batch in batches:
        count += len(batch)
    seconds = time.perf_counter() - warm
    if count != rows:
        raise SystemExit(f"{name} brought {count} rows of {rows}")
    return {
        "open": round(opened - began, 3),
        "first_batch": round(first - opened, 3),
        "rows_per_second": round((count - before) / seconds),
    }


def prepare(folder: Path, rows: int, peer: str) -> int:
    """Publish the rows, write them as MDS, and return how many are for training."""
    from bench.corpora import tables
    from corpus.disk import Disk
    from corpus.versions.card import Card
    from corpus.versions.library import Library

    library = Library(Disk(folder / "store"), Disk(folder / "store"))
    made = library.publish(tables(rows), {"seed": 7, "stages": []}, Card("bench", {}))
    subprocess.run([peer, __file__, "--write", str(folder)], check=True)
    return int(made.manifest["splits"]["train"]["rows"])


def write_mds(folder: Path) -> None:
    """Write the published training rows as MDS, with its own defaults."""
    import pyarrow.parquet as pq
    from streaming import MDSWriter

    with MDSWriter(out=str(folder / "mds"), columns={"id": "str", "text": "str", "label": "str"}) as out:
        for file in sorted(folder.glob("store/versions/*/data/train-*.parquet")):
            for row in pq.read_table(file, columns=["id", "messages", "label"]).to_pylist():
                out.write({"id": row["id"], "text": row["messages"][0]["content"], "label": row["label"]})


def main() -> None:
    """Measure, and write the result."""
    words = argparse.ArgumentParser()
    words.add_argument("--rows", type=int, default=100_000)
    words.add_argument("--peer-python", default=sys.executable)
    words.add_argument("--write")
    words.add_argument("--read", nargs=4)
    asked = words.parse_args()
    if asked.write:
        write_mds(Path(asked.write))
        return
    if asked.read:
        name, folder, workers, rows = asked.read
        print(json.dumps(read(name, Path(folder), int(workers), int(rows))))
        return

    from bench.machine import describe

    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        rows = prepare(folder, asked.rows, asked.peer_python)
        for workers in WORKERS:
            turns: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
            for _ in range(TURNS):
                for name in NAMES:
                    python = sys.executable if name == "winnow" else asked.peer_python
                    module = ["-m", "bench.reading"] if name == "winnow" else [__file__]
                    told = subprocess.run(
                        [python, *module, "--read", name, str(folder), str(workers), str(rows)],
                        check=True,
                        capture_output=True,
                        text=True,
                    )
                    turns[name].append(json.loads(told.stdout.splitlines()[-1]))
                    print(workers, name, turns[name][-1], flush=True)
            medians = {
                name: statistics.median(one["rows_per_second"] for one in held)
                for name, held in turns.items()
            }
            results.append(
                {
                    "workers": workers,
                    "rows_per_second": medians,
                    "ratio": {name: round(medians["winnow"] / one, 2) for name, one in medians.items()},
                    "turns": turns,
                }
            )
    peers = subprocess.run(
        [
            asked.peer_python,
            "-c",
            (
                "from importlib.metadata import version as v; import json; "
                "print(json.dumps({n: v(n) for n in ('mosaicml-streaming', 'datasets', 'torch', 'pyarrow')}))"
            ),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    target = Path(__file__).parent / "results" / "reading.json"
    target.write_text(
        json.dumps(
            {
                "what": f"one shuffled epoch of {rows} rows of about 120 words through a DataLoader, batches of {BATCH}, "
                f"median of {TURNS}",
                "machine": describe(),
                "peers": json.loads(peers.stdout),
                "results": results,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
