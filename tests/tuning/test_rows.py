"""Which published rows are read."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.tuning.conftest import labelled, write
from tuning.rows import label_set, read

PAIRS = [(f"text {row}", None if row % 5 == 0 else "ab"[row % 2]) for row in range(60)]


def test_the_classes_are_those_of_the_training_rows(tmp_path: Path) -> None:
    shards = write(tmp_path, train=labelled(PAIRS), test=labelled([("c", "c"), ("c", "c")]))

    assert label_set(shards) == ("a", "b")


def test_a_sample_depends_on_seed_and_rows_and_not_on_their_order(tmp_path: Path) -> None:
    rows = labelled(PAIRS)
    (tmp_path / "there").mkdir()
    (tmp_path / "back").mkdir()
    there = write(tmp_path / "there", test=rows)["test"]
    back = write(tmp_path / "back", test=rows.take(pa.array(range(59, -1, -1))))["test"]

    first = read(there, 7, sample=20)
    second = read(back[::-1], 7, sample=20)
    other = read(there, 8, sample=20)

    assert first.num_rows == 20
    assert first.equals(second)
    assert first["id"] != other["id"]
    assert set(first["id"].to_pylist()) < set(read(there, 7, sample=30)["id"].to_pylist())


def test_rows_are_read_with_a_label_or_without_one_as_asked(tmp_path: Path) -> None:
    files = write(tmp_path, train=labelled(PAIRS))["train"]

    whole, known, unknown = (read(files, 7, labelled=wanted) for wanted in (None, True, False))

    assert (whole.num_rows, known.num_rows, unknown.num_rows) == (60, 48, 12)
    assert unknown["label"].null_count == 12
    assert whole["id"].to_pylist() == sorted(whole["id"].to_pylist())


def test_no_shards_are_no_rows(tmp_path: Path) -> None:
    empty = tmp_path / "train-00000.parquet"
    pq.write_table(labelled([]), empty)

    assert read((), 7).num_rows == 0
    assert read((empty,), 7, sample=3, labelled=True).num_rows == 0
