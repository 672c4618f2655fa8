"""Single values out of Arrow arrays as Python's own, from their buffers: a look costs the same wherever it falls."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

Look = Callable[[int], Any]
"""Answers the value at a position; None for a null."""


def look(array: pa.Array) -> Look:
    """Return how to look into an array of strings, numbers, and lists and structs of them. Nothing is copied."""
    kind = array.type
    if pa.types.is_string(kind):
        inside = _strings(array)
    elif pa.types.is_list(kind):
        inside = _lists(array)
    elif pa.types.is_struct(kind):
        inside = _structs(array)
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        inside = array.fill_null(0).to_numpy(zero_copy_only=False).item
    else:
        raise TypeError(f"no value of {kind} is looked up")
    if not array.null_count:
        return inside
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    return lambda at: inside(at) if valid[at] else None


def _offsets(array: pa.Array) -> np.ndarray:
    held = array.buffers()[1]
    raw = np.zeros(1, np.int32) if held is None or not held.size else np.frombuffer(held, np.int32)
    return raw[array.offset : array.offset + len(array) + 1]


def _strings(array: pa.StringArray) -> Look:
    ends, raw = _offsets(array), memoryview(array.buffers()[2] or b"")
    return lambda at: str(raw[ends[at] : ends[at + 1]], "utf-8")


def _lists(array: pa.ListArray) -> Look:
    ends, inside = _offsets(array), look(array.values)
    return lambda at: [inside(one) for one in range(ends[at], ends[at + 1])]


def _structs(array: pa.StructArray) -> Look:
    fields = [(field.name, look(child)) for field, child in zip(array.type, array.flatten(), strict=True)]
    return lambda at: {name: inside(at) for name, inside in fields}
