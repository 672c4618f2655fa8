"""What was made for a text is not made again: embeddings and translations, by text and by what makes them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.schema import digest


@dataclass(frozen=True)
class Replay:
    """A folder of Parquet files a maker: the digest of a text, and the value that was made for it.

    Each file is written whole and renamed, so that workers need no lock: what two of them made at once is
    equal, because a maker's answer depends on the text alone.
    """

    folder: Path

    def recall(
        self, maker: str, texts: pa.StringArray, make: Callable[[pa.StringArray], pa.Array]
    ) -> pa.Array:
        """Return the value of each text, asking `make` only for those (each once) that `maker` never answered.

        `maker` names all that the answer depends on beside the text: engine, revision, parameters, seed. A null is no
        answer: it is not kept, and asked for again another time.
        """
        folder = self.folder / digest("replay", maker).hex()
        folder.mkdir(parents=True, exist_ok=True)
        keys = pa.array([digest(text) for text in texts.to_pylist()], pa.binary(16))
        known = [pq.read_table(file) for file in sorted(folder.glob("*.parquet"))]
        made = pa.concat_tables(known) if known else None
        unknown = (
            keys if made is None else keys.filter(pc.invert(pc.is_in(keys, made["text"].combine_chunks())))
        )
        missing = unknown.unique()
        if len(missing):
            fresh = pa.table({"text": missing, "value": make(texts.take(pc.index_in(missing, keys)))})
            _write(folder, fresh.filter(pc.is_valid(fresh["value"])))
            made = fresh if made is None else pa.concat_tables([made, fresh])
        if made is None:
            return make(texts)
        return made["value"].combine_chunks().take(pc.index_in(keys, made["text"].combine_chunks()))


def _write(folder: Path, made: pa.Table) -> None:
    aside = folder / f".{uuid.uuid4().hex}"
    pq.write_table(made, aside, compression="zstd")
    aside.replace(folder / f"{uuid.uuid4().hex}.parquet")
