"""The store: written aside and renamed, refs created exclusively, versions that stand or do not exist."""

import json
import multiprocessing
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import version
from corpus.schema import UserError
from corpus.store import Store
from tests.corpora import make

CARD = version.Card("made", {"made": "CC0-1.0"})
RECIPE = {"seed": 7, "stages": []}


def published(store: Store, texts: list[str], **recipe) -> version.Version:
    rows = make(texts, splits=["train"] * len(texts))
    return store.publish({"train": [rows], "test": []}, {**RECIPE, **recipe}, CARD)


def test_the_same_rows_are_the_same_version_however_they_are_cut(tmp_path):
    rows = make([f"row {number}" for number in range(40)], splits=["train"] * 40)

    one = Store(tmp_path / "one").publish({"train": [rows]}, RECIPE, CARD)
    two = Store(tmp_path / "two").publish(
        {"train": [rows.slice(0, 3), rows.slice(3, 30), rows.slice(33)]}, RECIPE, CARD
    )

    assert one.id == two.id
    assert [file.read_bytes() for file in one.files("train")] == [
        file.read_bytes() for file in two.files("train")
    ]


def test_another_recipe_is_another_version(tmp_path):
    store = Store(tmp_path)

    assert published(store, ["a"]).id != published(store, ["a"], seed=8).id


def test_a_version_says_what_stands_on_disk(tmp_path):
    made = published(Store(tmp_path), ["a", "b", "c"])

    shards = json.loads((made.folder / "attestations" / "shards.json").read_text())

    assert [(shard["rows"], shard["bytes"]) for shard in shards] == [
        (3, (made.folder / shards[0]["file"]).stat().st_size)
    ]
    assert pq.ParquetFile(made.folder / shards[0]["file"]).metadata.row_group(0).column(0).has_column_index


def test_datasets_reads_a_version_without_help(tmp_path):
    made = published(Store(tmp_path / "store"), ["a", "b"])

    loaded = datasets.load_dataset(str(made.folder), cache_dir=str(tmp_path / "cache"))

    assert {split: [row["messages"][0]["content"] for row in rows] for split, rows in loaded.items()} == {
        "train": [row["messages"][0]["content"] for row in make(["a", "b"], splits=["train"] * 2).to_pylist()]
    }


def test_shards_are_cut_by_bytes_of_text_and_not_by_how_rows_arrive(tmp_path, monkeypatch):
    monkeypatch.setattr(version, "GROUP_BYTES", 100)
    monkeypatch.setattr(version, "SHARD_BYTES", 300)
    rows = make([f"{number:010d}" for number in range(100)], splits=["train"] * 100)

    one = Store(tmp_path / "one").publish({"train": [rows]}, RECIPE, CARD)
    two = Store(tmp_path / "two").publish(
        {"train": [rows.slice(at, 7) for at in range(0, 100, 7)]}, RECIPE, CARD
    )

    assert [pq.read_metadata(file).num_rows for file in one.files("train")] == [30, 30, 30, 10]
    assert [file.name for file in one.files("train")] == [file.name for file in two.files("train")]


def test_a_version_that_breaks_off_leaves_nothing_behind(tmp_path):
    store = Store(tmp_path)

    def broken():
        yield make(["a"], splits=["train"])
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        store.publish({"train": broken()}, RECIPE, CARD)

    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "versions").exists()


def test_the_highest_number_of_a_ref_wins_and_all_of_them_are_the_log(tmp_path):
    store = Store(tmp_path)
    one, two = published(store, ["a"]), published(store, ["b"])

    store.set_ref("made", one.id)
    store.set_ref("made", two.id)

    assert store.open_version("made").id == two.id
    assert [entry["version"] for entry in store.log("made")] == [one.id, two.id]
    assert store.open_version(one.id[:10]).id == one.id


def _move(root: str, barrier) -> str:
    barrier.wait()
    try:
        Store(Path(root)).set_ref("made", "0" * 64)
    except UserError:
        return "told"
    return "won"


def test_of_writers_that_meet_none_overwrites_another(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        barrier = manager.Barrier(4)
        with context.Pool(4) as pool:
            answers = pool.starmap(_move, [(str(tmp_path), barrier)] * 4)

    log = Store(tmp_path).log("made")

    assert answers.count("won") == len(log) >= 1
    assert [entry["n"] for entry in log] == list(range(1, len(log) + 1))


def test_an_unknown_version_is_a_clear_error(tmp_path):
    with pytest.raises(UserError, match="no version or ref"):
        Store(tmp_path).open_version("nothing")
    with pytest.raises(UserError, match="no version or ref"):
        Store(tmp_path).open_version("../../etc")


@pytest.mark.parametrize("root", ["/proc/nothing", "/dev/null/store"])
def test_a_store_that_cannot_be_written_is_a_clear_error(root):
    with pytest.raises(UserError, match="cannot be written"):
        Store(Path(root)).new_run()


def test_what_is_placed_twice_stands_once(tmp_path):
    store = Store(tmp_path)
    for word in ("first", "second"):
        with store.aside() as folder:
            (folder / "made").mkdir()
            (folder / "made" / "word").write_text(word)
            store.place(folder / "made", tmp_path / "final")

    assert (tmp_path / "final" / "word").read_text() == "first"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_rows_read_back_equal_the_rows_published(tmp_path):
    rows = make(["a", "ünïcode 😂", ""], ["x", None, "y"], [0.1, None, 1.0], ["train"] * 3)

    made = Store(tmp_path).publish({"train": [rows]}, RECIPE, CARD)

    assert pa.concat_tables([pq.read_table(file) for file in made.files("train")]).equals(rows)
