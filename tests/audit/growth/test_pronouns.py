"""A pronoun counts as a whole word outside of code and links; what turns into what is counted row by row."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.growth.pronouns import KINDS, flips, kinds
from corpus.lexicon import load
from corpus.statistics import wilson

ENGLISH = load("mentions").pronouns


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("He said so", "masculine"),
        ("he's late, tell HIM", "masculine"),
        ("the theme of this here", "none"),
        ("She-wolf", "feminine"),
        ("herself, hers", "feminine"),
        ("his and hers", "both"),
        ("they and them", "none"),
        ("read http://she.example/her now", "none"),
        ("@her wrote `he = her()` to him", "masculine"),
        ("```\nhe\n``` she", "feminine"),
        ("", "none"),
        (None, "none"),
        ("ché, sheí, «he»", "masculine"),
        ("ché, sheí, 日he", "none"),
    ],
)
def test_pronouns_are_whole_words_of_prose(text, kind):
    assert KINDS[kinds(pa.array([text], pa.string()), ENGLISH)[0]] == kind


@given(st.lists(st.sampled_from(["he", "She", "his", "HERSELF", "here", "the", "they", "other"]), max_size=6))
def test_kinds_are_those_of_pythons_words(words):
    text = " ".join(words)
    he, she = (
        bool(set(re.findall(r"\w+", text.lower())) & set(terms))
        for terms in (ENGLISH.masculine, ENGLISH.feminine)
    )

    found = KINDS[kinds(pa.array([text]), ENGLISH)[0]]

    assert found == ("both" if he and she else "masculine" if he else "feminine" if she else "none")


def test_what_turned_is_counted_in_both_directions():
    parents = np.repeat([0, 0, 0, 1, 1, 2, 3], [40, 9, 3, 20, 1, 2, 5])
    grown = np.repeat([0, 1, 3, 1, 0, 1, 0], [40, 9, 3, 20, 1, 2, 5])

    found = flips(parents, grown, np.arange(80))

    assert found["table"] == {
        "masculine": {"masculine": 40, "feminine": 9, "both": 0, "none": 3},
        "feminine": {"masculine": 1, "feminine": 20, "both": 0, "none": 0},
        "both": {"masculine": 0, "feminine": 2, "both": 0, "none": 0},
        "none": {"masculine": 5, "feminine": 0, "both": 0, "none": 0},
    }
    low, high = wilson(9, 52)
    assert found["to_feminine"] == {"value": 9 / 52, "low": low, "high": high, "n": 52}
    low, high = wilson(1, 21)
    assert found["to_masculine"] == {"value": 1 / 21, "low": low, "high": high, "n": 21}
    assert (found["none_to_masculine"]["value"], found["none_to_feminine"]["value"]) == (1.0, 0.0)
    assert found["p"] == pytest.approx(stats.binomtest(9, 10).pvalue)


def test_children_of_one_parent_are_not_so_many_proofs():
    """Ten children of one parent that all turned are one parent that turned, and the interval is as wide."""
    parents, grown = np.zeros(30, int), np.r_[np.ones(10, int), np.zeros(20, int)]
    owner = np.repeat([0, 1, 2], 10)

    found = flips(parents, grown, owner)

    assert found["p"] == 1.0
    assert (found["to_feminine"]["low"], found["to_feminine"]["high"]) == pytest.approx(wilson(1, 3))
    assert found["to_feminine"]["n"] == 30


def test_of_no_rows_nothing_is_told_and_of_one_gender_half():
    assert flips(np.array([], int), np.array([], int), np.array([], int)) is None
    assert flips(np.array([3]), np.array([3]), np.array([0]))["to_masculine"] == {
        "value": None, "low": 0.0, "high": 1.0, "n": 0,
    }  # fmt: skip
