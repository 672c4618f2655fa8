"""Windows cover a text: each piece counts once, where it stands farther from an end."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.windows import Window, windows

CLS, SEP = -1, -2


class Counts:
    """A tokenizer whose pieces are numbers; it cuts what is longer than asked at its end, or at its beginning."""

    def __init__(self, *, left: bool = False) -> None:
        self.left = left

    def num_special_tokens_to_add(self) -> int:
        return 2

    def __call__(self, texts, *, add_special_tokens=True, truncation, max_length=None, verbose=True):
        if isinstance(texts, str):
            assert not add_special_tokens
            assert not truncation
            return {"input_ids": [int(one) for one in texts.split()]}
        found = [[int(one) for one in text.split()] for text in texts]
        room = max_length - 2
        return {"input_ids": [[CLS, *(one[-room:] if self.left else one[:room]), SEP] for one in found]}


def numbered(count: int) -> str:
    return " ".join(map(str, range(count)))


@given(st.lists(st.integers(0, 90), max_size=5), st.integers(4, 20), st.booleans())
def test_each_piece_of_each_text_counts_once_and_in_its_place(counts, limit, left):
    found = windows(Counts(left=left), [numbered(count) for count in counts], limit)

    for place, count in enumerate(counts):
        mine = [one for one in found if one.text == place]
        said = [piece for one in mine for piece in one.pieces[one.start : one.end] if piece >= 0]
        assert said == list(range(count))
        assert all(one.pieces[0] == CLS and one.pieces[-1] == SEP for one in mine)
        assert all(len(one.pieces) <= limit for one in mine)
        assert len(mine) == 1 or all(len(one.pieces) == limit for one in mine)
    assert [one.text for one in found] == sorted(one.text for one in found)


@given(st.integers(19, 300))
def test_neighbours_share_half_and_what_counts_is_farther_from_an_end(count):
    found = windows(Counts(), [numbered(count)], 18)

    spans = [one.pieces[1:-1] for one in found]
    for one, after in itertools.pairwise(spans):
        assert len({*one} & {*after}) >= 8
    for one in found:
        for piece in one.pieces[one.start : one.end]:
            depth = [min(piece - span[0], span[-1] - piece) for span in spans if piece in span]
            own = one.pieces[1:-1]
            assert min(piece - own[0], own[-1] - piece) == max(depth)


def test_a_text_that_fits_is_one_window_as_it_was():
    assert windows(Counts(), ["", numbered(6), numbered(7)], 8) == [
        Window(0, [CLS, SEP], 0, 2),
        Window(1, [CLS, *range(6), SEP], 0, 8),
        Window(2, [CLS, *range(6), SEP], 1, 4),
        Window(2, [CLS, *range(1, 7), SEP], 3, 7),
    ]


def test_no_texts_have_no_windows():
    assert windows(Counts(), [], 8) == []


@pytest.mark.parametrize("said", ["[SEP] [CLS] ", "a [PAD] b [MASK] "])
def test_a_text_that_says_special_pieces_is_read_to_its_end(said, tmp_path):
    from transformers import AutoTokenizer

    from tests.embedding import tiny

    tokenizer = AutoTokenizer.from_pretrained(tiny(tmp_path).removeprefix("file:"))
    text = said * 50 + "z"

    found = windows(tokenizer, [text], 64)

    body = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert [piece for one in found for piece in one.pieces[one.start : one.end]] == body
    assert all(one.pieces[0] == 2 and one.pieces[-1] == 3 for one in found)
