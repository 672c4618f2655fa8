"""Some rows compared with all rows by their sets of shingles: no hash functions, no bands."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.runner import Progress, silent
from corpus.shingles import ShingleSets
from flows.judged import Judged

_ANSWER = np.uint64(1 << 63)


@dataclass(frozen=True)
class Pairs:
    """Pairs of a sampled row and another that share a shingle: positions among the judged, and their similarity."""

    sampled: np.ndarray
    one: np.ndarray
    two: np.ndarray
    alike: np.ndarray


def alike(judged: Judged, sampled: np.ndarray, least: float, progress: Progress = silent) -> Pairs:
    """Return the pairs, `least` alike or more, of sampled rows with all rows, through an index of the sampled rows' shingles."""
    size = ShingleSets(judged.stage.shingle_words)
    held = list(judged.rows.stream(size, sampled)) if len(sampled) else []
    sets = [one.values.to_numpy() for part in held for one in each(part)]
    owners = np.repeat(np.arange(len(sets)), [len(one) for one in sets])
    keys = np.concatenate([np.zeros(0, np.uint64), *sets])
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    sizes = np.array([[(one < _ANSWER).sum(), (one >= _ANSWER).sum()] for one in sets]).reshape(-1, 2)
    ones, twos, alikes = [], [], []
    everybody = np.arange(len(judged.positions))
    start = 0
    for part in judged.rows.stream(size, everybody) if len(everybody) else ():
        for at, lists in enumerate(each(part), start):
            found = lists.values.to_numpy()
            first, last = np.searchsorted(keys, found), np.searchsorted(keys, found, side="right")
            counts = last - first
            if not counts.any():
                continue
            where = (
                np.repeat(first, counts)
                + np.arange(counts.sum())
                - np.repeat(np.cumsum(counts) - counts, counts)
            )
            answer = np.repeat(found >= _ANSWER, counts).astype(np.int64)
            common = np.zeros((len(sets), 2), np.int64)
            np.add.at(common, (owners[where], answer), 1)
            met = np.flatnonzero(common.any(axis=1))
            own = np.array([(found < _ANSWER).sum(), (found >= _ANSWER).sum()])
            union = sizes[met] + own - common[met]
            share = np.where(union > 0, common[met] / np.maximum(union, 1), 1.0).min(axis=1)
            some = (share >= least) & (sampled[met] != at)
            ones.append(sampled[met[some]])
            twos.append(np.full(int(some.sum()), at))
            alikes.append(share[some])
        start += len(part)
        progress("comparing", start, len(everybody))
    none = np.zeros(0, np.int64)
    return Pairs(
        sampled,
        np.concatenate([none, *ones]),
        np.concatenate([none, *twos]),
        np.concatenate([np.zeros(0), *alikes]),
    )


def each(lists: pa.LargeListArray) -> list[Any]:
    """Return the sets of rows one by one."""
    return [lists[at] for at in range(len(lists))]


def jaccard(one: np.ndarray, two: np.ndarray) -> float:
    """Return the similarity of two rows: of what is asked or of what is answered, where that is less."""
    found = []
    for answer in (False, True):
        mine, theirs = one[(one >= _ANSWER) == answer], two[(two >= _ANSWER) == answer]
        union = len(np.union1d(mine, theirs))
        found.append(len(np.intersect1d(mine, theirs)) / union if union else 1.0)
    return min(found)
