"""Publishing: identity by content, shards as attested, versions that stand or do not exist."""

import json

import datasets
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from corpus import text
from corpus.content import content
from corpus.schema import ROW, UserError
from corpus.versions import blocks
from corpus.versions.manifest import canonical
from corpus.versions.verify import verify
from corpus.versions.version import Version
from tests.corpora import make
from tests.corpus.versions.shelves import CARD, RECIPE, library, published, rows


def test_the_same_rows_are_the_same_version_however_they_are_cut(tmp_path):
    held = rows([f"row {number}" for number in range(40)])

    one = library(tmp_path / "one").publish([held], RECIPE, CARD)
    two = library(tmp_path / "two").publish(
        [held.slice(0, 3), held.slice(3, 30), held.slice(33)], RECIPE, CARD
    )

    assert one.id == two.id
    assert [file.read_bytes() for file in one.files("train")] == [
        file.read_bytes() for file in two.files("train")
    ]


def test_another_recipe_is_another_version(tmp_path):
    held = library(tmp_path)

    assert published(held, ["a"]).id != published(held, ["a"], seed=8).id


def test_a_manifest_lists_what_an_independent_reading_finds(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    texts = [f"{number:010d}" for number in range(100)]
    made = published(library(tmp_path), texts, ["train", "test"] * 50)

    for split in ("train", "test"):
        held = pa.concat_tables([pq.read_table(file) for file in made.files(split)])
        listed = made.manifest["splits"][split]["blocks"]
        assert [block["rows"] for block in listed] == [10] * 5
        assert [block["content"] for block in listed] == [
            content(held.slice(at, 10).cast(ROW)) for at in range(0, 50, 10)
        ]
        whole = rows(texts, ["train", "test"] * 50)
        assert held.equals(whole.filter(pc.equal(whole["split"], split)))


def test_a_version_says_what_stands_on_disk(tmp_path):
    made = published(library(tmp_path), ["a", "b", "c"])

    shards = json.loads((made.folder / "attestations" / "shards.json").read_text())

    assert [(shard["rows"], shard["bytes"]) for shard in shards] == [
        (3, (made.folder / shards[0]["file"]).stat().st_size)
    ]
    assert pq.ParquetFile(made.folder / shards[0]["file"]).metadata.row_group(0).column(0).has_column_index


def test_datasets_reads_a_version_without_help(tmp_path):
    made = published(library(tmp_path / "store"), ["a", "b", "c"], ["train", "test", "train"])

    loaded = datasets.load_dataset(str(made.folder), cache_dir=str(tmp_path / "cache"))

    assert {split: list(held) for split, held in loaded.items()} == {
        split: pa.concat_tables([pq.read_table(file) for file in made.files(split)]).to_pylist()
        for split in ("train", "test")
    }


def test_shards_are_cut_by_bytes_of_text_and_not_by_how_rows_arrive(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    monkeypatch.setattr("corpus.versions.shards.BLOCKS_PER_SHARD", 3)
    held = rows([f"{number:010d}" for number in range(100)])

    one = library(tmp_path / "one").publish([held], RECIPE, CARD)
    two = library(tmp_path / "two").publish([held.slice(at, 7) for at in range(0, 100, 7)], RECIPE, CARD)

    assert [pq.read_metadata(file).num_rows for file in one.files("train")] == [30, 30, 30, 10]
    assert [file.name for file in one.files("train")] == [file.name for file in two.files("train")]


def test_a_text_larger_than_blocks_is_a_block_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    held = rows(["a", "b" * 1000, "c", "d"])
    long = pc.equal(text.contents(held), "b" * 1000)
    short = held.filter(pc.invert(long))

    made = library(tmp_path).publish([short.slice(0, 1), held.filter(long), short.slice(1)], RECIPE, CARD)

    assert [block["rows"] for block in made.manifest["splits"]["train"]["blocks"]] == [2, 2]
    assert [pq.read_metadata(file).num_rows for file in made.files("train")] == [2, 2]


def test_a_version_that_breaks_off_leaves_nothing_behind(tmp_path):
    held = library(tmp_path)

    def broken():
        yield rows(["a"])
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        held.publish(broken(), RECIPE, CARD)

    assert list((tmp_path / "tmp").iterdir()) == []
    assert held.versions() == []


def test_rows_read_back_equal_the_rows_published(tmp_path):
    held = make(["a", "ünïcode 😂", ""], ["x", None, "y"], [0.1, None, 1.0], ["train"] * 3)

    made = library(tmp_path).publish([held], RECIPE, CARD)

    assert pa.concat_tables([pq.read_table(file) for file in made.files("train")]).equals(held)


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (b"{", "is not a manifest"),
        (b"[]", "is not a manifest"),
        (b"{}", "an older Winnow"),
        (canonical({"format": 3}), "a newer Winnow"),
        (canonical({"format": 2, "version": "0" * 64}), "was changed"),
    ],
)
def test_a_manifest_that_is_none_is_a_clear_error(held, told, tmp_path):
    made = published(library(tmp_path), ["a"])
    (made.folder / "manifest.json").write_bytes(held)

    with pytest.raises(UserError, match=told):
        library(tmp_path).open(made.id)


def test_a_version_in_the_folder_of_another_is_a_clear_error(tmp_path):
    held = library(tmp_path)
    one, two = published(held, ["a"]), published(held, ["b"])
    (one.folder / "manifest.json").write_bytes((two.folder / "manifest.json").read_bytes())

    with pytest.raises(UserError, match="wrong folder"):
        held.open(one.id)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "../../../etc/passwd"},
        {"file": "data/train-00000-00000000.parquet"},
        {"rows": 7},
        {"blocks": 2},
        {"blocks": 0},
        {"split": "nowhere"},
        {"more": 1},
    ],
)
def test_shards_that_the_manifest_does_not_list_are_a_clear_error(change, tmp_path):
    made = published(library(tmp_path), ["a", "b"])
    file = made.folder / "attestations" / "shards.json"
    file.write_text(json.dumps([{**json.loads(file.read_text())[0], **change}]))

    with pytest.raises(UserError, match="is not what the manifest lists"):
        Version.open(made.shelf, made.id).files("train")


def test_an_attestation_is_laid_beside_and_replaced(tmp_path):
    made = published(library(tmp_path), ["a"])

    made.attest("audit.json", b"one")
    made.attest("audit.json", b"two")

    assert (made.folder / "audit.json").read_bytes() == b"two"
    assert len(made.digests["audit.json"]) == 1


@pytest.mark.parametrize("broken", ["manifest.json", "shard", "object", "missing"])
def test_a_broken_version_is_mended_by_publishing_it_anew(tmp_path, broken):
    held = library(tmp_path)
    version = published(held, ["one", "two", "three"])
    shard = tmp_path / version.where / version.shards[0].file
    if broken == "manifest.json":
        (tmp_path / version.where / broken).write_text("{")
    elif broken == "missing":
        shard.unlink()
    else:  # a shard and its object are one file
        shard.write_bytes(b"PAR1 something else PAR1")

    again = published(held, ["one", "two", "three"])

    assert again.id == version.id
    assert verify(held, version.id, deep=True)["ok"]


def test_a_version_that_was_withdrawn_is_not_published_again(tmp_path):
    held = library(tmp_path)
    version = published(held, ["one", "two", "three"])
    held.withdraw(version.id, "it should not be")

    with pytest.raises(UserError, match="it should not be"):
        published(held, ["one", "two", "three"])
