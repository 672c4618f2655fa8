"""Compiled loops over the keys and sets of many rows: who may meet, what a component is, who falls against whom.

As in `corpus.kernels` the signatures are given, and arrays are C-contiguous.
"""

import numba
import numpy as np
from numba import types

from corpus.kernels import BOOLS, INT64S, UINT64S, array
from corpus.shingle_kernels import ANSWER

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


@numba.njit(cache=True, inline="always")
def _jaccard(found, a, a_end, b, b_end):  # type: ignore[no-untyped-def]  # numba infers
    """Return the Jaccard similarity of two ascending sets in one flat array."""
    total = (a_end - a) + (b_end - b)
    common = 0
    while a < a_end and b < b_end:
        if found[a] == found[b]:
            common += 1
            a += 1
            b += 1
        elif found[a] < found[b]:
            a += 1
        else:
            b += 1
    return common / (total - common) if total > common else 0.0


@numba.njit(cache=True, inline="always")
def _answers(found, start, end):  # type: ignore[no-untyped-def]  # numba infers
    """Return where the shingles of the answer begin in an ascending set."""
    while start < end:
        middle = (start + end) // 2
        if found[middle] < ANSWER:
            start = middle + 1
        else:
            end = middle
    return start


@numba.njit(
    (array(types.int64, 2), INT64S, UINT64S, INT64S, BOOLS, INT64S, types.float64, types.int64),
    cache=True,
    nogil=True,
)
def settle(buckets, slots, found, starts, fixed, classes, threshold, keep):  # type: ignore[no-untyped-def]  # numba infers
    """Greedy removal in survivor order: rows come best first, and fall against rows that stay.

    `buckets` (rows, bands) holds for each row and band a bucket number, or -1 where nobody shares the band; the
    bucket `b` has room for `slots[b + 1] - slots[b]` rows.
    A row is compared with the first rows that stay in each of its buckets, as many as have room. It falls where `keep` or
    more of those are at or over `threshold` and of its own class (`classes`, int64), against the most similar; those of
    another class are kin, not duplicates. A `fixed` row is not compared and never falls.

    Two rows are as alike as what is asked in them, or what is answered, where that is less: each has a set of its own.

    Returns for each row the row it fell against (-1: it stays), the highest similarity met among rows of
    its class, and a row of its family (a forest of parents).
    """
    rows, bands = buckets.shape
    other = np.full(rows, -1, np.int64)
    best = np.full(rows, np.nan, np.float64)
    parents = np.arange(rows)
    seen = np.full(rows, -1, np.int64)
    answers = np.empty(rows, np.int64)
    for row in range(rows):
        answers[row] = _answers(found, starts[row], starts[row + 1])
    stays = np.empty(slots[-1], np.int64)
    ends = slots[:-1].copy()
    for row in range(rows):
        met = 0
        if not fixed[row]:
            for band in range(bands):
                bucket = buckets[row, band]
                if bucket < 0:
                    continue
                for slot in range(slots[bucket], ends[bucket]):
                    rival = stays[slot]
                    if seen[rival] == row:
                        continue
                    seen[rival] = row
                    a, b = starts[row + 1] - starts[row], starts[rival + 1] - starts[rival]
                    if min(a, b) / max(a, b) < threshold:
                        continue
                    alike = 1.0
                    if answers[row] > starts[row] or answers[rival] > starts[rival]:
                        alike = _jaccard(found, starts[row], answers[row], starts[rival], answers[rival])
                    if answers[row] < starts[row + 1] or answers[rival] < starts[rival + 1]:
                        alike = min(
                            alike,
                            _jaccard(found, answers[row], starts[row + 1], answers[rival], starts[rival + 1]),
                        )
                    if classes[row] == classes[rival] and not alike <= best[row]:
                        best[row] = alike
                        other[row] = rival
                    if alike >= threshold:
                        met += classes[row] == classes[rival]
                        one, two = root(parents, row), root(parents, rival)
                        parents[max(one, two)] = min(one, two)
            if other[row] >= 0 and (best[row] < threshold or met < keep):
                other[row] = -1
        if other[row] < 0:
            for band in range(bands):
                bucket = buckets[row, band]
                if bucket >= 0 and ends[bucket] < slots[bucket + 1]:
                    stays[ends[bucket]] = row
                    ends[bucket] += 1
    for row in range(rows):
        parents[row] = root(parents, row)
    return other, best, parents


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
