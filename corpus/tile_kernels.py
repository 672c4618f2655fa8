"""Compiled loops from the bytes of texts to lines, paragraphs and sentences (`corpus.kernels`)."""

import numba
import numpy as np
from numba import types

from corpus.kernels import INT32S, UINT8S, decode

_LOWER, _UPPER, _WHITE, _FULL, _ENDS, _POINTS, _CLOSES = 1, 2, 4, 8, 16, 32, 64
_LINE_FEED, _WRAPPED = 10, 60


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
        point, length = decode(data, at)
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
        point, length = decode(data, at)
        kind = classes[point] if point < len(classes) else np.uint8(0)
        if kind & _WHITE:
            feeds, wide = 0, width
            stopped = ended or full
            while at < end:
                point, length = decode(data, at)
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
