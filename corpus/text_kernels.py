"""Compiled loops from the bytes of texts to words, tiles, shingles and keys. Imported only where they are called: numba is heavy.

The signatures are given, so that importing this module loads what was compiled before: a fork server that
has it imported lends it to every worker. Arrays are C-contiguous and may be read-only.
"""

import numba
import numpy as np
from numba import types

_SPACE, _WORD, _ALONE, _SILENT, _MARK, _UNFOLDS, _SIGN = 0, 1, 2, 3, 4, 5, 6
_OPERATOR, _POINT, _BLANK, _OTHER = 10, 11, 12, 13
_FNV_BASIS, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_IDEOGRAPHS_END, _VARIANTS = 0x40000, 0xE0100
_LOWER, _UPPER, _WHITE, _FULL, _ENDS, _POINTS, _CLOSES = 1, 2, 4, 8, 16, 32, 64
_LINE_FEED, _WRAPPED = 10, 60


def array(kind: types.Type, dimensions: int = 1) -> types.Array:
    """Return the type of an array that a compiled loop reads."""
    return types.Array(kind, dimensions, "C", readonly=True)


UINT8S, BOOLS = array(types.uint8), array(types.boolean)
INT32S, UINT32S = array(types.int32), array(types.uint32)
INT64S, UINT64S = array(types.int64), array(types.uint64)
ANSWER = np.uint64(1 << 63)


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


@numba.njit(
    (INT32S, UINT8S, UINT8S, UINT32S, array(types.uint32, 2), types.boolean, types.boolean),
    cache=True,
    nogil=True,
)
def words(offsets, data, kinds, folded, more, signs, marks):  # type: ignore[no-untyped-def]  # numba infers
    """Hash every word of every text; see `corpus.text.word_hashes`."""
    rows = len(offsets) - 1
    hashes = np.empty(offsets[rows] - offsets[0], np.uint64)
    begins = np.zeros(rows + 1, np.int64)
    count = 0
    for row in range(rows):
        begins[row] = count
        at, end = offsets[row], offsets[row + 1]
        value, inside, last = (
            _FNV_BASIS,
            False,
            np.uint32(0),
        )  # `last`: the sign before, if no word is between
        while at < end:
            point, length = _decode(data, at)
            at += length
            if point < len(kinds):
                kind = kinds[point]
            else:
                kind = np.uint8(_ALONE) if point < _IDEOGRAPHS_END else np.uint8(_SPACE)
                if _VARIANTS <= point < _VARIANTS + 240:
                    kind = np.uint8(_SILENT)
            if kind in (_WORD, _UNFOLDS):
                value, inside, last = (value ^ np.uint64(folded[point])) * _FNV_PRIME, True, np.uint32(0)
                if kind == _UNFOLDS:  # one letter whose folded form has two or three: ß is ss
                    for letter in more[point]:
                        if letter:
                            value = (value ^ np.uint64(letter)) * _FNV_PRIME
            elif kind != _SILENT:
                if inside:
                    hashes[count] = _mix(value)
                    count += 1
                    value, inside = _FNV_BASIS, False
                if kind == _ALONE or (kind == _SIGN and signs and point != last):
                    hashes[count] = _mix((_FNV_BASIS ^ np.uint64(point)) * _FNV_PRIME)
                    count += 1
                    last = np.uint32(point) if kind == _SIGN else np.uint32(0)
        if inside:
            hashes[count] = _mix(value)
            count += 1
        if marks and count == begins[row]:
            at = offsets[row]
            while at < end:
                point, length = _decode(data, at)
                at += length
                if point < len(kinds) and kinds[point] != _SPACE and kinds[point] != _SIGN:
                    hashes[count] = _mix((_FNV_BASIS ^ np.uint64(point)) * _FNV_PRIME)
                    count += 1
    begins[rows] = count
    return hashes[:count].copy(), begins


@numba.njit((INT32S, UINT8S, UINT8S), cache=True, nogil=True)
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


@numba.njit((UINT64S, INT64S, types.int64, types.boolean), cache=True, nogil=True)
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
            found[count] = value | ANSWER if answer else value & ~ANSWER
            count += 1
        starts[row + 1] = count
    return found[:count].copy(), starts


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
        if begins[row] == begins[row + 1]:
            continue
        one, two = _FNV_BASIS, np.uint64(begins[row + 1] - begins[row])
        for at in range(begins[row], begins[row + 1]):
            one = _mix(one ^ hashes[at]) + np.uint64(0x9E3779B97F4A7C15)
            two = _mix(two + hashes[at] * _FNV_PRIME) ^ np.uint64(0xD6E8FEB86659FD93)
        keys[row, 0], keys[row, 1] = one, two
    return keys


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


@numba.njit(cache=True, inline="always")
def _line(data, at, end):  # type: ignore[no-untyped-def]  # numba infers
    """Return where the line ends that begins at `at`, its line feed included."""
    while at < end and data[at] != _LINE_FEED:
        at += 1
    return min(at + 1, end)


@numba.njit(cache=True, inline="always")
def _blank(data, at, end, classes):  # type: ignore[no-untyped-def]  # numba infers
    """Say whether there is nothing but white space between two places."""
    while at < end:
        point, length = _decode(data, at)
        if point >= len(classes) or not classes[point] & _WHITE:
            return False
        at += length
    return True


@numba.njit(cache=True, inline="always")
def _paragraph(data, at, end, classes):  # type: ignore[no-untyped-def]  # numba infers
    """Return where the paragraph ends that begins at `at`, the blank lines around it included."""
    said = parted = False
    while at < end:
        stop = _line(data, at, end)
        blank = _blank(data, at, stop, classes)
        if not blank and parted:
            break
        said = said or not blank
        parted = said and blank
        at = stop
    return at


@numba.njit(cache=True, inline="always")
def _sentence(data, at, end, classes):  # type: ignore[no-untyped-def]  # numba infers
    """Return where the sentence ends that begins at `at`, white space behind it included; see `corpus.tiles`."""
    said = ended = full = False  # whether something was seen, a sentence ended here, it needs no space
    leads = True  # whether no letter was seen
    run, upper, width = (
        0,
        False,
        0,
    )  # letters in the word, whether it has a capital first, characters in the line
    while at < end:
        point, length = _decode(data, at)
        kind = classes[point] if point < len(classes) else np.uint8(0)
        if kind & _WHITE:
            feeds, wide = 0, width
            stopped = ended or full
            while at < end:
                point, length = _decode(data, at)
                if point >= len(classes) or not classes[point] & _WHITE:
                    break
                feeds += point == _LINE_FEED
                width = 0 if point == _LINE_FEED else width + 1
                at += length
            goes_on = at < end and point < len(classes) and classes[point] & _LOWER
            if said and (feeds > 1 or full or ((stopped or (feeds and wide < _WRAPPED)) and not goes_on)):
                return at
            ended = full = False
            run, upper = 0, False
            continue
        if full and not kind & (_CLOSES | _FULL):
            return at
        if kind & _FULL:
            full = True
        elif kind & _ENDS:
            ended = True
        elif kind & _POINTS:  # not behind a number that leads, an initial or a short title: 3. J. Dr.
            ended = ended or run > 3 or (run > 1 and not upper) or (run == 0 and not leads)
        elif not kind & _CLOSES:
            ended = False
        if kind & (_LOWER | _UPPER) or point >= len(classes):
            upper = bool(kind & _UPPER) if run == 0 else upper
            run, leads = run + 1, False
        elif not kind & (_POINTS | _CLOSES):
            run, upper = 0, False
        said = True
        width += 1
        at += length
    return at


@numba.njit((INT32S, UINT8S, UINT8S, types.int64), cache=True, nogil=True)
def tiles(offsets, data, classes, unit):  # type: ignore[no-untyped-def]  # numba infers
    """Return where the tiles of all texts begin (int32, and the end of the last), and how many each text has (int64).

    A tile is a line (`unit` 0), a paragraph (1) or a sentence (2) with all that lies before the next one.
    """
    rows = len(offsets) - 1
    counts = np.zeros(rows, np.int64)
    found = np.empty(0, np.int32)
    for fills in range(2):
        total = 0
        for row in range(rows):
            at, end = offsets[row], offsets[row + 1]
            first = total
            while at < end:
                if fills:
                    found[total] = at
                total += 1
                if unit == 0:
                    at = _line(data, at, end)
                elif unit == 1:
                    at = _paragraph(data, at, end, classes)
                else:
                    at = _sentence(data, at, end, classes)
            counts[row] = total - first
        if not fills:
            found = np.empty(total + 1, np.int32)
    found[total] = offsets[rows]
    return found, counts


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
                lane[at] = _mix(hashes[first + at] ^ salt)
            length = 1
            while 2 * length <= size:
                for at in range(count - 2 * length + 1):
                    lane[at] = _mix(lane[at] * np.uint64(3) + lane[at + length] + salt)
                length *= 2
            for at in range(count - size + 1):
                value = lane[at]
                if length < size:
                    value = _mix(value * np.uint64(3) + lane[at + size - length] + salt)
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
