"""Compiled loops over the keys and sets of many rows: who may meet, and what a component is.

As in `corpus.kernels` the signatures are given, and arrays are C-contiguous.
"""

import numba
import numpy as np
from numba import types

from corpus.kernels import BOOLS, INT64S, UINT64S

_parents = types.Array(types.int64, 1, "C")
_table = types.Array(types.uint8, 1, "C")


@numba.njit((UINT64S, INT64S), cache=True, nogil=True)
def sets(values, begins):  # type: ignore[no-untyped-def]  # numba infers
    """Return each row's values as a set: ascending, each once."""
    rows = len(begins) - 1
    found = np.empty(len(values), np.uint64)
    starts = np.zeros(rows + 1, np.int64)
    count = 0
    for row in range(rows):
        own = np.sort(values[begins[row] : begins[row + 1]])
        for at in range(len(own)):
            if at == 0 or own[at] != own[at - 1]:
                found[count] = own[at]
                count += 1
        starts[row + 1] = count
    return found[:count].copy(), starts


@numba.njit((UINT64S, BOOLS, types.int64), cache=True, nogil=True)
def may_meet(keys, asked, bits):  # type: ignore[no-untyped-def]  # numba infers
    """Return the rows whose key may be that of another row, one of the two being `asked`: all that are, and some more.

    Two tables of 2**bits bits, looked up by the first bits of a key: seen among the asked, seen again. The key 0 is
    nobody's.
    """
    shift = np.uint64(64 - bits)
    once = np.zeros(1 << (bits - 3), np.uint8)
    again = np.zeros(1 << (bits - 3), np.uint8)
    for turn in range(2):
        for row in range(len(keys)):
            if asked[row] != (turn == 0) or keys[row] == 0:
                continue
            slot = keys[row] >> shift
            byte, bit = slot >> np.uint64(3), np.uint8(1 << (slot & np.uint64(7)))
            if once[byte] & bit:
                again[byte] |= bit
            elif turn == 0:
                once[byte] |= bit
    found = np.empty(len(keys), np.int64)
    count = 0
    for row in range(len(keys)):
        slot = keys[row] >> shift
        if keys[row] != 0 and again[slot >> np.uint64(3)] & np.uint8(1 << (slot & np.uint64(7))):
            found[count] = row
            count += 1
    return found[:count].copy()


@numba.njit(cache=True, inline="always")
def root(parents, row):  # type: ignore[no-untyped-def]  # numba infers
    """Return the root of the tree in which a row stands; the way there is halved."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@numba.njit((_parents, INT64S, INT64S), cache=True, nogil=True)
def unite(parents, ones, others):  # type: ignore[no-untyped-def]  # numba infers
    """Unite rows in a forest whose roots are the first rows of their trees."""
    for at in range(len(ones)):
        one, two = root(parents, ones[at]), root(parents, others[at])
        parents[max(one, two)] = min(one, two)


@numba.njit((_parents,), cache=True, nogil=True)
def flatten(parents):  # type: ignore[no-untyped-def]  # numba infers
    """Let every row name its root."""
    for row in range(len(parents)):
        parents[row] = root(parents, row)


@numba.njit((UINT64S, _table, _table, types.boolean), cache=True, nogil=True)
def tally(keys, once, again, asks):  # type: ignore[no-untyped-def]  # numba infers
    """Note keys in two tables of bits, looked up by the first bits of a key: which were asked for, and which came again.

    Keys of rows that ask come first. The tables have a power of two of bytes each.
    """
    shift = np.uint64(61)
    size = len(once)
    while size > 1:
        size >>= 1
        shift -= np.uint64(1)
    for at in range(len(keys)):
        slot = keys[at] >> shift
        byte, bit = slot >> np.uint64(3), np.uint8(1 << (slot & np.uint64(7)))
        if once[byte] & bit:
            again[byte] |= bit
        elif asks:
            once[byte] |= bit


@numba.njit((UINT64S, INT64S, _table), cache=True, nogil=True)
def tallied(keys, begins, again):  # type: ignore[no-untyped-def]  # numba infers
    """Say which rows (bool) have a key that came again, as `tally` noted it."""
    shift = np.uint64(61)
    size = len(again)
    while size > 1:
        size >>= 1
        shift -= np.uint64(1)
    rows = len(begins) - 1
    found = np.zeros(rows, np.bool_)
    for row in range(rows):
        for at in range(begins[row], begins[row + 1]):
            slot = keys[at] >> shift
            if again[slot >> np.uint64(3)] & np.uint8(1 << (slot & np.uint64(7))):
                found[row] = True
                break
    return found
