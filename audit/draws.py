"""Draws the rows that are embedded: of all rows evenly, and of each group so many that something can be said of it.

An embedding costs as much as all else that is asked of ten thousand rows. Rows have one rank each, drawn once; a draw of any of
them takes those of least rank, so draws overlap as far as they can, and the rows drawn of a group are drawn of it evenly.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ranks:
    """The rank of each row (int, a permutation)."""

    rank: np.ndarray

    @classmethod
    def drawn(cls, count: int, generator: np.random.Generator) -> "Ranks":
        """Draw the ranks of `count` rows."""
        return cls(generator.permutation(count))

    def first(self, rows: np.ndarray, most: int) -> np.ndarray:
        """Return the positions, in ascending order, of the `most` of `rows` (bool) that have the least rank, or of all."""
        chosen = np.flatnonzero(rows)
        if len(chosen) > most:
            chosen = chosen[np.argpartition(self.rank[chosen], most - 1)[:most]]
        return np.sort(chosen)


def united(draws: Iterable[np.ndarray]) -> np.ndarray:
    """Return the positions that are in any of the draws, in ascending order."""
    return np.unique(np.concatenate([np.empty(0, np.int64), *draws]))
