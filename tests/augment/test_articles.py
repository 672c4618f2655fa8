"""The article before a word is the one that its first sound asks for."""

import pytest

from augment.articles import agreed


@pytest.mark.parametrize(
    ("article", "word", "expected"),
    [
        ("a", "atheist", "an"),
        ("A", "Irish", "An"),
        ("an", "Muslim", "a"),
        ("An", "European", "A"),
        ("an", "Ukrainian", "a"),
        ("a", "hour", "an"),
        ("an", "user", "a"),
        ("a", "uncle", "an"),
        ("an", "one-off", "a"),
    ],
)
def test_an_article_agrees_and_keeps_its_capital(article, word, expected):
    assert agreed(article, word) == expected
