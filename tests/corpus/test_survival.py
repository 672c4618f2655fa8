"""The survivor order: confidence or words first, then content, then where a row comes from."""

import numpy as np
import pyarrow as pa

from corpus import survival


def rows(*held: tuple[str, str, float | None, int]) -> pa.Table:
    ids, sources, confidences, prints = zip(*held, strict=True)
    return pa.table(
        {
            "id": pa.chunked_array([pa.array(ids)]),
            "source": pa.chunked_array([pa.array(sources)]),
            "confidence": pa.chunked_array([pa.array(confidences, pa.float64())]),
            "fingerprint": pa.chunked_array(
                [pa.array([one.to_bytes(16, "big") for one in prints], pa.binary(16))]
            ),
        }
    )


def test_the_more_confident_comes_first_and_a_missing_confidence_last():
    places = survival.rank(rows(("a", "s", None, 0), ("b", "s", 0.2, 1), ("c", "s", 0.9, 2)))

    assert places.tolist() == [2, 1, 0]


def test_ties_go_by_content_then_source_then_id():
    held = rows(
        ("c", "s", 0.5, 3), ("b", "t", 0.5, 1), ("d", "s", 0.5, 1), ("a", "t", 0.5, 1), ("e", "s", 0.5, 2)
    )

    assert survival.rank(held).tolist() == [4, 2, 0, 1, 3]


def test_the_longest_comes_first_where_that_is_asked_for():
    held = rows(("a", "s", 0.9, 0), ("b", "s", 0.1, 1), ("c", "s", 0.2, 2))

    assert survival.rank(held, "longest", np.array([3, 5, 5])).tolist() == [2, 1, 0]
