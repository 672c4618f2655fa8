"""What is to be taken in no more: a list on the shelf, an entry each time that something was forgotten."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from corpus.schema import UserError
from corpus.versions.shelf import Shelf, now

_FOLDER = "forgotten"
_RECORD = 24


@dataclass(frozen=True)
class Forgotten:
    """Row ids, records (the hexadecimal digits of their digests) and sources that were forgotten, each with when and why.

    With a row all copies of its record are. A record is named where others under its key may be taken in.
    """

    rows: dict[str, str] = field(default_factory=dict)
    records: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    @classmethod
    def on(cls, shelf: Shelf) -> "Forgotten":
        """Read the list; raises `UserError` for an entry that is broken, since no run could keep to it."""
        found = cls()
        for name in _entries(shelf):
            try:
                entry = json.loads(shelf.read(f"{_FOLDER}/{name}"))
                told = f"forgotten on {entry['at'][:10]}: {entry['why']}"
                found.rows.update(dict.fromkeys(entry["rows"], told))
                found.records.update(dict.fromkeys(entry.get("records", []), told))
                found.sources.update(dict.fromkeys(entry["sources"], told))
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(
                    f"{_FOLDER}/{name} cannot be read ({error}), so no run could keep to it; bring it back from a copy"
                ) from error
        return found

    @staticmethod
    def entries(shelf: Shelf) -> int:
        """Count the entries of the list."""
        return len(_entries(shelf))

    @staticmethod
    def note(
        shelf: Shelf, rows: Iterable[str], records: Iterable[bytes], sources: Iterable[str], why: str
    ) -> None:
        """Add rows (by id), records (by digest), or all rows of sources, to the list."""
        held = {
            "rows": sorted(rows),
            "records": sorted(record.hex() for record in records),
            "sources": sorted(sources),
        }
        entry = json.dumps({"at": now(), "why": why, **held})
        number = Forgotten.entries(shelf) + 1
        while not shelf.create(f"{_FOLDER}/{number}", entry.encode()):
            number += 1

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
        return pc.or_(
            pc.is_in(records(rows["id"]), pa.array(sorted(self._copies), pa.string())),
            pc.fill_null(pc.is_in(rows["source"], pa.array(sorted(self.sources), pa.string())), False),
        )

    @cached_property
    def _copies(self) -> dict[str, str]:
        return {record(row_id): why for row_id, why in self.rows.items()}


def _entries(shelf: Shelf) -> list[str]:
    return [name for name in shelf.names(_FOLDER) if name.isdecimal()]


def record(row_id: str) -> str:
    """Return what copies of a record have in common in their ids: all but the ordinal."""
    return row_id[:_RECORD]


def records(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return `record` of many ids."""
    return pc.utf8_slice_codeunits(ids, 0, _RECORD)
