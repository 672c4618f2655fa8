"""Compiled loops that hash many values side by side: BLAKE2b as RFC 7693 has it (`corpus.kernels`)."""

import numba
import numpy as np
from numba import types

from corpus.kernels import INT64S, UINT8S

LANES = 16
"""Values that are hashed at a time: so many that each step is one of vectors."""
BLOCK, SIZE = 128, 16
"""Bytes that are mixed at a time, and bytes of a digest."""
_START = np.array(
    [
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
        0x9B05688C2B3E6C1F,
        0x1F83D9ABFB41BD6B,
        0x5BE0CD19137E2179,
    ],
    np.uint64,
)
_ORDERS = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ],
    np.int64,
)
"""Which words of a block each round mixes: of its twelve the last two are the first two again."""
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LENGTH = np.uint64(SIZE | 0x01010000)  # no key, one leaf, one level


@numba.njit(cache=True, inline="always")
def _mix(state, one, two, three, four, words, first, second):  # type: ignore[no-untyped-def]  # numba infers
    """Mix four words of each lane's state with two of its block."""
    for lane in range(LANES):
        a, b, c, d = state[one, lane], state[two, lane], state[three, lane], state[four, lane]
        a = a + b + words[first, lane]
        d = d ^ a
        d = (d >> np.uint64(32)) | (d << np.uint64(32))
        c = c + d
        b = b ^ c
        b = (b >> np.uint64(24)) | (b << np.uint64(40))
        a = a + b + words[second, lane]
        d = d ^ a
        d = (d >> np.uint64(16)) | (d << np.uint64(48))
        c = c + d
        b = b ^ c
        b = (b >> np.uint64(63)) | (b << np.uint64(1))
        state[one, lane], state[two, lane], state[three, lane], state[four, lane] = a, b, c, d


@numba.njit(cache=True, inline="always")
def _compress(held, state, words, counts, last):  # type: ignore[no-untyped-def]  # numba infers
    """Take a block of each lane into what is held of its value so far."""
    for word in range(8):
        for lane in range(LANES):
            state[word, lane] = held[word, lane]
            state[8 + word, lane] = _START[word]
    for lane in range(LANES):
        state[12, lane] ^= counts[lane]
        state[14, lane] ^= last[lane]
    for turn in range(12):
        order = _ORDERS[turn % 10]
        _mix(state, 0, 4, 8, 12, words, order[0], order[1])
        _mix(state, 1, 5, 9, 13, words, order[2], order[3])
        _mix(state, 2, 6, 10, 14, words, order[4], order[5])
        _mix(state, 3, 7, 11, 15, words, order[6], order[7])
        _mix(state, 0, 5, 10, 15, words, order[8], order[9])
        _mix(state, 1, 6, 11, 12, words, order[10], order[11])
        _mix(state, 2, 7, 8, 13, words, order[12], order[13])
        _mix(state, 3, 4, 9, 14, words, order[14], order[15])
    for word in range(8):
        for lane in range(LANES):
            held[word, lane] ^= state[word, lane] ^ state[8 + word, lane]


@numba.njit((INT64S, UINT8S, UINT8S, types.boolean), cache=True, nogil=True)
def blake2b(offsets, data, head, told):  # type: ignore[no-untyped-def]  # numba infers
    """Return the digest of `head` and each value, uint64 of shape (values, 2) whose bytes are those of the digests.

    With `told` the bytes of the value stand before it, as eight bytes, the least significant first. `head` has less than
    120 bytes. As a lane's value ends the next one begins there.
    """
    values = len(offsets) - 1
    digests = np.empty((values, 2), np.uint64)
    block = np.zeros((LANES, BLOCK), np.uint8)
    lanes = block.view(np.uint64)
    words, state = np.empty((16, LANES), np.uint64), np.empty((16, LANES), np.uint64)
    held = np.empty((8, LANES), np.uint64)
    counts, last = np.zeros(LANES, np.uint64), np.zeros(LANES, np.uint64)
    size = np.zeros(1, np.uint64)
    mine, place = np.full(LANES, -1, np.int64), np.zeros(LANES, np.int64)
    begun = ended = 0
    while ended < values:
        for lane in range(LANES):
            full = 0
            if mine[lane] < 0:
                if begun == values:
                    continue
                mine[lane], place[lane] = begun, offsets[begun]
                counts[lane] = last[lane] = 0
                held[:, lane] = _START
                held[0, lane] ^= _LENGTH
                full = len(head)
                block[lane, :full] = head
                if told:
                    size[0] = offsets[begun + 1] - offsets[begun]
                    block[lane, full : full + 8] = size.view(np.uint8)
                    full += 8
                begun += 1
            end = offsets[mine[lane] + 1]
            some = min(BLOCK - full, end - place[lane])
            block[lane, full : full + some] = data[place[lane] : place[lane] + some]
            full += some
            place[lane] += some
            counts[lane] += np.uint64(full)
            if place[lane] == end:
                last[lane] = _ALL
                block[lane, full:] = 0
        for word in range(16):
            for lane in range(LANES):
                words[word, lane] = lanes[lane, word]
        _compress(held, state, words, counts, last)
        for lane in range(LANES):
            if mine[lane] >= 0 and last[lane]:
                digests[mine[lane], 0], digests[mine[lane], 1] = held[0, lane], held[1, lane]
                mine[lane] = -1
                ended += 1
    return digests
