"""Rows and rejects of a source, batch by batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from corpus.reading.columns import Parts
from corpus.reading.files import File
from corpus.reading.record import Read
from corpus.schema import GROUP, LEDGER, MESSAGE, Split, conform


@dataclass(frozen=True)
class Batch:
    """Some rows of a source, in file order; `id`, `parent`, `operation` and `family` are still null.

    `records` has the 16-byte digest of each row's record. `keys` (strings) and `lines` (int64, of the file, null in
    formats without lines) are None throughout a source that has no key column. `rejects` are records that are no row:
    stage `ingest`, action `reject`, a reason, and a detail that begins `file:line`, or `file` in formats without lines.
    """

    rows: pa.Table
    records: pa.FixedSizeBinaryArray
    keys: pa.StringArray | None
    lines: pa.Int64Array | None
    rejects: pa.Table

    @classmethod
    def of(cls, batches: Sequence["Batch"]) -> "Batch":
        """Put batches of one source together."""
        if len(batches) == 1:
            return batches[0]
        keys = [batch.keys for batch in batches if batch.keys is not None]
        lines = [batch.lines for batch in batches if batch.lines is not None]
        return cls(
            pa.concat_tables([batch.rows for batch in batches]),
            pa.concat_arrays([batch.records for batch in batches]),
            pa.concat_arrays(keys) if keys else None,
            pa.concat_arrays(lines) if lines else None,
            pa.concat_tables([batch.rejects for batch in batches]),
        )


class Pile:
    """A batch that is being filled, column by column: no row is kept as an object."""

    def __init__(self, source: str, keyed: bool) -> None:
        self._source = source
        self._keyed = keyed
        self._records: list[bytes] = []
        self._keys: list[str] = []
        self._lines: list[int | None] = []
        self._roles: list[str] = []
        self._contents: list[str] = []
        self._messages = [0]
        self._groups: list[tuple[str, str]] = []
        self._grouped = [0]
        self._labels: list[str | None] = []
        self._confidences: list[float | None] = []
        self._files: list[str] = []
        self._rows: list[int | None] = []
        self._splits: list[Split | None] = []
        self._extras: list[str | None] = []
        self._rejects: list[tuple[str, int | None, str, str]] = []

    def __bool__(self) -> bool:
        return bool(self._records or self._rejects)

    def add(self, file: File, one: Read, parts: Parts) -> None:
        """Put a row of `file` on the pile."""
        self._records.append(parts.record)
        if parts.key is not None:
            self._keys.append(parts.key)
        self._lines.append(one.line)
        self._roles += parts.roles
        self._contents += parts.contents
        self._messages.append(len(self._contents))
        self._groups += parts.groups
        self._grouped.append(len(self._groups))
        self._labels.append(parts.label)
        self._confidences.append(parts.confidence)
        self._files.append(file.name)
        self._rows.append(one.row)
        self._splits.append(parts.split or file.split)
        self._extras.append(parts.extra)

    def reject(self, file: File, one: Read, reason: str, what: str) -> None:
        """Put a record that is no row on the pile."""
        where = file.name if one.line is None else f"{file.name}:{one.line}"
        self._rejects.append((file.name, one.row, reason, f"{where}: {what}"))

    def batch(self) -> Batch:
        """Return what lies on the pile."""
        keys, lines = (pa.array(self._keys, pa.string()), pa.array(self._lines, pa.int64()))
        records = pa.array(self._records, pa.binary(16))
        return Batch(
            self._table(),
            records,
            keys if self._keyed else None,
            lines if self._keyed else None,
            self._ledger(),
        )

    def _table(self) -> pa.Table:
        text, count = pa.string(), len(self._groups)
        messages = [pa.array(self._roles, text), pa.array(self._contents, text)]
        axes, values = (pa.array([pair[side] for pair in self._groups], text) for side in (0, 1))
        groups = [axes, values, pa.array(["declared"] * count, text)]
        return conform(
            {
                "messages": _lists(self._messages, messages, MESSAGE),
                "source": pa.array([self._source] * len(self._records), text),
                "groups": _lists(self._grouped, groups, GROUP),
                "label": pa.array(self._labels, text),
                "confidence": pa.array(self._confidences, pa.float64()),
                "file": pa.array(self._files, text),
                "row": pa.array(self._rows, pa.int64()),
                "split": pa.array(self._splits, text),
                "extra": pa.array(self._extras, text),
            }
        )

    def _ledger(self) -> pa.Table:
        files, rows, reasons, details = (
            zip(*self._rejects, strict=True) if self._rejects else ((), (), (), ())
        )
        text, count = pa.string(), len(files)
        return conform(
            {
                "source": pa.array([self._source] * count, text),
                "file": pa.array(files, text),
                "row": pa.array(rows, pa.int64()),
                "stage": pa.array(["ingest"] * count, text),
                "action": pa.array(["reject"] * count, text),
                "reason": pa.array(reasons, text),
                "detail": pa.array(details, text),
            },
            LEDGER,
        )


def _lists(offsets: list[int], fields: list[pa.Array], kind: pa.StructType) -> pa.ListArray:
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.StructArray.from_arrays(fields, fields=list(kind))
    )
