"""Rows with their vectors: each is embedded once and to its end, whatever asks for it."""

from dataclasses import dataclass

import numpy as np

from corpus.arrays import matrix
from corpus.models import EncodeWhole
from corpus.stage import Rows


@dataclass(frozen=True)
class Embedded:
    """Rows (`positions`, ascending) with their `vectors` (float32 of unit length, (rows, dimensions))."""

    positions: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, rows: Rows, model: str, positions: np.ndarray) -> "Embedded":
        """Embed the rows at positions in any order, each once."""
        ascending = np.unique(positions)
        if not len(ascending):
            return cls(ascending, np.zeros((0, 1), np.float32))
        return cls(ascending, matrix(rows.map(EncodeWhole(model), ascending)))

    def beside(self, rows: Rows, model: str, positions: np.ndarray) -> "Embedded":
        """Return these rows and those at other positions, which are embedded now."""
        more = Embedded.of(rows, model, np.setdiff1d(positions, self.positions))
        if not len(more.positions):
            return self
        together = np.r_[self.positions, more.positions]
        order = np.argsort(together)
        vectors = np.concatenate([self.vectors.reshape(-1, more.vectors.shape[1]), more.vectors])
        return Embedded(together[order], vectors[order])

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Return the vectors of some of the rows, in any order and with repeats."""
        found: np.ndarray = self.vectors[np.searchsorted(self.positions, positions)]
        return found

    def cosines(self, positions: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the cosine of each of these rows with the one beside it."""
        found: np.ndarray = np.einsum("ij,ij->i", self.at(positions), self.at(others))
        return found
