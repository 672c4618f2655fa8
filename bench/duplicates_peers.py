"""Which rows rensa, text-dedup, datatrove and Daft keep of a file, each in a process of its own, by its own ways.

Run by `bench.duplicates_quality` in a Python where they are installed: `PYTHON bench/duplicates_peers.py NAME FILE SIZE
FOLDER`. FILE is Parquet with the columns `row` (int64) and `text`; FOLDER gets `rows.json`, the rows that are kept.
Nothing of Winnow is imported.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

THRESHOLD = 0.8
SETTINGS = {
    "rensa": "RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True); n-grams of lower-cased \\w+ words",
    "text-dedup": "text_dedup.minhash --ngram n --threshold 0.8 --num_perm 128 --min_length 1; else its defaults",
    "datatrove": "MinhashConfig(n_grams=n, hash_config=HashConfig(hash_fc='sha1')), else its defaults (14 buckets of 8, numbers read as 0, no check of pairs)",
    "daft": "normalize(remove_punct, lowercase, white_space), minhash(num_hashes=112, ngram_size=n), 14 bands of 8, components",
}


def rensa(source: Path, size: int, _folder: Path) -> list[int]:
    """Keep what `add_pairs` says is new."""
    import pyarrow.parquet as pq
    from rensa import RMinHashDeduplicator

    dedup = RMinHashDeduplicator(threshold=THRESHOLD, num_perm=128, use_lsh=True)
    texts = pq.read_table(source)["text"].to_pylist()
    kept = dedup.add_pairs((str(row), _shingles(text, size)) for row, text in enumerate(texts))
    return [row for row, stays in enumerate(kept) if stays]


def text_dedup(source: Path, size: int, folder: Path) -> list[int]:
    """Run text-dedup's own command."""
    from datasets import load_from_disk

    command = [
        *(sys.executable, "-m", "text_dedup.minhash", "--path", "parquet", "--data_files", str(source)),
        *("--split", "train", "--column", "text", "--ngram", str(size), "--threshold", str(THRESHOLD)),
        *("--num_perm", "128", "--min_length", "1", "--num_proc", "1", "--batch_size", "10000"),
        *("--cache_dir", str(folder / "cache"), "--output", str(folder / "saved")),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return list(load_from_disk(str(folder / "saved"))["row"])


def datatrove(source: Path, size: int, folder: Path) -> list[int]:
    """Run datatrove's four steps."""
    import pyarrow.parquet as pq
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import (
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(
        n_grams=size, hash_config=HashConfig(hash_fc="sha1")
    )  # its xxhash wants older bindings
    signatures, buckets, removed = (str(folder / name) for name in ("signatures", "buckets", "removed"))
    rows = [(str(row), text) for row, text in enumerate(pq.read_table(source)["text"].to_pylist())]
    MinhashDedupSignature(signatures, config).run((Document(text, row) for row, text in rows), 0, 1)
    for bucket in range(config.num_buckets):
        MinhashDedupBuckets(signatures, buckets, config=config).run(None, bucket, config.num_buckets)
    MinhashDedupCluster(buckets, removed, config).run(None, 0, 1)
    kept = MinhashDedupFilter(removed).run((Document(text, row) for row, text in rows), 0, 1)
    return [int(document.id) for document in kept]


def daft(source: Path, size: int, _folder: Path) -> list[int]:
    """Link rows that share a band; keep the first row of each component."""
    import daft as engine
    import numpy as np
    from daft import col
    from daft.functions import minhash, normalize
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    bands, each = 14, 8
    plain = normalize(col("text"), remove_punct=True, lowercase=True, white_space=True)
    hashed = minhash(plain, num_hashes=bands * each, ngram_size=size).alias("hashes")
    hashes = engine.read_parquet(str(source)).select(hashed).to_arrow()["hashes"].combine_chunks()
    matrix = hashes.values.to_numpy().reshape(-1, bands, each)
    links = []
    for band in range(bands):
        keys = np.ascontiguousarray(matrix[:, band]).view(np.dtype((np.void, 4 * each))).ravel()
        order = np.argsort(keys, kind="stable")
        same = keys[order][1:] == keys[order][:-1]
        links.append(np.stack([order[:-1][same], order[1:][same]]))
    ones, others = np.concatenate(links, axis=1)
    count = len(matrix)
    graph = coo_array((np.ones(len(ones), np.int8), (ones, others)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first = np.unique(labels, return_index=True)
    return sorted(int(row) for row in first)


def _shingles(text: str, size: int) -> list[str]:
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[at : at + size]) for at in range(max(len(words) - size + 1, 1))]


PEERS: dict[str, Callable[[Path, int, Path], list[int]]] = {
    "rensa": rensa,
    "text-dedup": text_dedup,
    "datatrove": datatrove,
    "daft": daft,
}


def main() -> None:
    """Run the peer that is named, on one core."""
    name, source, size, folder = sys.argv[1:]
    os.sched_setaffinity(0, {0})
    kept = PEERS[name](Path(source).resolve(), int(size), Path(folder).resolve())
    (Path(folder) / "rows.json").write_text(json.dumps(kept))


if __name__ == "__main__":
    main()
