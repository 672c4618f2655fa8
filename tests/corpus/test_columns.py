"""A record as the parts of a row: what each column becomes, and what is rejected."""

import pytest

from corpus.reading.columns import Columns
from corpus.reading.record import Unreadable


def test_chats_keep_their_roles_and_prompt_and_completion_become_user_and_assistant():
    chat = [{"role": "system", "content": ""}, {"role": "user", "content": "hi", "name": None}]

    given = Columns().parts({"messages": chat})
    turns = Columns().parts({"prompt": "p", "completion": "c", "text": None})

    assert (given.roles, given.contents) == (["system", "user"], ["", "hi"])
    assert (turns.roles, turns.contents) == (["user", "assistant"], ["p", "c"])


def test_the_first_way_that_a_record_has_is_its_text_and_the_others_are_extra():
    parts = Columns().parts({"prompt": "p", "text": "t", "completion": "c"})

    assert (parts.roles, parts.contents, parts.extra) == (["text"], ["t"], '{"completion":"c","prompt":"p"}')


@pytest.mark.parametrize(
    ("messages", "what"),
    [
        ([], "a list of at least one message was needed"),
        ("hi", "a list of at least one message was needed"),
        (["hi"], "message 0 is str, not an object"),
        ([{"role": "user", "content": "x", "b": 0, "a": 1}], "message 0 has a, b beside role and content"),
        (
            [{"role": "a", "content": "x"}, {"role": "b", "content": None}],
            "message 1 has no string as content",
        ),
        ([{"content": "x"}], "message 0 has no string as role"),
    ],
)
def test_messages_of_another_shape_are_rejected_and_it_is_said_which(messages, what):
    with pytest.raises(Unreadable) as bad:
        Columns().parts({"messages": messages})

    assert (bad.value.reason, bad.value.what) == ("bad_messages", what)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("text", None, "text_missing"),
        ("text", 3, "text_not_a_string"),
        ("text", b"raw", "text_not_a_string"),
        ("confidence", "high", "bad_confidence"),
        ("confidence", True, "bad_confidence"),
        ("confidence", "nan", "bad_confidence"),
        ("confidence", float("inf"), "bad_confidence"),
        ("confidence", [1], "bad_confidence"),
        ("split", "holdout", "bad_split"),
        ("split", 3, "bad_split"),
        ("label", ["a", "b"], "bad_label"),
        ("id", {"a": 1}, "bad_key"),
        ("id", None, "null_key"),
        ("g", [1], "bad_group"),
    ],
)
def test_a_value_that_cannot_be_its_part_of_a_row_is_rejected(field, value, reason):
    columns = Columns(key="id", groups=("g",))
    record = {"text": "t", "id": 1, "g": 1, "confidence": "0.5", "split": "dev", "label": 1}
    assert columns.parts(record).key == "1"

    with pytest.raises(Unreadable) as bad:
        columns.parts({**record, field: value})

    assert bad.value.reason == reason


@pytest.mark.parametrize(
    ("value", "label"),
    [("a", "a"), ("", ""), (1, "1"), (1.5, "1.5"), (1.0, "1.0"), (True, "true"), (None, None)],
)
def test_a_label_is_a_string_or_the_json_text_of_its_value(value, label):
    assert Columns().parts({"text": "t", "label": value}).label == label


@pytest.mark.parametrize(
    ("value", "split"),
    [
        ("train", "train"),
        ("validation", "validation"),
        ("valid", "validation"),
        ("val", "validation"),
        ("dev", "validation"),
        ("test", "test"),
        (None, None),
    ],
)
def test_a_split_may_go_by_its_usual_names(value, split):
    assert Columns().parts({"text": "t", "split": value}).split == split
