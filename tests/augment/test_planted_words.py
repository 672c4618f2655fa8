"""A word that is exchanged says another thing, all else stands, and nothing is exchanged that may be right."""

import numpy as np
import pytest

from augment.masks import held
from augment.planted_words import GROUPS, KINDS, exchanged

TEXTS = {
    "numeral": ["I waited twenty minutes", "TWO bags", "Seven of us", "a hundred times"],
    "unit": ["paid $40 today", "40+ minutes late", "a few days ago", "at 7:50PM", "a 30-minute wait", "2 Hours"],
    "date": ["see you Monday", "FRIDAY at last", "in june, maybe", "on Sundays"],
    "opposite": ["it got worse", "Before noon", "MORE PEOPLE", "I love it", "more than that"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, some in TEXTS.items() for text in some])
@pytest.mark.parametrize("seed", range(5))
def test_one_word_becomes_another_of_its_group_and_all_else_stands(kind, text, seed):
    said = exchanged(text, kind, text, np.random.default_rng(seed))

    assert said is not None
    start = next(at for at, (one, other) in enumerate(zip(text, said, strict=False)) if one != other)
    end = next(
        at for at, (one, other) in enumerate(zip(text[::-1], said[::-1], strict=False)) if one != other
    )
    before = text[:start].rpartition(" ")[0]
    after = text[len(text) - end :].partition(" ")[2]
    assert said.startswith(before)
    assert said.endswith(after)
    groups = [{*group.split()} for group in GROUPS[kind]]
    (group,) = (group for group in groups if _pieces(text) & group)
    (gone,), (came,) = _pieces(text) - _pieces(said), _pieces(said) - _pieces(text)
    assert {gone, came} <= group


def _pieces(text):
    return {
        "".join(run)
        for word in text.lower().replace("$", " $ ").replace("£", " £ ").replace("€", " € ").split()
        for run in _runs(word)
    }


def _runs(word):
    run = ""
    for letter in word + " ":
        if letter.isalpha() or letter in "$£€":
            run += letter
        else:
            if run:
                yield run
            run = ""


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("opposite", "MORE people", "LESS people"),
        ("opposite", "Before noon", "After noon"),
        ("opposite", "it is cheap", "it is expensive"),
        ("unit", "at 7 pm", "at 7 am"),
        ("unit", "100 kg", "100 lbs"),
    ],
)
def test_a_word_keeps_its_capitals(kind, text, said):
    assert exchanged(text, kind, text, np.random.default_rng(1)) == said


@pytest.mark.parametrize(
    ("kind", "text", "parent"),
    [
        ("numeral", "sixty-two of one", "sixty-two of one"),
        ("numeral", "two or three", "two or three"),
        ("unit", "have a nice day", "have a nice day"),
        ("unit", "I am at 7", "I am at 7"),
        ("date", "I may march in the sun", "I may march in the sun"),
        ("date", "from Monday to Friday", "from Monday to Friday"),
        ("opposite", "more or less", "more or less"),
        ("opposite", "it got worse", "it got bad"),
        ("opposite", "it got worse", "it got worse, not better"),
        ("opposite", "@before #more http://x.org/good `less`", "@before #more http://x.org/good `less`"),
        *((kind, "", "") for kind in KINDS),
    ],
)
def test_nothing_is_exchanged_that_is_no_word_of_its_kind_or_may_be_right(kind, text, parent):
    assert exchanged(text, kind, parent, np.random.default_rng(7)) is None


def test_no_word_stands_in_two_groups_of_a_kind_and_none_is_held_back_from_translators():
    for groups in GROUPS.values():
        words = [word for group in groups for word in group.split()]
        assert len(words) == len({*words})
        assert not held(" ".join(words), {"link", "handle", "hashtag"})
