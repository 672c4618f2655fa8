"""Clusters are the groups that are there, and their middles are rows of theirs."""

import numpy as np

from audit.clusters import MOST, ROWS_EACH, clusters, middle

RNG = np.random.default_rng(7)


def corpus(each=ROWS_EACH):
    """Rows of four topics, far apart, and which topic each is of."""
    topic = np.repeat(np.arange(4), each)
    vectors = np.eye(16, dtype=np.float32)[topic] + 0.1 * RNG.normal(size=(len(topic), 16)).astype(np.float32)
    return topic, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_planted_topics_are_found():
    topic, vectors = corpus()

    found = clusters(vectors, 3)

    assert sorted(np.flatnonzero(group.rows).tolist() for group in found) == [
        np.flatnonzero(topic == code).tolist() for code in range(4)
    ]
    assert [(group.axis, group.group, group.origin) for group in found] == [
        ("cluster", number, "embedding-clusters") for number in "1234"
    ]


def test_the_middle_is_of_rows_that_are_most_alike_all_others_of_the_cluster():
    _, vectors = corpus()
    group = clusters(vectors, 3)[0]

    found = middle(vectors, group, 3)

    inside = np.flatnonzero(group.rows)
    alike = {row: float((vectors[inside] @ vectors[row]).sum()) for row in inside}
    assert found.tolist() == sorted(inside, key=lambda row: -alike[row])[:3]


def test_every_row_is_in_one():
    vectors = RNG.normal(size=(3_000, 8)).astype(np.float32)

    found = clusters(vectors, 3)

    assert len(found) == MOST
    assert np.add.reduce([group.rows for group in found], dtype=int).tolist() == [1] * 3_000


def test_few_rows_and_equal_rows_have_none():
    _, vectors = corpus(each=2 * ROWS_EACH // 4 - 1)

    assert clusters(vectors, 3) == []
    assert clusters(np.ones((400, 4), np.float32) / 2, 3) == []


def test_no_more_than_there_are_unlike_rows():
    vectors = np.eye(3, dtype=np.float32)[np.arange(900) % 3]

    assert [int(group.rows.sum()) for group in clusters(vectors, 3)] == [300, 300, 300]
