"""Keys of the numbers that a text has, against a plain reading of them."""

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import text

OPERATORS = "+-*/^=<>%~±×÷−√≤≥≠≈·"
TOKENS = re.compile(
    rf"(?P<number>\d+(?:[.,]\d+)*)[.,]?|(?P<operator>[{re.escape(OPERATORS)}])|(?P<space>\s)|.", re.DOTALL
)


def numbers(content: str) -> list[object]:
    """Return the numbers of a text and the operators beside them, in their order."""
    found: list[object] = []
    waiting: list[object] = []
    beside = False
    for token in TOKENS.finditer(content):
        if token["number"] is not None:
            digits = [unicodedata.digit(letter, letter) for letter in token["number"]]
            found += [*waiting, tuple(digits)]
            beside, waiting = True, []
        elif token["operator"] is not None:
            (found if beside else waiting).append(token["operator"])
        elif token["space"] is None:
            beside, waiting = False, []
    return found


contents = st.text(alphabet="0123 .,+-*=ab\n٣é√", max_size=8)


@settings(max_examples=500, deadline=None)
@given(st.lists(contents, min_size=2, max_size=6))
def test_keys_are_equal_where_the_numbers_are(held):
    keys = text.number_keys(pa.array(held, pa.string())).tolist()

    for one, first in zip(held, keys, strict=True):
        assert (first == 0) == (numbers(one) == [])
        for two, second in zip(held, keys, strict=True):
            assert (first == second) == (numbers(one) == numbers(two)), (one, two)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("What is 12+7?", "what is 12 + 7", True),
        ("What is 12+7?", "What is 3+4?", False),
        ("What is 12 + 7?", "What is 12 - 7?", False),
        ("it was -5 degrees", "it was 5 degrees", False),
        ("1.5 litres", "15 litres", False),
        ("an e-mail", "a letter", True),
        ("٣ apples", "3 apples", True),
        ("12 and 3", "1 and 23", False),
        ("7 of 9", "9 of 7", False),
    ],
)
def test_what_is_the_same_number(one, two, same):
    first, second = text.number_keys(pa.array([one, two]))

    assert bool(first == second) == same
