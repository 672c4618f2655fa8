"""Words are the same whatever their case, in every script."""

import unicodedata
from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.duplicates_truth import words
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


def test_signs_that_mean_something_are_words_and_those_that_adorn_are_none():
    apart = ["so good 😊", "so good 😡", "x + y", "x = y", "x y", "5 €", "5 $", "🇺🇸", "🇬🇧", "👍🏽", "👍🏻"]
    alike = [["so good!!", "so good", "so | good ~ •", "“so” good®"], ["lol 😂😂😂", "lol 😂", "LOL 😂 😂"]]
    alike += [["❤️", "❤"], ["isn't", "isn’t", "ISNT"]]

    assert len({tuple(one) for one in hashes(apart)}) == len(apart)
    for texts in alike:
        assert len({tuple(one) for one in hashes(texts)}) == 1


def test_punctuation_stands_for_words_where_there_are_none():
    assert len({tuple(one) for one in hashes(["!!!", "???", "...", "!?", ""])}) == 5
    assert hashes(["😊!!", "a!"]) == hashes(["😊", "a"])


def test_words_that_are_counted_are_those_of_letters_and_digits():
    texts = pa.array(["so good 😊 + 1", "😊", "!!!"])

    _, begins = text.word_hashes(texts, signs=False, marks=False)

    assert begins.tolist() == [0, 3, 3, 3]


letters = st.text(
    st.sampled_from("aAßé12 .'’-+=|😊🏽❤️\ufe0f日本ก\u0301€ﬁİ\x00\u200d")
    | st.characters(codec="utf-8", exclude_categories=("Cn", "Co")),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(one=letters, two=letters)
def test_the_compiled_words_are_those_of_plain_python(one, two):
    said, plain = hashes([one, two]), [words(one), words(two)]

    assert [len(held) for held in said] == [len(held) for held in plain]
    for a, b in [(0, 0), (0, 1), (1, 1)]:
        for at, word in enumerate(plain[a]):
            assert [word == other for other in plain[b]] == [said[a][at] == other for other in said[b]]
