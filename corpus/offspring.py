"""What was grown from a row falls with it, whichever stage drops it."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import whole
from corpus.standing import Standing
from corpus.verdict import Verdict


def parents(standing: Standing) -> np.ndarray:
    """Return where the row stands from which each row was grown (-1 of all others); empty where nothing was grown."""
    named = standing.narrow["parent"]
    if named.null_count == len(named):
        return np.zeros(0, np.int64)
    where = pc.index_in(whole(named), whole(standing.narrow["id"]))
    found: np.ndarray = pc.if_else(named.is_valid(), where, None).fill_null(-1).to_numpy().astype(np.int64)
    return found


def with_children(verdict: Verdict, spread: np.ndarray, parents: np.ndarray, stands: np.ndarray) -> Verdict:
    """Drop what was grown from rows that are dropped, with its own offspring: `parent_dropped`, and `other` is the parent."""
    gone = np.zeros(len(stands), bool)
    gone[spread[verdict.says("drop")]] = True
    orphans = np.zeros(len(stands), bool)
    while len(parents) and (new := stands & ~gone & (parents >= 0) & gone[parents]).any():
        gone |= new
        orphans |= new
    if not orphans.any():
        return verdict
    at = np.full(len(stands), -1)
    at[spread] = np.arange(len(spread))
    mine = orphans[spread]
    other = pa.array(at[parents[spread]], mask=~mine)
    dropped = Verdict.where(mine, "parent_dropped", other=other) | verdict
    return replace(dropped, measured=verdict.measured, scores=verdict.scores)
