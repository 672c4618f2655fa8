"""Answers for sentences make an answer for their text, or none."""

import pyarrow as pa

from corpus.answers import Answer, column, joined
from corpus.sentences import Sentences

TEXT = Sentences(("One.", "Two.", "..."), ("", " ", "\n\n", ""))


def test_answers_stand_where_their_sentences_stood():
    assert joined(TEXT, {"One.": Answer("Uno."), "Two.": Answer("Dos.")}) == Answer("Uno. Dos.\n\n...")


def test_a_sentence_that_was_answered_with_nothing_takes_the_text_along():
    assert joined(TEXT, {"One.": Answer("Uno."), "Two.": Answer(" ")}) == Answer("")


def test_the_first_fault_is_that_of_the_text():
    answers = {"One.": Answer("Uno.", "endless"), "Two.": Answer("", "prompt_repeated")}

    assert joined(TEXT, answers) == Answer("", "endless")


def test_a_text_without_sentences_is_its_spaces():
    assert joined(Sentences((), (" ",)), {}) == Answer(" ")


def test_a_text_that_could_not_be_read_is_null():
    told = [Answer("a"), None, Answer("b", "endless")]

    assert column(told).to_pylist() == [
        {"text": "a", "fault": None},
        None,
        {"text": "b", "fault": "endless"},
    ]
    assert column([]).type == pa.struct([("text", pa.string()), ("fault", pa.string())])
