"""What a row is, and what the ledger says of it.

A row of the demo corpus, after cleaning and the split:

    id          '6f1c4d0b8f3a5e7791aa03c200000000'
    messages    [{'role': 'text', 'content': 'Thanks for the quick reply @southwest'}]
    label       'positive'        confidence  0.93
    source      'tweets'          file  'tweets.csv'          row  17
    parent      None              operation  None             family  None
    groups      []                split  'train'              extra  '{"origin":"airline"}'
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.digests import blake2b

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
GROUP = pa.struct([("axis", pa.string()), ("value", pa.string()), ("origin", pa.string())])

ROW = pa.schema(
    [
        ("id", pa.string()),
        ("messages", pa.list_(MESSAGE)),
        ("label", pa.string()),
        ("confidence", pa.float64()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("parent", pa.string()),
        ("operation", pa.string()),
        ("family", pa.string()),
        ("groups", pa.list_(GROUP)),
        ("split", pa.string()),
        ("extra", pa.string()),
    ]
)

LEDGER = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("stage", pa.string()),
        ("action", pa.string()),
        ("reason", pa.string()),
        ("score", pa.float64()),
        ("threshold", pa.float64()),
        ("other", pa.string()),
        ("detail", pa.string()),
    ]
)

SCORES = pa.schema(
    [("id", pa.string()), ("stage", pa.string()), ("name", pa.string()), ("score", pa.float64())]
)
"""What a stage measured of a row beside the score that it judged by."""


class UserError(ValueError):
    """Bad input or usage: one line that says what was needed, what came and what to do. Exit status 2."""


class UnreachableError(OSError):
    """A store could not be asked, so nothing is known of what it holds."""


def conform(columns: dict[str, pa.Array], schema: pa.Schema = ROW) -> pa.Table:
    """Make a table of `schema` from some of its columns; the others are null."""
    rows = len(next(iter(columns.values())))
    return pa.table([columns.get(field.name, pa.nulls(rows, field.type)) for field in schema], schema=schema)


def of_splits(column: pa.ChunkedArray | pa.Array, splits: Sequence[str]) -> np.ndarray:
    """Say of which rows the split is one of `splits` (bool); a row without a split is a training row."""
    among: np.ndarray = pc.is_in(pc.fill_null(column, "train"), pa.array(splits)).to_numpy(
        zero_copy_only=False
    )
    return among


def digest(*parts: str | bytes) -> bytes:
    """Hash `parts` to 128 bits; each is preceded by its length, so no two lists of parts collide by joining."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        state.update(len(raw).to_bytes(8, "little"))
        state.update(raw)
    return state.digest()


def _each(begin: Sequence[str], values: pa.Array, cut: int) -> pa.FixedSizeBinaryArray:
    """Return `digest(*begin, value)` of each value; what is behind the first `cut` bytes is zero."""
    start = b"".join(len(part.encode()).to_bytes(8, "little") + part.encode() for part in begin)
    found = blake2b(values, start, told=True)
    if cut == 16:
        return found
    raw = np.frombuffer(found.buffers()[1], np.uint8).reshape(-1, 16).copy()
    raw[:, cut:] = 0
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(raw), [None, pa.py_buffer(raw)])


def keyed_ids(source: str, keys: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """Return `keyed_id` of many keys, as bytes."""
    return _each(["key", source], keys, 16)


def record_ids(source: str, records: pa.FixedSizeBinaryArray) -> pa.FixedSizeBinaryArray:
    """Return `record_id` of many records, as bytes, all of them with the ordinal 0."""
    return _each(["record", source], records, 12)


def keyed_id(source: str, key: str) -> str:
    """Return the id of the record that its source's key column calls `key`."""
    return digest("key", source, key).hex()


def record_id(source: str, record: bytes, ordinal: int) -> str:
    """Return the id of the `ordinal`-th of the records of `source` whose digest is `record`.

    96 bits of the record and 32 of the ordinal: copies of a record lie side by side in id order, the first
    of them first, so a copy that is added never takes the place of the one that was there.
    """
    return digest("record", source, record)[:12].hex() + f"{ordinal:08x}"


def grown_id(parent: str, operation: str, parameters: Iterable[str], ordinal: int) -> str:
    """Return the id of the `ordinal`-th row that `operation` grew from `parent` under `parameters`."""
    return digest("grown", parent, operation, *parameters, str(ordinal)).hex()
