"""128-bit BLAKE2b digests of many values at once: what `hashlib` says of each, without an object for each."""

import hashlib
import itertools

import numpy as np
import pyarrow as pa

FEW = 1_000
"""Fewer values are hashed sooner by `hashlib` than compiled loops are loaded."""
_HEAD = 119


def blake2b(values: pa.Array, head: bytes = b"", *, told: bool = False) -> pa.FixedSizeBinaryArray:
    """Return the digest of `head` and each value (strings or bytes of any kind, no nulls).

    With `told` the value's size stands before it, as eight bytes, the least significant first.
    """
    assert not values.null_count, "a null has no digest"
    if pa.types.is_fixed_size_binary(values.type):
        width = values.type.byte_width
        offsets = width * np.arange(values.offset, values.offset + len(values) + 1)
        return of_spans(offsets, np.frombuffer(values.buffers()[1] or b"", np.uint8), head, told=told)
    held = values.cast(pa.large_binary())
    _, spans, data = held.buffers()
    offsets = np.frombuffer(spans, np.int64)[held.offset : held.offset + len(held) + 1]
    return of_spans(offsets, np.frombuffer(data or b"", np.uint8), head, told=told)


def of_spans(
    offsets: np.ndarray, data: np.ndarray, head: bytes = b"", *, told: bool = False
) -> pa.FixedSizeBinaryArray:
    """Return the digest of `head` and each span of `data` (uint8) between two `offsets` (int64, spans + 1); see `blake2b`."""
    count = len(offsets) - 1
    if count < FEW or len(head) > _HEAD:
        raws = [data[start:stop].tobytes() for start, stop in itertools.pairwise(offsets.tolist())]
        size = [len(raw).to_bytes(8, "little") if told else b"" for raw in raws]
        make = hashlib.blake2b
        held = [make(head + own + raw, digest_size=16).digest() for own, raw in zip(size, raws, strict=True)]
        found = pa.py_buffer(b"".join(held))
    else:
        from corpus import digest_kernels

        found = pa.py_buffer(digest_kernels.blake2b(offsets, data, np.frombuffer(head, np.uint8), told))
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, found])
