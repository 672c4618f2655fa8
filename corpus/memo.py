"""What was made for a text is not made again: embeddings and translations, by text and by what makes them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.schema import digest

GROUP = 256
"""Values that lie together in a file: all are decoded where one is asked for. Word pieces are some 40 kB a text, so 10 MB."""
SLOW = 512
"""Texts that are kept at a time of what a language model says: minutes of work, and batches that are nearly full."""


@dataclass(frozen=True)
class Replay:
    """A folder of Parquet files a maker: the digest of a text, and the value that was made for it.

    Each file is written whole and renamed, so that workers need no lock: what two of them made at once is
    equal, because a maker's answer depends on the text alone.
    """

    folder: Path

    def recall(
        self,
        maker: str,
        texts: pa.StringArray,
        make: Callable[[pa.StringArray], pa.Array],
        block: int | None = None,
    ) -> pa.Array:
        """Return the value of each text, asking `make` only for those (each once) that `maker` never answered.

        `maker` names all that the answer depends on beside the text: engine, revision, parameters, seed. A null is no
        answer: it is not kept, and asked for again another time. With `block`, for makers of few texts a second, so many are
        asked for and kept at a time, those of like length together: a run that is killed has lost no more than these.
        """
        folder = self.folder / digest("replay", maker).hex()
        folder.mkdir(parents=True, exist_ok=True)
        keys = pa.array([digest(text) for text in texts.to_pylist()], pa.binary(16))
        wanted = keys.unique()
        found: list[pa.Table] = []
        for file in sorted(folder.glob("*.parquet")):
            if len(wanted):
                held = _held(file, wanted)
                found.append(held)
                wanted = wanted.filter(pc.invert(pc.is_in(wanted, held["text"].combine_chunks())))
        for some in _blocks(texts.take(pc.index_in(wanted, keys)), block):
            asked = texts.take(pc.index_in(wanted.take(some), keys))
            fresh = pa.table({"text": wanted.take(some), "value": make(asked)})
            _write(folder, fresh.filter(pc.is_valid(fresh["value"])))
            found.append(fresh)
        if not found:
            return make(texts)
        made = pa.concat_tables(found)
        return made["value"].combine_chunks().take(pc.index_in(keys, made["text"].combine_chunks()))


def _blocks(texts: pa.StringArray, block: int | None) -> list[pa.Array]:
    """Return which texts go together, none of them where there are none."""
    if block is None or len(texts) <= block:
        return [pa.array(range(len(texts)))] if len(texts) else []
    order = pa.array(np.argsort(pc.binary_length(texts).to_numpy(), kind="stable"))
    return [order.slice(start, block) for start in range(0, len(order), block)]


def _held(file: Path, wanted: pa.Array) -> pa.Table:
    """Return what a file has of some texts; of the others only their digests are read, and what lies in one row group with these."""
    with pq.ParquetFile(file) as opened:
        hits = pc.is_in(opened.read(["text"])["text"].combine_chunks(), wanted)
        sizes = [opened.metadata.row_group(group).num_rows for group in range(opened.num_row_groups)]
        ends = np.cumsum([0, *sizes])
        some = [group for group in range(len(sizes)) if pc.any(hits[ends[group] : ends[group + 1]]).as_py()]
        parts = [opened.read_row_group(group).filter(hits[ends[group] : ends[group + 1]]) for group in some]
        return pa.concat_tables([opened.schema_arrow.empty_table(), *parts])


def _write(folder: Path, made: pa.Table) -> None:
    aside = folder / f".{uuid.uuid4().hex}"
    pq.write_table(made, aside, compression="zstd", row_group_size=GROUP)
    aside.replace(folder / f"{uuid.uuid4().hex}.parquet")
