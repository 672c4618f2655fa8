"""An order of so many rows that any part of can be told without the rest: a permutation made of a key.

A Feistel network over the next power of four (Luby and Rackoff 1988: a network of keyed functions is a
permutation, whatever the functions), and where it leads outside, once more (cycle walking, Black and Rogaway
2002). Nothing is stored, so a billion rows cost what one does.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

_ROUNDS = 8


@dataclass(frozen=True)
class Permutation:
    """The permutation of 0 to `count` - 1 that `key` means."""

    count: int
    key: str

    @cached_property
    def _half(self) -> np.uint64:
        """Half of the bits of a number."""
        return np.uint64(max(1, (max(self.count - 1, 1).bit_length() + 1) // 2))

    @cached_property
    def _keys(self) -> np.ndarray:
        """A key for each round."""
        state = hashlib.shake_256(f"winnow permutation 1\n{self.count}\n{self.key}".encode())
        return np.frombuffer(state.digest(8 * _ROUNDS), "<u8")

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """Return what stands at `places` (int64, each 0 to count - 1)."""
        found = self._once(places.astype(np.uint64))
        outside = np.flatnonzero(found >= self.count)
        while len(outside):
            found[outside] = self._once(found[outside])
            outside = outside[found[outside] >= self.count]
        return found.astype(np.int64)

    def _once(self, numbers: np.ndarray) -> np.ndarray:
        half = self._half
        mask = (np.uint64(1) << half) - np.uint64(1)
        left, right = numbers >> half, numbers & mask
        for key in self._keys:
            left, right = right, left ^ (_mixed(right ^ key) & mask)
        return (left << half) | right


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """Mix 64 bits so that each depends on all (the finaliser of SplitMix64, Steele et al. 2014)."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = numbers ^ (numbers >> np.uint64(31))
    return mixed
