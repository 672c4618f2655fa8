"""Words are the same whatever their case, in every script."""

import unicodedata
from itertools import pairwise

import pyarrow as pa

from corpus import text


def hashes(texts: list[str]) -> list[list[int]]:
    found, begins = text.word_hashes(pa.array(texts))
    return [found[start:stop].tolist() for start, stop in pairwise(begins)]


def test_every_letter_is_the_word_that_its_folded_form_is():
    letters = [chr(point) for point in range(text.TABLE) if unicodedata.category(chr(point))[0] == "L"]

    assert hashes(letters) == hashes([letter.casefold() for letter in letters])
    assert hashes(["a" + letter for letter in letters]) == hashes(
        ["A" + letter.casefold() for letter in letters]
    )


def test_words_in_capitals_are_the_same_words():
    said = ["Die große Straße", "ﬁne ofﬁce", "naïve DŽ", "ΜΆΪΟΣ όσος", "İstanbul"]

    assert hashes([one.upper() for one in said]) == hashes([one.upper().lower() for one in said])
    assert hashes(["GROSSE STRASSE", "FINE OFFICE"]) == hashes(["große Straße", "ﬁne ofﬁce"])
