"""What is planted is bad, and bad in the way that it says."""

import numpy as np
import pytest

from augment.kept import negations, numbers
from augment.planted import negated, renumbered


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the crew was kind", "the crew was not kind"),
        ("the crew was not kind", "the crew was kind"),
        ("I can't wait, really", "I can wait, really"),
        ("I cannot wait", "I can wait"),
        ("they don’t care", "they do care"),
        ("@is_it it is late", "@is_it it is not late"),
        ("http://x.org/is/was late again", None),
        ("not that I did not know", None),
        ("nothing works", None),
        ("late again", None),
        ("", None),
    ],
)
def test_a_text_is_made_to_deny_or_no_more(text, said):
    assert negated(text) == said
    if said is not None:
        assert bool(negations(said)) != bool(negations(text))


@pytest.mark.parametrize("text", ["row 10 of 12 seats", "@a1 #b2 http://x.org/3 gate 7", "5 o'clock"])
def test_one_number_is_another_of_as_many_digits_and_all_else_stands(text):
    said = renumbered(text, np.random.default_rng(7))

    assert said is not None
    changed = [(one, other) for one, other in zip(numbers(text), numbers(said), strict=True) if one != other]
    assert len(changed) == 1
    assert len(changed[0][0]) == len(changed[0][1])
    assert said.split()[:1] == text.split()[:1] or text.startswith("5")
    for piece in ("@a1", "#b2", "http://x.org/3"):
        assert (piece in said) == (piece in text)


@pytest.mark.parametrize(
    "text",
    [
        "no number",
        "#2015 @7up https://x.org/12",
        "12,000 and 7.5 and 12:30",
        "",
        "%1$s of a.com/x?y=40",
        "<b id='40'>",
    ],
)
def test_a_text_without_a_plain_number_gets_none(text):
    assert renumbered(text, np.random.default_rng(7)) is None
