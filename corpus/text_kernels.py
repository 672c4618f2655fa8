"""Compiled loops from the bytes of texts to words and numbers (`corpus.kernels`)."""

import numba
import numpy as np
from numba import types

from corpus.kernels import FNV_BASIS, FNV_PRIME, INT32S, UINT8S, UINT32S, array, decode, mix

_SPACE, _WORD, _ALONE, _SILENT, _MARK, _UNFOLDS, _SIGN = 0, 1, 2, 3, 4, 5, 6
_OPERATOR, _POINT, _BLANK, _OTHER = 10, 11, 12, 13
_ONE = np.uintp(1)
_IDEOGRAPHS_END, _VARIANTS = 0x40000, 0xE0100


@numba.njit(cache=True, inline="always")
def _marks(data, at, end, kinds, hashes, count):  # type: ignore[no-untyped-def]  # numba infers
    """Put the hash of each punctuation mark behind `count` others; return how many there are then."""
    while at < end:
        point, length = decode(data, at)
        at += length
        if point < len(kinds) and kinds[point] != _SPACE and kinds[point] != _SIGN:
            hashes[count] = mix((FNV_BASIS ^ np.uint64(point)) * FNV_PRIME)
            count += 1
    return count


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
    plain = np.zeros(256, np.uint64)  # the folded form of what is both ASCII and part of a word
    for point in range(128):
        if kinds[point] == _WORD:
            plain[point] = folded[point]
    count = 0
    for row in range(rows):
        begins[row] = count
        at, end = np.uintp(offsets[row]), np.uintp(offsets[row + 1])
        value, inside = FNV_BASIS, False
        last = np.uint32(0)  # the sign before, if no word is between
        while at < end:
            letter = plain[data[at]]
            if letter:
                while letter:
                    value = (value ^ letter) * FNV_PRIME
                    at += _ONE
                    letter = plain[data[at]] if at < end else np.uint64(0)
                inside, last = True, np.uint32(0)
                if at == end:
                    break
            point, length = decode(data, at)
            at += np.uintp(length)
            if point < len(kinds):
                kind = kinds[point]
            else:
                kind = np.uint8(_ALONE) if point < _IDEOGRAPHS_END else np.uint8(_SPACE)
                if _VARIANTS <= point < _VARIANTS + 240:
                    kind = np.uint8(_SILENT)
            if kind in (_WORD, _UNFOLDS):
                value, inside, last = (value ^ np.uint64(folded[point])) * FNV_PRIME, True, np.uint32(0)
                if kind == _UNFOLDS:  # one letter whose folded form has two or three: ß is ss
                    for letter in more[point]:
                        if letter:
                            value = (value ^ np.uint64(letter)) * FNV_PRIME
            elif kind != _SILENT:
                if inside:
                    hashes[count] = mix(value)
                    count += 1
                    value, inside = FNV_BASIS, False
                if kind == _ALONE or (kind == _SIGN and signs and point != last):
                    hashes[count] = mix((FNV_BASIS ^ np.uint64(point)) * FNV_PRIME)
                    count += 1
                    last = np.uint32(point) if kind == _SIGN else np.uint32(0)
        if inside:
            hashes[count] = mix(value)
            count += 1
        if marks and count == begins[row]:
            count = _marks(data, offsets[row], offsets[row + 1], kinds, hashes, count)
    begins[rows] = count
    return hashes[:count], begins


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
            point, length = decode(data, at)
            at += length
            kind = kinds[point] if point < len(kinds) else np.uint8(_OTHER)
            if kind <= 9:
                if inside and parted != 0:
                    value = mix(value ^ parted)
                elif not inside:
                    value = mix((value ^ waiting) + np.uint64(0x9E3779B97F4A7C15))
                value = mix(value ^ np.uint64(kind + 1))
                inside, beside, waiting, parted = True, True, np.uint64(0), np.uint64(0)
            elif kind == _POINT and inside and parted == 0:
                parted = np.uint64(point) << np.uint64(8)
            else:
                inside, parted = False, np.uint64(0)
                if kind == _OPERATOR:
                    told = mix((np.uint64(point) << np.uint64(8)) + np.uint64(1))
                    if beside:
                        value = mix(value ^ told)
                    else:
                        waiting = mix(waiting ^ told)
                elif kind != _BLANK:
                    beside, waiting = False, np.uint64(0)
        keys[row] = value
    return keys
