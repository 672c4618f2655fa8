"""What a model says round its answer is taken off, and nothing of the answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.reply import repeats, unwrapped

PLANE = "The plane was late again."


@pytest.mark.parametrize(
    "answer",
    [
        PLANE,
        f'"{PLANE}"',
        f"“{PLANE}”",
        f"'{PLANE}'",
        f"Here is another way to say it: {PLANE}",
        f"Here's a paraphrase of your text:\n\n{PLANE}",
        f'Sure! Here is the rewritten tweet:\n"{PLANE}"',
        f"Sure thing, here are some other words: {PLANE}",
        f"Paraphrase: {PLANE}",
        f"The translation is: {PLANE}",
        f"The original tweet is: “{PLANE}”",
        f"Translation into Spanish: {PLANE}",
        f"  {PLANE} \n",
        f"<think>\nIt was late.\n</think>\n\n{PLANE}",
    ],
)
def test_what_stands_round_an_answer_is_taken_off(answer):
    assert unwrapped(answer, "the plane was late") == PLANE


@pytest.mark.parametrize(
    ("answer", "source"),
    [
        ('"Late" and "again" are one', "late and again"),
        ("dogs' bowls and cats'", "bowls"),
        ('"The plane was late."', '"It was late"'),
        ("Here is what I saw: a plane", "Here is the thing: a plane"),
        ("I said: the plane was late", "I said it was late"),
        ("What a day: rain", "it rained"),
        ('5" of snow, not 6"', "snow"),
        ('"', "x"),
        ("", "x"),
    ],
)
def test_what_belongs_to_an_answer_stays(answer, source):
    assert unwrapped(answer, source) == answer


@given(st.text(max_size=80), st.text(max_size=40))
def test_what_is_left_is_a_part_of_the_answer(answer, source):
    assert unwrapped(answer, source) in answer


def test_an_announcement_alone_leaves_nothing():
    assert unwrapped("Here is the paraphrase:", "the plane was late") == ""
    assert unwrapped('""', "the plane was late") == ""


@pytest.mark.parametrize(
    ("answer", "repeated"),
    [
        ("Say this in other words: the plane was late", True),
        ("I shall SAY this, in other\nwords", True),
        ("they say this in English", False),
        ("", False),
    ],
)
def test_a_run_of_four_words_of_the_instruction_is_the_instruction(answer, repeated):
    assert repeats(answer, "Say this in other words: {text}", "the plane was late") is repeated


def test_a_text_that_has_these_words_may_say_them_again():
    source = "never say this in other words than mine"

    assert not repeats("say this in other words than I", "Say this in other words: {text}", source)


def test_short_sides_of_an_instruction_are_looked_for_whole():
    asked = "Text: {text}\nOther words:"

    assert repeats("other words are late", asked, "the plane was late")
    assert not repeats("other planes have words", asked, "the plane was late")
