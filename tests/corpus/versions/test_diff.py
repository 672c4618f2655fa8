"""Diff against a comparison written row by row."""

import json
import random
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import lexicon
from corpus.schema import LEDGER, ROW
from corpus.versions import blocks
from corpus.versions.diff import diff
from flows.changed import changed
from flows.compare import markdown
from tests.corpora import make
from tests.corpus.versions.shelves import CARD, RECIPE, library


def rows_of(version) -> dict[str, dict]:
    return {
        row["id"]: row
        for split in ("train", "validation", "test")
        for file in version.files(split)
        for row in pq.read_table(file).to_pylist()
    }


def table(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["id"]), schema=ROW)


def words(row: dict) -> int:
    return len(row["messages"][0]["content"].split())


@pytest.fixture(params=[60, 10**9])
def versions(request, tmp_path, monkeypatch):
    """Two versions of which rows were added, removed, changed in each way and moved; cut small and not at all."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", request.param)
    generator = random.Random(4)
    texts = [
        " ".join(generator.choices(["she", "alpha", "beta", "gamma"], k=generator.randint(1, 9)))
        for _ in range(300)
    ]
    base = make(
        texts, generator.choices(["x", "y", None], k=300), splits=generator.choices(["train", "test"], k=300)
    )
    old = base.to_pylist()
    new = [dict(row) for row in old if generator.random() > 0.1]
    for row in new:
        kind = generator.random()
        if kind < 0.04:
            row["messages"] = [{"role": "text", "content": "she said another thing"}]
        elif kind < 0.08:
            row["label"] = "y" if row["label"] != "y" else None
        elif kind < 0.12:
            row["split"] = "validation"
        elif kind < 0.16:
            row["groups"] = [{"axis": "region", "value": "north", "origin": "declared"}]
        elif kind < 0.20:
            row["messages"], row["split"] = [{"role": "text", "content": "both"}], "validation"
    more = make(
        [f"a new row {number}" for number in range(25)], splits=["train"] * 25, source="more"
    ).to_pylist()
    for row in more[:5]:
        row["groups"] = [
            {"axis": "region", "value": value, "origin": "declared"} for value in ("north", "south")
        ]
    held = library(tmp_path)
    return held.publish([table(old)], RECIPE, CARD), held.publish(
        [table(new + more)], {**RECIPE, "seed": 8}, CARD
    )


def test_every_number_is_that_of_a_comparison_row_by_row(versions):
    a, b = versions
    old, new = rows_of(a), rows_of(b)
    both = old.keys() & new.keys()
    beside = ("confidence", "parent", "operation", "family", "extra", "groups")
    changed = {
        one
        for one in both
        if any(old[one][name] != new[one][name] for name in ("messages", "label", *beside))
    }
    moved = {one for one in both if old[one]["split"] != new[one]["split"]}
    added, removed = new.keys() - old.keys(), old.keys() - new.keys()

    found = diff(a, b)

    assert found["rows"] == {"a": len(old), "b": len(new), "same": len(both - changed - moved)}
    assert found["added"] == {"rows": 25, "tokens": sum(words(new[one]) for one in added)}
    assert found["removed"] == {"rows": len(removed), "tokens": sum(words(old[one]) for one in removed)}
    assert found["changed"]["rows"] == len(changed) > 10
    assert found["changed"]["tokens"] == {
        "a": sum(words(old[one]) for one in changed),
        "b": sum(words(new[one]) for one in changed),
    }
    assert found["changed"]["what"] == {
        "text": sum(old[one]["messages"] != new[one]["messages"] for one in both),
        "label": sum(old[one]["label"] != new[one]["label"] for one in both),
        "beside": sum(any(old[one][name] != new[one][name] for name in beside) for one in both),
    }
    assert found["moved"]["rows"] == len(moved) > 5
    assert sum(way["rows"] for way in found["moved"]["ways"]) == len(moved)
    assert {(way["from"], way["to"]) for way in found["moved"]["ways"]} == {
        (old[one]["split"], new[one]["split"]) for one in moved
    }
    assert found["splits"]["train"]["added"] == sum(new[one]["split"] == "train" for one in added)
    assert found["splits"]["test"]["removed"] == sum(old[one]["split"] == "test" for one in removed)
    by = {(one["axis"], one["value"]): (one["added"], one["removed"]) for one in found["by"]}
    for label in ("x", "y", None):
        assert by["label", label] == (
            sum(new[one]["label"] == label for one in added),
            sum(old[one]["label"] == label for one in removed),
        )
    assert by["source", "more"] == (25, 0)
    assert by["region", "north"] == by["region", "south"] == (5, 0)
    assert found["recipe"] == [{"knob": "seed", "a": 7, "b": 8}]


def test_the_other_way_round_is_the_mirror(versions):
    there, back = diff(*versions), diff(*versions[::-1])

    assert (there["added"], there["removed"], there["changed"]["rows"], there["moved"]["rows"]) == (
        back["removed"],
        back["added"],
        back["changed"]["rows"],
        back["moved"]["rows"],
    )


def test_a_version_differs_in_nothing_from_itself_and_no_shard_is_read(versions, monkeypatch):
    monkeypatch.setattr(pq.ParquetFile, "read_row_group", None)

    found = diff(versions[0], versions[0])

    assert found["rows"]["same"] == found["rows"]["a"] == 300
    assert not any(found[kind]["rows"] for kind in ("added", "removed", "changed", "moved"))
    assert found["by"] == []


def test_samples_show_what_was_said_before(versions):
    a, b = versions
    old, new = rows_of(a), rows_of(b)

    samples = diff(a, b)["samples"]

    assert {kind: len(rows) for kind, rows in samples.items()} == dict.fromkeys(samples, 5)
    for row in samples["changed"] + samples["moved"]:
        assert row["text"] == new[row["id"]]["messages"][0]["content"]
        assert row["before"] == {
            "split": old[row["id"]]["split"],
            "label": old[row["id"]]["label"],
            "text": old[row["id"]]["messages"][0]["content"],
        }
    assert all(row["text"] == old[row["id"]]["messages"][0]["content"] for row in samples["removed"])


def test_mentions_are_counted_in_what_came_and_went(versions):
    a, b = versions
    removed = rows_of(a).keys() - rows_of(b).keys()

    found = diff(a, b, lexicon.load("mentions"))

    women = next(one for one in found["by"] if (one["axis"], one["value"]) == ("gender", "women"))
    assert (
        women["removed"]
        == sum("she" in rows_of(a)[one]["messages"][0]["content"].split() for one in removed)
        > 0
    )
    assert women["of"] == {"added": 25, "removed": len(removed)}


def test_why_a_row_went_stands_in_the_later_ledger(versions):
    a, b = versions
    gone = sorted(rows_of(a).keys() - rows_of(b).keys())
    lines = [
        {"id": one, "stage": "near_duplicates", "action": "drop", "reason": "near_duplicate"}
        for one in gone[:4]
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(lines, schema=LEDGER), sink)
    b.attest("attestations/ledger.parquet", sink.getvalue().to_pybytes())

    assert diff(a, b)["why"]["removed"] == [
        {"stage": "near_duplicates", "reason": "near_duplicate", "rows": 4},
        {"stage": None, "reason": "not among its records", "rows": len(gone) - 4},
    ]


def test_stages_are_told_apart_by_name(tmp_path):
    held = library(tmp_path)
    one = held.publish(
        [make(["a"], splits=["train"])], {"stages": [{"stage": "length", "min_words": 2}]}, CARD
    )
    two = held.publish(
        [make(["a"], splits=["train"])],
        {"stages": [{"stage": "split"}, {"stage": "length", "min_words": 3}]},
        CARD,
    )

    assert diff(one, two)["recipe"] == [
        {"knob": "stages.length.min_words", "a": 2, "b": 3},
        {"knob": "stages.split", "a": None, "b": {"stage": "split"}},
    ]


def test_the_page_obeys_no_text(versions, tmp_path):
    hostile = "<script>alert(1)</script> | `rm` [x](http://y) \n# head **bold**"
    held = library(tmp_path)
    new = held.publish([make([hostile], ["a|b"], splits=["train"])], RECIPE, CARD)

    page = markdown({**diff(versions[0], new), "audit": changed(versions[0], new)})

    assert "Not compared: version" in page
    assert re.search(r"(?<!\\)[<`]script|(?<!\\)<", page) is None
    assert "\n# head" not in page
    assert r"\<script\>alert(1)\</script\> \| \`rm\` \[x\](http&#58;//y) \# head \*\*bold\*\*" in page
    assert r"a\|b" in page
    json.dumps(diff(versions[0], new))
