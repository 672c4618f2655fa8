"""Of two texts that differ in a few words a page shows as much as fits, and marks these."""

import pytest

from audit.page.quoted import LONGEST, quoted


def pair(text, instead_text, words):
    return {
        "axis": "gender", "group": "men", "instead": "women", "text": text, "instead_text": instead_text,
        "words": words, "before": None, "after": "s: r",
    }  # fmt: skip


def test_what_was_exchanged_is_marked():
    found = quoted(pair("he and his", "she and her", [[0, 2, 0, 3], [7, 10, 8, 11]]))

    assert found["text"] == [("he", True), (" and ", False), ("his", True)]
    assert found["instead_text"] == [("she", True), (" and ", False), ("her", True)]


@pytest.mark.parametrize("at", [0, 1, 79, 80, 81, 500, 999_990, 999_998])
def test_a_long_text_is_cut_round_the_first_of_them(at):
    text = "x" * at + "he" + "y" * (999_998 - at)
    other = text[:at] + "she" + text[at + 2 :]

    found = quoted(pair(text, other, [[at, at + 2, at, at + 3]]))

    for pieces, word in ((found["text"], "he"), (found["instead_text"], "she")):
        assert [piece for piece, marked in pieces if marked] == [word]
        assert sum(len(piece) for piece, _ in pieces if piece != "\u2026") == LONGEST
        assert (pieces[0] == ("\u2026", False)) == (at > 80)
