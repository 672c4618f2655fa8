"""Records of a table as canonical JSON, column by column: the same bytes as record by record."""

from collections.abc import Mapping

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

FEW = 1_000
"""Fewer strings are written sooner by orjson than compiled loops are loaded."""


def objects(columns: Mapping[str, pa.Array], count: int) -> tuple[pa.Array, pa.Array]:
    """Return the JSON of each record's fields that are not null (binary), and which records have one (bool).

    Columns are strings of valid UTF-8, whole numbers, booleans and finite floats. Keys are in the order of their names.
    """
    held = {name: columns[name] for name in sorted(columns) if columns[name].null_count < count}
    if len(held) == 1:
        ((name, values),) = held.items()
        if not values.null_count:
            return _field(name, values, b"{", b"}"), pa.repeat(True, count)
    nothing = pa.scalar(b"", pa.binary())
    fields = [pc.fill_null(_field(name, values, b",", b""), nothing) for name, values in held.items()]
    ends = pa.repeat(pa.scalar(b"}", pa.binary()), count)
    joined = pc.binary_join_element_wise(*fields, ends, nothing)
    some = pc.greater(pc.binary_length(joined), 1)
    _, offsets, data = joined.buffers()
    raw = np.frombuffer(data or b"", np.uint8).copy()
    raw[np.frombuffer(offsets, np.int32)[:count]] = ord("{")  # where the first comma was
    whole = pa.Array.from_buffers(pa.binary(), count, [None, offsets, pa.py_buffer(raw)])
    return pc.if_else(some, whole, pa.scalar(b"{}", pa.binary())), some


def _field(name: str, values: pa.Array, before: bytes, behind: bytes) -> pa.Array:
    """Return `"name":value` of each value, null where it is null, between `before` and `behind`."""
    key = before + orjson.dumps(name) + b":"
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _quoted(values.cast(pa.string()), key + b'"', b'"' + behind)
    if pa.types.is_floating(kind):
        listed = orjson.dumps(values.cast(pa.float64()).to_pylist())[1:-1]
        written = pc.if_else(values.is_valid(), pa.array(listed.split(b","), pa.binary()), None)
    else:
        written = values.cast(pa.string()).cast(pa.binary())
    ends = (pa.scalar(raw, pa.binary()) for raw in (behind, b""))
    return pc.binary_join_element_wise(pa.scalar(key, pa.binary()), written, *ends)


def _quoted(values: pa.StringArray, before: bytes, behind: bytes) -> pa.Array:
    """Write each string as JSON between `before` and `behind`, which hold its quotes."""
    if len(values) < FEW:
        held = [
            None if text is None else before + orjson.dumps(text)[1:-1] + behind
            for text in values.to_pylist()
        ]
        return pa.array(held, pa.binary())
    from corpus import json_kernels

    _, offsets, data = values.buffers()
    spans = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    raw = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    starts, found = json_kernels.quoted(
        spans, raw, np.frombuffer(before, np.uint8), np.frombuffer(behind, np.uint8)
    )
    written = pa.Array.from_buffers(
        pa.binary(), len(values), [None, pa.py_buffer(starts.astype(np.int32)), pa.py_buffer(found)]
    )
    return pc.if_else(values.is_valid(), written, None) if values.null_count else written
