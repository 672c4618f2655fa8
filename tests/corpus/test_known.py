"""What is new in a source that was read before, against a plain account of what came."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.fetch import fetch
from corpus.ingest import Ingested, ingest
from corpus.known import LAYERED, Known
from corpus.snapshot import Snapshot
from corpus.sources import Source, files_of

few = settings(max_examples=40, deadline=None)
texts = st.sampled_from(["a", "b", "c", "d"])


class Reader:
    """Reads a source again and again, and keeps what is known of it, as versions do."""

    def __init__(self, folder: Path, **knobs: str) -> None:
        self.folder, self.knobs = folder, knobs
        self.records, self.last = LAYERED.empty_table(), None
        self.turns = 0

    def read(self, files: dict[str, list[dict]]) -> tuple[Ingested, list[dict]]:
        """Read what the files hold now; return what came and the rows that are new."""
        self.turns += 1
        corpus, made, scratch = (
            self.folder / f"{name}-{self.turns}" for name in ("corpus", "made", "scratch")
        )
        shutil.rmtree(corpus, ignore_errors=True)
        corpus.mkdir(parents=True)
        scratch.mkdir()
        for name, records in files.items():
            (corpus / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        came = ingest(
            [Source(name="s", uri=str(corpus), **self.knobs)],
            lambda source: files_of(
                source, self.folder, lambda uri: fetch(uri, self.folder, self.folder).path
            ),
            made,
            scratch,
            seed=7,
            known={"s": Known(lambda: self.records, self.last)},
        )
        self.new = came.records.read_all()
        layer = pa.repeat(pa.scalar(self.turns - 1, pa.int32()), len(self.new))
        self.records = pa.concat_tables([self.records, self.new.append_column("layer", layer).cast(LAYERED)])
        self.last = tuple(came.files["s"])
        return came, [row for part in Snapshot.open(made).parts for row in part.read().to_pylist()]


states = st.dictionaries(
    st.sampled_from(["x", "y", "z"]), st.lists(texts, min_size=1, max_size=5), min_size=1, max_size=3
)


@few
@given(st.lists(states, min_size=1, max_size=5))
def test_of_records_without_keys_as_many_are_new_as_never_were_there_at_once(tmp_path_factory, held):
    reader = Reader(tmp_path_factory.mktemp("reader"))
    most: dict[str, int] = {}
    ids: set[str] = set()

    for state in held:
        _, rows = reader.read({name: [{"text": said} for said in words] for name, words in state.items()})

        told = [said for words in state.values() for said in words]
        fresh = {said: max(told.count(said) - most.get(said, 0), 0) for said in {*told}}
        found = [row["messages"][0]["content"] for row in rows]
        assert {said: found.count(said) for said in fresh} == fresh
        assert ids.isdisjoint(row["id"] for row in rows)
        ids |= {row["id"] for row in rows}
        most |= {said: max(told.count(said), most.get(said, 0)) for said in told}
        assert len(reader.records) == len(ids)


keyed = st.lists(st.tuples(st.sampled_from(["k", "l", "m"]), texts), max_size=5)
keyed_states = st.dictionaries(st.sampled_from(["x", "y", "z"]), keyed, min_size=1, max_size=3)


@few
@given(st.lists(keyed_states, min_size=1, max_size=5))
def test_under_a_key_a_record_that_never_came_replaces_and_one_that_did_does_not(tmp_path_factory, held):
    reader = Reader(tmp_path_factory.mktemp("reader"), key="key")
    came: dict[str, set[str]] = {}
    stands: dict[str, str] = {}

    for state in held:
        ingested, rows = reader.read(
            {name: [{"key": key, "text": said} for key, said in pairs] for name, pairs in state.items()}
        )

        told: dict[str, set[str]] = {}
        for pairs in state.values():
            for key, said in pairs:
                told.setdefault(key, set()).add(said)
        taken = {row["id"]: row["messages"][0]["content"] for row in rows}
        assert len(taken) == len(rows)
        assert {*ingested.replaced} == {*taken} & {*stands}
        for row_id, said in taken.items():
            key = next(key for key, known in told.items() if said in known and row_id == _id(key))
            never = told[key] - came.get(key, set())
            if row_id in stands:
                assert said in never or (not never and stands[row_id] not in told[key])
            else:
                assert said in never
        for key, known in told.items():
            if known - came.get(key, set()):
                assert _id(key) in taken
        stands |= taken
        for key, known in told.items():
            came.setdefault(key, set()).update(known)

        again, rows = reader.read(
            {name: [{"key": key, "text": said} for key, said in pairs] for name, pairs in state.items()}
        )
        assert (rows, again.replaced, reader.new.num_rows) == ([], [], 0)


def _id(key: str) -> str:
    from corpus.schema import keyed_id

    return keyed_id("s", key)


def test_a_file_all_of_whose_records_are_known_is_not_read_again(tmp_path, monkeypatch):
    from corpus import ingest as module

    reader = Reader(tmp_path)
    reader.read({"x": [{"text": "a"}], "y": [{"text": "b"}]})
    skipped = []
    read = module.read

    def watched(*args, skip, **knobs):
        skipped.append(skip)
        return read(*args, skip=skip, **knobs)

    monkeypatch.setattr(module, "read", watched)
    _, rows = reader.read({"x": [{"text": "a"}], "y": [{"text": "b"}], "z": [{"text": "c"}]})

    assert [row["messages"][0]["content"] for row in rows] == ["c"]
    assert [{name.partition(".")[0] for name in names} for names in skipped] == [{"x", "y"}]
