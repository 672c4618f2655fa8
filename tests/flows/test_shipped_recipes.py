"""The recipes on long documents and on chats, whole, with parts of 7 rows."""

from importlib.resources import files
from pathlib import Path

import pyarrow.compute as pc
import pytest

from corpus import text
from flows import curate
from flows.job import totals
from flows.recipe import load
from tests.flows import jobs

PODS = sorted(Path("/usr/share/perl").glob("5.[0-9][0-9]/pod/*.pod"))


@pytest.mark.skipif(len(PODS) < 2, reason="Debian's package perl-doc is not installed; .ci/run asks for it")
def test_long_documents_are_curated_and_published(tmp_path):
    done = jobs.job(load(files("data") / "recipes" / "manuals.yaml"), tmp_path, part_rows=7)

    version = done.store.library.open(curate.publish(done))

    rows = totals(done)
    words = [count for table in done.standing.tables() for count in text.count_words(table).to_pylist()]
    assert rows["in"] == len(PODS) == rows["kept"] + rows["dropped"] + rows["rejected"]
    assert len(words) > 100
    assert min(words) >= 1_000
    assert sum(split["rows"] for split in version.manifest["splits"].values()) == rows["kept"]


def test_chats_are_curated_and_published(tmp_path):
    done = jobs.job(load(files("data") / "recipes" / "chats.yaml"), tmp_path, part_rows=7)

    version = done.store.library.open(curate.publish(done))

    rows = totals(done)
    roles = {
        tuple(turn["role"] for turn in turns)
        for table in done.standing.tables()
        for turns in table["messages"].to_pylist()
    }
    assert (rows["in"], rows["rejected"]) == (164, 0)
    assert roles == {("user", "assistant")}
    assert {split: held["rows"] > 0 for split, held in version.manifest["splits"].items()} == {
        "train": True,
        "validation": True,
        "test": True,
    }
    assert all(pc.all(pc.is_valid(table["id"])).as_py() for table in done.standing.tables())
