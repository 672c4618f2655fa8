"""What is to be taken in no more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

_RECORD = 24


@dataclass(frozen=True)
class Forgotten:
    """Row ids and sources that were forgotten, each with when and why. With a row all copies of its record are."""

    rows: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def among(self, source: str, ids: Sequence[str | None]) -> dict[int, str]:
        """Return the places of the rows of a source that are forgotten, each with when and why."""
        if source in self.sources:
            return {place: self.sources[source] for place, row_id in enumerate(ids) if row_id is not None}
        if not self.rows:
            return {}
        return {
            place: self._records[record(row_id)]
            for place, row_id in enumerate(ids)
            if row_id is not None and record(row_id) in self._records
        }

    def mask(self, rows: pa.Table) -> pa.Array:
        """Say which of some rows (`id`, `source`) are forgotten."""
        records = pc.utf8_slice_codeunits(rows["id"], 0, _RECORD)
        return pc.or_(
            pc.is_in(records, pa.array(sorted(self._records), pa.string())),
            pc.fill_null(pc.is_in(rows["source"], pa.array(sorted(self.sources), pa.string())), False),
        )

    @cached_property
    def _records(self) -> dict[str, str]:
        return {record(row_id): why for row_id, why in self.rows.items()}


def record(row_id: str) -> str:
    """Return what copies of a record have in common in their ids: all but the ordinal."""
    return row_id[:_RECORD]
