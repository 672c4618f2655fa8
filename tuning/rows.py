"""The published rows that are trained on and judged, read from their shards."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.schema import Split, digest

COLUMNS = ("id", "messages", "label")

Shards = Mapping[Split, Sequence[Path]]


def label_set(shards: Shards) -> tuple[str, ...]:
    """Return the classes of the training rows, in alphabetical order; none where no row has a label."""
    found: set[str] = set()
    for file in shards.get("train", ()):
        found.update(pc.unique(pq.read_table(file, columns=["label"])["label"]).drop_null().to_pylist())
    return tuple(sorted(found))


def read(
    files: Sequence[Path], seed: int, sample: int | None = None, labelled: bool | None = None
) -> pa.Table:
    """Return `id`, `messages` and `label` of rows in id order, whatever the shards.

    `labelled` takes rows with a label alone, or without one. `sample` takes the rows of least keyed hash of
    their id: which they are depends on the seed and the rows, never on their order. Texts are read of the
    rows taken alone.
    """
    narrow = [pq.read_table(file, columns=["id", "label"]) for file in files]
    masks = [_wanted(part["label"], labelled) for part in narrow]
    ids = [
        row
        for part, mask in zip(narrow, masks, strict=True)
        for row in part["id"].filter(pa.array(mask)).to_pylist()
    ]
    chosen = None
    if sample is not None and len(ids) > sample:
        chosen = pa.array(sorted(ids, key=lambda row: digest(str(seed), "sample", row))[:sample], pa.string())
    parts = []
    for file, mask in zip(files, masks, strict=True):
        rows = pq.read_table(file, columns=list(COLUMNS)).filter(pa.array(mask))
        parts.append(rows if chosen is None else rows.filter(pc.is_in(rows["id"], chosen)))
    return pa.concat_tables(parts).sort_by("id").combine_chunks() if parts else _none()


def _wanted(labels: pa.ChunkedArray, labelled: bool | None) -> np.ndarray:
    known: np.ndarray = pc.is_valid(labels).to_numpy()
    return np.ones(len(known), dtype=bool) if labelled is None else known == labelled


def _none() -> pa.Table:
    from corpus.schema import ROW

    return ROW.empty_table().select(COLUMNS)
