"""What a pass measured of the rows of a part, at rest: an Arrow file, of which a column is read where it lies."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from corpus.arrays import check

FILE = "features.arrow"


def write(folder: Path, features: pa.Table) -> None:
    """Write features, aligned with the rows, into a folder of the memo."""
    with pa.OSFile(str(folder / FILE), "wb") as sink, pa.ipc.new_file(sink, features.schema) as writer:
        writer.write_table(features.combine_chunks())


def read(file: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Map features, or some of their columns; what nobody looks at is not read."""
    with pa.memory_map(str(file)) as mapped:
        whole = pa.ipc.open_file(mapped).read_all()
    held = whole if columns is None else whole.select(columns)
    check(held, file)
    return held


def names(file: Path) -> list[str]:
    """Return the names of the columns."""
    with pa.memory_map(str(file)) as mapped:
        found: list[str] = pa.ipc.open_file(mapped).schema.names
    return found
