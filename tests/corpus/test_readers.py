"""Each format's records, sound and broken: what is read, what is rejected, why and where."""

import csv
import gzip
import json
from pathlib import Path

import pytest
import zstandard

from corpus.reading.files import File
from corpus.schema import LEDGER, ROW, UserError
from corpus.sources import Batch, Source, read


def batches(path: Path, **knobs: object) -> list[Batch]:
    source = Source(name="s", uri=str(path), **knobs)
    return [stretch.batch() for stretch in read(source, [File(path, path.name)])]


def texts(path: Path, **knobs: object) -> list[str]:
    rows = [row for batch in batches(path, **knobs) for row in batch.rows["messages"].to_pylist()]
    return [message["content"] for row in rows for message in row]


def rejects(path: Path, **knobs: object) -> list[tuple[int | None, str, str]]:
    found = [row for batch in batches(path, **knobs) for row in batch.rejects.to_pylist()]
    return [(row["row"], row["reason"], row["detail"]) for row in found]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def numbered(count: int) -> bytes:
    return b"".join(b'{"text":"row %d"}\n' % number for number in range(count))


def test_a_batch_has_the_row_schema_and_a_ledger_of_rejects(tmp_path):
    path = write(tmp_path / "a.jsonl", '{"text":"x","id":7,"stars":4}\n{\n')

    (batch,) = batches(path)

    assert batch.rows.schema == ROW
    assert batch.rejects.schema == LEDGER
    assert batch.rows.to_pylist() == [
        {
            **dict.fromkeys(ROW.names),
            "messages": [{"role": "text", "content": "x"}],
            "source": "s",
            "file": "a.jsonl",
            "row": 0,
            "groups": [],
            "extra": '{"stars":4}',
        }
    ]
    assert batch.rejects.to_pylist() == [
        {
            **dict.fromkeys(LEDGER.names),
            "source": "s",
            "file": "a.jsonl",
            "row": 1,
            "stage": "ingest",
            "action": "reject",
            "reason": "bad_json",
            "detail": "a.jsonl:2: unexpected end of data: line 2 column 1 (char 2)",
        }
    ]
    assert batch.keys.to_pylist() == ["7"]


@pytest.mark.parametrize(
    ("line", "reason", "what"),
    [
        ('{"text": "x"', "bad_json", "unexpected end of data"),
        ('{"text": NaN}', "bad_json", "unexpected character"),
        ('{"text": "x", "n": -Infinity}', "bad_json", "no digit after sign"),
        ('["x"]', "bad_json", "an object was needed, not list"),
        ('{"text": "\\ud800"}', "bad_json", "low surrogate"),
        ('{"text": "x", "n": 123456789012345678901234567890}', "bad_json", "does not fit 64 bits"),
        ('{"text": "x", "n": ' + "[" * 250 + "]" * 250 + "}", "bad_json", "nested more than 200"),
        ('{"text": "x", "text": "y"}', "repeated_key_in_object", "'text' comes twice"),
        ('{"text": "x", "m": [{"a" : 1, "a": 2}]}', "repeated_key_in_object", "'a' comes twice"),
        ('{"text": "x", "\\u0061": 1, "a": 2}', "repeated_key_in_object", "'a' comes twice"),
        (b'{"text": "\xff"}', "bad_encoding", "undecodable bytes at 10: ff"),
        ('{"text": null}', "text_missing", "'text' is null or absent"),
        ('{"other": "x"}', "text_missing", "'text' is null or absent"),
        ('{"text": 3}', "text_not_a_string", "'text' holds int"),
        ('{"text": ["x"]}', "text_not_a_string", "'text' holds list"),
    ],
)
def test_a_broken_json_line_is_one_reject_at_its_line_and_its_neighbours_are_rows(
    tmp_path, line, reason, what
):
    raw = line if isinstance(line, bytes) else line.encode()
    path = write(tmp_path / "a.jsonl", b'{"text":"before"}\n\n' + raw + b'\n{"text":"after"}')

    found = rejects(path)

    assert [(row, why) for row, why, _ in found] == [(1, reason)]
    assert found[0][2].startswith("a.jsonl:3: ")
    assert what in found[0][2]
    assert texts(path) == ["before", "after"]
    assert [row for batch in batches(path) for row in batch.rows["row"].to_pylist()] == [0, 2]


@pytest.mark.parametrize(
    "text", ['": x', 'a "b": c', '\\": "', "", "\x00", "\u2028", "🙂", "9223372036854775808", "{}"]
)
def test_json_texts_that_look_like_syntax_are_rows_as_they_stand(tmp_path, text):
    path = write(tmp_path / "a.jsonl", json.dumps({"text": text, "n": 1e300}))

    assert texts(path) == [text]
    assert rejects(path) == []


def test_undecodable_bytes_become_replacement_characters_where_the_source_says_so(tmp_path):
    lines = write(tmp_path / "a.jsonl", b'{"text":"a\xff"}\n')
    table = write(tmp_path / "a.csv", b"text\na\xff\n")
    prose = write(tmp_path / "a.txt", b"a\xff")

    assert [texts(path, encoding_errors="replace") for path in (lines, table, prose)] == [["a\ufffd"]] * 3
    assert [[why for _, why, _ in rejects(path)] for path in (lines, table, prose)] == [["bad_encoding"]] * 3


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_understood_and_dropped(tmp_path, encoding):
    lines = write(tmp_path / "a.jsonl", '{"text":"né 🙂"}\n'.encode(encoding))
    table = write(tmp_path / "a.csv", 'text\n"né\n🙂"\n'.encode(encoding))
    prose = write(tmp_path / "a.txt", "né 🙂".encode(encoding))

    assert texts(lines) == ["né 🙂"]
    assert texts(table) == ["né\n🙂"]
    assert texts(prose) == ["né 🙂"]


def test_other_encodings_are_read_by_name_and_their_bad_bytes_are_one_row_each(tmp_path):
    cp1252 = write(tmp_path / "a.csv", b"text,n\ncaf\xe9,1\n\x81,2\nlast,3\n")
    wide = write(tmp_path / "b.txt", "a\nb".encode("utf-16-le") + b"\x00\xd8" + "\nc".encode("utf-16-le"))

    assert texts(cp1252, encoding="cp1252") == ["café", "last"]
    assert rejects(cp1252, encoding="cp1252") == [(1, "bad_encoding", "a.csv:3: undecodable bytes")]
    assert texts(wide, encoding="utf-16-le", unit="line") == ["a", "c"]
    assert [(row, why) for row, why, _ in rejects(wide, encoding="utf-16-le", unit="line")] == [
        (1, "bad_encoding")
    ]


def test_csv_records_may_span_lines_and_ragged_ones_are_rejected_where_they_start(tmp_path):
    path = write(
        tmp_path / "a.csv",
        'text,n\r\n"two\r\nlines, ""quoted""",1\r\nshort\r\n\r\nlong,1,2\r\n"",5\r\nlast,\r\n',
    )

    assert texts(path) == ['two\r\nlines, "quoted"', "last"]
    assert rejects(path) == [
        (1, "ragged_row", "a.csv:4: 1 cells where the header has 2"),
        (2, "ragged_row", "a.csv:6: 3 cells where the header has 2"),
        (
            3,
            "text_missing",
            "a.csv:7: 'text' is null or absent, and so are 'messages' and 'prompt' with 'completion'",
        ),
    ]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz"])
@pytest.mark.parametrize("delimiter", [";", "|", "\t", ",", " ", "é", "😀", "'"])
def test_a_delimiter_that_a_source_names_parts_the_cells_whatever_the_ending(tmp_path, name, delimiter):
    table = f'text{delimiter}n\n"a{delimiter}b"{delimiter}1\nc{delimiter}2\n'.encode()
    path = write(tmp_path / name, gzip.compress(table) if name.endswith("gz") else table)

    assert texts(path, delimiter=delimiter) == [f"a{delimiter}b", "c"]
    assert rejects(path, delimiter=delimiter) == []


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt"])
def test_a_delimiter_says_nothing_to_files_that_are_no_tables(tmp_path, name):
    path = write(tmp_path / name, '{"text":"a;b"}\n')

    assert texts(path, delimiter=";") == texts(path)


def test_a_quote_that_is_never_closed_is_one_reject_that_counts_what_it_swallowed(tmp_path):
    path = write(tmp_path / "a.tsv", 'text\tn\nfine\t1\n"open\t2\nlost\t3\n')

    assert texts(path) == ["fine"]
    assert rejects(path) == [(1, "open_quote", "a.tsv:3: a quote is never closed; 2 lines are lost in it")]


def test_a_long_csv_field_is_read_and_the_csv_modules_limit_is_left_as_it_was(tmp_path):
    before = csv.field_size_limit(100_000)
    path = write(tmp_path / "a.csv", "text\n" + "x" * 500_000 + "\n")

    assert texts(path) == ["x" * 500_000]
    assert csv.field_size_limit(before) == 100_000


def test_lines_beyond_the_limit_are_rejected_and_the_next_one_is_read(tmp_path):
    long = "x" * (64 * 2**20)
    lines = write(tmp_path / "a.jsonl", f'{{"text":"{long}"}}\n{{"text":"next"}}\n')
    table = write(tmp_path / "a.csv", f"text\n{long}y\nnext\n")

    assert [texts(path) for path in (lines, table)] == [["next"]] * 2
    assert [[why for _, why, _ in rejects(path)] for path in (lines, table)] == [["line_too_long"]] * 2


def test_an_empty_document_is_a_reject(tmp_path):
    assert rejects(write(tmp_path / "a.txt", b"")) == [
        (0, "empty_file", "a.txt: a document was needed, and there is none")
    ]


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.arrow", "a.jsonl.gz", "a.csv.zst"]
)
def test_an_empty_file_has_no_rows_and_no_rejects(tmp_path, name):
    assert batches(write(tmp_path / name, b"")) == []


def test_a_header_alone_has_no_rows(tmp_path):
    assert batches(write(tmp_path / "a.csv", "text,label\n")) == []


def test_columns_of_one_name_are_an_error(tmp_path):
    with pytest.raises(UserError, match=r"different names in a\.csv, but 'n' comes twice"):
        batches(write(tmp_path / "a.csv", "text,n,n\na,b,c\n"))


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_packed_file_that_is_cut_keeps_its_rows_and_its_rest_is_one_reject(tmp_path, name):
    pack = gzip.compress if name.endswith("gz") else zstandard.ZstdCompressor(level=1).compress
    whole = b"".join(
        pack(numbered(3000)[start : start + 9000]) for start in range(0, len(numbered(3000)), 9000)
    )
    sound = write(tmp_path / f"sound.{name}", whole)
    cut = write(tmp_path / name, whole[: len(whole) // 2])

    kept, found = texts(cut), rejects(cut)

    assert texts(sound) == [f"row {number}" for number in range(3000)]
    assert 500 < len(kept) < 2000
    assert kept == [f"row {number}" for number in range(len(kept))]
    assert [(row, why) for row, why, _ in found] == [(len(kept), "truncated")]
    assert found[0][2].startswith(f"{name}:{len(kept) + 1}: ")


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst"])
def test_a_file_that_is_not_packed_as_its_name_says_is_one_reject(tmp_path, name):
    assert [(row, why) for row, why, _ in rejects(write(tmp_path / name, "text\nx\n"))] == [(0, "truncated")]


@pytest.mark.parametrize(
    ("unit", "rows"),
    [
        ("document", ["\none\r\ntwo\n \n\nthree"]),
        ("paragraph", ["one\ntwo", "three"]),
        ("line", ["one", "two", "three"]),
    ],
)
def test_plain_text_is_rows_of_documents_paragraphs_or_lines(tmp_path, unit, rows):
    path = write(tmp_path / "a.txt", "\none\r\ntwo\n \n\nthree")

    assert texts(path, unit=unit) == rows
    assert {
        m["role"] for b in batches(path, unit=unit) for row in b.rows["messages"].to_pylist() for m in row
    } == {"text"}
