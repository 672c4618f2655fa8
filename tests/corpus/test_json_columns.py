"""`corpus.reading.json_columns`: the bytes that orjson writes record by record."""

import random

import orjson
import pyarrow as pa
import pytest

from corpus.reading.json_columns import FEW, objects

DRAW = random.Random(5)
LETTERS = [chr(point) for point in range(0x250)] + list('"\\"\\/\n\t\u2028\ufeff\ufffd\U0001f600 漢字')


def texts(count, nulls=0.0):
    return [
        None if DRAW.random() < nulls else "".join(DRAW.choices(LETTERS, k=DRAW.choice([0, 1, 3, 40])))
        for _ in range(count)
    ]


def columns(count):
    return {
        "text": pa.array(texts(count), pa.string()),
        "label": pa.array(texts(count, 0.5), pa.large_string()),
        'a "name" \\': pa.array(texts(count, 0.1), pa.string()),
        "whole": pa.array([DRAW.choice([None, -(2**63), 0, 7, 2**63 - 1]) for _ in range(count)], pa.int64()),
        "wide": pa.array([DRAW.choice([None, 2**64 - 1]) for _ in range(count)], pa.uint64()),
        "yes": pa.array([DRAW.choice([None, True, False]) for _ in range(count)], pa.bool_()),
        "share": pa.array(
            [DRAW.choice([None, 0.1, -0.0, 1e300, 5e-324, 1e16, 123456789.0]) for _ in range(count)],
            pa.float64(),
        ),
        "single": pa.array([DRAW.choice([None, 0.1, 3.5]) for _ in range(count)], pa.float32()),
        "never": pa.nulls(count),
    }


def one_by_one(held, count):
    lists = {name: held[name].to_pylist() for name in held}
    rows = [
        {name: lists[name][row] for name in lists if lists[name][row] is not None} for row in range(count)
    ]
    return [orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for row in rows], [bool(row) for row in rows]


@pytest.mark.parametrize("count", [0, 1, 7, 2_000])
@pytest.mark.parametrize(
    "names", [["text"], ["label"], ["never"], ["label", "yes"], ["text", "whole", "never"], None, []]
)
def test_it_writes_what_orjson_writes(names, count):
    held = {name: values for name, values in columns(count).items() if names is None or name in names}

    written, some = objects(held, count)

    expected, has = one_by_one(held, count)
    assert written.to_pylist() == expected
    assert some.to_pylist() == has


def test_it_writes_slices():
    assert FEW < 2_000
    held = {name: values.slice(100, 1_900) for name, values in columns(2_000).items()}

    written, _ = objects(held, 1_900)

    assert written.to_pylist() == one_by_one(held, 1_900)[0]
