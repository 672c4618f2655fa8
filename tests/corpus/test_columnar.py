"""Parquet and saved datasets, sound and broken."""

import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.reading.files import File
from corpus.schema import UserError
from corpus.sources import Batch, Source, read


def batches(path: Path, **knobs: object) -> list[Batch]:
    source = Source(name="s", uri=str(path), **knobs)
    return [stretch.batch() for stretch in read(source, [File(path, path.name)])]


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def texts(path: Path, **knobs: object) -> list[str]:
    return [
        row[0]["content"] for batch in batches(path, **knobs) for row in batch.rows["messages"].to_pylist()
    ]


def rejects(path: Path, **knobs: object) -> list[tuple[int | None, str]]:
    found = [row for batch in batches(path, **knobs) for row in batch.rejects.to_pylist()]
    return [(row["row"], row["reason"]) for row in found]


def test_parquet_is_read_with_lists_dates_decimals_bytes_and_floats_that_json_lacks(tmp_path):
    table = pa.table(
        {
            "text": ["a"],
            "tags": [["x", None, "y"]],
            "nested": [{"a": 1, "b": None}],
            "at": [dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)],
            "day": [dt.date(2024, 1, 2)],
            "price": [Decimal("1.50")],
            "raw": [b"\x00\xff"],
            "score": [float("nan")],
            "none": pa.array([None], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")

    (batch,) = batches(tmp_path / "a.parquet")

    assert json.loads(batch.rows["extra"][0].as_py()) == {
        "at": "2024-01-02T03:04:05+00:00",
        "day": "2024-01-02",
        "nested": {"a": 1},
        "price": "1.50",
        "raw": "AP8=",
        "score": "NaN",
        "tags": ["x", None, "y"],
    }


def test_a_parquet_string_that_is_not_utf8_is_a_reject_or_is_replaced(tmp_path):
    raw = pa.array([b"good", b"bad\xff", None], pa.binary())
    pq.write_table(pa.table({"text": raw.view(pa.string())}), tmp_path / "a.parquet")

    assert texts(tmp_path / "a.parquet") == ["good"]
    assert rejects(tmp_path / "a.parquet") == [
        (1, "bad_encoding"),
        (2, "text_missing"),
    ]
    assert texts(tmp_path / "a.parquet", encoding_errors="replace") == ["good", "bad\ufffd"]


def test_a_damaged_row_group_is_one_reject_and_the_rows_before_and_behind_it_stay(tmp_path):
    sink = io.BytesIO()
    pq.write_table(
        pa.table({"text": [f"row {n}" for n in range(4000)]}), sink, row_group_size=1000, compression="zstd"
    )
    sound = sink.getvalue()
    middle = pq.ParquetFile(io.BytesIO(sound)).metadata.row_group(2).column(0).data_page_offset
    damaged = written(tmp_path / "a.parquet", sound[:middle] + b"\xff" * 40 + sound[middle + 40 :])
    cut = written(tmp_path / "b.parquet", sound[:-100])

    assert texts(damaged) == [f"row {number}" for number in (*range(2000), *range(3000, 4000))]
    assert rejects(damaged) == [(2000, "truncated")]
    assert rejects(cut) == [(0, "truncated")]


def test_a_saved_dataset_is_read_without_running_it(tmp_path):
    datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}).save_to_disk(tmp_path / "d")
    source = Source(name="s", uri="d")

    file = File(tmp_path / "d/data-00000-of-00001.arrow", "d.arrow", split="validation")
    (stretch,) = read(source, [file])
    batch = stretch.batch()

    assert batch.rows.select(["label", "split", "row"]).to_pylist() == [
        {"label": "0", "split": "validation", "row": 0},
        {"label": "1", "split": "validation", "row": 1},
    ]


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize(
    "values",
    [
        pa.array([0, 10**15, None], pa.timestamp("s")),
        pa.array([0, 253402300799, None], pa.timestamp("s", "+14:00")),
        pa.array([0, 10**8, None], pa.date32()),
        pa.array([0, 10**17, None], pa.duration("s")),
        pa.array([[0], [0, 10**8], None], pa.list_(pa.date32())),
        pa.array([{"at": 0}, {"at": 10**15}, None], pa.struct([("at", pa.timestamp("s"))])),
    ],
    ids=lambda values: str(values.type),
)
def test_a_row_with_a_value_that_python_cannot_hold_is_a_reject_and_the_rows_beside_it_stay(
    values, form, tmp_path
):
    table = pa.table({"text": ["a", "b", "c"], "value": values})
    path = tmp_path / f"a.{form}"
    if form == "parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table)

    (batch,) = batches(path)

    (reject,) = batch.rejects.to_pylist()
    assert batch.rows["row"].to_pylist() == [0, 2]
    assert (reject["file"], reject["row"], reject["reason"]) == (path.name, 1, "bad_value")
    assert reject["detail"].startswith(f"{path.name}: 'value' holds a value that Python cannot hold (")


def test_rejects_are_numbered_over_the_pieces_of_a_file(tmp_path):
    days = pa.array([10**8 if row in (5, 1005) else 0 for row in range(2000)], pa.date32())
    pq.write_table(pa.table({"text": ["a"] * 2000, "day": days}), tmp_path / "a.parquet")

    assert rejects(tmp_path / "a.parquet") == [(5, "bad_value"), (1005, "bad_value")]


TWICE = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (TWICE, "fields of different names in the column 'value' of a.parquet, but 'a' comes twice"),
        (pa.array([[None]], pa.list_(TWICE.type)), "in the column 'value' of a.parquet, but 'a' comes twice"),
        (
            pa.array([1], pa.timestamp("us", "Mars/Olympus")),
            "a time zone that this machine knows in the column 'value' of a.parquet, but 'Mars/Olympus' came",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value.type),
)
def test_a_column_of_which_no_value_can_be_held_is_an_error_that_names_it(values, what, tmp_path):
    pq.write_table(pa.table({"text": ["a"], "value": values}), tmp_path / "a.parquet")

    with pytest.raises(UserError, match=what):
        batches(tmp_path / "a.parquet")
