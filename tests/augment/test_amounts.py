"""Numbers are read with their sign and unit, in digits and words alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.amounts import numbers

SMALL = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
         "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spelled(number: int) -> str:
    """Write a number in words, as they are taught."""
    for size, word in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = number % size
            joint = " and " if rest and rest < 100 else " "
            return f"{spelled(number // size)} {word}{joint}{spelled(rest)}".strip()
    return SMALL[number] if number < 20 else f"{TENS[number // 10]}-{SMALL[number % 10]}".rstrip("-")


@given(st.integers(2, 10**12 - 1))
def test_digits_and_words_of_the_same_value_are_the_same_number(number):
    assert numbers(f"it took {spelled(number)} of them") == [str(number)]
    assert numbers(f"it took {number:,} of them") == numbers(f"it took {number} of them") == [str(number)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I paid $1,200 for 3 nights", ["1200 dollar", "3"]),
        ("two of the twelve came at 7:30", ["2", "12", "7:30"]),
        ("no one paid for one of them", []),
        ("a hundred and 5.5%", ["100", "5.5 percent"]),
        ("someone often tents", []),
        ("ten or twelve, two three", ["10", "12", "2", "3"]),
        ("nineteen ninety", ["19", "90"]),
        (
            "a million million, hundred hundred, hundred thousand",
            ["1000000", "1000000", "100", "100", "100000"],
        ),
        ("two dozen, a dozen, dozens", ["24", "12", "dozens"]),
        ("2.50 and 007 and 12345678901234567890123", ["2.5", "007", "12345678901234567890123"]),
        ("5-10 km, 2015/12/1, (3)-4", ["5", "10 km", "2015/12/1", "3", "4"]),
        ("-5, minus five, -$5, $-5", ["-5", "-5", "-5 dollar", "-5 dollar"]),
        ("the first, at first, first of all, First, we, first off", ["1"]),
        ("the second one, a second, 5 seconds", ["2", "5 second"]),
        ("at 5 I am, 5 m away, no. 1", ["5", "5", "1"]),
        ("@a1 #b2 http://x.org/3 `4` {5} x7.com gate 7", ["7"]),
        ("once a week, twice a day; once I was there thrice", ["1", "2", "3"]),
        ("x > 5, x < 5, x >= 5, x ≤ -5, > $5, <minus 5", [">5", "<5", ">=5", "<=-5", ">5 dollar", "<-5"]),
        ("x\u00b2 \u0665 8) <3", ["\u0665"]),
        ("", []),
    ],
)
def test_numbers_stand_in_their_order(text, found):
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("spellings", "number"),
    [
        (("$5", "5 dollars", "5 bucks", "5 USD", "US$5", "five dollars", "USD 5"), "5 dollar"),
        (("\u20ac5", "5 euros", "EUR 5", "5\u20ac"), "5 euro"),
        (("5%", "5 %", "5 percent", "five per cent", "5 pct"), "5 percent"),
        (("5 hrs", "5 hours", "5hrs", "5-hour", "five hour", "5h"), "5 hour"),
        (("5 kg", "5kg", "five kilos", "5 kilograms"), "5 kg"),
        (("5pm", "5 p.m.", "5 PM"), "5 pm"),
        (("half an hour", "half hour", "0.5 hours", "1/2 hour", "\u00bd hour"), "0.5 hour"),
        (("two and a half", "2.5", "2\u00bd", "2 and a half", "2.50"), "2.5"),
        (("5k", "5,000", "five thousand", "5 thousand"), "5000"),
        (("$5 million", "5 million dollars", "$5,000,000"), "5000000 dollar"),
        (("21st", "twenty-first", "21"), "21"),
        (("first day", "1st day"), "1"),
    ],
)
def test_spellings_of_one_amount_are_the_same(spellings, number):
    assert [numbers(f"it was {one}") for one in spellings] == [[number]] * len(spellings)


@given(st.text(st.sampled_from("aB15 .,'-$%\u20ac\u00bd:/\n@#`{}"), max_size=60) | st.text())
def test_any_text_is_read(text):
    assert all(isinstance(one, str) and one for one in numbers(text))
