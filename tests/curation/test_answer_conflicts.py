"""Questions that are answered differently are told, against a plain grouping."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.schema import MESSAGE
from curation.answer_conflicts import AnswerConflicts
from curation.split import Split
from tests import laws
from tests.corpora import make


def chats(pairs: list[tuple[str, str]]) -> pa.Table:
    """Rows of a question and an answer, the first the most confident."""
    rows = make(
        [f"{number}" for number in range(len(pairs))], confidence=[1 - n / 99 for n in range(len(pairs))]
    )
    turns = [pairs[row] for row in rows["row"].to_pylist()]
    held = [
        [{"role": "user", "content": asked}, {"role": "assistant", "content": said}] for asked, said in turns
    ]
    return rows.set_column(
        rows.schema.get_field_index("messages"), "messages", pa.array(held, pa.list_(MESSAGE))
    )


def told(pairs: list[tuple[str, str]], action: str) -> dict[int, int]:
    """Return the row that each row is told against, by a plain grouping."""
    groups: dict[str, list[int]] = {}
    for number, (asked, said) in enumerate(pairs):
        if asked and said:
            groups.setdefault(asked.casefold(), []).append(number)
    found = {}
    for rows in groups.values():
        first = pairs[rows[0]][1].casefold()
        others = [row for row in rows if pairs[row][1].casefold() != first]
        if others:
            found |= dict.fromkeys(others, rows[0])
            if action == "mark":
                found |= dict.fromkeys([row for row in rows if row not in others], others[0])
    return found


said = st.sampled_from(["", "yes", "No", "YES", "so it is"])


@pytest.mark.parametrize("action", ["mark", "drop"])
@settings(max_examples=40, deadline=None)
@given(pairs=st.lists(st.tuples(said, said), max_size=10))
def test_conflicts_are_those_of_a_plain_grouping(action, pairs):
    rows = chats(pairs)

    outcome = laws.sent(rows, [AnswerConflicts(action=action)], part_rows=3)

    number = {row["id"]: row["row"] for row in rows.to_pylist()}
    found = {number[line["id"]]: number[line["other"]] for line in outcome.ledger.to_pylist()}
    assert found == told(pairs, action)
    assert set(outcome.ledger["action"].to_pylist()) <= {action}


def test_all_answers_to_a_question_are_in_one_split():
    pairs = [(f"question {number // 4}", f"answer {number % 4}") for number in range(80)]

    outcome = laws.sent(chats(pairs), [AnswerConflicts(), Split(train=0.5, validation=0.2, test=0.3)])

    splits: dict[str, set[str]] = {}
    for row in outcome.kept.to_pylist():
        splits.setdefault(row["messages"][0]["content"], set()).add(row["split"])
    assert len(outcome.kept) == 80
    assert all(len(held) == 1 for held in splits.values())
    assert {side for held in splits.values() for side in held} == {"train", "validation", "test"}


def test_rows_that_are_no_chats_take_no_side():
    outcome = laws.sent(make(["one", "one", "two"]), [AnswerConflicts(action="drop")])

    assert outcome.ledger.num_rows == 0


def test_questions_that_differ_in_a_sign_between_numbers_are_others():
    pairs = [
        (f"What is 12 {sign} 7?", answer)
        for sign, answer in zip("+-*/", ("19", "5", "84", "12/7"), strict=True)
    ]

    outcome = laws.sent(chats([*pairs, (" ", "a"), ("  ", "b")]), [AnswerConflicts(action="drop")])

    assert outcome.ledger.num_rows == 0
