"""`corpus.merge`: a part reads like rows that were gathered, whichever pieces they lie in."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import ingest, merge
from corpus.engine import Local
from corpus.intake import SPOOLED
from corpus.schema import ROW
from corpus.snapshot import Snapshot
from corpus.sources import Source, files_of


def spooled(folder: Path, number: int, texts: list[str]) -> None:
    turns = [[{"role": "text", "content": text}] for text in texts]
    rows = pa.Table.from_pylist([{"messages": held, "label": held[0]["content"]} for held in turns], SPOOLED)
    with pa.OSFile(str(merge.piece(folder, number)), "wb") as sink, pa.ipc.new_file(sink, SPOOLED) as writer:
        writer.write_table(rows, max_chunksize=2)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.data())
def test_rows_come_in_the_order_of_the_part(tmp_path_factory, pieces, data):
    folder = tmp_path_factory.mktemp("merge")
    begins = {number: data.draw(st.integers(0, 3)) for number in {*pieces}}
    index = [begins[number] + pieces[:at].count(number) for at, number in enumerate(pieces)]
    for number in {*pieces}:
        spooled(
            folder, number, [f"{number} {row}" for row in range(begins[number] + pieces.count(number) + 2)]
        )
    ids = [f"{at:032x}" for at in range(len(pieces))]
    file = folder / "part-00000.arrow"

    merge.write(file, pa.array(ids), np.array(pieces), np.array(index))

    expected = [f"{number} {row}" for number, row in zip(pieces, index, strict=True)]
    rows = merge.read(file)
    assert rows.schema == ROW
    assert rows["id"].to_pylist() == ids
    assert [turns[0]["content"] for turns in rows["messages"].to_pylist()] == expected
    assert merge.read(file, ["label", "id"]).to_pydict() == {"label": expected, "id": ids}
    rows.validate(full=True)


def taken_in(folder: Path, memory: int, part_rows: int, workers: int) -> tuple[Snapshot, list[dict]]:
    lines = [f'{{"text": "row {number % 700}", "label": "l{number % 3}"}}' for number in range(2_000)]
    (folder / "a.jsonl").write_text("\n".join(lines[:900]) + "\n")
    (folder / "b.jsonl").write_text("\n".join(lines[900:]) + "\n")
    source = Source(name="s", uri="*.jsonl")
    work = folder / f"{memory} {part_rows} {workers}"
    work.mkdir()
    with Local(workers) as engine:
        ingest.ingest(
            [source],
            lambda one: files_of(one, folder, Path),
            work / "made",
            work,
            seed=1,
            part_rows=part_rows,
            memory=memory,
            engine=engine,
        )
    made = Snapshot.open(work / "made")
    return made, [row for part in made.parts for row in part.read().to_pylist()]


@pytest.mark.parametrize(("part_rows", "workers"), [(7, 1), (500, 2), (10_000, 1)])
def test_what_lies_on_disk_is_what_would_lie_in_memory(tmp_path, part_rows, workers):
    held, rows = taken_in(tmp_path, 2**29, part_rows, workers)
    merged, again = taken_in(tmp_path, 16, part_rows, workers)

    assert again == rows
    assert [part.rows for part in merged.parts] == [part.rows for part in held.parts]
    assert {part.path.suffix for part in merged.parts} == {".arrow"}
    assert {part.path.suffix for part in held.parts} == {".parquet"}
    assert len({part.digest for part in merged.parts}) == len(merged.parts)


def test_a_part_is_named_by_what_its_rows_say(tmp_path):
    one, _ = taken_in(tmp_path, 16, 500, 1)
    two, _ = taken_in(tmp_path, 16, 500, 2)

    assert [part.digest for part in one.parts] == [part.digest for part in two.parts]
    assert one.digest == two.digest


def copied(folder: Path) -> Path:
    """A part of one piece in another place, which nobody has mapped yet."""
    one, other = folder / "one", folder / "other"
    one.mkdir()
    spooled(one, 0, ["a" * 40, "b" * 40, "c" * 40, "d" * 40])
    merge.write(one / "part-00000.arrow", pa.array(["0" * 32]), np.array([0]), np.array([1]))
    shutil.copytree(one, other)
    return other


@pytest.mark.parametrize("cut", [0, 100, -20])
def test_a_piece_that_breaks_off_is_an_error(tmp_path, cut):
    folder = copied(tmp_path)
    file = merge.piece(folder, 0)
    file.write_bytes(file.read_bytes()[:cut])

    with pytest.raises((pa.ArrowException, OSError, ValueError)):
        merge.read(folder / "part-00000.arrow")


def test_a_piece_whose_offsets_lead_nowhere_is_an_error(tmp_path):
    folder = copied(tmp_path)
    file = merge.piece(folder, 0)
    offsets = np.array([0, 40, 80], np.int32).tobytes()
    raw = file.read_bytes()
    assert raw.count(offsets) >= 1
    file.write_bytes(raw.replace(offsets, np.array([0, 2**30, 80], np.int32).tobytes()))

    with pytest.raises(pa.ArrowInvalid, match=r"piece-000000\.arrow"):
        merge.read(folder / "part-00000.arrow")
