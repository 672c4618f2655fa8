"""Compiled loops from words to shingles, runs of words and keys of them (`corpus.kernels`)."""

import numba
import numpy as np
from numba import types

from corpus.kernels import FNV_BASIS, FNV_PRIME, INT64S, UINT32S, UINT64S, mix

ANSWER = np.uint64(1 << 63)


@numba.njit((UINT64S, INT64S, types.int64, types.boolean), cache=True, nogil=True)
def shingles(hashes, begins, size, answer):  # type: ignore[no-untyped-def]  # numba infers
    """Return each row's shingles of `size` words, in the order of its text; a shorter row is one shingle.

    A shingle is a multilinear hash of its words' (Carter and Wegman), mixed. The first bit of those of an answer is set,
    that of others is not.
    """
    rows = len(begins) - 1
    starts = np.zeros(rows + 1, np.int64)
    for row in range(rows):
        many = begins[row + 1] - begins[row]
        starts[row + 1] = starts[row] + (max(many - size + 1, 1) if many else 0)
    factors = np.empty(size, np.uint64)
    for word in range(size):
        factors[word] = mix(np.uint64(word + 1) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)
    side = ANSWER if answer else np.uint64(0)
    found = np.empty(starts[rows], np.uint64)
    for row in range(rows):
        some = hashes[begins[row] : begins[row + 1]]
        mine = found[starts[row] : starts[row + 1]]
        span = min(size, len(some))
        mine[:] = np.uint64(span)
        for word in range(span):  # all shingles of the row at once, so that the loop is one of vectors
            factor = factors[word]
            for at in range(len(mine)):
                mine[at] += some[at + word] * factor
        for at in range(len(mine)):
            mine[at] = (mix(mine[at]) & ~ANSWER) | side
    return found, starts


@numba.njit((UINT64S, INT64S, UINT64S, INT64S), cache=True, nogil=True)
def beside(one, one_starts, two, two_starts):  # type: ignore[no-untyped-def]  # numba infers
    """Put the values of each row of `two` behind those of `one`."""
    found = np.empty(len(one) + len(two), np.uint64)
    starts = one_starts + two_starts
    for row in range(len(starts) - 1):
        at, middle = starts[row], starts[row] + one_starts[row + 1] - one_starts[row]
        found[at:middle] = one[one_starts[row] : one_starts[row + 1]]
        found[middle : starts[row + 1]] = two[two_starts[row] : two_starts[row + 1]]
    return found, starts


@numba.njit((UINT64S, INT64S), cache=True, nogil=True)
def sequence_keys(hashes, begins):  # type: ignore[no-untyped-def]  # numba infers
    """Return a 128-bit key of each row's values in their order, uint64 of shape (rows, 2); zeros where there is none."""
    rows = len(begins) - 1
    keys = np.zeros((rows, 2), np.uint64)
    for row in range(rows):
        own = hashes[begins[row] : begins[row + 1]]
        one = two = np.uint64(len(own))
        place = np.uint64(0)
        for value in own:  # no step waits for the one before
            place += np.uint64(0x9E3779B97F4A7C15)
            one += mix(value ^ place)
            two += mix(value * FNV_PRIME + place)
        if len(own):
            keys[row, 0], keys[row, 1] = mix(one), mix(two ^ FNV_BASIS)
    return keys


@numba.njit(cache=True, inline="always")
def _folded(value):  # type: ignore[no-untyped-def]  # numba infers
    """Return 32 bits of 64."""
    return np.uint32(value >> np.uint64(32)) ^ np.uint32(value & np.uint64(0xFFFFFFFF))


@numba.njit(cache=True, inline="always")
def _hashed(value, offset, multiplier):  # type: ignore[no-untyped-def]  # numba infers
    """Hash 32 bits by one function of a family."""
    found = np.uint32((value ^ offset) * multiplier)
    return np.uint32((found ^ (found >> np.uint32(15))) * np.uint32(0x2C1B3C6D))


@numba.njit((UINT64S, INT64S, UINT32S, UINT32S, types.int64), cache=True, nogil=True)
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
        last = starts[row + 1] - 1
        if starts[row] > last:
            continue
        least[:] = np.uint32(0xFFFFFFFF)
        for at in range(
            starts[row], last + 1, 4
        ):  # the last one again where there are no four: least stays least
            one, two = _folded(found[at]), _folded(found[min(at + 1, last)])
            three, four = _folded(found[min(at + 2, last)]), _folded(found[min(at + 3, last)])
            for which in range(hashes):
                offset, multiplier = offsets[which], multipliers[which]
                left = min(_hashed(one, offset, multiplier), _hashed(two, offset, multiplier))
                right = min(_hashed(three, offset, multiplier), _hashed(four, offset, multiplier))
                least[which] = min(least[which], left, right)
        for band in range(bands):
            value = np.uint64(band + 1)
            for which in range(band * each, (band + 1) * each):
                value = mix(value ^ np.uint64(least[which])) + np.uint64(0x9E3779B97F4A7C15)
            keys[row, band] = value if value != 0 else np.uint64(1)
    return keys


@numba.njit((UINT64S, INT64S, types.int64), cache=True, nogil=True)
def grams(hashes, begins, size):  # type: ignore[no-untyped-def]  # numba infers
    """Return a 128-bit key of each run of `size` values of each row (uint64, (runs, 2)), and where each row's begin.

    Keys of runs of 2, 4, 8 and so on are made of two of half the length, the last of two that overlap.
    """
    rows = len(begins) - 1
    starts = np.zeros(rows + 1, np.int64)
    most = 0
    for row in range(rows):
        count = begins[row + 1] - begins[row]
        starts[row + 1] = starts[row] + max(count - size + 1, 0)
        most = max(most, count)
    found = np.empty((starts[rows], 2), np.uint64)
    lane = np.empty(most, np.uint64)
    for which in range(2):
        salt = np.uint64(0x9E3779B97F4A7C15) if which == 0 else np.uint64(0xD6E8FEB86659FD93)
        for row in range(rows):
            first, count = begins[row], begins[row + 1] - begins[row]
            if count < size:
                continue
            for at in range(count):
                lane[at] = mix(hashes[first + at] ^ salt)
            length = 1
            while 2 * length <= size:
                for at in range(count - 2 * length + 1):
                    lane[at] = mix(lane[at] * np.uint64(3) + lane[at + length] + salt)
                length *= 2
            for at in range(count - size + 1):
                value = lane[at]
                if length < size:
                    value = mix(value * np.uint64(3) + lane[at + size - length] + salt)
                found[starts[row] + at, which] = value
    return found, starts


@numba.njit((UINT64S, INT64S, types.int64), cache=True, nogil=True)
def anchors(keys, begins, window):  # type: ignore[no-untyped-def]  # numba infers
    """Return the least key of each `window` keys that follow one another, once a place (winnowing, Schleimer et al. 2003).

    Rows that have `window` keys in common, one after another, have an anchor in common. A row of fewer has none.
    """
    rows = len(begins) - 1
    found = np.empty(len(keys), np.uint64)
    starts = np.zeros(rows + 1, np.int64)
    count = 0
    for row in range(rows):
        first, last = begins[row], begins[row + 1]
        least = -1
        for end in range(first + window, last + 1):
            start, before = end - window, least
            if least < start:
                least = start
                for at in range(start + 1, end):
                    if keys[at] <= keys[least]:
                        least = at
            elif keys[end - 1] <= keys[least]:
                least = end - 1
            if least != before:
                found[count] = keys[least]
                count += 1
        starts[row + 1] = count
    return found[:count].copy(), starts
