"""Ids that stay when a file grows, is reordered or cut; limits that draw by a keyed hash."""

import json
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.fetch import fetch
from corpus.ingest import ingest
from corpus.snapshot import Snapshot
from corpus.sources import Source, files_of

fields = st.fixed_dictionaries(
    {"text": st.sampled_from(["a", "b", "c d", ""]), "label": st.sampled_from(["x", None])}
)


def ids(
    records: list[dict],
    folder: Path,
    *,
    files: int = 1,
    name: str = "s",
    memory: int = 2**29,
    limit: int | None = None,
    **knobs,
) -> list[str]:
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number in range(files):
        (corpus / f"{number}.jsonl").write_text(
            "".join(json.dumps(record) + "\n" for record in records[number::files])
        )
    source = Source(name=name, uri=str(corpus), **knobs)
    scratch = folder / "scratch"
    scratch.mkdir()
    made = folder / "made"
    ingest(
        [source],
        lambda source: files_of(source, folder, lambda uri: fetch(uri, folder, folder).path),
        made,
        scratch,
        seed=7,
        limit=limit,
        memory=memory,
    )
    return Snapshot.open(made).narrow(["id"])["id"].to_pylist()


@settings(max_examples=25, deadline=None)
@given(st.lists(fields, max_size=12), st.randoms(use_true_random=False))
def test_order_and_cut_change_no_id(tmp_path_factory, records, generator):
    shuffled = generator.sample(records, len(records))

    assert ids(records, tmp_path_factory.mktemp("one")) == ids(
        shuffled, tmp_path_factory.mktemp("two"), files=3
    )


def test_a_file_that_grows_keeps_the_ids_of_its_rows(tmp_path):
    before = [{"text": "a"}, {"text": "b"}, {"text": "a"}]

    grown = ids([{"text": "new"}, {"text": "a"}, *before], tmp_path / "after")

    assert set(ids(before, tmp_path / "before")) < set(grown)
    assert len(grown) == 5


def test_copies_lie_side_by_side_the_first_of_them_first(tmp_path):
    found = ids([{"text": "a"}] * 3, tmp_path)

    assert [(row_id[:24], row_id[24:]) for row_id in found] == [
        (found[0][:24], f"{ordinal:08x}") for ordinal in range(3)
    ]


def test_the_same_record_of_another_source_has_another_id(tmp_path):
    assert ids([{"text": "a"}], tmp_path / "one", name="one") != ids(
        [{"text": "a"}], tmp_path / "two", name="two"
    )


def test_a_key_names_a_row_whatever_else_changes(tmp_path):
    assert ids([{"id": 5, "text": "a"}], tmp_path / "one") == ids(
        [{"id": 5, "text": "corrected"}], tmp_path / "two"
    )


def test_a_corpus_larger_than_memory_is_sorted_on_disk_to_the_same_ids(tmp_path):
    records = [{"text": f"row {number} " + "word " * (number % 50)} for number in range(2_000)]

    assert ids(records, tmp_path / "disk", memory=20_000) == ids(records, tmp_path / "memory")


def test_a_limit_draws_rows_by_their_id_and_not_by_their_place(tmp_path):
    records = [{"text": f"row {number}"} for number in range(200)]
    shuffled = random.Random(1).sample(records, 200)

    drawn = ids(records, tmp_path / "one", limit=30)

    assert drawn == ids(shuffled, tmp_path / "two", limit=30)
    assert len(drawn) == 30
    assert drawn != ids(records, tmp_path / "all")[:30]
