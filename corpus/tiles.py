"""Texts cut into lines, paragraphs or sentences, side by side without a gap: what is cut out of a text is made of them.

A paragraph ends at a blank line. A sentence ends at a full stop of Chinese, Japanese or an Indic script, and
elsewhere at `.`, `!`, `?` or an ellipsis, closing quotes and brackets behind it included, where white space and no
small letter follow; but not behind a number that it begins with, an initial or a short title (`3.`, `J.`, `Dr.`). A
line ends one too, but where a small letter follows, or where the line has sixty characters and more, as in text that
is wrapped. Where it cannot be told, two sentences are one.
"""

import functools
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import text
from corpus.arrays import whole

Unit = Literal["line", "paragraph", "sentence"]
_UNITS = {"line": 0, "paragraph": 1, "sentence": 2}
_LOWER, _UPPER, _WHITE, _FULL, _ENDS, _POINTS, _CLOSES = (1 << bit for bit in range(7))
_POINTS_OF = {
    _FULL: "。！？．।॥።፧։۔",
    _ENDS: "!?…‼⁇⁈⁉؟",
    _POINTS: ".",
    _CLOSES: "\"'”’»›」』】）)]}",
}


@dataclass(frozen=True)
class Tiles:
    """The tiles of rows, flat and in order: of which message, where in its UTF-8 bytes, and their words.

    `row` and `message` (its number in the row) are int64, `start` and `stop` int64; `hashes` (uint64) are those of all
    words, of which those of a tile begin at `begins` (int64, tiles + 1).
    """

    row: np.ndarray
    message: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    hashes: np.ndarray
    begins: np.ndarray

    @property
    def words(self) -> np.ndarray:
        """How many words each tile has (int64)."""
        counts: np.ndarray = np.diff(self.begins)
        return counts


def tiles(rows: pa.Table, unit: Unit) -> Tiles:
    """Cut the contents of all messages of `rows`."""
    messages = whole(rows["messages"])
    lengths = pc.list_value_length(messages).to_numpy(zero_copy_only=False)
    contents = messages.flatten().field("content")
    said, counts = cut(contents, unit)
    turn = np.repeat(np.arange(len(contents)), counts)
    hashes, begins = text.word_hashes(said, marks=False)
    row = np.repeat(np.arange(len(messages)), lengths)
    number = np.arange(len(contents)) - (np.cumsum(lengths) - lengths)[row]
    starts = text.buffers(said)[0]
    base = text.buffers(contents)[0][turn].astype(np.int64)
    return Tiles(row[turn], number[turn], starts[:-1] - base, starts[1:] - base, hashes, begins)


def cut(contents: pa.StringArray, unit: Unit) -> tuple[pa.StringArray, np.ndarray]:
    """Return the tiles of all texts in order, as texts of their own, and how many each text has (int64)."""
    from corpus import tile_kernels

    offsets, data = text.buffers(contents)
    starts, counts = tile_kernels.tiles(offsets, data, _classes(), _UNITS[unit])
    return pa.StringArray.from_buffers(int(counts.sum()), pa.py_buffer(starts), pa.py_buffer(data)), counts


@functools.cache
def _classes() -> np.ndarray:
    """Return for each code point below the table's end what it is for the end of a sentence."""
    classes = np.zeros(text.TABLE, np.uint8)
    for point in range(text.TABLE):
        letter = chr(point)
        category = unicodedata.category(letter)
        if letter.isspace():
            classes[point] = _WHITE
        elif category == "Ll":
            classes[point] = _LOWER
        elif category[0] in "LM":
            classes[point] = _UPPER
    for kind, letters in _POINTS_OF.items():
        for letter in letters:
            classes[ord(letter)] = kind
    return classes
