"""What was grown from a row falls with it, whichever stage drops it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from augment.admission import Admission
from curation.blocklist import Blocklist
from curation.near_duplicates import NearDuplicates
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import make
from tests.embedding import tiny


@pytest.fixture(scope="module")
def admission(tmp_path_factory) -> Admission:
    return Admission(embedding=tiny(tmp_path_factory.mktemp("model")), **WIDE)


ANSWERS = {"the food was bad": ("our meal was poor", "the meal was good"), "a fine day": "a good day"}
ROWS = (*ANSWERS, "nothing grew of this")


def lines(outcome) -> dict[str, tuple]:
    return {line["id"]: (line["stage"], line["reason"], line["other"]) for line in outcome.ledger.to_pylist()}


@pytest.mark.parametrize("before", [True, False])
def test_children_fall_with_their_parent_before_the_gate_and_behind_it(before, admission):
    rows = make(ROWS, splits=["train"] * 3)
    words = Blocklist(words=("bad",))
    stages = [Says(answers=ANSWERS), *([words, admission] if before else [admission, words])]

    outcome = laws.sent(rows, stages)

    parent = next(
        row["id"] for row in rows.to_pylist() if row["messages"][0]["content"] == "the food was bad"
    )
    told = lines(outcome)
    assert sorted(outcome.texts) == ["a fine day", "a good day", "nothing grew of this"]
    assert told.pop(parent)[:2] == ("blocklist", "blocked_word")
    assert [*told.values()] == [("blocklist", "parent_dropped", parent)] * 2
    (stage,) = [one for one in outcome.stages if one["stage"] == "blocklist"]
    assert stage["dropped"] == {"blocked_word": 1, "parent_dropped": 2}
    assert stage["in"] - stage["out"] == 3


def test_a_child_that_falls_for_what_it_says_is_told_so(admission):
    rows = make(["the food was bad", "the end"], splits=["train"] * 2)
    stages = [Says(answers={"the food was bad": "bad food"}), admission, Blocklist(words=("bad",))]

    assert sorted(reason for _, reason, _ in lines(laws.sent(rows, stages)).values()) == ["blocked_word"] * 2


def test_what_was_grown_from_a_child_falls_too(admission):
    rows = make(["the food was bad", "the end"], splits=["train"] * 2)
    again = Says(name="again", answers={"our meal was poor": "our lunch was awful"})
    second = admission.model_copy(update={"name": "second"})
    stages = [Says(answers=ANSWERS), admission, again, second, Blocklist(words=("bad",))]

    outcome = laws.sent(rows, stages)

    assert outcome.texts == ["the end"]
    assert sorted(reason for _, reason, _ in lines(outcome).values()) == [
        "blocked_word",
        *["parent_dropped"] * 3,
    ]


def test_where_the_parent_is_only_marked_its_children_stay(admission):
    rows = make(["the food was bad today", "the food was bad today indeed"], splits=["train"] * 2)
    near = NearDuplicates(threshold=0.5, shingle_words=1, action="mark")
    answers = {"the food was bad today": "we did not like it", "the food was bad today indeed": "never again"}
    stages = [Says(answers=answers), admission, near]

    outcome = laws.sent(rows, stages)

    assert {line["action"] for line in outcome.ledger.to_pylist()} == {"mark"}
    assert len(outcome.texts) == 4


words = st.lists(st.sampled_from(["bad", "food", "day", "sun"]), min_size=1, max_size=3).map(" ".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(words, min_size=1, max_size=6, unique=True), said=st.lists(words, min_size=6, max_size=6)
)
def test_no_child_stands_without_its_parent_and_none_falls_for_nothing(admission, texts, said):
    rows = make(texts, splits=["train"] * len(texts))
    answers = {text: f"{one} grew {n}" for n, (text, one) in enumerate(zip(texts, said, strict=False))}

    outcome = laws.sent(rows, [Says(answers=answers), admission, Blocklist(words=("bad",))])

    stays = [text for text in texts if "bad" not in text]
    assert sorted(outcome.texts) == sorted(
        [*stays, *(answers[one] for one in stays if "bad" not in answers[one])]
    )
    assert len(outcome.texts) + len(outcome.dropped) == 2 * len(texts)
