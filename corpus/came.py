"""What came of a source: which of its records are rows, which are rejected and why, and what is known of it from now on."""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import gather
from corpus.arrays import hexadecimal, values
from corpus.gather import Places
from corpus.identify import Identified, state
from corpus.intake import Taken
from corpus.known import RECORDS
from corpus.schema import LEDGER, conform

REPEATED = "repeated_key"
"""The reason of a reject whose key another record has."""
_SAID = "another record has the key "
_CHUNK = 1_000_000


@dataclass(frozen=True)
class Came:
    """What came of one source, piece by piece; arrays are aligned with the rows of all its pieces."""

    source: str
    pieces: list[Taken]
    found: Identified
    all_records: np.ndarray
    gone: dict[int, str]
    digests: dict[str, str]

    @property
    def taken(self) -> np.ndarray:
        """Which rows are taken."""
        taken = self.found.has.copy()
        taken[[*self.gone]] = False
        return taken

    @cached_property
    def place(self) -> tuple[np.ndarray, np.ndarray]:
        """The piece of each row, and its place there."""
        counts = [piece.count for piece in self.pieces]
        piece = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        index = np.concatenate(
            [np.zeros(0, np.int32), *(np.arange(count, dtype=np.int32) for count in counts)]
        )
        return piece, index

    @cached_property
    def sizes(self) -> np.ndarray:
        """The bytes of each row."""
        return np.concatenate([np.zeros(0, np.int64), *(piece.sizes for piece in self.pieces)])

    @property
    def digest(self) -> str:
        """A digest of its records, whatever their order."""
        held = state(self.all_records[self.found.has | self.found.refused])
        return hashlib.sha256(held.astype(">u8").tobytes()).hexdigest()

    def rejects(self) -> Iterator[pa.Table]:
        """Yield lines of the ledger for records that are no rows, that are refused, or that were forgotten."""
        yield from (piece.rejects for piece in self.pieces)
        refused = np.flatnonzero(self.found.refused)
        places = np.array(sorted({*refused.tolist(), *self.gone}), np.int64)
        if not len(places):
            return
        piece, index = (held[places] for held in self.place)
        spooled = {int(number): self.pieces[number].rows for number in np.unique(piece)}
        rows = gather.rows_at(
            spooled,
            Places(piece, index, self.found.ids[places], self.all_records[places]),
            ["source", "file", "row", "key", "line"],
        )
        told = [
            ("forgotten", f": {self.gone[place]}") if place in self.gone else _refusal(key, line)
            for place, key, line in zip(
                places.tolist(), rows["key"].to_pylist(), rows["line"].to_pylist(), strict=True
            )
        ]
        columns = {name: rows[name].combine_chunks() for name in ("source", "file", "row")}
        columns["stage"], columns["action"] = pa.repeat("ingest", len(told)), pa.repeat("reject", len(told))
        columns["reason"] = pa.array([reason for reason, _ in told], pa.string())
        columns["detail"] = pa.array(
            [file + what for file, (_, what) in zip(rows["file"].to_pylist(), told, strict=True)], pa.string()
        )
        yield conform(columns, LEDGER)

    def records(self) -> Iterator[pa.RecordBatch]:
        """Yield what is known from now on, in the order in which it came."""
        names: dict[str, int] = {}
        codes = [
            np.array([names.setdefault(name, len(names)) for name in piece.names], np.int32)[piece.files]
            for piece in self.pieces
        ]
        file = np.concatenate([np.zeros(0, np.int32), *codes])
        listed = self.found.has | self.found.refused
        digests = [self.digests[name] for name in names]
        whole = (
            np.bincount(file[listed], minlength=len(names)) == np.bincount(file, minlength=len(names))
        ) & (np.array([digests.count(found) == 1 for found in digests], bool))
        of_file = pa.array(
            [found if one else None for found, one in zip(digests, whole, strict=True)], pa.string()
        )
        held = np.flatnonzero(listed)
        for start in range(0, len(held), _CHUNK):
            some = held[start : start + _CHUNK]
            ids = hexadecimal(self.found.ids[some])
            yield pa.record_batch(
                [
                    pa.repeat(self.source, len(some)),
                    values(self.all_records[some]),
                    pc.if_else(pa.array(self.found.has[some]), ids, pa.scalar(None, pa.string())),
                    of_file.take(pa.array(file[some])),
                ],
                schema=RECORDS,
            )


def _refusal(key: str, line: int | None) -> tuple[str, str]:
    """Say why a record is refused, whose key was taken by another."""
    where = "" if line is None else f":{line}"
    return REPEATED, f"{where}: {_SAID}{key!r}"


def key_of(detail: str) -> str | None:
    """Return the key that a line of the ledger names, whose reason is `REPEATED`."""
    found = detail.partition(_SAID)[2]
    return str(ast.literal_eval(found)) if found else None
