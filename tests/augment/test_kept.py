"""What a candidate must keep of its parent is found in both texts, and what changed is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augment.kept import Change, groups_changed, lost, names, negations, persons, word_ratio
from augment.masks import said
from corpus import lexicon

ALL = ("numbers", "negations", "names", "persons", "senses", "opposites")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I don't think that it is not so", 2),
        ("dont do that", 1),
        ("nothing works without it", 2),
        ("we went and want it, for the most part", 0),
        ("I can’t, never", 2),
        ("a notable knot", 0),
        ("", 0),
    ],
)
def test_words_that_deny_are_counted(text, count):
    assert negations(text) == count


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My flight from Boston was with Anna's crew. Then I slept", {"boston": 1, "anna": 1}),
        ("THE WHOLE THING IS SHOUTED", {}),
        ("A Headline Has Capitals Everywhere Today", {}),
        ("nobody here", {}),
        ("yes I'd go, I’m sure", {}),
    ],
)
def test_names_are_words_with_a_capital_inside_a_sentence(text, found):
    assert dict(names(text)) == found


def reason_of(change: Change | None) -> str | None:
    return None if change is None else change.reason


@pytest.mark.parametrize(
    ("parent", "candidate", "reason"),
    [
        ("the crew is not kind to Anna", "the staff are not nice to Anna", None),
        ("the crew is not kind", "the staff are nice", "negation_changed"),
        ("we know nothing of it", "we know at all of it", "negation_changed"),
        ("our first ever show", "our first never show", "negation_changed"),
        ("I do not know", "I do not know nothing", "negation_changed"),
        ("nobody came and none went", "not anybody came and not anybody went", None),
        ("I paid two and then 40", "I paid 2 and then 40", None),
        ("I paid 20 and then 40", "I paid 40 and then 20", "number_changed"),
        ("I paid twelve", "I paid eleven", "number_changed"),
        ("we waited twenty-five hrs", "we waited 25 hours", None),
        ("it weighs 5 kg", "it weighs 5 lb", "number_changed"),
        ("it was -5 outside", "it was 5 outside", "number_changed"),
        ("we come on Monday", "on monday we come", None),
        ("open on monday", "open on friday", "number_changed"),
        ("in march it rained", "in april it rained", "number_changed"),
        ("the prices went up", "the prices went down", "opposite_said"),
        ("the prices went up", "the prices rose", None),
        ("we saw Anna in Boston", "we saw Anna in boston", None),
        ("we saw Anna in Boston", "we saw Anna in the town", "name_lost"),
        ("we saw Ann O'Neil there", "there we saw Ann O'Neil", None),
        ("we saw Ann O'Neil there", "there we saw Ann Neil", "name_lost"),
        ("thanks @Anna", "thank you @Anna", None),
        ("so Germany beat Brazil in Rio", "so Brazil beat Germany in Rio", "order_changed"),
        ("so Germany beat Brazil in Rio", "in Rio so Germany beat Brazil", "order_changed"),
        ("@ann is faster than @bob", "@bob is faster than @ann", "order_changed"),
        ("@ann is faster than @bob", "much faster is @ann than @bob", None),
        ("she said he left, she did", "she told us he left", "person_changed"),
        ("she said that he was wrong", "he said that she was wrong", "order_changed"),
        ("she said that he was wrong", "she said it of him", "person_changed"),
        ("I told them I know", "I know, I told them", None),
    ],
)
def test_what_changed_is_named(parent, candidate, reason):
    assert reason_of(lost(candidate, parent, ALL)) == reason


def test_only_what_is_asked_is_looked_at():
    assert lost("we are 3 in the town", "we are not 4 in Boston", ()) is None
    assert lost("we are 3 in the town", "we are not 4 in Boston", ("names",)) == ("name_lost", 1)


@pytest.mark.parametrize(
    ("parent", "candidate", "change"),
    [
        ("I paid 20 and then 40", "I paid 40 and then 20", ("number_changed", 2)),
        ("I paid 20 and then 40 on Monday", "I paid 21 and then 40 on friday", ("number_changed", 4)),
        ("it did not, no", "it did", ("negation_changed", 2)),
        ("so Ann and Ann met Bob", "so ann met them", ("name_lost", 2)),
        ("I told you", "we told her", ("person_changed", 4)),
        ("I just need it", "I only must it", ("sense_turned", 2)),
        ("prices went up, and we bought", "prices went down, and we sold", ("opposite_said", 2)),
    ],
)
def test_what_is_not_alike_is_counted(parent, candidate, change):
    assert lost(candidate, parent, ALL) == change


@given(st.text(st.sampled_from("aB1 .,'’\n\"no t$😀İ"), max_size=80))
def test_a_text_keeps_what_it_says_itself(text):
    assert lost(text, text, ALL) is None


def test_the_ratio_is_of_words_and_links_are_none():
    assert word_ratio(said("a b c d http://t.co/x"), said("a b @c #d")) == 2
    assert word_ratio(said(""), said("a b")) == 0
    assert word_ratio(said(""), said("http://t.co/x")) == 1
    assert word_ratio(said("a"), said("")) > 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I'm sure you’ll like my car", {"i", "you"}),
        ("its doors and theirs, em too", {"it", "they"}),
        ("flights in the US", set()),
        ("let's go with us", {"we"}),
        ("She told him", {"she", "he"}),
        ("Thank you! thank  u", set()),
        ("thesis: hershey, miner, item", set()),
        ("", set()),
    ],
)
def test_persons_are_those_of_whom_pronouns_speak(text, found):
    assert {*persons(text)} == found


@pytest.mark.parametrize(
    ("parent", "candidate", "reason"),
    [
        ("@x I would like that", "@x It would like that", "person_changed"),
        ("@you I would like that", "@you I should like that", None),
        ("I hope I get there", "I hope to get there", None),
        ("We just sent it", "We only sent it", "sense_turned"),
        ("We only sent it", "We just sent it", None),
        ("It needs help", "It must help", "sense_turned"),
        ("I need to go", "I must go", None),
        ("#just sent it to them", "#just brought it to them", None),
    ],
)
def test_a_person_that_changes_and_a_word_that_turns_are_named(parent, candidate, reason):
    assert reason_of(lost(candidate, parent, ALL)) == reason


@pytest.mark.parametrize(
    ("parent", "candidate", "changed"),
    [
        ("my wife lost her bag", "my husband lost her bag", True),
        ("a muslim family", "a family", True),
        ("a family", "a muslim family", True),
        ("two women", "two ladies", False),
        ("a bag", "a sack", False),
        ("she said so", "he said so", True),
    ],
)
def test_other_groups_of_people_are_a_change_either_way(parent, candidate, changed):
    first, other = groups_changed([candidate, "x"], [parent, "x"], lexicon.load("mentions")).tolist()

    assert (bool(first), other) == (changed, 0)
