"""What compiled loops share: types of arrays, a hash, the code points of UTF-8. Imported only where one is called: numba is heavy.

The signatures of all loops are given, so that importing their modules loads what was compiled before: a fork server that
has them imported lends them to every worker. Arrays are C-contiguous and may be read-only.
"""

import numba
import numpy as np
from numba import types

FNV_BASIS, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def array(kind: types.Type, dimensions: int = 1) -> types.Array:
    """Return the type of an array that a compiled loop reads."""
    return types.Array(kind, dimensions, "C", readonly=True)


UINT8S, BOOLS = array(types.uint8), array(types.boolean)
INT32S, UINT32S = array(types.int32), array(types.uint32)
INT64S, UINT64S = array(types.int64), array(types.uint64)


@numba.njit(cache=True, inline="always")
def mix(value):  # type: ignore[no-untyped-def]  # numba infers
    """Finish a 64-bit hash (splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(cache=True, inline="always")
def decode(data, at):  # type: ignore[no-untyped-def]  # numba infers
    """Return the code point at `at` of valid UTF-8, and its length in bytes."""
    first = data[at]
    if first < 0x80:
        return np.uint32(first), 1
    if first < 0xE0:
        return (np.uint32(first & 0x1F) << 6) | np.uint32(data[at + 1] & 0x3F), 2
    if first < 0xF0:
        return (np.uint32(first & 0x0F) << 12) | (np.uint32(data[at + 1] & 0x3F) << 6) | np.uint32(
            data[at + 2] & 0x3F
        ), 3
    return (
        (np.uint32(first & 0x07) << 18)
        | (np.uint32(data[at + 1] & 0x3F) << 12)
        | (np.uint32(data[at + 2] & 0x3F) << 6)
        | np.uint32(data[at + 3] & 0x3F)
    ), 4
