"""Compiled loops over vectors: which are alike, once a product of their first dimensions has not ruled it out."""

import numba
import numpy as np
from numba import types

from corpus.kernels import BOOLS, INT64S, UINT64S, array
from corpus.set_kernels import root

_floats = array(types.float32)
_matrix = array(types.float32, 2)


@numba.njit(cache=True, inline="always", fastmath=False)
def _cosine(vectors, one, two):  # type: ignore[no-untyped-def]  # numba infers
    """Return the product of two rows, added up in the order of the dimensions: the same to the bit wherever it is made."""
    total = 0.0
    for at in range(vectors.shape[1]):
        total += np.float64(vectors[one, at]) * np.float64(vectors[two, at])
    return total


@numba.njit(cache=True)
def _grown(values, room):  # type: ignore[no-untyped-def]  # numba infers
    found = np.empty(room, values.dtype)
    found[: len(values)] = values
    return found


@numba.njit(
    (_matrix, _matrix, _matrix, _floats, UINT64S, INT64S, INT64S, types.float64), cache=True, nogil=True
)
def alike(vectors, answers, products, rest, apart, rows, others, threshold):  # type: ignore[no-untyped-def]  # numba infers
    """Return the pairs that are `threshold` alike or more: places in `rows` and in `others` before them, and their cosine.

    Rows of unlike `apart` are left out.
    `products` (rows, others) are those of the first dimensions, `rest` the length of each vector in the other ones:
    the product of two lengths is the most that these can add (Cauchy and Schwarz). Where there are `answers`, vectors of
    their own, the lesser cosine of a pair counts.
    """
    room = 1024
    ones, twos, found = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.float64)
    count = 0
    for one in range(len(rows)):
        row = rows[one]
        for two in range(len(others)):
            if others[two] >= row or apart[row] != apart[others[two]]:
                continue
            if products[one, two] + rest[row] * rest[others[two]] < threshold - 1e-4:
                continue
            cosine = _cosine(vectors, row, others[two])
            if cosine >= threshold and len(answers):
                cosine = min(cosine, _cosine(answers, row, others[two]))
            if cosine < threshold:
                continue
            if count == room:
                room *= 2
                ones, twos, found = _grown(ones, room), _grown(twos, room), _grown(found, room)
            ones[count], twos[count], found[count] = one, two, cosine
            count += 1
    return ones[:count].copy(), twos[:count].copy(), found[:count].copy()


@numba.njit(
    (
        INT64S,
        INT64S,
        array(types.float64),
        INT64S,
        BOOLS,
        types.Array(types.int64, 1, "C"),
        types.Array(types.float64, 1, "C"),
        types.Array(types.int64, 1, "C"),
    ),
    cache=True,
    nogil=True,
)
def fall(ones, twos, cosines, classes, fixed, other, best, parents):  # type: ignore[no-untyped-def]  # numba infers
    """Let rows fall against the most alike of the rows before them that stay, the first of equal ones.

    Of a pair `twos` comes before `ones` in survivor order, and pairs are ordered by `ones` where one of `twos` may yet
    fall. Rows of unlike `classes` are kin. Writes `other` (-1: stays), `best`, and the forest `parents`, where kin is united.
    """
    for at in range(len(ones)):
        one, two = ones[at], twos[at]
        if other[two] >= 0:
            continue
        first, second = root(parents, one), root(parents, two)
        parents[max(first, second)] = min(first, second)
        if fixed[one] or classes[one] != classes[two]:
            continue
        if other[one] < 0 or cosines[at] > best[one] or (cosines[at] == best[one] and two < other[one]):
            other[one], best[one] = two, cosines[at]


@numba.njit((_matrix, _matrix), cache=True, nogil=True)
def nearest(vectors, others):  # type: ignore[no-untyped-def]  # numba infers
    """Return for each vector the first of the most alike of `others` (of which there is one), and their cosine."""
    at = np.zeros(len(vectors), np.int64)
    best = np.full(len(vectors), -2.0)
    for row in range(len(vectors)):
        for other in range(len(others)):
            total = 0.0
            for place in range(vectors.shape[1]):
                total += np.float64(vectors[row, place]) * np.float64(others[other, place])
            if total > best[row]:
                at[row], best[row] = other, total
    return at, best
