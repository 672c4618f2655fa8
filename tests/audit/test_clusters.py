"""Clusters are the groups that are there, told by their words where words may be told."""

import numpy as np
import pyarrow as pa

from audit.clusters import MOST, ROWS_EACH, clusters

RNG = np.random.default_rng(7)
TOPICS = ("goals match keeper", "flour oven yeast", "violin chord opera", "senate ballot veto")


def corpus(each=ROWS_EACH):
    """Rows of four topics, far apart."""
    topic = np.repeat(np.arange(4), each)
    vectors = np.eye(16, dtype=np.float32)[topic] + 0.1 * RNG.normal(size=(len(topic), 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return topic, vectors, pa.array([f"{TOPICS[code]} the {number}" for number, code in enumerate(topic)])


def test_planted_topics_are_found_and_named_by_their_words():
    topic, vectors, texts = corpus()

    found = clusters(vectors, texts, 3, named=True)

    assert sorted(np.flatnonzero(group.rows).tolist() for group in found) == [
        np.flatnonzero(topic == code).tolist() for code in range(4)
    ]
    for group in found:
        (code,) = set(topic[group.rows])
        number, words = group.group.split(": ")
        assert number in "1234"
        assert set(words.split(", ")) == set(TOPICS[code].split())
    assert {(group.axis, group.origin) for group in found} == {("cluster", "embedding-clusters")}


def test_without_words_they_have_numbers():
    _, vectors, texts = corpus()

    assert [group.group for group in clusters(vectors, texts, 3, named=False)] == ["1", "2", "3", "4"]


def test_every_row_is_in_one():
    vectors = RNG.normal(size=(3_000, 8)).astype(np.float32)

    found = clusters(vectors, pa.array(["x"] * 3_000), 3, named=True)

    assert len(found) == MOST
    assert np.add.reduce([group.rows for group in found], dtype=int).tolist() == [1] * 3_000


def test_few_rows_and_equal_rows_have_none():
    _, vectors, texts = corpus(each=2 * ROWS_EACH // 4 - 1)

    assert clusters(vectors, texts, 3, named=True) == []
    assert clusters(np.ones((400, 4), np.float32) / 2, pa.array(["x"] * 400), 3, named=True) == []


def test_no_more_than_there_are_unlike_rows():
    vectors = np.eye(3, dtype=np.float32)[np.arange(900) % 3]

    found = clusters(vectors, pa.array(["x"] * 900), 3, named=False)

    assert [int(group.rows.sum()) for group in found] == [300, 300, 300]
