"""Rows that hold words of the list go; words are whole, in any case and script."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curation.blocklist import Blocklist
from tests.corpora import make

PIECES = [
    "bad",
    "BAD",
    "badly",
    "lorem",
    "Lorem",
    "ipsum",
    "é",
    "bÄd",
    "bäd",
    "हिन्दी",
    "हि",
    "don't",
    "1",
    "_",
    ",",
    " ",
    "  ",
    "\n",
    "-",
    "👍",
]


def measured(texts: list[str], stage: Blocklist) -> dict[str, tuple[int, str | None]]:
    rows = make(texts)
    features = stage.measure(rows, None)
    found = [messages[0]["content"] for messages in rows["messages"].to_pylist()]
    return dict(
        zip(found, zip(features["hits"].to_pylist(), features["first"].to_pylist(), strict=True), strict=True)
    )


def words_of(text: str) -> list[str]:
    """Split a text into runs of letters, marks and digits, one character after another."""
    spaced = "".join(sign if unicodedata.category(sign)[0] in "LMN" else " " for sign in text)
    return spaced.lower().split()


def counted(text: str, phrases: list[list[str]]) -> int:
    """Count phrases from left to right, the longest first, none of them over another."""
    words, place, hits = words_of(text), 0, 0
    while place < len(words):
        length = max(
            (len(phrase) for phrase in phrases if words[place : place + len(phrase)] == phrase), default=0
        )
        hits += length > 0
        place += max(length, 1)
    return hits


def test_whole_words_are_found_in_any_case():
    texts = ["a BAD day", "badly done", "bad, bad", "not_bad", "Lorem, ipsum", "lorem  dolor ipsum", ""]

    assert measured(texts, Blocklist(words=("bad", "lorem ipsum"))) == {
        "a BAD day": (1, "BAD"),
        "badly done": (0, None),
        "bad, bad": (2, "bad"),
        "not_bad": (1, "bad"),
        "Lorem, ipsum": (1, "Lorem ipsum"),
        "lorem  dolor ipsum": (0, None),
        "": (0, None),
    }


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=8))
def test_hits_are_those_of_a_search_word_by_word(texts):
    stage = Blocklist(words=("bad", "lorem ipsum", "BÄD", "हि", "don't"))
    phrases = [words_of(word) for word in stage.words]

    assert {text: hits for text, (hits, _) in measured(texts, stage).items()} == {
        text: counted(text, phrases) for text in texts
    }


def test_more_hits_than_allowed_drop_the_row_and_name_the_word():
    rows = make(["bad", "bad and worse", "good"])
    stage = Blocklist(words=("bad", "worse"), max_hits=1)

    verdict = stage.judge(stage.measure(rows, None), None)

    fates = dict(
        zip(
            [one[0]["content"] for one in rows["messages"].to_pylist()],
            zip(
                verdict.reason.to_pylist(), verdict.score.to_pylist(), verdict.detail.to_pylist(), strict=True
            ),
            strict=True,
        )
    )
    assert fates == {
        "bad": (None, 1.0, None),
        "bad and worse": ("blocked_word", 2.0, "bad"),
        "good": (None, 0.0, None),
    }


def test_look_alike_letters_are_read_through_only_when_asked():
    assert measured(["a bаdly"], Blocklist(words=("badly",))) == {"a bаdly": (0, None)}
    assert measured(["a bаdly"], Blocklist(words=("badly",), match_repaired=True)) == {
        "a bаdly": (1, "badly")
    }


@pytest.mark.parametrize("words", [(), ("ok", " - ")])
def test_a_list_that_cannot_find_anything_is_an_error(words):
    with pytest.raises(ValidationError, match="blocklist needs words"):
        Blocklist(words=words)
