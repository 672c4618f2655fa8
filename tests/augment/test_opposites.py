"""A word that says the contrary of one that went is found, and one that only goes or comes is not."""

from importlib.resources import files

import pytest
import yaml

from augment.opposites import opposites

HELD = yaml.safe_load((files("data") / "opposites" / "english.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("parent", "candidate", "said"),
    [
        ("Prices went UP", "prices went down", True),
        ("prices went up", "prices rose", False),
        ("I love it more than mine", "I love it less than mine", True),
        ("come before noon", "come after noon", True),
        ("the door on the left", "the door on the right", True),
        ("he left at once", "he went right away", False),
        ("turn left, then right", "take a left, then right", False),
        ("quite a few came", "many came", False),
        ("few came", "many came", True),
        ("more or less done", "less done", False),
        ("after all it is good", "before it was good", False),
        ("good and bad", "good", False),
        ("good and bad", "bad and good", False),
        ("good", "good and bad", False),
        ("they bought it", "they sold it", True),
        ("they lost the game", "they won the game", True),
        ("it always works", "it sometimes works", True),
        ("it is hot", "it is cold", True),
        ("a hot dog", "a cold beer", False),
        ("", "", False),
    ],
)
def test_one_side_came_and_the_other_went(parent, candidate, said):
    assert bool(opposites(candidate, parent)) == said


@pytest.mark.parametrize("pair", HELD["pairs"], ids=lambda pair: pair[0][0])
def test_each_phrase_of_a_pair_is_the_contrary_of_each_of_the_other_side(pair):
    sides = [(one, other) for one in pair[0] for other in pair[1]]

    assert all(opposites(f"x {one} y", f"x {other} y") for one, other in sides)
    assert all(opposites(f"x {other} y", f"x {one} y") for one, other in sides)


def test_the_table_is_plain_words_with_licence_and_origin():
    phrases = [phrase for pair in HELD["pairs"] for side in pair for phrase in side]
    phrases += [phrase for row in HELD["traps"] for phrase in row]

    assert (HELD["licence"], HELD["origin"]) == (
        "Apache-2.0",
        "Written by the Winnow authors; no list was copied.",
    )
    assert all(
        phrase == " ".join(phrase.lower().split()) and phrase.replace(" ", "").isalpha() for phrase in phrases
    )
    assert all(len(pair) == 2 and not {*pair[0]} & {*pair[1]} for pair in HELD["pairs"])
