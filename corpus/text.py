"""One meaning each of a row's text, its words and its fingerprint; compiled over the Arrow buffers.

A word is a run of letters, marks and digits, case folded, apostrophes inside it left out ("Don’t" is
`dont`). Scripts that are written without spaces (Han, kana, Thai, Lao, Khmer, Burmese) have a word a
character. Numbers are words like others: no placeholder stands for them. Emoji and the signs of mathematics and money
are words where rows are compared, and none where words are counted.
"""

import functools
import unicodedata
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.arrays import pairs, whole
from corpus.digests import blake2b, of_spans

_SPACE, _WORD, _ALONE, _SILENT, _MARK, _UNFOLDS, _SIGN = range(7)
_OPERATOR, _POINT, _BLANK, _OTHER = range(10, 14)
Numbers = Literal["prompts", "all", "none"]
NUMBERS = "of which rows the numbers matter: of those that a user says something in, of all, of none"
_OPERATORS = "+-*/^=<>%~±×÷−√≤≥≠≈·"
TABLE = 0x20000  # code points above it are ideographs, or not text
_EMOJI = ((0x2600, 0x27BF), (0x1F000, 0x1FAFF))
_NO_SPACES = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x2E80, 0x2FDF),
    (0x3005, 0x303A),
    (0x3040, 0x3098),
    (0x309B, 0x312F),
    (0x3192, 0x31FF),
    (0x3400, 0x9FFF),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x1AFF0, 0x1B16F),
    (0x1D372, 0x1D376),
)


def contents(rows: pa.Table) -> pa.StringArray:
    """Return the text of each row: the contents of its messages, joined by line feeds."""
    messages = whole(rows["messages"])
    flat = messages.flatten()
    if len(flat) == len(messages) and (
        len(messages) == 0 or pc.all(pc.equal(pc.list_value_length(messages), 1)).as_py()
    ):
        return flat.field("content")
    return pc.binary_join(_lists(messages, flat.field("content")), "\n")


def sides(rows: pa.Table) -> tuple[pa.StringArray, pa.StringArray | None]:
    """Return what is asked in each row and what is answered; None where no row has an answer.

    Answered is what an assistant says, asked is all else; each is joined by line feeds.
    """
    messages = whole(rows["messages"])
    flat = messages.flatten()
    answers = pc.equal(flat.field("role"), "assistant")
    if not pc.any(answers).as_py():
        return contents(rows), None
    lengths = pc.list_value_length(messages).to_numpy()
    holders = np.repeat(np.arange(len(messages)), lengths)
    found = []
    for mask in (pc.invert(answers), answers):
        counts = np.bincount(holders[mask.to_numpy(zero_copy_only=False)], minlength=len(messages))
        ends = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
        found.append(pc.binary_join(pa.ListArray.from_arrays(ends, flat.field("content").filter(mask)), "\n"))
    return found[0], found[1]


def turns(rows: pa.Table, *, lengths: bool = False) -> pa.StringArray:
    """Return `contents`, but in a row of several messages each is preceded by its role.

    With `lengths` the bytes of each content are told too, so that rows are equal only where their turns are.
    """
    messages = whole(rows["messages"])
    several = pc.greater(pc.list_value_length(messages), 1)
    plain = contents(rows)
    if not pc.any(several).as_py():
        return plain
    flat = messages.flatten()
    told = [
        flat.field("role"),
        *([pc.binary_length(flat.field("content")).cast(pa.string())] if lengths else []),
    ]
    of_message = pc.binary_join_element_wise(*told, flat.field("content"), "\n")
    return pc.if_else(several, pc.binary_join(_lists(messages, of_message), "\n"), plain)


def prompts(rows: pa.Table) -> np.ndarray:
    """Say in which rows a user says something (bool)."""
    messages = whole(rows["messages"])
    asked = pc.equal(messages.flatten().field("role"), "user").to_numpy(zero_copy_only=False)
    holders = np.repeat(np.arange(len(messages)), pc.list_value_length(messages).to_numpy())
    return np.bincount(holders, asked, minlength=len(messages)) > 0


def fingerprints(rows: pa.Table) -> pa.FixedSizeBinaryArray:
    """Return the 128-bit BLAKE2b digest of what each row says: of its text's UTF-8 bytes, or of its turns."""
    return blake2b(turns(rows, lengths=True))


def halves(keys: pa.FixedSizeBinaryArray | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Split 128-bit keys (no nulls) into two columns of uint64, most significant first."""
    found = pairs(keys)
    return found[:, 0], found[:, 1]


def count_words(rows: pa.Table) -> pa.Int64Array:
    """Return the number of words of each row."""
    _, offsets = word_hashes(contents(rows), signs=False, marks=False)
    return pa.array(np.diff(offsets))


def word_hashes(
    texts: pa.StringArray, *, signs: bool = True, marks: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return the 64-bit hashes of all words (uint64) and where each text's words begin (int64, rows + 1).

    With `signs` an emoji is a word, and so is a sign of mathematics or money: "so good 😊" is not "so good 😡". A sign
    that is repeated counts once. With `marks`, a text without any word has its punctuation for words instead.
    """
    from corpus import text_kernels

    return text_kernels.words(*buffers(texts), *_characters(), signs, marks)  # type: ignore[no-any-return]


def numbers_apart(rows: pa.Table, numbers: Numbers) -> np.ndarray:
    """Return `number_keys` of what each row says where `numbers` means it, else 0 (uint64)."""
    keys = np.zeros(len(rows), np.uint64)
    asked = np.full(len(rows), numbers == "all")
    if numbers == "prompts":
        asked = prompts(rows)
    if asked.any():
        keys[asked] = number_keys(contents(rows).filter(pa.array(asked)))
    return keys


def number_keys(texts: pa.StringArray) -> np.ndarray:
    """Return a 64-bit key of each text's numbers in their order (uint64); 0 where there is none.

    A number is a run of digits of any script, with a point or a comma between two of them. The operators beside it
    belong to it, over spaces too: "12 - 7" is not "12 + 7", nor is "-5" what "5" is.
    """
    from corpus import text_kernels

    return text_kernels.numbers(*buffers(texts), _digits())  # type: ignore[no-any-return]


@functools.cache
def _digits() -> np.ndarray:
    """Return for each code point below the table's end the value of a digit, or what it is else."""
    kinds = np.full(TABLE, _OTHER, np.uint8)
    for point in range(TABLE):
        letter = chr(point)
        if (digit := unicodedata.digit(letter, None)) is not None and unicodedata.category(letter) == "Nd":
            kinds[point] = digit
        elif letter.isspace():
            kinds[point] = _BLANK
    for letter in _OPERATORS:
        kinds[ord(letter)] = _OPERATOR
    for letter in ".,":
        kinds[ord(letter)] = _POINT
    return kinds


def word_keys(texts: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """Return a 128-bit digest of each text's words: equal whatever their case, punctuation and spacing."""
    hashes, begins = word_hashes(texts)
    return of_spans(8 * begins, hashes.view(np.uint8))


def _lists(messages: pa.ListArray, values: pa.StringArray) -> pa.ListArray:
    """Give each row the values of its messages, which lie flat."""
    ends = pc.cumulative_sum(pc.list_value_length(messages))
    return pa.ListArray.from_arrays(
        pa.concat_arrays([pa.array([0], pa.int32()), ends]).cast(pa.int32()), values
    )


def buffers(texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Return offsets (int32, rows + 1) and bytes of an array without nulls."""
    _, offsets, data = texts.buffers()
    if offsets is None or len(texts) == 0:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    spans = np.frombuffer(offsets, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    raw = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return spans, raw


def _means(symbol: str) -> bool:
    """Say whether a symbol is one of mathematics or money, or an emoji; what adorns or parts titles is none."""
    emoji = any(first <= ord(symbol) <= last for first, last in _EMOJI)
    return emoji or (unicodedata.category(symbol) in ("Sm", "Sc") and symbol not in "|~")


@functools.cache
def _characters() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each code point below the table's end its kind, its folded form, and what more the form has (0: nothing)."""
    kinds = np.full(TABLE, _SPACE, np.uint8)
    folded = np.arange(TABLE, dtype=np.uint32)
    more = np.zeros((TABLE, 2), np.uint32)
    category = unicodedata.category
    for point in range(TABLE):
        letter = category(chr(point))[0]
        if letter in "LNM":
            kinds[point] = _WORD
            lower = chr(point).casefold()
            folded[point] = ord(lower[0])
            if len(lower) > 1:
                kinds[point] = _UNFOLDS
                more[point, : len(lower) - 1] = [ord(other) for other in lower[1:]]
        elif letter in "PS":
            kinds[point] = _SIGN if _means(chr(point)) else _MARK
    for first, last in _NO_SPACES:
        span = kinds[first : last + 1]
        span[span == _WORD] = _ALONE
    kinds[0xFE00:0xFE10] = _SILENT  # whether a sign is drawn as text or in colours
    for apostrophe in "'’":
        kinds[ord(apostrophe)] = _SILENT
    return kinds, folded, more
