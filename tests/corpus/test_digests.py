"""`corpus.digests`: many digests at once are those of `hashlib`, one by one."""

import hashlib
import itertools
import random

import numpy as np
import pyarrow as pa
import pytest

from corpus.digests import FEW, blake2b, of_spans
from corpus.schema import digest, keyed_id, keyed_ids, record_id, record_ids

DRAW = random.Random(3)
LENGTHS = [*range(300), 383, 384, 385, 1_023, 1_024, 1_025, 70_000]
RAW = [DRAW.randbytes(size) for size in [*LENGTHS, *reversed(LENGTHS), *DRAW.choices(LENGTHS, k=900)]]


def expected(values, head=b"", told=False):
    sizes = [len(raw).to_bytes(8, "little") if told else b"" for raw in values]
    return [
        hashlib.blake2b(head + size + raw, digest_size=16).digest()
        for size, raw in zip(sizes, values, strict=True)
    ]


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("head", [b"", b"x", b"a source", bytes(111), bytes(119), bytes(120), bytes(300)])
def test_of_values_of_all_lengths(head, told):
    assert len(RAW) > FEW

    found = blake2b(pa.array(RAW, pa.binary()), head, told=told)

    assert found.type == pa.binary(16)
    assert found.to_pylist() == expected(RAW, head, told)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.large_binary(), pa.binary(16)])
@pytest.mark.parametrize("count", [0, 1, 999, 1_000, 3_000])
def test_of_every_kind_and_of_slices(kind, count):
    values = [f"{number:016d}" for number in range(count + 7)]

    found = blake2b(pa.array([value.encode() for value in values]).cast(kind).slice(5, count))

    assert found.to_pylist() == expected([value.encode() for value in values[5 : count + 5]])


def test_of_spans_that_begin_anywhere():
    data = np.frombuffer(DRAW.randbytes(50_000), np.uint8)
    offsets = np.sort(np.array(DRAW.choices(range(50_001), k=2_001)))

    found = of_spans(offsets, data)

    assert found.to_pylist() == expected(
        [data[start:stop].tobytes() for start, stop in itertools.pairwise(offsets)]
    )


@pytest.mark.parametrize("count", [3, 2_000])
def test_ids_of_many_are_the_ids_of_each(count):
    keys = [f"kéy {number}" for number in range(count)]
    records = [digest(key) for key in keys]

    assert [raw.hex() for raw in keyed_ids("s", pa.array(keys)).to_pylist()] == [
        keyed_id("s", key) for key in keys
    ]
    assert [raw.hex() for raw in record_ids("s", pa.array(records, pa.binary(16))).to_pylist()] == [
        record_id("s", record, 0) for record in records
    ]
