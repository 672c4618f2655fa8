"""`corpus.merge`: a part reads like rows that were gathered, whichever pieces they lie in."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import ingest, measures, merge
from corpus.intake import SPOOLED
from corpus.schema import ROW
from corpus.snapshot import Snapshot
from corpus.sources import Source, files_of, read


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


def taken_in(
    folder: Path, memory: int, part_rows: int, size: int = 9_000, **knobs: str
) -> tuple[Snapshot, list[dict]]:
    """Take two files in, in stretches of about `size` bytes."""
    lines = [f'{{"text": "row {number % 700}", "label": "l{number % 3}"}}' for number in range(2_000)]
    (folder / "a.jsonl").write_text("\n".join(lines[:900]) + "\n")
    (folder / "b.jsonl").write_text("\n".join(lines[900:]) + "\n")
    source = Source(name="s", uri="*.jsonl", **knobs)
    work = folder / f"{memory} {part_rows} {size} {knobs}"
    work.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ingest, "read", partial(read, size=size))
        ingest.ingest(
            [source],
            lambda one: files_of(one, folder, Path),
            work / "made",
            work,
            seed=1,
            part_rows=part_rows,
            memory=memory,
        )
    made = Snapshot.open(work / "made")
    return made, [row for part in made.parts for row in part.read().to_pylist()]


@pytest.mark.parametrize("part_rows", [7, 500, 10_000])
def test_what_lies_on_disk_is_what_would_lie_in_memory(tmp_path, part_rows):
    held, rows = taken_in(tmp_path, 2**29, part_rows)
    merged, again = taken_in(tmp_path, 16, part_rows)

    assert again == rows
    assert len([*merged.folder.glob("piece-*")]) > 3
    assert [part.rows for part in merged.parts] == [part.rows for part in held.parts]
    assert {part.path.suffix for part in merged.parts} == {".arrow"}
    assert {part.path.suffix for part in held.parts} == {".parquet"}
    assert len({part.digest for part in merged.parts}) == len(merged.parts)


def test_a_part_is_named_by_what_its_rows_say_not_by_how_they_are_cut(tmp_path):
    many, _ = taken_in(tmp_path, 16, 500)
    few, _ = taken_in(tmp_path, 16, 500, size=2**20)

    assert len([*many.folder.glob("piece-*")]) > len([*few.folder.glob("piece-*")])
    assert [part.digest for part in many.parts] == [part.digest for part in few.parts]
    assert many.digest == few.digest


def test_the_same_records_read_otherwise_are_other_parts(tmp_path):
    one, _ = taken_in(tmp_path, 16, 500)
    two, rows = taken_in(tmp_path, 16, 500, text="label")

    assert rows[0]["messages"][0]["content"].startswith("l")
    assert {part.digest for part in one.parts}.isdisjoint(part.digest for part in two.parts)


def test_keys_do_not_stay_at_rest(tmp_path):
    made, _ = taken_in(tmp_path, 16, 500, key="text")

    assert {part.path.suffix for part in made.parts} == {".parquet"}
    assert [*made.folder.glob("piece-*")] == []


def test_more_pieces_than_a_process_may_open_are_gathered(tmp_path, monkeypatch):
    monkeypatch.setattr(merge, "MOST", 3)

    made, _ = taken_in(tmp_path, 16, 500)

    assert {part.path.suffix for part in made.parts} == {".parquet"}


def test_a_source_may_have_any_name(tmp_path):
    lines = [f'{{"text": "row {number}"}}' for number in range(3_000)]
    (tmp_path / "small.jsonl").write_text("\n".join(lines[:3]) + "\n")
    (tmp_path / "large.jsonl").write_text("\n".join(lines[3:]) + "\n")
    named = [Source(name="a", uri="small.jsonl"), Source(name="held", uri="large.jsonl")]

    ingest.ingest(
        named,
        lambda one: files_of(one, tmp_path, Path),
        tmp_path / "made",
        tmp_path,
        seed=1,
        memory=100_000,
    )

    rows = [row for part in Snapshot.open(tmp_path / "made").parts for row in part.read().to_pylist()]
    assert sorted(row["messages"][0]["content"] for row in rows) == sorted(
        f"row {number}" for number in range(3_000)
    )


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


@pytest.mark.parametrize("index", [-5, 4, 2**30])
def test_a_part_that_names_rows_of_nowhere_is_an_error(tmp_path, index):
    folder = copied(tmp_path)
    file = folder / "part-00000.arrow"
    with pa.ipc.open_file(str(file)) as held:
        part = held.read_all()
    part = part.set_column(part.schema.get_field_index("index"), "index", pa.array([index], pa.int32()))
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, part.schema) as writer:
        writer.write_table(part)

    with pytest.raises(pa.ArrowInvalid, match="has no such rows"):
        merge.read(file)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_list(pa.int64())])
def test_mapped_offsets_that_lead_nowhere_are_an_error(tmp_path, kind):
    values = [[1, 2, 3, 4, 5]] * 4 if pa.types.is_large_list(kind) else ["abcde"] * 4
    measures.write(tmp_path, pa.table({"found": pa.array(values).cast(kind)}))
    file = tmp_path / measures.FILE
    wide = np.int64 if "large" in str(kind) else np.int32
    raw, offsets = file.read_bytes(), np.array([0, 5, 10, 15, 20], wide)
    assert raw.count(offsets.tobytes()) == 1
    assert measures.read(file).num_rows == 4
    damaged = np.where(offsets == 10, 2**30, offsets).astype(wide)
    (tmp_path / "other.arrow").write_bytes(raw.replace(offsets.tobytes(), damaged.tobytes()))

    with pytest.raises(pa.ArrowInvalid, match="offsets lead out of it"):
        measures.read(tmp_path / "other.arrow")
