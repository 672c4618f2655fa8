"""What is masked comes back whole, or it is said that it did not."""

import random
import re
import shutil

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.masks import mask
from corpus import apertium

PIECES = [
    "@ann",
    "#wow",
    "http://t.co/aB1?x=(y)",
    "www.a.org",
    "a.b@c.de",
    "5",
    "$1,000.50",
    "10:30",
    "24th",
    "50%",
    "😂",
    "👩🏽\u200d💻",
    "❤️",
    ":)",
    "<3",
    "\ufffd",
    "Xqza",
    "`x = f(1)`",
    "```\nif a:\n    b\n```",
    "{name}",
    "{{ user.name }}",
    "${HOME}",
    "%(count)d",
    "%s",
    "<b>",
    "</a>",
    "<",
    "`",
    "{",
    "RT",
    "a" * 130,
    "word",
    "Word",
    "_",
    "é",
    ".",
    "!",
    "'s",
    '"',
    ":",
    "-",
    " ",
    "  ",
    "\n",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


def test_a_tweet_is_cut_into_what_is_sent_and_what_is_not():
    masked = mask("RT @ann: I paid $5 for 2 tickets😂!! #wow http://t.co/x")

    assert (masked.before, masked.text, masked.after) == (
        "RT @ann: ",
        "I paid Xqza for Xqzb tickets Xqzc!!",
        " #wow http://t.co/x",
    )
    assert [(piece.kind, piece.text) for piece in masked.pieces] == [
        ("number", "$5"),
        ("number", "2"),
        ("emoji", "😂"),
    ]


def test_code_and_what_is_to_be_filled_in_stay_in_their_sentence():
    masked = mask("{name} ran `ls -l` and saw <b>%s</b> files")

    assert (masked.before, masked.after) == ("", "")
    assert masked.text == "Xqza ran Xqzb and saw Xqzc Xqzd Xqze files"
    assert masked.restore("Xqza vio Xqzc Xqzd Xqze y Xqzb") == (
        "{name} vio <b>%s</b> y `ls -l`",
        False,
    )
    assert masked.restore("Xqza ran and saw Xqzc Xqzd Xqze files")[1]


@settings(deadline=None, max_examples=300)
@given(TEXTS | st.text())
def test_what_was_not_translated_comes_back_as_it_went(text):
    masked = mask(text)

    assert masked.restore(masked.text) == (text, False)


@settings(deadline=None)
@given(TEXTS)
def test_nothing_to_be_held_is_sent(text):
    sent = mask(text).text

    assert not re.search(r"https?://|@\w|#\w|\d|😂|\ufffd|a{120}|`x = f\(1\)`|\{\w+\}|<b>", sent)


@pytest.mark.parametrize(
    "text", ["", " ", "7 + 12 = 19", "😂 😂", "@ann #wow http://t.co/x", "... - ?!", "<3 :)"]
)
def test_what_says_nothing_beside_what_is_held_is_not_sent(text):
    masked = mask(text)

    assert (masked.before, masked.text, masked.after) == (text, "", "")
    assert masked.restore("") == (text, False)


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_where_nothing_came_for_what_was_sent_nothing_is_said(nothing):
    assert mask("@ann I love the cat http://t.co/x").restore(nothing) == ("", False)
    assert mask("@ann I paid 12 http://t.co/x").restore(nothing) == ("", True)


def test_words_may_move_and_pieces_move_with_them():
    masked = mask("the @ann likes #wow much")

    assert masked.restore("much Xqzb likes the xqza") == ("much #wow likes the @ann", False)


@pytest.mark.parametrize(
    "translation",
    [
        "from Xqza to",
        "from Xqza to Xqza",
        "from Xqza to Xqzb and Xqzb",
        "from Xqzb to Xqza",
        "from Xqza to Xqzb Xqzc",
        "",
    ],
    ids=["lost", "twice for another", "twice", "numbers changed places", "one too many", "empty"],
)
def test_a_mask_that_does_not_come_back_once_and_in_order_is_lost(translation):
    masked = mask("from 5 to 7 o'clock")

    assert masked.restore(translation)[1]


def test_more_pieces_than_letters_come_back():
    text = "from " + " and ".join(f"@a{number} is" for number in range(800))

    masked = mask(text)

    assert len(masked.pieces) == 800
    assert masked.restore(masked.text) == (text, False)


@pytest.mark.skipif(
    shutil.which("apertium") is None, reason="needs apt-get install apertium apertium-eng-spa"
)
def test_placeholders_survive_the_way_there_and_back():
    draw = random.Random(7)
    words = [
        "the",
        "flight",
        "was",
        "late",
        "and",
        "I",
        "have",
        "seen",
        "a",
        "good",
        "house",
        "of",
        "two",
        "thanks",
        "is",
    ]
    texts = [" ".join(draw.choice([*words, *words, *PIECES[:16]]) for _ in range(14)) for _ in range(60)]
    masked = [mask(text) for text in texts]

    there = apertium.translate("eng", "spa", pa.array([one.text for one in masked]))
    back = apertium.translate("spa", "eng", there).to_pylist()

    assert sum(len(one.pieces) for one in masked) > 200
    assert [one.restore(text)[1] for one, text in zip(masked, back, strict=True)] == [False] * 60
