"""Near-duplicates from Parquet to kept Parquet, beside Daft, rensa, text-dedup and datatrove: same file, same run, whole processes.

    python -m bench.near_duplicates [--rows 1000000] [--peer-python PYTHON] [--folder FOLDER] [--rounds 3]

`--peer-python` is a Python in which `daft`, `rensa`, `text-dedup` and `datatrove` are installed, in an environment of
their own. The corpus is made: documents of about 120 words, 5% of them copies and 8% edited copies of others (one to
three words replaced, a prefix, another case, punctuation). Every peer is asked for 5-word shingles and Jaccard 0.8, by
the way that its own documentation shows. Recall is the share of planted pairs of Jaccard 0.8 or more, computed here over
sets of words, of which not both rows are kept. text-dedup is run on 100,000 rows and datatrove's signatures on 10,000,
since they take too long for all; their rates are told. What numba compiles is warm. `pyarrow` reads the file and writes it again.
Writes bench/results/near_duplicates.json.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SHINGLE, THRESHOLD = 5, 0.8
SOME = {"text-dedup": 100_000, "datatrove": 10_000}
"""Rows of those that would take too long on all."""
GROUP_ROWS = 100_000


# --- what runs in a process of its own; a peer's imports stand where it needs them


def pyarrow_alone(source: Path, output: Path) -> None:
    """Read all and write it again."""
    pq.write_table(pq.read_table(source), output / "kept.parquet")


def rensa(source: Path, output: Path) -> None:
    """Keep what `RMinHashDeduplicator` keeps, with LSH and 128 permutations."""
    from rensa import RMinHashDeduplicator

    table = pq.read_table(source)
    dedup = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=128, use_lsh=True)
    pairs = ((str(row), _shingles(text)) for row, text in enumerate(table["text"].to_pylist()))
    kept = dedup.add_pairs(pairs)
    pq.write_table(table.filter(pa.array(kept)), output / "kept.parquet")


def daft(source: Path, output: Path) -> None:
    """MinHash and bands of Daft; rows that share a band are linked, the first row of each component is kept."""
    import daft as engine
    from daft import col
    from daft.functions import minhash, normalize
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    bands, each = 14, 8
    frame = engine.read_parquet(str(source))
    plain = normalize(col("text"), remove_punct=True, lowercase=True, white_space=True)
    signed = frame.select(minhash(plain, num_hashes=bands * each, ngram_size=SHINGLE).alias("hashes"))
    hashes = signed.to_arrow()["hashes"].combine_chunks()
    matrix = hashes.values.to_numpy().reshape(-1, bands, each)
    ones, others = [], []
    for band in range(bands):
        keys = np.ascontiguousarray(matrix[:, band]).view(np.dtype((np.void, 4 * each))).ravel()
        order = np.argsort(keys, kind="stable")
        same = keys[order][1:] == keys[order][:-1]
        ones.append(order[:-1][same])
        others.append(order[1:][same])
    edges = np.concatenate(ones), np.concatenate(others)
    count = len(matrix)
    graph = coo_array((np.ones(len(edges[0]), np.int8), edges), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    first = np.full(labels.max() + 1, count)
    np.minimum.at(first, labels, np.arange(count))
    table = pq.read_table(source)
    pq.write_table(table.filter(pa.array(first[labels] == np.arange(count))), output / "kept.parquet")


def text_dedup(source: Path, output: Path) -> None:
    """Run text-dedup's own command, and write what it kept as Parquet."""
    from datasets import load_from_disk

    command = [
        *(sys.executable, "-m", "text_dedup.minhash", "--path", "parquet", "--data_files", str(source)),
        *("--split", "train", "--column", "text", "--ngram", str(SHINGLE), "--threshold", str(THRESHOLD)),
        *("--num_perm", "128", "--num_proc", "2", "--batch_size", "10000"),
        *("--cache_dir", str(output / "cache"), "--output", str(output / "saved")),
    ]
    subprocess.run(command, check=True, capture_output=True)
    load_from_disk(str(output / "saved")).to_parquet(str(output / "kept.parquet"))


def datatrove(source: Path, output: Path) -> None:
    """Make datatrove's signatures, its first and longest step."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(
        hash_config=HashConfig(precision=64, hash_fc="sha1"), n_grams=SHINGLE
    )  # as FineWeb
    step = MinhashDedupSignature(output_folder=str(output / "signatures"), config=config)
    texts = pq.read_table(source)["text"].to_pylist()
    step.run((Document(text=text, id=str(row)) for row, text in enumerate(texts)), rank=0, world_size=1)


def _shingles(text: str) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[at : at + SHINGLE]) for at in range(max(len(words) - SHINGLE + 1, 1))]


PROCESSES: dict[str, Callable[[Path, Path], None]] = {
    "pyarrow": pyarrow_alone,
    "rensa": rensa,
    "daft": daft,
    "text-dedup": text_dedup,
    "datatrove": datatrove,
}


# --- the corpus, and what is found of it


def make(file: Path, rows: int) -> list[tuple[str, str]]:
    """Write the corpus; return the texts of each planted pair whose Jaccard similarity is `THRESHOLD` or more."""
    pairs: list[tuple[str, str]] = []
    with pq.ParquetWriter(file, pa.schema([("text", pa.string())])) as writer:
        for texts, planted in groups(rows):
            writer.write_table(pa.table({"text": texts}), row_group_size=GROUP_ROWS)
            pairs += planted
    return [pair for pair in pairs if _jaccard(*pair) >= THRESHOLD]


def groups(rows: int) -> Iterator[tuple[list[str], list[tuple[str, str]]]]:
    """Yield the texts of the corpus, some at a time, with the pairs that are planted among them."""
    from bench import corpora

    known = corpora.vocabulary()
    pool: list[str] = []
    for start in range(0, rows, GROUP_ROWS):
        generator = np.random.default_rng([11, start])
        count = min(GROUP_ROWS, rows - start)
        sizes = generator.integers(60, 180, count)
        drawn = known[(corpora.VOCABULARY ** generator.random(int(sizes.sum()))).astype(int) - 1]
        ends = np.cumsum(sizes)
        texts = [" ".join(drawn[end - size : end]) for end, size in zip(ends, sizes, strict=True)]
        pool = pool or texts[: count // 2]
        chance, chosen = generator.random(count), generator.integers(0, len(pool), count)
        pairs = []
        for row in np.flatnonzero(chance < 0.13):
            if start or row >= count // 2:
                model = pool[chosen[row]]
                texts[row] = model if chance[row] < 0.05 else _edited(model, generator)
                pairs.append((model, texts[row]))
        yield texts, pairs


def _edited(text: str, generator: np.random.Generator) -> str:
    words = text.split(" ")
    match int(generator.integers(0, 6)):
        case 0:
            return "RT " + text
        case 1:
            return text.upper()
        case 2:
            return ", ".join(words) + "!"
        case _:
            for at in generator.integers(0, len(words), int(generator.integers(1, 4))):
                words[at] = f"edit{generator.integers(1000)}"
            return " ".join(words)


def _jaccard(one: str, two: str) -> float:
    a, b = {*_shingles(one)}, {*_shingles(two)}
    return len(a & b) / len(a | b)


def recall(pairs: list[tuple[str, str]], kept: Counter[str]) -> float:
    """Return the share of the pairs of which not both rows are kept."""
    found = [kept[one] < 2 if one == two else not (kept[one] and kept[two]) for one, two in pairs]
    return round(sum(found) / len(found), 4)


def main() -> None:
    """Run everybody in turn, as often as asked; or, in a process of its own, one."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=1_000_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--peer-python", default=sys.executable)
    words.add_argument("--folder", type=Path)
    words.add_argument("--process", nargs=3, metavar=("NAME", "SOURCE", "OUTPUT"))
    asked = words.parse_args()
    if asked.process:
        name, source, output = asked.process
        PROCESSES[name](Path(source), Path(output))
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        write(measure(Path(folder), asked.rows, asked.rounds, asked.peer_python))


def measure(folder: Path, rows: int, rounds: int, peer: str) -> dict[str, Any]:
    """Return the seconds of every round, the ratios of their medians to pyarrow's and to Winnow's, and the recall."""
    source = folder / "docs.parquet"
    pairs = make(source, rows)
    some = {name: folder / f"{count}.parquet" for name, count in SOME.items()}
    for name, file in some.items():
        pq.write_table(pq.read_table(source).slice(0, SOME[name]), file)
    warm = folder / "warm"
    warm.mkdir()
    subprocess.run(
        _command("winnow", some["datatrove"], warm, peer), check=True, capture_output=True, cwd=folder
    )
    seconds: dict[str, list[float]] = {}
    found: dict[str, float] = {}
    for turn in range(rounds):
        for name in ("pyarrow", "winnow", "rensa", "daft", *(some if turn == 0 else ())):
            output = folder / "output"
            output.mkdir()
            command = _command(name, some.get(name, source), output, peer)
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, cwd=folder)
            seconds.setdefault(name, []).append(round(time.perf_counter() - began, 2))
            print(turn, name, seconds[name][-1], flush=True)
            if name in ("winnow", "rensa", "daft") and name not in found:
                found[name] = recall(pairs, _kept(name, output))
            shutil.rmtree(output)
    middle = {name: statistics.median(held) for name, held in seconds.items()}
    rate = {name: SOME.get(name, rows) / held for name, held in middle.items()}
    return {
        "rows": rows,
        "pairs": len(pairs),
        "seconds": seconds,
        "rows_per_second": {name: round(held) for name, held in rate.items()},
        "winnow_is_times_as_fast": {
            name: round(rate["winnow"] / held, 2) for name, held in rate.items() if name != "winnow"
        },
        "winnow_takes_times_pyarrow": round(middle["winnow"] / middle["pyarrow"], 2),
        "recall": found,
    }


def _command(name: str, source: Path, output: Path, peer: str) -> list[str]:
    if name == "winnow":
        winnow = str(Path(sys.executable).parent / "winnow")
        return [
            winnow,
            "apply",
            "near_duplicates",
            str(source),
            "--output",
            str(output / "out"),
            "--store",
            str(output / "store"),
        ]
    return [
        sys.executable if name == "pyarrow" else peer,
        __file__,
        "--process",
        name,
        str(source),
        str(output),
    ]


def _kept(name: str, output: Path) -> Counter[str]:
    if name != "winnow":
        return Counter(pq.read_table(output / "kept.parquet")["text"].to_pylist())
    rows = pq.read_table(output / "out" / "kept", columns=["messages"])["messages"].combine_chunks()
    return Counter(rows.flatten().field("content").to_pylist())


def write(measured: dict[str, Any]) -> None:
    """Write the results file."""
    from bench import machine

    file = Path(__file__).parent / "results" / "near_duplicates.json"
    file.write_text(
        json.dumps({**measured, "pace": machine.pace(), "machine": machine.describe()}, indent=1) + "\n"
    )
    print(file.read_text())


if __name__ == "__main__":
    main()
