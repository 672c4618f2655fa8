"""What is to be taken in no more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

_RECORD = 24


@dataclass(frozen=True)
class Forgotten:
    """Row ids, records (the hexadecimal digits of their digests) and sources that were forgotten, each with when and why.

    With a row all copies of its record are. A record is named where others under its key may be taken in.
    """

    rows: dict[str, str] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Say whether anything was forgotten."""
        return bool(self.rows or self.records or self.sources)

    def among(self, source: str, ids: Sequence[str | None], records: Sequence[bytes]) -> dict[int, str]:
        """Return the places of the rows of a source that are forgotten, each with when and why."""
        if not self:
            return {}
        told = {
            place: self.sources.get(source)
            or self._copies.get(record(row_id))
            or self.records.get(records[place].hex())
            for place, row_id in enumerate(ids)
            if row_id is not None
        }
        return {place: why for place, why in told.items() if why is not None}

    def mask(self, rows: pa.Table) -> pa.Array:
        """Say which of some rows (`id`, `source`) are forgotten."""
        copies = pc.utf8_slice_codeunits(rows["id"], 0, _RECORD)
        return pc.or_(
            pc.is_in(copies, pa.array(sorted(self._copies), pa.string())),
            pc.fill_null(pc.is_in(rows["source"], pa.array(sorted(self.sources), pa.string())), False),
        )

    @cached_property
    def _copies(self) -> dict[str, str]:
        return {record(row_id): why for row_id, why in self.rows.items()}


def record(row_id: str) -> str:
    """Return what copies of a record have in common in their ids: all but the ordinal."""
    return row_id[:_RECORD]
