"""Columns as one array, and 128-bit values as pairs of uint64, as bytes and as hexadecimal digits."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

_DIGITS = np.array([f"{value:02x}".encode() for value in range(256)], "S2")


def whole(column: pa.Array | pa.ChunkedArray) -> Any:
    """Return a column as one array; one that is of one chunk is not copied."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def nulls(count: int, kind: pa.DataType) -> pa.Array:
    """Return nulls that take no memory until somebody writes to it: the system lends pages of zeros when they are touched."""
    if pa.types.is_list(kind):
        buffers, inner = _zeros(count + 7 >> 3, 4 * (count + 1)), [pa.nulls(0, kind.value_type)]
        return pa.Array.from_buffers(kind, count, buffers, count, children=inner)
    if pa.types.is_string(kind):
        return pa.Array.from_buffers(
            kind, count, [*_zeros(count + 7 >> 3, 4 * (count + 1)), pa.py_buffer(b"")], count
        )
    return pa.Array.from_buffers(kind, count, _zeros(count + 7 >> 3, count * kind.bit_width + 7 >> 3), count)


def _zeros(*sizes: int) -> list[pa.Buffer]:
    return [pa.py_buffer(np.zeros(size, np.uint8)) for size in sizes]


def pairs(values: pa.FixedSizeBinaryArray | pa.ChunkedArray) -> np.ndarray:
    """Return 128-bit values (no nulls) as (rows, 2) uint64, the most significant first."""
    held = whole(values)
    if not len(held):
        return np.zeros((0, 2), np.uint64)
    raw = np.frombuffer(held.buffers()[1], ">u8")[2 * held.offset : 2 * (held.offset + len(held))]
    return raw.reshape(-1, 2).astype(np.uint64)


def values(columns: np.ndarray) -> pa.FixedSizeBinaryArray:
    """Return (rows, 2) uint64 as 128-bit values."""
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(columns), [None, pa.py_buffer(columns.astype(">u8").tobytes())]
    )


def hexadecimal(columns: np.ndarray) -> pa.StringArray:
    """Return (rows, 2) uint64 as strings of 32 digits; as large strings where they are of more than 2 GiB."""
    raw = np.frombuffer(columns.astype(">u8").tobytes(), np.uint8)
    large = 32 * len(columns) >= 2**31
    kind, array = (np.int64, pa.LargeStringArray) if large else (np.int32, pa.StringArray)
    offsets = np.arange(0, 32 * len(columns) + 1, 32, dtype=kind)
    return array.from_buffers(len(columns), pa.py_buffer(offsets), pa.py_buffer(_DIGITS[raw].tobytes()))


def matrix(lists: pa.FixedSizeListArray) -> np.ndarray:
    """Return lists of one size (no nulls) as an array of shape (lists, size)."""
    found: np.ndarray = lists.flatten().to_numpy().reshape(len(lists), -1)
    return found


def ascending(columns: np.ndarray) -> np.ndarray:
    """Return the order of (rows, 2) uint64 by both columns, equal ones as they came.

    The first column is sorted alone, which is several times as fast, and only ties are looked at again.
    """
    high = np.ascontiguousarray(columns[:, 0])
    order: np.ndarray = np.argsort(high)
    ordered = high[order]
    tied = np.zeros(len(order), bool)
    same = ordered[1:] == ordered[:-1]
    tied[1:] |= same
    tied[:-1] |= same
    some = order[tied]
    order[tied] = some[np.lexsort((some, columns[some, 1], high[some]))]
    return order


def check(rows: pa.Table, file: Path) -> None:
    """Raise `ArrowInvalid` where offsets of what was mapped from a file lead out of it: to follow them would end the process."""
    if not all(_sound(chunk) for column in rows.columns for chunk in column.chunks):
        raise pa.ArrowInvalid(f"{file} was damaged: offsets lead out of it")


def _sound(values: pa.Array) -> bool:
    """Say whether the offsets of strings and lists lie in their order, and in what they are offsets of."""
    kind = values.type
    if pa.types.is_struct(kind):
        return all(map(_sound, values.flatten()))
    if pa.types.is_fixed_size_list(kind):
        return _sound(values.values)
    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    wide = pa.types.is_large_list(kind) or pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    if not (lists or wide or pa.types.is_string(kind) or pa.types.is_binary(kind)) or not len(values):
        return True
    _, raw, *data = values.buffers()
    offsets = np.frombuffer(raw, np.int64 if wide else np.int32)[
        values.offset : values.offset + len(values) + 1
    ]
    inner = len(values.values) if lists else (data[0].size if data[0] else 0)
    ordered = bool((np.diff(offsets) >= 0).all())
    sound = len(offsets) == len(values) + 1 and offsets[0] >= 0 and offsets[-1] <= inner and ordered
    return bool(sound) and (not lists or _sound(values.values))
