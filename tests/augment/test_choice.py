"""Which of the admitted are taken, and which cap the others met, against a plain greedy choice."""

import random
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from augment.admission import Admission
from corpus.models import Models
from corpus.schema import UserError, grown_id
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import make
from tests.embedding import tiny


@pytest.fixture(scope="module")
def embedding(tmp_path_factory) -> str:
    return tiny(tmp_path_factory.mktemp("model"))


def said(draw: random.Random) -> str:
    return " ".join("".join(draw.choices("abcdefghwxyz", k=4)) for _ in range(5))


def corpus(count=12, each=3, seed=4):
    """Rows, two thirds of which are glad, and what grows of each: in id order the parents, and (id, parent, text, label)."""
    draw = random.Random(seed)
    texts = [said(draw) for _ in range(count)]
    labels = ["glad" if number % 3 else "sad" for number in range(count)]
    answers = {text: tuple(said(draw) for _ in range(each)) for text in texts}
    rows = make([*texts, said(draw)], [*labels, "glad"], splits=[*["train"] * count, "test"])
    children = sorted(
        (grown_id(row["id"], "says", (), n), row["id"], answer, row["label"])
        for row in rows.to_pylist()
        for n, answer in enumerate(answers.get(row["messages"][0]["content"], ()))
    )
    return rows, answers, children


def admitted(rows, answers, embedding, **knobs):
    return laws.sent(rows, [Says(answers=answers), Admission(embedding=embedding, **{**WIDE, **knobs})])


def greedy(rows, children, embedding, folder, cap):
    """Take the candidate that adds most to the parents and those before it, and say which cap each other one met.

    Parents for whom targets have no room from the beginning are not asked.
    """
    model = Models(folder, folder)
    asked = [
        row for row in rows.to_pylist()
        if row["split"] == "train" and cap([], (None, row["id"], None, row["label"])) != "targets"
    ]  # fmt: skip
    children = [one for one in children if one[1] in {row["id"] for row in asked}]

    def encode(texts):
        return model.encode(embedding, pa.array(texts))

    vectors = encode([text for _, _, text, _ in children])
    parents = encode([row["messages"][0]["content"] for row in asked])
    alike, best = np.rint(vectors @ vectors.T * 4096), np.rint(vectors @ parents.T * 4096).max(axis=1)
    taken, met, left = [], {}, set(range(len(children)))
    while left:
        gain = {row: (np.maximum(alike[row], best) - best).sum() for row in left}
        row = max(left, key=lambda row: (gain[row], -row))
        left.remove(row)
        why = cap([children[one] for one in taken], children[row])
        if why is None:
            taken.append(row)
            best = np.maximum(best, alike[row])
        else:
            met[children[row][0]] = why
    return met


def refused(outcome):
    assert {line["reason"] for line in outcome.ledger.to_pylist()} <= {"enough"}
    return {line["id"]: line["detail"] for line in outcome.ledger.to_pylist()}


@pytest.mark.parametrize(
    ("knobs", "cap"),
    [
        ({"keep": 7}, lambda taken, _: "keep" if len(taken) >= 7 else None),
        (
            {"max_per_parent": 1},
            lambda taken, row: "max_per_parent" if row[1] in [one[1] for one in taken] else None,
        ),
        ({"max_share": 0.25}, lambda taken, _: "max_share" if len(taken) >= 4 else None),  # 4 of 12 + 4
        (
            {"targets": {"sad": 9}},  # of which there are four
            lambda taken, row: "targets" if row[3] != "sad" or len(taken) >= 5 else None,
        ),
        (
            {"targets": "balance"},
            lambda taken, row: "targets" if row[3] != "sad" or len(taken) >= 4 else None,
        ),
        (
            {"max_per_parent": 2, "keep": 10},
            lambda taken, row: "max_per_parent" if [one[1] for one in taken].count(row[1]) >= 2
            else "keep" if len(taken) >= 10 else None,
        ),
    ],
)  # fmt: skip
def test_what_adds_most_is_taken_and_each_other_one_names_its_cap(knobs, cap, embedding, tmp_path):
    rows, answers, children = corpus()

    outcome = admitted(rows, answers, embedding, **knobs)

    assert refused(outcome) == greedy(rows, children, embedding, tmp_path, cap)


def test_what_is_refused_for_itself_takes_no_place(embedding):
    rows, answers, _ = corpus()
    answers = {parent: (*said, parent) for parent, said in answers.items()}

    outcome = admitted(rows, answers, embedding, keep=5)

    assert outcome.stages[-1]["dropped"] == {"copy_of_parent": 12, "enough": 31}


def test_targets_that_cannot_be_met_are_told(embedding):
    rows, answers, _ = corpus()

    outcome = admitted(rows, answers, embedding, targets={"sad": 40, "glad": 8, "new": 3})

    assert outcome.stages[-1]["unmet"] == [
        {"axis": "label", "value": "new", "wanted": 3, "held": 0},
        {"axis": "label", "value": "sad", "wanted": 40, "held": 4 + 12},
    ]
    assert outcome.grown == 12  # of those that are sad alone
    assert outcome.stages[-1]["dropped"] == {}


def test_without_a_cap_all_that_pass_are_admitted_and_nothing_is_told_of_targets(embedding):
    rows, answers, _ = corpus()

    outcome = admitted(rows, answers, embedding)

    assert outcome.ledger.num_rows == 0
    assert "unmet" not in outcome.stages[-1]


def test_rows_that_grew_before_count_for_their_parent_and_in_the_share(embedding):
    rows, answers, _ = corpus(6, 2)
    first, second = ({parent: said[n] for parent, said in answers.items()} for n in (0, 1))

    class Again(Says):
        stage: str = "again"

    wide = {**WIDE, "embedding": embedding}
    stages = [
        Says(answers=first),
        Admission(**wide),
        Again(answers=second),
    ]
    by_parent = laws.sent(rows, [*stages, Admission(name="second", **wide, max_per_parent=1)])
    by_share = laws.sent(rows, [*stages, Admission(name="second", **wide, max_share=0.51)])

    assert {line["detail"] for line in by_parent.ledger.to_pylist()} == {"max_per_parent"}
    assert by_parent.ledger.num_rows == by_share.ledger.num_rows == 6
    assert {line["detail"] for line in by_share.ledger.to_pylist()} == {"max_share"}


def test_of_a_share_that_can_be_met_to_the_row_no_row_is_lost_to_rounding(embedding):
    rows, answers, _ = corpus(12, 3)

    outcome = admitted(rows, answers, embedding, max_share=0.2)

    assert outcome.grown - outcome.ledger.num_rows == 3  # of 15


def test_the_same_are_chosen_whatever_the_size_of_a_part(embedding):
    rows, answers, _ = corpus()

    laws.parts(
        [Says(answers=answers), Admission(embedding=embedding, **WIDE, keep=9, max_per_parent=2)], rows
    )


def regional(rows):
    """Give the rows a declared group and a source by their place: a third are of the south, and the first four of a shop."""
    places = range(len(rows))
    groups = [
        [{"axis": "region", "value": "south" if at % 3 == 1 else "north", "origin": "declared"}]
        for at in places
    ]
    sources = ["shop" if at < 4 else "forum" for at in places]
    rows = rows.set_column(
        rows.schema.get_field_index("groups"), "groups", pa.array(groups, rows.schema.field("groups").type)
    )
    return rows.set_column(rows.schema.get_field_index("source"), "source", pa.array(sources))


@pytest.mark.parametrize(
    "targets",
    [
        {"region": "balance"},
        {"source": {"shop": 9}},
        {"label": {"sad": 6}, "region": {"south": 7}},
        {"label": "balance", "source": "balance"},
    ],
)
def test_rows_are_taken_while_they_help_to_meet_a_target_of_label_source_or_group(
    targets, embedding, tmp_path
):
    rows, answers, children = corpus()
    rows = regional(rows)
    train = [row for row in rows.to_pylist() if row["split"] == "train"]
    cells = {
        row["id"]: [("label", row["label"]), ("source", row["source"]), ("region", row["groups"][0]["value"])]
        for row in train
    }
    before = Counter(cell for of_row in cells.values() for cell in of_row)
    goal = {
        cell: max(count for (axis, _), count in before.items() if axis == cell[0])
        for cell in before
        if targets.get(cell[0]) == "balance"
    } | {
        (axis, value): number
        for axis, numbers in targets.items()
        if numbers != "balance"
        for value, number in numbers.items()
    }

    def cap(taken, row):
        held = before + Counter(cell for one in taken for cell in cells[one[1]])
        return None if any(held[cell] < goal.get(cell, 0) for cell in cells[row[1]]) else "targets"

    outcome = admitted(rows, answers, embedding, targets=targets)

    assert refused(outcome) == greedy(rows, children, embedding, tmp_path, cap)
    assert outcome.stages[-1]["unmet"] == []


def test_what_grew_before_counts_for_the_source_of_its_parent(embedding):
    rows, answers, _ = corpus()
    rows = regional(rows)
    stages = [
        Says(answers=answers),
        Admission(embedding=embedding, **WIDE, targets={"source": {"shop": 7}}),
        Says(name="again", answers=answers),
        Admission(name="second", embedding=embedding, **WIDE, targets={"source": {"shop": 9}}),
    ]

    grown = [row for row in laws.sent(rows, stages).kept.to_pylist() if row["parent"]]

    sources = dict(zip(rows["id"].to_pylist(), rows["source"].to_pylist(), strict=True))
    assert Counter(sources.get(row["parent"]) for row in grown)["shop"] == 9 - 4


def test_an_axis_that_no_row_has_is_told(embedding):
    rows, answers, _ = corpus()

    with pytest.raises(UserError, match="targets name 'region', and no training row has one"):
        admitted(rows, answers, embedding, targets={"region": "balance"})


def test_numbers_and_axes_are_not_mixed():
    with pytest.raises((UserError, ValidationError), match="put 'sad' under `label`"):
        Admission(targets={"sad": 3, "region": "balance"})
