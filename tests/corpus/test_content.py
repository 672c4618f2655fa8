"""The content hash: what rows say, however they are cut."""

import itertools

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.content import ContentHash, content
from tests.corpora import make

texts = st.lists(st.text(max_size=8), min_size=1, max_size=12)


@settings(deadline=None)
@given(texts, st.lists(st.integers(0, 12), max_size=3))
def test_the_cut_into_tables_does_not_matter(contents, cuts):
    rows = make(contents)
    state = ContentHash(rows.schema)

    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for start, stop in itertools.pairwise(edges):
        state.update(rows.slice(start, stop - start))

    assert state.hexdigest() == content(rows)


@settings(deadline=None)
@given(texts, texts)
def test_other_texts_have_another_hash(one, two):
    rows, others = make(one), make(two)

    assert (content(rows) == content(others)) == (
        rows.drop(["file", "row"]).to_pylist() == others.drop(["file", "row"]).to_pylist()
    )


def test_a_boundary_that_moves_between_two_texts_is_seen():
    rows = make(["ab", "c"])
    moved = rows.set_column(
        1,
        "messages",
        pa.array(
            [[{"role": "text", "content": "a"}], [{"role": "text", "content": "bc"}]],
            rows.schema.field("messages").type,
        ),
    )

    assert content(rows) != content(moved)


def test_null_and_empty_are_told_apart():
    rows = make(["a"], labels=[None])
    empty = make(["a"], labels=[""])

    assert content(rows.drop(["id"])) != content(empty.drop(["id"]))


def test_where_a_row_was_read_is_not_its_content():
    rows = make(["a", "b"])
    elsewhere = rows.set_column(rows.schema.get_field_index("file"), "file", pa.array(["x", "y"]))

    assert content(rows) == content(elsewhere)
    assert content(rows, leave_out=()) != content(elsewhere, leave_out=())
