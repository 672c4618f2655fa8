"""Rows by number are the rows of the shards, whoever asks and from where."""

import copy

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.schema import ROW, UserError
from corpus.versions import blocks
from corpus.versions.rows import Rows
from corpus.versions.values import look
from corpus.versions.version import Version
from tests.corpora import make
from tests.corpus.versions.shelves import CARD, RECIPE, library, published

TEXTS = [f"row {number} " + "ü😂" * (number % 7) for number in range(200)]


@pytest.fixture
def version(tmp_path, monkeypatch) -> Version:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 300)
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))
    held = make(
        TEXTS, ["x", None] * 100, [0.5, None, 1.0, None] * 50, ["train", "train", "train", "test"] * 50
    )
    return library(tmp_path).publish([held], RECIPE, CARD)


def test_every_row_is_the_row_of_the_shard(version):
    for split in ("train", "test", "validation"):
        rows = Rows(version, split, ROW.names)
        read = [row for file in version.files(split) for row in pq.read_table(file).to_pylist()]

        assert len(rows) == len(read)
        assert rows.__getitems__(range(len(rows))) == read
        assert [row for table in rows.tables() for row in table.to_pylist()] == read


def test_rows_come_in_the_order_asked_for(version):
    rows = Rows(version, "train")

    assert [row["id"] for row in rows.__getitems__([149, 0, 0, 77])] == [
        rows[number]["id"] for number in (149, 0, 0, 77)
    ]
    assert rows[-1] == rows[149]
    for outside in (150, -151):
        with pytest.raises(IndexError, match="of 150"):
            rows[outside]


def test_rows_travel_to_other_processes(version):
    rows = Rows(version, "train")
    rows[3]

    assert copy.deepcopy(rows)[3] == rows[3]


def test_a_shard_is_decoded_once(version, tmp_path):
    Rows(version, "train")
    made = {file: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "decoded").iterdir()}
    Rows(version, "train")

    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "cache" / "decoded").iterdir()} == made
    assert len(made) == len(version.files("train"))


def test_a_shard_whose_bytes_changed_is_not_read(version):
    shard = version.files("train")[0]
    raw = bytearray(shard.read_bytes())
    raw[100] ^= 1
    shard.write_bytes(raw)

    with pytest.raises(UserError, match="is not what was published"):
        Rows(version, "train")


@pytest.mark.parametrize(("split", "columns"), [("trian", ["id"]), ("train", ["text"])])
def test_an_unknown_split_or_column_is_a_clear_error(split, columns, version):
    with pytest.raises(UserError, match="there are"):
        Rows(version, split, columns)


def test_a_withdrawn_version_is_not_read(version):
    (version.folder / "withdrawn.json").write_text('{"at": "2026-01-01", "why": "a person asked"}')

    with pytest.raises(UserError, match=r"withdrawn on 2026-01-01: a person asked"):
        library(version.folder.parents[1]).open(version.id)


def test_two_versions_that_share_a_shard_share_its_decoded_form(version, tmp_path):
    held = library(tmp_path)
    one = published(held, ["a", "b"])
    two = published(held, ["a", "b"], seed=8)
    assert one.id != two.id
    assert one.shards[0].sha256 == two.shards[0].sha256

    assert Rows(one, "train")[1]["messages"] == Rows(two, "train")[1]["messages"]
    assert Rows(one, "train").version != Rows(two, "train").version


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["", "a", None, "ü😂"]),
        pa.array([], pa.string()),
        pa.array([1, None, -3], pa.int64()),
        pa.array([0.5, None, float("inf")]),
        pa.array(
            [[{"role": "a", "content": "b"}], None, [], [{"role": None, "content": ""}, None]],
            ROW.field("messages").type,
        ),
    ],
)
def test_a_value_is_what_arrow_says(array):
    for start in range(len(array) + 1):
        held = array.slice(start)
        assert [look(held)(at) for at in range(len(held))] == held.to_pylist()
