"""Compiled loops over the characters of pairs of texts.

As in `corpus.kernels` the signatures are given, and arrays are C-contiguous.
"""

import numba
import numpy as np
from numba import types

from corpus.kernels import INT64S, UINT32S

_CODES = 1 << 21
"""More than there are code points, so that a run's number and one character more are one key."""


@numba.njit((UINT32S, INT64S, types.int64), cache=True, nogil=True)
def shared(codes, begins, most):  # type: ignore[no-untyped-def]  # numba infers
    """Return for each pair of texts, one behind the other, how many runs of 1 to `most` characters both have, each as often as both.

    (pairs, most) int64. Runs of one length are numbered by those of the length before and one character more, so no two
    are taken for one.
    """
    pairs = (len(begins) - 1) // 2
    found = np.zeros((pairs, most), np.int64)
    for pair in range(pairs):
        first, middle, last = begins[2 * pair], begins[2 * pair + 1], begins[2 * pair + 2]
        number = np.zeros(last - first, np.int64)
        keys, places = np.empty(last - first, np.int64), np.empty(last - first, np.int64)
        for order in range(most):
            count = 0
            for at in range(first, last):
                if at + order < (middle if at < middle else last):
                    keys[count] = number[at - first] * _CODES + codes[at + order]
                    places[count] = at
                    count += 1
            ascending = np.argsort(keys[:count])
            mine = theirs = run = 0
            for at in range(count):
                here = ascending[at]
                if at and keys[here] != keys[ascending[at - 1]]:
                    found[pair, order] += min(mine, theirs)
                    mine = theirs = 0
                    run += 1
                number[places[here] - first] = run
                if places[here] < middle:
                    mine += 1
                else:
                    theirs += 1
            found[pair, order] += min(mine, theirs)
    return found
