"""A compiled loop that writes strings as JSON (`corpus.kernels`)."""

import numba
import numpy as np

from corpus.kernels import INT32S, UINT8S

_QUOTE, _BACKSLASH, _SPACE = 34, 92, 32
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8).copy()
_ESCAPE = np.frombuffer(b"u00", np.uint8).copy()
_SHORT = np.zeros(_SPACE, np.uint8)
_SHORT[[8, 9, 10, 12, 13]] = np.frombuffer(b"btnfr", np.uint8)


@numba.njit((INT32S, UINT8S, UINT8S, UINT8S), cache=True, nogil=True)
def quoted(offsets, data, before, behind):  # type: ignore[no-untyped-def]  # numba infers
    """Write each text between `before` and `behind`, escaped as RFC 8785 has it: offsets (int64, texts + 1) and bytes.

    Bytes that stand for themselves, which is most of them, are copied a text at a time.
    """
    texts = len(offsets) - 1
    starts = np.zeros(texts + 1, np.int64)
    for text in range(texts):
        own = data[offsets[text] : offsets[text + 1]]
        special = False
        for byte in own:  # of truth values alone, so that the loop is one of vectors
            special = special | (byte < _SPACE) | (byte == _QUOTE) | (byte == _BACKSLASH)
        size = len(before) + len(own) + len(behind)
        if special:
            for byte in own:
                if byte in (_QUOTE, _BACKSLASH):
                    size += 1
                elif byte < _SPACE:
                    size += 1 if _SHORT[byte] else 5
        starts[text + 1] = starts[text] + size
    found = np.empty(starts[texts], np.uint8)
    for text in range(texts):
        first, last = offsets[text], offsets[text + 1]
        to = starts[text]
        found[to : to + len(before)] = before
        to += len(before)
        stop = starts[text + 1] - len(behind)
        if stop - to == last - first:
            found[to:stop] = data[first:last]
        else:
            for at in range(first, last):
                byte = data[at]
                if byte in (_QUOTE, _BACKSLASH) or byte < _SPACE:
                    found[to] = _BACKSLASH
                    to += 1
                    if byte >= _SPACE:
                        found[to] = byte
                    elif _SHORT[byte]:
                        found[to] = _SHORT[byte]
                    else:
                        found[to : to + 3] = _ESCAPE
                        found[to + 3], found[to + 4] = _DIGITS[byte >> 4], _DIGITS[byte & 15]
                        to += 4
                else:
                    found[to] = byte
                to += 1
        found[stop : starts[text + 1]] = behind
    return starts, found
