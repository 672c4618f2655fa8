"""Texts as sentences are the texts, whatever they hold."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.model_card import licence
from corpus.sentences import Sentences, fitted, sentences

TEXTS = st.lists(
    st.sampled_from(
        ["I see.", "Go!", "the", "cat", " ", "  ", "\n", "\n\n", "。", "日本", "😂", "Dr.", "\u2028"]
    ),
    max_size=20,
).map("".join) | st.text(max_size=40)


def test_a_text_is_cut_into_what_is_said_and_the_white_space_around():
    assert sentences(pa.array([" Hi Ann.\n\nI am late ", ""])) == [
        Sentences(("Hi Ann.", "I am late"), (" ", "\n\n", " ")),
        Sentences((), ("",)),
    ]


@given(st.lists(TEXTS, max_size=6))
def test_sentences_put_together_are_the_text(texts):
    cut = sentences(pa.array(texts, pa.string()))

    assert [one.joined(one.said) for one in cut] == texts
    assert all(said == said.strip() != "" for one in cut for said in one.said)


@given(TEXTS, st.integers(1, 8))
def test_sentences_that_fit_are_the_text_or_a_word_is_too_long(text, limit):
    cut = fitted(sentences(pa.array([text]))[0], len, limit)

    if cut is None:
        assert any(len(word) > limit for word in text.split())
    else:
        assert cut.joined(cut.said) == text
        assert all(len(said) <= limit for said in cut.said)


def test_a_long_sentence_is_cut_as_late_as_it_may():
    cut = fitted(sentences(pa.array(["aa bb cc dd ee"]))[0], len, 8)

    assert cut == Sentences(("aa bb cc", "dd ee"), ("", " ", ""))


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ("---\nlicense: cc-by-4.0\n---\n", "cc-by-4.0"),
        ("---\nlicense: [mit, apache-2.0]\n---\nlicense: gpl\n", "mit, apache-2.0"),
        ("license: mit\n", None),
        ("---\nlicense: 7\n---\n", None),
        ("---\n- a\n---\n", None),
        ("---\n{: \n---\n", None),
        ("---\nlicense: |\n  a\n  <b>\n---\n", "a <b>"),
        ("", None),
        (None, None),
    ],
)
def test_the_licence_of_a_card_is_what_its_head_says(tmp_path, card, said):
    if card is not None:
        (tmp_path / "README.md").write_text(card)

    assert licence(tmp_path) == said
