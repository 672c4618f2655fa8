"""Which id each record of a source gets: one that stays when files grow, are reordered or cut.

Of equal records without keys each has an ordinal; of the records under one key one has the id, the others are refused.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import ascending, hexadecimal, values
from corpus.known import Known
from corpus.schema import UserError
from corpus.versions.forgotten import Forgotten


@dataclass(frozen=True)
class Identified:
    """Aligned with the records of a source as they came.

    `ids` (rows, 2) uint64; `has` says which records got theirs, and `refused` which did not, since another has their
    key; the others came before. `replaced` are the ids of earlier rows whose records were corrected.
    """

    ids: np.ndarray
    has: np.ndarray
    refused: np.ndarray
    replaced: list[str]
    seen: np.ndarray
    """Which records came before under this digest, wherever they lie now."""


def identify(
    source: str,
    ids: np.ndarray,
    records: np.ndarray,
    keyed: bool,
    known: Known,
    kept: frozenset[str],
    forgotten: Forgotten,
) -> Identified:
    """Say which records get an id; `ids` are as `corpus.intake` made them, and `kept` are known files that were not read.

    Raises `UserError` where records had keys before and have none now, or the other way round.
    """
    if len(ids) and known.keyed not in (None, keyed):
        how = ("with", "without") if known.keyed else ("without", "with")
        raise UserError(
            f"source {source!r} was read {how[0]} keys before and is read {how[1]} them now, so no row could be told from "
            "another; name the column with `key:`, give every file that column, or run with --fresh"
        )
    seen = known.among(values(records))
    order = ascending(ids)
    if keyed:
        return _of_keys(ids, records, order, seen, known, kept, forgotten)
    return _of_records(ids, records, order, seen, known, kept)


def _of_records(
    ids: np.ndarray,
    records: np.ndarray,
    order: np.ndarray,
    seen: np.ndarray,
    known: Known,
    kept: frozenset[str],
) -> Identified:
    starts, group = _groups(ids[order])
    ordinal = np.arange(len(order)) - starts[group]
    if seen.any():
        ordinal += known.counts(values(records[order[starts]]), kept)[group]
    numbered = ids.copy()
    numbered[order, 1] += ordinal.astype(np.uint64)
    has = np.ones(len(ids), bool)
    if seen.any():
        has[seen] = ~known.has(hexadecimal(numbered[seen]))
    return Identified(numbered, has, np.zeros(len(ids), bool), [], seen)


def _of_keys(
    ids: np.ndarray,
    records: np.ndarray,
    order: np.ndarray,
    seen: np.ndarray,
    known: Known,
    kept: frozenset[str],
    forgotten: Forgotten,
) -> Identified:
    """Give the id of each key to the one of its records that never came before and has the least digest.

    One that was forgotten comes last. Where none is new, and the one that has the id is gone from the source, the
    source went back to another.
    """
    starts, group = _groups(ids[order])
    count = len(starts)
    of = np.empty(len(ids), np.int64)
    of[order] = group
    held, holder = known.holders(hexadecimal(ids[order[starts]]))  # by group
    fresh = np.zeros(count, bool)
    fresh[of[~seen]] = True
    there = np.zeros(count, bool)
    there[of[held[of] & (records == holder[of]).all(axis=1)]] = True
    lost = held & ~there & ~fresh
    if lost.any():
        lost[lost] = known.counts(values(holder[lost]), kept) == 0
    may = np.where(fresh[of], ~seen, lost[of])
    gone = np.zeros(len(ids), bool)
    if forgotten.records:
        listed = pa.array([bytes.fromhex(record) for record in forgotten.records], pa.binary(16))
        gone = pc.is_in(values(records), listed).to_numpy(zero_copy_only=False)
    place = np.arange(len(ids))
    best = np.lexsort((place, records[:, 1], records[:, 0], gone, ~may, of))
    first = best[starts]
    has = np.zeros(len(ids), bool)
    has[first] = may[first]
    replaced = hexadecimal(ids[first[may[first] & held]]).to_pylist()
    return Identified(ids, has, ~seen & ~has, replaced, seen)


def _groups(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each run of equal rows begins, and the run of each row."""
    new = np.ones(len(ordered), bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return np.flatnonzero(new), np.cumsum(new) - 1


def state(records: np.ndarray) -> np.ndarray:
    """Sort the digests of records."""
    ordered: np.ndarray = records[ascending(records)]
    return ordered
