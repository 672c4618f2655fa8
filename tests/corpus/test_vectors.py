"""Rows of a table column by column are what they are record by record."""

from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.reading import stretch
from corpus.reading.batch import Batch
from corpus.reading.columnar import Table
from corpus.reading.columns import Columns
from corpus.reading.files import File
from corpus.reading.readers import How
from corpus.reading.stretch import Stretch
from corpus.reading.vectors import by_column

HOW = How("utf-8", "reject", "document", None)
FILE = File(Path("a.parquet"), "a.parquet", split="validation")
TEXT = st.text(st.characters(codec="utf-8"), max_size=6)
KINDS = {
    "text": (pa.string(), TEXT),
    "body": (pa.large_string(), TEXT),
    "prompt": (pa.string(), TEXT),
    "completion": (pa.string(), TEXT),
    "label": (pa.string(), st.none() | TEXT),
    "number": (pa.int64(), st.none() | st.integers(-(2**63), 2**63 - 1)),
    "wide": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "confidence": (pa.float32(), st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False)),
    "share": (pa.float64(), st.floats()),
    "split": (pa.string(), st.sampled_from(["train", "dev", "test", None, "dev", "other"])),
    "id": (pa.int32(), st.integers(-5, 5)),
    "yes": (pa.bool_(), st.none() | st.booleans()),
    "none": (pa.null(), st.none()),
    "tags": (pa.list_(pa.string()), st.lists(TEXT, max_size=2)),
    "é": (pa.string(), st.none() | TEXT),
}


@st.composite
def tables(draw):
    names = draw(st.lists(st.sampled_from([*KINDS]), unique=True, min_size=1))
    count = draw(st.integers(0, 4))
    columns = {
        name: pa.array(draw(st.lists(KINDS[name][1], min_size=count, max_size=count)), KINDS[name][0])
        for name in names
    }
    return Table(pa.record_batch(columns), draw(st.integers(0, 3)))


columns = st.builds(
    Columns,
    label=st.sampled_from(["label", "number", "yes"]),
    confidence=st.sampled_from(["confidence", "share", "wide", "label"]),
    split=st.sampled_from(["split", "none"]),
    key=st.sampled_from([None, "id", "text"]),
    groups=st.sampled_from([(), ("label",), ("é", "number")]),
)


def told(batch: Batch) -> list[object]:
    keys = None if batch.keys is None else batch.keys.to_pylist()
    return [batch.rows.to_pylist(), batch.records.to_pylist(), keys, batch.rejects.to_pylist()]


@settings(max_examples=400, deadline=None)
@given(tables(), columns)
def test_column_by_column_says_what_record_by_record_does(table, columns):
    whole = by_column(table, FILE, "s", columns)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stretch, "by_column", lambda *_: None)
        one_by_one = Stretch("s", columns, HOW, ((FILE, table),)).batch()

    if whole is not None:
        assert told(whole) == told(one_by_one)
        assert whole.rows.schema == one_by_one.rows.schema
        whole.rows.validate(full=True)


@pytest.mark.parametrize(
    "names", [["text"], ["prompt", "completion", "label"], ["text", "split", "é", "yes"]]
)
def test_plain_tables_go_by_column(names):
    values = {"text": "t", "split": "test"}
    table = pa.record_batch({name: pa.array([values.get(name)] * 2, KINDS[name][0]) for name in names})
    filled = pa.record_batch(
        {name: pa.array(["t"] * 2) if name in ("prompt", "completion") else table[name] for name in names}
    )

    assert by_column(Table(filled, 0), FILE, "s", Columns()) is not None


def test_a_piece_is_pickled_without_the_rows_around_it():
    whole = pa.record_batch({"text": ["x" * 100] * 10_000})

    raw = ForkingPickler.dumps(Table(whole.slice(50, 2), 50))

    assert len(raw) < 5_000
    assert ForkingPickler.loads(raw).rows.to_pydict() == {"text": ["x" * 100] * 2}


def test_a_piece_with_dictionaries_is_pickled_whole():
    label = pa.array(["a", "b", "a", None]).dictionary_encode()
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 1, 3, 4], pa.int32()), label)
    rows = pa.record_batch({"text": pa.array(["t"] * 4), "label": label, "tags": lists}).slice(1, 3)

    again = ForkingPickler.loads(ForkingPickler.dumps(Table(rows, 1)))

    assert again.rows.to_pydict() == rows.to_pydict()
