"""What was measured once is not measured again, and says nothing of another run's names and places."""

import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus import measures, memo
from corpus.memo import Replay
from curation.length import Length
from curation.normalise import Normalise
from tests.corpora import make, send

TEXTS = ["one  word or two of them", "short", "another row of some  words", "no"]


def moved(rows: pa.Table) -> pa.Table:
    """The same rows, read in another file in another order."""
    return rows.set_column(
        rows.schema.get_field_index("file"), "file", pa.array(["other.jsonl"] * len(rows))
    ).set_column(rows.schema.get_field_index("row"), "row", pa.array([1000 - at for at in range(len(rows))]))


def test_a_stage_of_another_name_finds_its_own_features(tmp_path):
    rows = make(TEXTS)

    first = send(rows, [Length(min_words=3)], tmp_path)
    again = send(rows, [Length(min_words=3, name="short")], tmp_path)

    assert again.ledger["stage"].to_pylist() == ["short"] * 2
    assert again.ledger["id"].to_pylist() == first.ledger["id"].to_pylist()


def test_a_rewrite_of_another_name_counts_what_it_changed(tmp_path):
    rows = make(TEXTS)

    for name in (None, "clean"):
        changed = send(rows, [Normalise(name=name)], tmp_path).standing.parts[0].changed
        assert changed == {name or "normalise": 2}


def test_equal_rows_from_elsewhere_keep_their_own_place(tmp_path):
    stages = [Normalise(), Length(min_words=3)]
    send(make(TEXTS), stages, tmp_path)
    rows = moved(make(TEXTS))

    outcome = send(rows, stages, tmp_path)

    places = {row["id"]: (row["file"], row["row"]) for row in rows.to_pylist()}
    assert outcome.ledger.num_rows == 2
    assert {row["id"]: (row["file"], row["row"]) for row in outcome.ledger.to_pylist()} == {
        row_id: places[row_id] for row_id in outcome.ledger["id"].to_pylist()
    }
    assert {row["id"]: (row["file"], row["row"]) for row in outcome.kept.to_pylist()} == {
        row_id: places[row_id] for row_id in outcome.kept["id"].to_pylist()
    }
    assert sorted(outcome.texts) == ["another row of some words", "one word or two of them"]


def test_thresholds_alone_measure_nothing_anew(tmp_path):
    send(make(TEXTS), [Length(min_words=3)], tmp_path)
    held = {file: file.stat().st_mtime_ns for file in tmp_path.rglob(measures.FILE)}

    outcome = send(make(TEXTS), [Length(min_words=6)], tmp_path)

    assert outcome.ledger.num_rows == 3
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob(measures.FILE)} == held
    assert all(measures.read(file).num_rows == 4 for file in held)


def test_rows_of_other_splits_are_not_rewritten(tmp_path):
    rows = make(["a  b"] * 3, splits=["train", "test", None])

    kept = send(rows, [Normalise(splits=("train",))], tmp_path).kept.to_pylist()

    assert {row["split"]: row["messages"][0]["content"] for row in kept} == {
        "train": "a b",
        "test": "a  b",
        None: "a b",
    }


def test_another_version_of_a_library_measures_anew(tmp_path, monkeypatch):
    send(make(TEXTS), [Normalise()], tmp_path)
    held = set(tmp_path.rglob("done.json"))
    monkeypatch.setattr("corpus.segment.version", lambda name: f"another {name}")

    send(make(TEXTS), [Normalise()], tmp_path)

    assert held < set(tmp_path.rglob("done.json"))


def test_what_could_not_be_made_is_asked_for_again_and_all_else_is_replayed(tmp_path):
    replay, asked = Replay(tmp_path), []

    def make_some(texts: pa.StringArray) -> pa.StringArray:
        asked.append(texts.to_pylist())
        return pa.array([None if text == "b" else text.upper() for text in texts.to_pylist()], pa.string())

    texts = pa.array(["a", "b", "c", "b"])
    answers = [replay.recall("maker", texts, make_some).to_pylist() for _ in range(2)]

    assert answers == [["A", None, "C", None]] * 2
    assert asked == [["a", "b", "c"], ["b"]]


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from([*"abcdefgh", None]), max_size=8), max_size=6),
    st.sampled_from([None, 1, 3]),
)
def test_every_text_has_its_value_and_none_is_made_twice(tmp_path, monkeypatch, asked, block):
    monkeypatch.setattr(memo, "GROUP", 2)
    replay, made = Replay(tmp_path / uuid.uuid4().hex), []

    def make(texts: pa.StringArray) -> pa.Array:
        made.extend(texts.to_pylist())
        return pc.utf8_upper(texts)

    for some in asked:
        texts = [one or "z" for one in some]
        found = replay.recall("upper", pa.array(texts, pa.string()), make, block)
        assert found.to_pylist() == [one.upper() for one in texts]

    assert sorted(made) == sorted({one or "z" for texts in asked for one in texts})


def test_what_was_made_in_blocks_is_kept_where_a_later_one_breaks_off(tmp_path):
    replay, asked = Replay(tmp_path), []

    def make(texts: pa.StringArray) -> pa.StringArray:
        asked.append(texts.to_pylist())
        if len(asked) == 2:
            raise KeyboardInterrupt
        return pc.utf8_upper(texts)

    texts = pa.array(["long text", "a", "longer text", "b", "long text"])
    with pytest.raises(KeyboardInterrupt):
        replay.recall("maker", texts, make, block=2)
    found = replay.recall("maker", texts, make, block=2)

    assert found.to_pylist() == ["LONG TEXT", "A", "LONGER TEXT", "B", "LONG TEXT"]
    assert asked == [["a", "b"], ["long text", "longer text"], ["long text", "longer text"]]


def test_what_is_not_asked_for_is_not_held(tmp_path):
    replay, texts = Replay(tmp_path), pa.array([str(number) for number in range(4_000)])
    replay.recall("maker", texts, lambda some: pa.array([one.as_py().encode() * 5_000 for one in some]))
    usual, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())

    pa.set_memory_pool(pool)
    try:
        (value,) = replay.recall("maker", texts.slice(1_234, 1), lambda some: some).to_pylist()
        most = pool.max_memory()
    finally:
        pa.set_memory_pool(usual)

    assert value == b"1234" * 5_000
    assert most < 4 * memo.GROUP * len(value) < 4_000 * len(value)
