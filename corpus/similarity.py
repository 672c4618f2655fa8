"""Which rows are alike: hashing proposes, exact similarity decides, the better row stays.

Shared by the duplicates stages and by admission. Rows of the same words are settled by a key of these. Of the others
the bands (`corpus.shingles`) make components, one band in memory at a time; each component is settled on its own, over
the sets of its rows, which wait on disk where they are many.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from corpus import survival
from corpus.arrays import pairs, whole
from corpus.shingles import Bands, ShingleSets, band_keys
from corpus.spill import Spill
from corpus.stage import Features, Rows

SMALL = 64
"""In a component of so many rows or fewer each is compared with all that stay, in a larger one with those that can be alike."""
VISITS = 2_048
"""Rows that are looked up for one of a large component; bounds the work where many share what is rarest in them."""
COMPARED = 640
"""Rows with which one of a large component is compared: of more that can be alike, those that share most that is rare."""
BATCH_ROWS = 50_000
"""Rows that are settled at a time, or one component."""


@dataclass(frozen=True)
class Settled:
    """Of the rows judged: the row each fell against (-1: it stays), the likeness met, the family's first row."""

    other: np.ndarray
    likeness: np.ndarray
    family: np.ndarray


class Order(Protocol):
    """What decides between rows; both answer for the rows at positions."""

    def rank(self, positions: np.ndarray) -> np.ndarray:
        """Return the survivor order (0 is best) among these rows; rows that never fall come first."""

    def classes(self, positions: np.ndarray) -> np.ndarray:
        """Return a number for each row; alike rows of unlike numbers are kin, not duplicates."""


def settle(
    features: Features,
    rows: Rows,
    size: int,
    order: Order,
    threshold: float,
    *,
    fixed: np.ndarray,
    among: np.ndarray | None = None,
    kin: np.ndarray | None = None,
    keep: int = 1,
) -> Settled:
    """Drop each row that is at least `threshold` alike a better row that stays and with which it was compared.

    `features` has what `corpus.shingles.measured` returned for shingles of `size` words and the bands of `threshold`.
    Rows that are `fixed` never fall; those that are not `among` the judged (bool) are left out. Rows of one number in `kin`
    (int, negative where a row has none) may be alike as long as they have not the same words. With `keep` over 1 a row
    falls where so many alike rows stay; copies of the same words fall as ever.
    """
    count = len(fixed)
    kin = np.full(count, -1) if kin is None else kin
    judged = np.ones(count, bool) if among is None else among
    asked = judged & ~fixed
    of = same_words(features, judged, asked, order)
    single = judged & (of == np.arange(count))
    shape = Bands.at(threshold)
    parents = components(features, single, asked, shape)
    near = np.flatnonzero(np.bincount(parents, minlength=count)[parents] > 1)
    component = parents[near]
    del parents
    found = Settled(np.full(count, -1), np.full(count, np.nan), np.arange(count))
    for part in _settled(rows, near, component, size, order, threshold, fixed, kin, keep):
        positions, other, likeness, family = part
        found.other[positions], found.likeness[positions], found.family[positions] = other, likeness, family
    copies = np.flatnonzero(of != np.arange(count))
    model = of[copies]
    stays = found.other[model] < 0
    found.other[copies] = np.where(stays, model, found.other[model])
    found.likeness[copies] = np.where(stays, 1.0, found.likeness[model])
    found.family[copies] = found.family[model]
    return found


def same_words(features: Features, judged: np.ndarray, asked: np.ndarray, order: Order) -> np.ndarray:
    """Return for each row the best row of its words and class, or itself: where it may not fall, or has no equal."""
    from corpus import set_kernels

    said = _filled(features, "said", np.empty((len(judged), 2), np.uint64))
    high, low = said[:, 0], said[:, 1]
    high[~judged] = 0
    high = np.ascontiguousarray(high)
    met = set_kernels.may_meet(high, asked, _bits(asked))
    of = np.arange(len(asked))
    best = survival.best(order.rank(met), high[met], low[met], order.classes(met))
    of[met] = np.where(asked[met], met[best], met)
    return of


def components(features: Features, single: np.ndarray, asked: np.ndarray, shape: Bands) -> np.ndarray:
    """Return for each row the first row of its component: rows that share a band with one that is asked."""
    from corpus import set_kernels

    parents = np.arange(len(single))
    bits = _bits(asked)
    among = asked & single

    def links(name: str) -> tuple[np.ndarray, np.ndarray]:
        keys = _filled(features, name, np.empty(len(single), np.uint64))
        keys[~single] = 0
        met = set_kernels.may_meet(keys, among, bits)
        met = met[np.argsort(keys[met], kind="stable")]
        same = keys[met[1:]] == keys[met[:-1]]
        run = np.cumsum(np.r_[True, ~same]) - 1 if len(met) else np.zeros(0, np.int64)
        some = np.bincount(run, among[met]) > 0
        linked = same & some[run[1:]]
        return met[:-1][linked], met[1:][linked]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for ones, others in pool.map(links, shape.names):
            set_kernels.unite(parents, ones, others)
    set_kernels.flatten(parents)
    return parents


def _filled(features: Features, name: str, column: np.ndarray) -> np.ndarray:
    """Read a column of keys into `column`, part by part, so that it is there once."""
    start = 0
    for part in features.stream(name):
        column[start : start + len(part)] = pairs(part) if column.ndim == 2 else part.to_numpy()
        start += len(part)
    assert start == len(column), "features are aligned with the rows"
    return column


def _bits(asked: np.ndarray) -> int:
    """Return how many bits of a key tell `asked` rows apart well enough: sixteen slots for each."""
    return max(10, int(16 * asked.sum()).bit_length())


_Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _settled(
    rows: Rows,
    near: np.ndarray,
    component: np.ndarray,
    size: int,
    order: Order,
    threshold: float,
    fixed: np.ndarray,
    kin: np.ndarray,
    keep: int,
) -> Iterator[_Part]:
    """Yield batch by batch the positions of rows, and what `Settled` says of them."""
    if not len(near):
        return
    rank, classes = order.rank(near), order.classes(near)
    by = np.lexsort((rank, component))
    new = np.r_[True, component[by][1:] != component[by][:-1]]
    first = np.flatnonzero(new)
    starts = first[np.r_[True, first[1:] // BATCH_ROWS != first[:-1] // BATCH_ROWS]]
    batch = np.empty(len(near), np.int64)
    batch[by] = np.searchsorted(starts, np.arange(len(by)), side="right") - 1

    with ExitStack() as held, ThreadPoolExecutor(os.cpu_count()) as pool:
        sets = Spill(held.enter_context(rows.scratch()), rows.memory)
        done = 0
        for found in rows.stream(ShingleSets(size), near):
            sets.put(batch[done : done + len(found)], pa.record_batch({"sets": found}))
            done += len(found)

        def one(number: int) -> _Part:
            mine = np.flatnonzero(batch == number)
            inner = np.lexsort((rank[mine], component[mine]))
            mine = mine[inner]
            shingles = whole(sets.take(number)["sets"]).take(pa.array(inner))
            other, likeness, family = _batch(
                shingles.values.to_numpy(),
                shingles.offsets.to_numpy(),
                component[mine],
                fixed[near[mine]],
                classes[mine],
                kin[near[mine]],
                threshold,
                keep,
            )
            at = near[mine]
            return at, np.where(other >= 0, at[other], -1), likeness, at[family]

        yield from pool.map(one, range(len(starts)))


def _batch(
    found: np.ndarray,
    starts: np.ndarray,
    component: np.ndarray,
    fixed: np.ndarray,
    classes: np.ndarray,
    kin: np.ndarray,
    threshold: float,
    keep: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Settle whole components, which stand one after another, each in survivor order."""
    from corpus import settle_kernels

    shape = Bands.at(threshold)
    begins = np.flatnonzero(np.r_[True, component[1:] != component[:-1], True])
    large = np.flatnonzero(np.repeat(np.diff(begins) > SMALL, np.diff(begins)))
    first, last = (large[0], large[-1] + 1) if len(large) else (0, 0)
    bands = band_keys(found, starts[first : last + 1], shape) if last else np.empty((0, 0), np.uint64)
    most = max(COMPARED, keep)
    return settle_kernels.settle(  # type: ignore[no-any-return]
        begins, SMALL, found, starts, bands, first, fixed, classes, kin, threshold, keep, VISITS, most
    )
