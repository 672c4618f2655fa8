"""What came before: a run over sources that grew takes in what is new, and nothing twice.

A record that came before under the same digest is known, wherever it lies now. Of records without a key as many
are known as there were equal ones. Under a key a record that never came before is a correction of the one that the
key holds; one that did is not, unless the key's own is gone from the source: then the source went back to it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import pairs
from corpus.schema import record_id
from corpus.versions.forgotten import record

RECORDS = pa.schema(
    [("source", pa.string()), ("record", pa.binary(16)), ("id", pa.string()), ("file", pa.string())]
)
"""A line for each record that came for the first time: its digest, its row's id (null: refused, another record had its
key), and the SHA-256 of the file that brought it (null where that file also held records that came before, or lay
there twice)."""


LAYERED = RECORDS.append(pa.field("layer", pa.int32()))
"""Records of a version and of those that it builds on: the first run's are of layer 0, the next one's of layer 1."""


@dataclass(frozen=True)
class Known:
    """The records of one source that came before; they are read when they are first asked for."""

    load: Callable[[], pa.Table] = LAYERED.empty_table
    """Returns the records in `LAYERED` columns, the oldest first."""
    last: tuple[str, ...] | None = None
    """The digests of its files when it was last read, sorted."""

    @cached_property
    def records(self) -> pa.Table:
        """The records in `LAYERED` columns, the oldest first."""
        return self.load()

    @property
    def keyed(self) -> bool | None:
        """Whether the records had keys; None where none is known."""
        for line in self.records.filter(self.records["id"].is_valid()).slice(0, 1).to_pylist():
            own = record_id(line["source"], line["record"], 0)
            return record(own) != record(line["id"])
        return None

    def skip(self, present: Sequence[str]) -> frozenset[str]:
        """Return the files (by digest, of those present) that need not be read again.

        These are all, where all are as they were; else those all of whose records are known, unless a record
        was corrected by one that may be gone, or the file lies there twice.
        """
        if self.last is not None and sorted(present) == list(self.last):
            return frozenset(present)
        kept = self._files.intersection(file for file, copies in Counter(present).items() if copies == 1)
        return kept - {loser for loser, holder in self._corrected if holder not in kept}

    @cached_property
    def _files(self) -> frozenset[str]:
        """Files all of whose records are known."""
        return frozenset(pc.unique(self.records["file"]).drop_null().to_pylist())

    @cached_property
    def _corrected(self) -> frozenset[tuple[str, str | None]]:
        """Which file's record lost its id to which file's."""
        named = self.records.filter(self.records["id"].is_valid())
        later = pc.greater(named["layer"], 0)  # within one run no id is taken twice
        taken, again = named["id"].filter(pc.invert(later)), named["id"].filter(later)
        counts = pc.value_counts(again)
        often = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
        twice = pa.chunked_array([often, *taken.filter(_is_in(taken, again)).chunks], pa.string()).unique()
        if not len(twice):
            return frozenset()
        lines = named.filter(pc.is_in(named["id"], twice))
        held = self.held(twice.to_pylist())
        return frozenset(
            (file, held[row_id][1])
            for row_id, record, file in zip(
                lines["id"].to_pylist(), lines["record"].to_pylist(), lines["file"].to_pylist(), strict=True
            )
            if record != held[row_id][0] and file is not None
        )

    def among(self, records: pa.FixedSizeBinaryArray) -> np.ndarray:
        """Say of each record whether it came before (bool)."""
        known = self.records["record"]
        return _among(records, known) if len(records) and len(known) else np.zeros(len(records), bool)

    def has(self, ids: pa.StringArray) -> np.ndarray:
        """Say of each row id whether a record had it (bool)."""
        return _among(ids, self.records["id"]) if len(ids) else np.zeros(0, bool)

    def counts(self, records: pa.FixedSizeBinaryArray, files: frozenset[str]) -> np.ndarray:
        """Count, of each of these records (no two are equal), the equal ones in files that are known and present."""
        inside = pc.and_(
            pc.is_in(self.records["file"], pa.array(sorted(files), pa.string())),
            pc.is_in(self.records["record"], records),
        )
        where = pc.index_in(self.records["record"].filter(inside).combine_chunks(), records)
        return np.bincount(where.to_numpy(), minlength=len(records))

    def holders(self, ids: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
        """Say which of these ids (no two are equal) a record holds (bool), and which one ((ids, 2) uint64): the last that took it."""
        held, records = np.zeros(len(ids), bool), np.zeros((len(ids), 2), np.uint64)
        if len(ids):
            mine = self.records.filter(_is_in(self.records["id"], ids))
            where = pc.index_in(mine["id"].combine_chunks(), ids).to_numpy()
            held[where], records[where] = True, pairs(mine["record"])  # of several the last one stays
        return held, records

    def held(self, ids: Sequence[str]) -> Mapping[str, tuple[bytes, str | None]]:
        """Return the record that each of these ids holds, and the file that brought it: the last that took it."""
        if not ids:
            return {}
        mine = self.records.filter(pc.is_in(self.records["id"], pa.array(ids, pa.string())))
        return {
            row_id: (record, file)
            for row_id, record, file in zip(
                mine["id"].to_pylist(), mine["record"].to_pylist(), mine["file"].to_pylist(), strict=True
            )
        }


def _among(few: pa.Array, many: pa.ChunkedArray) -> np.ndarray:
    """Say of each of the few whether it is among the many, of which no table is made."""
    there = pc.is_in(few, many.filter(_is_in(many, few)).combine_chunks())
    found: np.ndarray = there.to_numpy(zero_copy_only=False)
    return found


def _is_in(values: pa.ChunkedArray, some: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.is_in(values, some.combine_chunks() if isinstance(some, pa.ChunkedArray) else some)
