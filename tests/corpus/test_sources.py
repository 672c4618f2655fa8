"""Sources: which column is what, what a record's digest depends on, and what is an error."""

import csv
import hashlib
import io
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpus.reading.files import File
from corpus.schema import UserError
from corpus.sources import Batch, Source, files_of, read

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CELL = TEXT.filter(bool)
RECORDS = st.lists(st.fixed_dictionaries({"text": CELL, "a": CELL, "é": CELL}), min_size=1, max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ON_DISK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refuse(uri: str) -> Path:
    raise AssertionError(f"{uri} is local")


def jsonl(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def batches(path: Path, size: int = 2**20, **knobs: object) -> list[Batch]:
    source = Source(name="s", uri=str(path), **knobs)
    files = files_of(source, path.parent, refuse)
    return [stretch.batch() for stretch in read(source, files, size=size)]


def rows(path: Path, **knobs: object) -> list[dict[str, object]]:
    return [row for batch in batches(path, **knobs) for row in batch.rows.to_pylist()]


def digests(path: Path, **knobs: object) -> list[bytes]:
    return [record for batch in batches(path, **knobs) for record in batch.records.to_pylist()]


def test_columns_say_what_they_are_and_all_others_go_to_extra_in_order(tmp_path):
    record = {
        "text": "t",
        "label": "l",
        "confidence": 0.5,
        "split": "dev",
        "id": 7,
        "source": "x",
        "file": "f",
        "row": 9,
        "n": None,
    }
    path = jsonl(tmp_path / "a.jsonl", [record])

    (row,) = rows(path)

    assert [row[name] for name in ("label", "confidence", "split", "source", "file", "row")] == [
        "l",
        0.5,
        "validation",
        "s",
        "a.jsonl",
        0,
    ]
    assert row["extra"] == '{"file":"f","row":9,"source":"x"}'
    assert [batch.keys.to_pylist() for batch in batches(path)] == [["7"]]


def test_knobs_name_columns_and_groups_are_declared(tmp_path):
    record = {
        "body": "t",
        "text": "other",
        "rating": 5,
        "sure": "0.25",
        "fold": "val",
        "nr": "k",
        "region": "EU",
        "age": 30,
        "sex": None,
    }
    path = jsonl(tmp_path / "a.jsonl", [record])

    (batch,) = batches(
        path,
        text="body",
        label="rating",
        confidence="sure",
        split="fold",
        key="nr",
        groups=("region", "age", "sex"),
    )

    (row,) = batch.rows.to_pylist()
    assert row["messages"] == [{"role": "text", "content": "t"}]
    assert [row["label"], row["confidence"], row["split"], row["extra"]] == [
        "5",
        0.25,
        "validation",
        '{"text":"other"}',
    ]
    assert row["groups"] == [
        {"axis": "region", "value": "EU", "origin": "declared"},
        {"axis": "age", "value": "30", "origin": "declared"},
    ]
    assert batch.keys.to_pylist() == ["k"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_a_knob_for_a_column_that_is_not_there_names_the_nearest(tmp_path, name):
    if name.endswith("parquet"):
        pq.write_table(pa.table({"text": ["t"], "rating": ["5"]}), tmp_path / name)
    else:
        (tmp_path / name).write_text(
            '{"text":"t","rating":"5"}' if name == "a.jsonl" else "text,rating\nt,5\n"
        )

    with pytest.raises(UserError) as error:
        batches(tmp_path / name, label="ratng")

    assert str(error.value) == (
        f"needed the column 'ratng' (`label`), but '{name}' of source 's' has 'rating', 'text': "
        "did you mean 'rating'? name one that is there"
    )


def test_a_column_that_only_a_late_record_has_is_found_whatever_the_order(tmp_path):
    many = [{"text": str(number)} for number in range(300)]

    late = rows(jsonl(tmp_path / "a.jsonl", [*many, {"text": "t", "é": "x"}]), label="é")
    early = rows(jsonl(tmp_path / "b.jsonl", [{"text": "t", "é": "x"}, *many]), label="é")

    assert [row["label"] for row in late] == [None] * 300 + ["x"]
    assert [row["label"] for row in early] == ["x"] + [None] * 300


def test_a_file_without_text_is_an_error_that_lists_its_columns(tmp_path):
    (tmp_path / "a.csv").write_text("body,n\nx,1\n")

    with pytest.raises(
        UserError,
        match=re.escape("a column of text, but 'a.csv' of source 's' has 'body', 'n': name one with `text:`"),
    ):
        batches(tmp_path / "a.csv")


def test_a_folder_of_mixed_formats_is_read_file_by_file_and_what_is_unknown_is_one_reject(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    jsonl(folder / "a.jsonl", [{"text": "one", "id": 1}])
    (folder / "b.csv").write_text("text,id\ntwo,2\n")
    (folder / "c.txt").write_text("three")
    (folder / "d.png").write_bytes(b"\x89PNG")
    pq.write_table(pa.table({"text": ["four"]}), folder / "e.parquet")

    (batch,) = batches(folder)

    assert [(row["file"], row["row"], row["messages"][0]["content"]) for row in batch.rows.to_pylist()] == [
        ("a.jsonl", 0, "one"),
        ("b.csv", 0, "two"),
        ("c.txt", 0, "three"),
        ("e.parquet", 0, "four"),
    ]
    assert [(row["file"], row["row"], row["reason"]) for row in batch.rejects.to_pylist()] == [
        ("d.png", None, "unknown_format")
    ]
    assert batch.keys is None  # not every file has an id
    assert batch.rows["extra"].to_pylist() == ['{"id":1}', '{"id":"2"}', None, None]


def test_the_digest_is_that_of_the_canonical_json_of_the_fields(tmp_path):
    path = jsonl(
        tmp_path / "a.jsonl", [{"text": "é", "n": 1, "none": None, "deep": {"b": None, "a": [1.0, True]}}]
    )
    canonical = '{"deep":{"a":[1.0,true]},"n":1,"text":"é"}'.encode()

    expected = hashlib.blake2b(len(canonical).to_bytes(8, "little") + canonical, digest_size=16).digest()

    assert digests(path) == [expected]


@ON_DISK
@given(records=RECORDS)
def test_equal_records_have_equal_digests_in_every_format(tmp_path, records):
    lines = jsonl(tmp_path / "a.jsonl", records)
    sink = io.StringIO()
    writer = csv.DictWriter(sink, ["é", "text", "a"], quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(records)
    table = tmp_path / "a.csv"
    table.write_bytes(sink.getvalue().encode())
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")

    assert digests(table) == digests(lines)
    assert digests(tmp_path / "a.parquet") == digests(lines)


@ON_DISK
@given(values=st.lists(VALUES, min_size=1, max_size=8), data=st.data())
def test_cutting_shuffling_and_batching_change_no_digest(tmp_path, values, data):
    records = [{"text": str(number), "value": value} for number, value in enumerate(values)]
    cut = data.draw(st.integers(0, len(records)))
    shuffled = data.draw(st.permutations(records))

    whole = digests(jsonl(tmp_path / "a.jsonl", records))
    halves = [digests(jsonl(tmp_path / "b.jsonl", half), size=40) for half in (records[:cut], records[cut:])]
    other = digests(jsonl(tmp_path / "c.jsonl", shuffled))

    assert halves[0] + halves[1] == whole
    assert sorted(other) == sorted(whole)
    assert len(set(whole)) == len(records)


@ON_DISK
@given(
    lines=st.lists(
        st.binary(max_size=20).filter(lambda raw: b"\n" not in raw) | st.just(b'{"text":"x"}'), max_size=12
    )
)
def test_every_line_that_is_not_blank_is_a_row_or_a_reject_once(tmp_path, lines):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text":"first"}\n' + b"\n".join(lines))

    found = batches(path, size=30)

    taken = [
        row for batch in found for table in (batch.rows, batch.rejects) for row in table["row"].to_pylist()
    ]
    assert sorted(taken) == list(range(1 + sum(bool(line.strip()) for line in lines)))
    assert all(batch.rows.num_rows == len(batch.records) for batch in found)


def test_a_giant_file_is_many_stretches_and_small_ones_share_one(tmp_path):
    for name in ("a", "b", "c"):
        jsonl(tmp_path / f"{name}.jsonl", [{"text": f"{name}{number}"} for number in range(4)])

    (one,) = batches(tmp_path)
    several = batches(tmp_path, size=30)

    assert one.rows.num_rows == 12
    assert [batch.rows.num_rows for batch in several] == [2, 2] * 3
    assert [row for batch in several for row in batch.rows["row"].to_pylist()] == [0, 1, 2, 3] * 3


def test_identity_is_the_name_and_the_reading_knobs_without_locations():
    one = Source(name="s", uri="file:a.csv", text="body", groups=("region",), encoding="UTF8")
    other = Source(name="s", uri=("b", "c"), text="body", groups=("region",))

    assert one.identity() == other.identity()
    assert "uri" not in one.identity()
    assert json.loads(json.dumps(one.identity())) == one.identity()


@pytest.mark.parametrize(
    ("knobs", "what"),
    [
        ({"name": "a b"}, "should match pattern"),
        ({"uri": ()}, "at least 1 item"),
        ({"prompt": "p"}, "`prompt` and `completion` together"),
        ({"text": "t", "messages": "m"}, "text and messages came: keep one"),
        ({"encoding": "klingon"}, "an encoding that Python knows"),
        ({"encoding": "hex"}, "an encoding that Python knows"),
        *(
            ({"delimiter": odd}, "one printable character or a tab")
            for odd in ("", ";;", "\n", "\r", '"', "\0", "\ud800")
        ),
        ({"txt": "body"}, "Extra inputs are not permitted"),
    ],
)
def test_knobs_are_checked_where_they_are_declared(knobs, what):
    with pytest.raises(ValidationError, match=re.escape(what)):
        Source(**{"name": "s", "uri": "a.csv", **knobs})


def test_files_may_be_given_by_hand(tmp_path):
    path = jsonl(tmp_path / "x", [{"text": "t"}])

    (stretch,) = read(Source(name="s", uri="x"), [File(path, "shown.jsonl")])

    assert stretch.batch().rows["file"].to_pylist() == ["shown.jsonl"]
