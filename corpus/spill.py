"""Rows that wait by number until they are asked for: in memory, or where they are of more bytes in files."""

from pathlib import Path

import numpy as np
import pyarrow as pa


class Spill:
    """Holds rows of one schema, each under a number; writes all to files of `folder` beyond `memory` bytes."""

    def __init__(self, folder: Path, memory: int) -> None:
        self._folder, self._memory = folder, memory
        self._held: dict[int, list[pa.RecordBatch]] = {}
        self._files: dict[int, pa.ipc.RecordBatchStreamWriter] = {}
        self._bytes = 0

    def put(self, numbers: np.ndarray, rows: pa.RecordBatch) -> None:
        """Add rows, each under its number (int64)."""
        order = np.argsort(numbers, kind="stable")
        found, starts = np.unique(numbers[order], return_index=True)
        for number, start, stop in zip(found.tolist(), starts, [*starts[1:], len(order)], strict=True):
            self._held.setdefault(number, []).append(rows.take(pa.array(order[start:stop])))
        self._bytes += rows.nbytes
        if self._bytes > self._memory:
            self.write()

    def write(self) -> None:
        """Write what is held to the files."""
        for number, held in self._held.items():
            for rows in held:
                if number not in self._files:
                    self._files[number] = pa.ipc.new_stream(str(self._file(number)), rows.schema)
                self._files[number].write_batch(rows)
        self._held.clear()
        self._bytes = 0

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:05d}.arrow"

    @property
    def numbers(self) -> list[int]:
        """The numbers under which there are rows, ascending."""
        return sorted({*self._held, *self._files})

    def take(self, number: int) -> pa.Table:
        """Return the rows under a number, in the order in which they came, and hold them no longer."""
        held = self._held.pop(number, [])
        if number in self._files:
            self._files.pop(number).close()
            file = self._file(number)
            with pa.OSFile(str(file)) as stream:
                held = [*pa.ipc.open_stream(stream), *held]
            file.unlink()
        return pa.Table.from_batches(held)
