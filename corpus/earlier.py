"""The version that a run builds on, as rows that stay."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.snapshot import Part
from corpus.versions.shards import by_split
from corpus.versions.version import Version


@dataclass(frozen=True)
class Earlier:
    """The blocks of a version in their order, and the ids of its rows that no longer stand."""

    parts: tuple[Part, ...] = ()
    without: Sequence[str] = field(default_factory=list)

    @classmethod
    def of(cls, version: Version, without: Sequence[str]) -> "Earlier":
        """Return a version's rows, without some."""
        return cls(
            tuple(
                Part(version.shelf.local(f"{version.where}/{shard.file}"), block.rows, block.content, group)
                for shards in by_split(version.shards).values()
                for shard in shards
                for group, block in enumerate(shard.blocks)
            ),
            without,
        )

    @property
    def rows(self) -> int:
        """How many rows it has, those that no longer stand included."""
        return sum(part.rows for part in self.parts)

    @property
    def stands(self) -> np.ndarray:
        """Which of its rows stand (bool)."""
        if not len(self.without):
            return np.ones(self.rows, bool)
        without = pa.array(self.without, pa.string())
        gone = [pc.is_in(part.read(["id"])["id"], without).to_numpy() for part in self.parts]
        stands: np.ndarray = ~np.concatenate(gone)
        return stands


NOTHING = Earlier()
"""Where a run builds on no version."""
