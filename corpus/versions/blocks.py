"""Rows of a split cut into blocks by bytes of text, wherever the tables that bring them end.

A block is what identity counts (its rows and their content hash), and on disk it is a row group: small enough
to be read for one row, large enough to compress well. The cut is part of the format, not a knob.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import text
from corpus.content import ContentHash
from corpus.schema import ROW

BLOCK_BYTES = 32 * 2**20
"""Bytes of text in a block: about 12 MiB of zstd on disk."""
BLOCKS_PER_SHARD = 8
"""A shard is then some 100 MiB on disk: one is rewritten where a row in it is replaced or forgotten."""


@dataclass(frozen=True)
class Block:
    """How many rows a block has, and the hash of what they say."""

    rows: int
    content: str

    @classmethod
    def of(cls, rows: pa.Table) -> "Block":
        """Hash a block's rows, whatever wrote or read them called the items of a list."""
        state = ContentHash(ROW)
        state.update(rows)
        return cls(rows.num_rows, state.hexdigest())


class Cutter:
    """Cuts a stream of tables: a row belongs to the block in which the bytes of text before it end."""

    def __init__(self) -> None:
        self._held: list[pa.Table] = []
        self._before = 0
        self._number = 0

    def add(self, rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
        """Take rows; yield (number, rows) of the blocks that they end. Numbers ascend, and one may be left out."""
        if not rows.num_rows:
            return
        sizes = pc.binary_length(text.contents(rows)).to_numpy().astype(np.int64)
        ends = self._before + np.cumsum(sizes)
        numbers = (ends - sizes) // BLOCK_BYTES
        self._before = int(ends[-1])
        starts = np.flatnonzero(np.r_[True, numbers[1:] != numbers[:-1]])
        for start, stop in zip(starts, [*starts[1:], len(numbers)], strict=True):
            if numbers[start] != self._number:
                yield from self.rest()
                self._number = int(numbers[start])
            self._held.append(rows.slice(start, stop - start))

    def rest(self) -> Iterator[tuple[int, pa.Table]]:
        """Yield the block that has begun, if it holds a row."""
        if self._held:
            yield self._number, pa.concat_tables(self._held).combine_chunks()
            self._held = []
