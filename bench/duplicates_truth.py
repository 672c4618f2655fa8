"""What is truly a near-duplicate: words by plain Python, sets of word n-grams, all pairs compared. Nothing of the stage's.

A word is a run of letters, marks and digits, casefolded, apostrophes left out; a character of a script without spaces
is a word, and so is an emoji or a sign of mathematics or money, once where it is repeated; a text without any word has
its punctuation for words. A text of fewer than n words is one shingle.
No hash stands for a shingle here, and no pair is left out: shared shingles are counted by sparse matrix products.
"""

import functools
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

BLOCK_ROWS = 1_000
_ALONE = (
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "HENTAIGANA",
    "VERTICAL KANA",
    "BOPOMOFO",
    "IDEOGRAPHIC",
)
_ALONE += ("HANGZHOU", "THAI", "LAO", "KHMER", "MYANMAR")


class _Spelling(dict[int, str]):
    """What stands for each code point, so that `split` finds the words."""

    def __missing__(self, point: int) -> str:
        letter = chr(point)
        category = unicodedata.category(letter)
        if category[0] == "S" and (
            (category in ("Sm", "Sc") and letter not in "|~")
            or 0x2600 <= point <= 0x27BF
            or 0x1F000 <= point <= 0x1FAFF
        ):
            found = f" {letter} "
        elif 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF or letter in "'’":
            found = ""
        elif category[0] not in "LMN":
            found = " "
        else:
            found = f" {letter} " if unicodedata.name(letter, "").startswith(_ALONE) else letter
        self[point] = found
        return found


@functools.cache
def _spelling() -> _Spelling:
    return _Spelling()


def words(text: str) -> list[str]:
    """Return the words of a text in their order."""
    folded = text.casefold()
    said = folded.translate(_spelling()).split()
    found = [
        word
        for at, word in enumerate(said)
        if not (at and word == said[at - 1] and unicodedata.category(word[0])[0] == "S")
    ]
    return found or [letter for letter in folded if unicodedata.category(letter)[0] in "PS"]


def shingles(text: str, size: int) -> frozenset[tuple[str, ...]]:
    """Return the set of a text's n-grams of words."""
    said = words(text)
    span = min(size, len(said))
    return (
        frozenset(tuple(said[at : at + span]) for at in range(len(said) - span + 1)) if said else frozenset()
    )


def jaccard(one: str, two: str, size: int) -> float:
    """Return the Jaccard similarity of two texts; 0 where one has no shingle."""
    a, b = shingles(one, size), shingles(two, size)
    return len(a & b) / len(a | b) if a and b else 0.0


@dataclass(frozen=True)
class Truth:
    """All pairs (int64, of shape (pairs, 2), the lesser row first) of Jaccard `threshold` or more among `rows` texts."""

    rows: int
    pairs: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], size: int, threshold: float) -> "Truth":
        """Compare all texts with all."""
        numbers: defaultdict[tuple[str, ...], int] = defaultdict(lambda: len(numbers))
        sets = [sorted(numbers[shingle] for shingle in shingles(text, size)) for text in texts]
        starts = np.cumsum([0, *map(len, sets)])
        columns = np.fromiter((number for row in sets for number in row), np.int64, starts[-1])
        matrix = csr_array(
            (np.ones(len(columns), np.int32), columns, starts), shape=(len(texts), len(numbers))
        )
        found = list(_blocks(matrix, np.diff(starts), threshold))
        return cls(len(texts), np.concatenate([np.empty((0, 2), np.int64), *found]))

    def alone(self) -> np.ndarray:
        """Return the rows that have no partner."""
        return np.setdiff1d(np.arange(self.rows), self.pairs)

    def partners(self, among: np.ndarray) -> np.ndarray:
        """Say of each row (bool) whether it has a partner in `among` (bool)."""
        has = np.zeros(self.rows, bool)
        one, two = self.pairs.T
        has[one[among[two]]] = True
        has[two[among[one]]] = True
        return has

    def holds(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Say of each pair (bool) whether it is a true one."""
        known = np.sort(self.pairs, axis=1) @ np.array([self.rows, 1])
        asked = np.sort(np.column_stack([ones, others]), axis=1) @ np.array([self.rows, 1])
        return np.isin(asked, known)

    def left(self, kept: np.ndarray) -> int:
        """Return how many rows of the `kept` (bool) a greedy removal over all true pairs would still drop."""
        one, two = self.pairs.T
        both = self.pairs[kept[one] & kept[two]]
        rivals: defaultdict[int, list[int]] = defaultdict(list)
        for early, late in both.tolist():
            rivals[late].append(early)
        gone: set[int] = set()
        for late in sorted(rivals):
            if any(early not in gone for early in rivals[late]):
                gone.add(late)
        return len(gone)


def _blocks(matrix: csr_array, sizes: np.ndarray, threshold: float) -> Iterator[np.ndarray]:
    """Yield the true pairs whose first row is in one block after another."""
    turned = matrix.T.tocsc()
    edges = [*range(0, len(sizes), BLOCK_ROWS), len(sizes)]
    for start, stop in pairwise(edges):
        common = (matrix[start:stop] @ turned).tocoo()
        one, two = common.row + start, common.col
        union = sizes[one] + sizes[two] - common.data
        near = (two > one) & (common.data / union >= threshold)
        yield np.column_stack([one[near], two[near]]).astype(np.int64)
