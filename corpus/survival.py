"""Which of two rows that are alike stays: a total order that depends on content first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import whole
from corpus.stage import Rows
from corpus.text import halves

Prefer = Literal["confidence", "longest"]
PRIORITY = "sources whose rows stay before those of others, the first named first"


RANKED = ["id", "source", "confidence", "fingerprint", "earlier"]
"""The columns of which the survivor order is made."""


def rank(
    rows: pa.Table,
    prefer: Prefer = "confidence",
    words: np.ndarray | None = None,
    priority: Sequence[str] = (),
) -> np.ndarray:
    """Return each row's place (0 is best): by confidence, missing last, or by most `words`; then by content.

    Rows of the version that is built on (column `earlier`, where there is one) come before all others, and then those
    of the sources of `priority`, the first of them first.

    Ties go by fingerprint, then by source, then by id, whose last 32 bits are the ordinal among equal
    records: adding copies never changes which of two equal rows stays.
    """
    confidence = -rows["confidence"].to_numpy().astype(np.float64)
    confidence[np.isnan(confidence)] = np.inf
    high, low = halves(rows["fingerprint"])
    ties: list[np.ndarray] = [codes(rows["id"]), codes(rows["source"]), low, high]
    if prefer == "longest":
        assert words is not None
        ties += [confidence, -words]
    else:
        ties += [confidence]
    if priority:
        place = pc.index_in(rows["source"], pa.array(priority, pa.string()))
        ties.append(whole(pc.fill_null(place, len(priority))).to_numpy())
    if "earlier" in rows.column_names:
        ties.append(~rows["earlier"].to_numpy())
    order = np.lexsort(ties)
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return places


@dataclass(frozen=True)
class Survivors:
    """Which of two rows that a corpus judge judges stays; rows of unlike label are kin, not duplicates."""

    rows: Rows
    words: np.ndarray
    prefer: Prefer
    priority: Sequence[str]

    def rank(self, positions: np.ndarray) -> np.ndarray:
        """Return the place of each of these rows among them."""
        some = self.rows.table.select(RANKED).take(pa.array(positions))
        return rank(some, self.prefer, self.words[positions], self.priority)

    def classes(self, positions: np.ndarray) -> np.ndarray:
        """Return a number for each label."""
        return codes(self.rows.table["label"].take(pa.array(positions)))


def meeting(keys: pa.ChunkedArray, rows: pa.Table) -> np.ndarray:
    """Return the positions (ascending) of the rows that a judge of equal `keys` has to look at.

    All of them, but where a version is built on (column `earlier`) those of its rows whose key no new row has
    decide nothing.
    """
    earlier = rows["earlier"].to_numpy()
    if not earlier.any():
        return np.arange(len(earlier))
    fresh = whole(keys).filter(pa.array(~earlier))
    found: np.ndarray = np.flatnonzero(pc.is_in(keys, fresh).to_numpy() | ~earlier)
    return found


def best(places: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """Return for each row the position of the row of least place among those with the same keys."""
    order = np.lexsort((places, *keys))
    new = np.ones(len(order), bool)
    if len(order):
        new[1:] = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    found = np.empty(len(order), np.int64)
    found[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))]
    return found


def codes(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """Return for each string the number of distinct strings before it in order (int64); -1 for null."""
    encoded = whole(column).dictionary_encode()
    places = np.empty(len(encoded.dictionary) + 1, np.int64)
    places[-1] = -1
    order = pc.array_sort_indices(encoded.dictionary).to_numpy()  # by bytes, which in UTF-8 is by code points
    places[order] = np.arange(len(order))
    found: np.ndarray = places[encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    return found
