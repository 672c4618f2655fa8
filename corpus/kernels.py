"""Compiled loops over Arrow buffers and flat arrays. Imported only where they are called: numba is heavy.

The signatures are given, so that importing this module loads what was compiled before: a fork server that
has it imported lends it to every worker. Arrays are C-contiguous and may be read-only.
"""

import numba
import numpy as np
from numba import types

_SPACE, _WORD, _ALONE, _APOSTROPHE, _SYMBOL = 0, 1, 2, 3, 4
_OPERATOR, _POINT, _BLANK, _OTHER = 10, 11, 12, 13
_FNV_BASIS, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_IDEOGRAPHS_END = 0x40000


def _array(kind: types.Type, dimensions: int = 1) -> types.Array:
    return types.Array(kind, dimensions, "C", readonly=True)


_uint8s, _bools = _array(types.uint8), _array(types.boolean)
_int32s, _uint32s = _array(types.int32), _array(types.uint32)
_int64s, _uint64s = _array(types.int64), _array(types.uint64)
_parents = types.Array(types.int64, 1, "C")
_ANSWER = np.uint64(1 << 63)


@numba.njit(cache=True, inline="always")
def _mix(value):  # type: ignore[no-untyped-def]  # numba infers
    """Finish a 64-bit hash (splitmix64)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(cache=True, inline="always")
def _decode(data, at):  # type: ignore[no-untyped-def]  # numba infers
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


@numba.njit((_int32s, _uint8s, _uint8s, _uint32s, types.boolean), cache=True, nogil=True)
def words(offsets, data, kinds, folded, symbols):  # type: ignore[no-untyped-def]  # numba infers
    """Hash every word of every text; see `corpus.text.word_hashes`."""
    rows = len(offsets) - 1
    hashes = np.empty(offsets[rows] - offsets[0], np.uint64)
    begins = np.zeros(rows + 1, np.int64)
    count = 0
    for row in range(rows):
        begins[row] = count
        at, end = offsets[row], offsets[row + 1]
        value, inside = _FNV_BASIS, False
        while at < end:
            point, length = _decode(data, at)
            at += length
            if point < len(kinds):
                kind, point = kinds[point], folded[point]
            else:
                kind = np.uint8(_ALONE) if point < _IDEOGRAPHS_END else np.uint8(_SPACE)
            if kind == _WORD:
                value, inside = (value ^ np.uint64(point)) * _FNV_PRIME, True
            elif kind != _APOSTROPHE:
                if inside:
                    hashes[count] = _mix(value)
                    count += 1
                    value, inside = _FNV_BASIS, False
                if kind == _ALONE:
                    hashes[count] = _mix((_FNV_BASIS ^ np.uint64(point)) * _FNV_PRIME)
                    count += 1
        if inside:
            hashes[count] = _mix(value)
            count += 1
        if symbols and count == begins[row]:
            at = offsets[row]
            while at < end:
                point, length = _decode(data, at)
                at += length
                if point < len(kinds) and kinds[point] != _SPACE:
                    hashes[count] = _mix((_FNV_BASIS ^ np.uint64(point)) * _FNV_PRIME)
                    count += 1
    begins[rows] = count
    return hashes[:count].copy(), begins


@numba.njit((_int32s, _uint8s, _uint8s), cache=True, nogil=True)
def numbers(offsets, data, kinds):  # type: ignore[no-untyped-def]  # numba infers
    """Hash the numbers of every text, in their order; see `corpus.text.number_keys`.

    `kinds` holds for each code point its digit's value, or what it is else (`corpus.text.OPERATOR` and its like).
    """
    rows = len(offsets) - 1
    keys = np.zeros(rows, np.uint64)
    for row in range(rows):
        at, end = offsets[row], offsets[row + 1]
        value, waiting, parted = np.uint64(0), np.uint64(0), np.uint64(0)
        inside = beside = False  # in a number; behind one, with spaces and operators at most between
        while at < end:
            point, length = _decode(data, at)
            at += length
            kind = kinds[point] if point < len(kinds) else np.uint8(_OTHER)
            if kind <= 9:
                if inside and parted != 0:
                    value = _mix(value ^ parted)
                elif not inside:
                    value = _mix((value ^ waiting) + np.uint64(0x9E3779B97F4A7C15))
                value = _mix(value ^ np.uint64(kind + 1))
                inside, beside, waiting, parted = True, True, np.uint64(0), np.uint64(0)
            elif kind == _POINT and inside and parted == 0:
                parted = np.uint64(point) << np.uint64(8)
            else:
                inside, parted = False, np.uint64(0)
                if kind == _OPERATOR:
                    told = _mix((np.uint64(point) << np.uint64(8)) + np.uint64(1))
                    if beside:
                        value = _mix(value ^ told)
                    else:
                        waiting = _mix(waiting ^ told)
                elif kind != _BLANK:
                    beside, waiting = False, np.uint64(0)
        keys[row] = value
    return keys


@numba.njit((_uint64s, _int64s, types.int64, types.boolean), cache=True, nogil=True)
def shingles(hashes, begins, size, answer):  # type: ignore[no-untyped-def]  # numba infers
    """Return each row's shingles of `size` words, in the order of its text; a shorter row is one shingle.

    The first bit of those of an answer is set, that of others is not.
    """
    rows = len(begins) - 1
    found = np.empty(len(hashes), np.uint64)
    starts = np.zeros(rows + 1, np.int64)
    count = 0
    for row in range(rows):
        first, last = begins[row], begins[row + 1]
        span = min(size, last - first)
        for at in range(first, last - span + 1 if span else first):
            value = np.uint64(span)
            for word in range(at, at + span):
                value = _mix(value ^ hashes[word]) + np.uint64(0x9E3779B97F4A7C15)
            found[count] = value | _ANSWER if answer else value & ~_ANSWER
            count += 1
        starts[row + 1] = count
    return found[:count].copy(), starts


@numba.njit((_uint64s, _int64s, _uint64s, _int64s), cache=True, nogil=True)
def beside(one, one_starts, two, two_starts):  # type: ignore[no-untyped-def]  # numba infers
    """Put the values of each row of `two` behind those of `one`."""
    found = np.empty(len(one) + len(two), np.uint64)
    starts = one_starts + two_starts
    for row in range(len(starts) - 1):
        at, middle = starts[row], starts[row] + one_starts[row + 1] - one_starts[row]
        found[at:middle] = one[one_starts[row] : one_starts[row + 1]]
        found[middle : starts[row + 1]] = two[two_starts[row] : two_starts[row + 1]]
    return found, starts


@numba.njit((_uint64s, _int64s), cache=True, nogil=True)
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


@numba.njit((_uint64s, _int64s, _uint32s, _uint32s, types.int64), cache=True, nogil=True)
def band_keys(found, starts, multipliers, offsets, bands):  # type: ignore[no-untyped-def]  # numba infers
    """Return MinHash-LSH band keys, uint64 of shape (rows, bands); a row without shingles has zeros.

    Each row's shingles may come in any order, and more than once.
    """
    rows = len(starts) - 1
    hashes = len(multipliers)
    each = hashes // bands
    keys = np.zeros((rows, bands), np.uint64)
    least = np.empty(hashes, np.uint32)
    for row in range(rows):
        if starts[row] == starts[row + 1]:
            continue
        least[:] = np.uint32(0xFFFFFFFF)
        for at in range(starts[row], starts[row + 1]):
            short = np.uint32(found[at] >> np.uint64(32)) ^ np.uint32(found[at] & np.uint64(0xFFFFFFFF))
            for which in range(hashes):
                hashed = np.uint32((short ^ offsets[which]) * multipliers[which])
                hashed = np.uint32((hashed ^ (hashed >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
                least[which] = min(least[which], hashed)
        for band in range(bands):
            value = np.uint64(band + 1)
            for which in range(band * each, (band + 1) * each):
                value = _mix(value ^ np.uint64(least[which])) + np.uint64(0x9E3779B97F4A7C15)
            keys[row, band] = value if value != 0 else np.uint64(1)
    return keys


@numba.njit((_uint64s, _int64s), cache=True, nogil=True)
def sequence_keys(hashes, begins):  # type: ignore[no-untyped-def]  # numba infers
    """Return a 128-bit key of each row's values in their order, uint64 of shape (rows, 2); zeros where there is none."""
    rows = len(begins) - 1
    keys = np.zeros((rows, 2), np.uint64)
    for row in range(rows):
        if begins[row] == begins[row + 1]:
            continue
        one, two = _FNV_BASIS, np.uint64(begins[row + 1] - begins[row])
        for at in range(begins[row], begins[row + 1]):
            one = _mix(one ^ hashes[at]) + np.uint64(0x9E3779B97F4A7C15)
            two = _mix(two + hashes[at] * _FNV_PRIME) ^ np.uint64(0xD6E8FEB86659FD93)
        keys[row, 0], keys[row, 1] = one, two
    return keys


@numba.njit((_uint64s, _bools, types.int64), cache=True, nogil=True)
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
def _root(parents, row):  # type: ignore[no-untyped-def]  # numba infers
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@numba.njit((_parents, _int64s, _int64s), cache=True, nogil=True)
def unite(parents, ones, others):  # type: ignore[no-untyped-def]  # numba infers
    """Unite rows in a forest whose roots are the first rows of their trees."""
    for at in range(len(ones)):
        one, two = _root(parents, ones[at]), _root(parents, others[at])
        parents[max(one, two)] = min(one, two)


@numba.njit((_parents,), cache=True, nogil=True)
def flatten(parents):  # type: ignore[no-untyped-def]  # numba infers
    """Let every row name its root."""
    for row in range(len(parents)):
        parents[row] = _root(parents, row)


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
        if found[middle] < _ANSWER:
            start = middle + 1
        else:
            end = middle
    return start


@numba.njit(
    (_array(types.int64, 2), _int64s, _uint64s, _int64s, _bools, _int64s, types.float64),
    cache=True,
    nogil=True,
)
def settle(buckets, slots, found, starts, fixed, classes, threshold):  # type: ignore[no-untyped-def]  # numba infers
    """Greedy removal in survivor order: rows come best first, and fall against rows that stay.

    `buckets` (rows, bands) holds for each row and band a bucket number, or -1 where nobody shares the band; the
    bucket `b` has room for `slots[b + 1] - slots[b]` rows.
    A row is compared with the first rows that stay in each of its buckets, as many as have room. It falls against the most
    similar of those at or over `threshold` that has its own class (`classes`, int64); those of another class
    are kin, not duplicates. A `fixed` row is not compared and never falls.

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
                        one, two = _root(parents, row), _root(parents, rival)
                        parents[max(one, two)] = min(one, two)
            if other[row] >= 0 and best[row] < threshold:
                other[row] = -1
        if other[row] < 0:
            for band in range(bands):
                bucket = buckets[row, band]
                if bucket >= 0 and ends[bucket] < slots[bucket + 1]:
                    stays[ends[bucket]] = row
                    ends[bucket] += 1
    for row in range(rows):
        parents[row] = _root(parents, row)
    return other, best, parents
