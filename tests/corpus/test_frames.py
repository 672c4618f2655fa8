"""An answer is taken for that of its own text, or the batch is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.frames import framed, marks, unframed
from corpus.piecewise import BrokenError

TEXTS = st.lists(st.text(st.characters(exclude_characters="\0[]", exclude_categories=["Cs"])), max_size=6)


@given(TEXTS, st.integers(0, 10**6))
def test_what_comes_back_as_it_went_are_the_texts(texts, first):
    marked = marks(first, len(texts))

    assert unframed(framed(texts, marked), marked) == texts


@given(TEXTS, st.integers(0, 10**6), st.data())
def test_an_answer_lost_doubled_or_in_the_place_of_another_is_noticed(texts, first, data):
    marked = marks(first, len(texts))
    frames = framed(texts, marked).split(b"\0")[:-1]
    place = data.draw(st.integers(0, len(frames) - 1))
    other = data.draw(st.integers(0, len(frames) - 1).filter(lambda found: found != place or not texts))
    frame = frames[place]
    swapped = [
        frames[{place: other, other: place}.get(number, number)]
        for number in range(len(frames))
        if place != other
    ]
    broken = {
        "lost": frames[:place] + frames[place + 1 :],
        "doubled": [*frames[:place], frame, *frames[place:]],
        "cut": [*frames[:place], frame[:-1], *frames[place + 1 :]],
        "in two": [*frames[:place], b"", frame, *frames[place + 1 :]],
        "swapped": swapped,
        "of another batch": framed(texts, marks(first + len(marked), len(texts))).split(b"\0")[:-1],
        "with more behind": [*frames, b"and on"],
    }

    for wrong in broken.values():
        with pytest.raises(BrokenError):
            unframed(b"".join(each + b"\0" for each in wrong), marked)
    for said in (framed(texts, marked)[:-1], framed(texts, marked) + b"a", b"", b"\xff[0]\0"):
        with pytest.raises(BrokenError):
            unframed(said, marked)


def test_a_mark_that_a_rule_moved_a_space_behind_or_said_twice_is_taken_off():
    assert unframed(b"la casa[7] \0la[8] casa[8]\0[9]\0", marks(7, 2)) == ["la casa", "la casa"]
