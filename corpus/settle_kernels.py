"""Compiled greedy removal: rows come best first, and fall against rows that stay and with which they were compared.

In a small component each row is compared with all that stay, in a larger one with those that can be alike, by an index
of what is rare in them (prefixes and positions: Bayardo, Ma and Srikant 2007, "Scaling up all pairs similarity search";
Xiao et al. 2008, "Efficient similarity joins for near duplicate detection"). As in `corpus.kernels` the signatures are
given, and arrays are C-contiguous.
"""

from collections import namedtuple

import numba
import numpy as np
from numba import types

from corpus.kernels import BOOLS, INT64S, UINT64S, array
from corpus.set_kernels import root
from corpus.shingle_kernels import ANSWER

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""An odd number by which a value is multiplied so that its first bits tell it apart (Knuth 1998, section 6.4)."""
_SLACK = 1e-9
"""What a bound may be missed by: products of a threshold are not exact."""
_A_BAND = 64
"""Rows that are looked up for one by each of its bands."""

_Rows = namedtuple("_Rows", "found starts answers fixed classes kin parents")  # noqa: PYI024  # numba knows no other
_Asked = namedtuple("_Asked", "threshold keep visits most")  # noqa: PYI024  # numba knows no other


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


@numba.njit(cache=True, inline="always")
def _alike(rows, one, two):  # type: ignore[no-untyped-def]  # numba infers
    """Return how alike two rows are: as what is asked in them, or what is answered, where that is less."""
    found, starts, answers = rows.found, rows.starts, rows.answers
    alike = 1.0
    if answers[one] > starts[one] or answers[two] > starts[two]:
        alike = _jaccard(found, starts[one], answers[one], starts[two], answers[two])
    if answers[one] < starts[one + 1] or answers[two] < starts[two + 1]:
        alike = min(alike, _jaccard(found, answers[one], starts[one + 1], answers[two], starts[two + 1]))
    return alike


@numba.njit(cache=True, inline="always")
def _compared(rows, rivals, count, row, asked):  # type: ignore[no-untyped-def]  # numba infers
    """Compare a row with `count` rivals: return the most alike, of equals the best (-1: it stays), and the likeness met."""
    starts, classes, kin, parents = rows.starts, rows.classes, rows.kin, rows.parents
    other, best, met = -1, np.nan, 0
    size = starts[row + 1] - starts[row]
    for at in range(count):
        rival = rivals[at]
        if kin[row] >= 0 and kin[row] == kin[rival]:
            continue
        others = starts[rival + 1] - starts[rival]
        if min(size, others) / max(size, others) < asked.threshold:
            continue
        alike = _alike(rows, row, rival)
        same = classes[row] == classes[rival]
        if same and (not alike <= best or (alike == best and rival < other)):
            best, other = alike, rival
        if alike >= asked.threshold:
            met += same
            one, two = root(parents, row), root(parents, rival)
            parents[max(one, two)] = min(one, two)
    falls = other >= 0 and best >= asked.threshold and met >= asked.keep
    return other if falls else -1, best


@numba.njit(cache=True)
def _ranked(found, start, end, often, shift):  # type: ignore[no-untyped-def]  # numba infers
    """Return the values of a set in one order for all sets, the rare ones first; equal values are equal numbers."""
    ranked = np.empty(end - start, np.uint64)
    for at in range(start, end):
        times = min(np.uint64(often[found[at] * _SPREAD >> shift]), np.uint64(0xFFFFF))
        ranked[at - start] = (times << np.uint64(44)) | (found[at] >> np.uint64(20))
    ranked.sort()
    return ranked


@numba.njit(cache=True, inline="always")
def _looked_up(keys, banded, index, heads, shift, starts, met, row, asked, rivals):  # type: ignore[no-untyped-def]  # numba infers
    """Put into `rivals` the rows that share a key and can have enough in common; count them.

    The first `banded` keys are those of bands, the others the first values of the row's set. `met` holds for each row the
    last row that met it, and how many keys it shares.
    """
    count, left = 0, asked.visits
    size = starts[row + 1] - starts[row]
    share = asked.threshold / (1 + asked.threshold)
    for at in range(len(keys)):
        entry = heads[keys[at] * _SPREAD >> shift]
        room = _A_BAND if at < banded else left
        while entry >= 0 and room > 0:
            room -= 1
            left -= at >= banded
            rival = index[entry, 1]
            if index[entry, 0] == np.int64(keys[at]):
                others = starts[rival + 1] - starts[rival]
                # Of the first value that they share: all that they may share besides comes behind it in both.
                common = min(size, others)
                if at >= banded:
                    common = min(size - (at - banded), others - index[entry, 2])
                if met[rival, 0] == row:
                    met[rival, 1] += 1
                elif common >= share * (size + others) - _SLACK:
                    met[rival, 0], met[rival, 1] = row, 1
                    rivals[count] = rival
                    count += 1
            entry = index[entry, 3]
    return count


@numba.njit(cache=True, inline="always")
def _nearest(rivals, count, met, longest, most):  # type: ignore[no-untyped-def]  # numba infers
    """Bring the `most` rivals that share most keys, of at most `longest`, to the front, in the order they were met; count them."""
    if count <= most:
        return count
    tallies = np.zeros(longest + 1, np.int64)
    for at in range(count):
        tallies[met[rivals[at], 1]] += 1
    least, room = longest, most
    while tallies[least] <= room:
        room -= tallies[least]
        least -= 1
    kept = 0
    for at in range(count):
        rival = rivals[at]
        if met[rival, 1] > least or (met[rival, 1] == least and room > 0):
            room -= met[rival, 1] == least
            rivals[kept] = rival
            kept += 1
    return kept


@numba.njit(cache=True)
def _roomier(index, entries):  # type: ignore[no-untyped-def]  # numba infers
    """Return the index with room for twice as many entries and more."""
    more = np.empty((2 * len(index) + entries, 4), np.int64)
    more[: len(index)] = index
    return more


@numba.njit(cache=True)
def _small(first, last, rows, rivals, asked, other, best):  # type: ignore[no-untyped-def]  # numba infers
    """Settle a component in which each row is compared with all that stay."""
    standing = 0
    for row in range(first, last):
        if not rows.fixed[row]:
            other[row], best[row] = _compared(rows, rivals, standing, row, asked)
        if other[row] < 0:
            rivals[standing] = row
            standing += 1


@numba.njit(cache=True)
def _large(first, last, rows, bands, begin, rivals, met, asked, other, best):  # type: ignore[no-untyped-def]  # numba infers
    """Settle a component whose rows that stay are indexed: entries of (key, row, place, the next), newest first."""
    found, starts, banded = rows.found, rows.starts, bands.shape[1]
    bits = 4
    while bits < 22 and (1 << bits) < 8 * (last - first):
        bits += 1
    shift = np.uint64(64 - bits)
    often = np.zeros(1 << bits, np.uint32)
    for at in range(starts[first], starts[last]):
        often[found[at] * _SPREAD >> shift] += np.uint32(1)
    heads = np.full(1 << bits, -1, np.int64)
    index = np.empty((1024, 4), np.int64)
    entries = 0
    for row in range(first, last):
        size = starts[row + 1] - starts[row]
        ranked = _ranked(found, starts[row], starts[row + 1], often, shift)
        prefix = min(size, max(0, size - np.int64(np.ceil(asked.threshold * size - _SLACK)) + 1))
        keys = np.concatenate((bands[row - begin], ranked[:prefix]))
        if not rows.fixed[row]:
            count = _looked_up(keys, banded, index, heads, shift, starts, met, row, asked, rivals)
            count = _nearest(rivals, count, met, len(keys), asked.most)
            other[row], best[row] = _compared(rows, rivals, count, row, asked)
        if other[row] >= 0:
            continue
        if entries + len(keys) > len(index):
            index = _roomier(index, len(keys))
        for at in range(len(keys)):
            slot = keys[at] * _SPREAD >> shift
            index[entries, 0], index[entries, 1] = np.int64(keys[at]), row
            index[entries, 2], index[entries, 3] = at - banded, heads[slot]
            heads[slot] = entries
            entries += 1


@numba.njit(
    (
        INT64S,
        types.int64,
        UINT64S,
        INT64S,
        array(types.uint64, 2),
        types.int64,
        BOOLS,
        INT64S,
        INT64S,
        types.float64,
        *(types.int64,) * 3,
    ),
    cache=True,
    nogil=True,
)
def settle(  # type: ignore[no-untyped-def]  # numba infers
    components, small, found, starts, bands, begin, fixed, classes, kin, threshold, keep, visits, most
):
    """Settle the components that stand one after another, each in survivor order, from `components[c]` to the next.

    In one of at most `small` rows each is compared with all that stay. In a larger one with those that can be at or over
    `threshold`: rows that share a band (`bands`, keys of the rows from `begin` on), and rows that share one of the first
    values of their sets, the rare ones coming first in all, as sets so alike do; what lies behind the first that they
    share bounds what they have in common. At most `visits` rows are looked up for one by its values, the rarest first,
    and the `most` that share most keys are compared with it.
    A row falls where `keep` or more of those are at or over `threshold` and of its own class (`classes`, int64), against
    the most similar, of equals the best; those of another class are kin, not duplicates. A `fixed` row is not compared and never falls.
    Rows of one number in `kin` (int64) are not compared with each other, where it is not negative.

    Two rows are as alike as what is asked in them, or what is answered, where that is less: each has a set of its own.

    Returns for each row the row it fell against (-1: it stays), the highest similarity met among rows of
    its class, and a row of its family (a forest of parents).
    """
    count = len(starts) - 1
    other = np.full(count, -1, np.int64)
    best = np.full(count, np.nan, np.float64)
    rivals = np.empty(count, np.int64)
    met = np.full((count, 2), -1, np.int64)
    answers = np.empty(count, np.int64)
    for row in range(count):
        answers[row] = _answers(found, starts[row], starts[row + 1])
    rows = _Rows(found, starts, answers, fixed, classes, kin, np.arange(count))
    asked = _Asked(threshold, keep, visits, most)
    for at in range(len(components) - 1):
        first, last = components[at], components[at + 1]
        if last - first <= small:
            _small(first, last, rows, rivals, asked, other, best)
        else:
            _large(first, last, rows, bands, begin, rivals, met, asked, other, best)
    for row in range(count):
        rows.parents[row] = root(rows.parents, row)
    return other, best, rows.parents
