"""Rows and rejects of a source, batch by batch."""

from dataclasses import dataclass

import pyarrow as pa

from corpus.reading.columns import Parts
from corpus.reading.files import File
from corpus.reading.record import Read
from corpus.schema import GROUP, LEDGER, MESSAGE, Split, conform

BATCH_BYTES = 64 * 2**20
"""Characters of text and of other columns at which a batch ends early, so that long rows do not fill the memory."""


@dataclass(frozen=True)
class Batch:
    """Some rows of a source, in file order; `id`, `parent`, `operation` and `family` are still null.

    `records` has the 16-byte digest of each row's record. `keys` and `lines` (of the file, null in formats without
    lines) are None throughout a source that has no key column. `rejects` are records that are no row: stage `ingest`, action `reject`, a reason, and a detail
    that begins `file:line`, or `file` in formats without lines.
    """

    rows: pa.Table
    records: list[bytes]
    keys: list[str | None] | None
    lines: list[int | None] | None
    rejects: pa.Table


class Pile:
    """A batch that is being filled, column by column: no row is kept as an object."""

    def __init__(self, source: str, keyed: bool) -> None:
        self._source = source
        self._keyed = keyed
        self._records: list[bytes] = []
        self._keys: list[str | None] = []
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
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._records or self._rejects)

    def add(self, file: File, one: Read, parts: Parts) -> None:
        """Put a row of `file` on the pile."""
        self._records.append(parts.record)
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
        self._size += sum(map(len, parts.contents)) + len(parts.extra or "")

    def reject(self, file: File, one: Read, reason: str, what: str) -> None:
        """Put a record that is no row on the pile."""
        where = file.name if one.line is None else f"{file.name}:{one.line}"
        self._rejects.append((file.name, one.row, reason, f"{where}: {what}"))

    def full(self, rows: int) -> bool:
        """Whether the batch is of `rows` rows and rejects, or of as many characters as a batch may have."""
        return len(self._records) + len(self._rejects) >= rows or self._size >= BATCH_BYTES

    def batch(self) -> Batch:
        """Return what lies on the pile."""
        keys, lines = (self._keys, self._lines) if self._keyed else (None, None)
        return Batch(self._table(), self._records, keys, lines, self._ledger())

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
