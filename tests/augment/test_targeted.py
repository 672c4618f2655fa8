"""Who is asked to grow where rows are wanted by label, source or group: those alone of whom a child could be taken."""

import random
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from augment import labels
from augment.admission import Admission
from augment.cells import cells
from corpus.engine import Local
from corpus.models import Models
from corpus.runner import Runner
from corpus.schema import UserError
from corpus.segment import Segment, cut
from corpus.store import Store
from curation.length import Length
from curation.normalise import Normalise
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import make
from tests.embedding import tiny


@pytest.fixture(scope="module")
def embedding(tmp_path_factory) -> str:
    return tiny(tmp_path_factory.mktemp("model"))


class AsksAll(Admission):
    """The gate, where candidates of every row come to it."""

    def wanted(self, rows: pa.Table) -> np.ndarray:
        return np.ones(len(rows), bool)


def put(rows, **columns):
    for name, held in columns.items():
        at = rows.schema.get_field_index(name)
        rows = rows.set_column(at, rows.schema.field(name), pa.array(held, rows.schema.field(name).type))
    return rows


def corpus(seed, count=36):
    """Rows of any label, source and region, some without one, of every split, and two children of each row."""
    draw = random.Random(seed)
    words = ["".join(draw.choices("abcdefghwxyz", k=4)) for _ in range(400)]

    def said():
        return " ".join(draw.choices(words, k=6))

    texts = [said() for _ in range(count)]
    rows = make(
        texts,
        draw.choices(["sad", "glad", "calm", None], [2, 6, 3, 1], k=count),
        splits=draw.choices(["train", "test", None], [6, 1, 1], k=count),
    )
    groups = [
        [{"axis": axis, "value": draw.choice(values), "origin": "declared"} for axis, values in held]
        for held in (
            draw.sample([("region", ("north", "south", "west")), ("kind", ("a", "b"))], draw.randrange(3))
            for _ in range(count)
        )
    ]
    rows = put(rows, source=draw.choices(["shop", "forum", "mail"], [1, 3, 3], k=count), groups=groups)
    return rows, {text: (said(), said()) for text in texts}


def random_targets(draw):
    goals = {
        "label": ["balance", {"sad": 9, "calm": 5}, {"glad": 1, "new": 4}],
        "source": ["balance", {"shop": 7, "mail": 30}],
        "region": ["balance", {"south": 8, "west": 2}],
    }
    return {axis: draw.choice(goals[axis]) for axis in draw.sample(sorted(goals), draw.randint(1, 3))}


def below(rows, targets):
    """The ids of the training rows that have a cell below its target, counted row by row."""

    def of(row):
        own = {"label": [row["label"]], "source": [row["source"]]}
        own["region"] = [group["value"] for group in row["groups"] if group["axis"] == "region"]
        return [(axis, value) for axis in targets for value in own[axis] if value is not None]

    train = [row for row in rows.to_pylist() if row["split"] in ("train", None)]
    held = Counter(cell for row in train for cell in of(row))
    most = {axis: max((n for (at, _), n in held.items() if at == axis), default=0) for axis in targets}
    goal = {
        cell: most[cell[0]] if targets[cell[0]] == "balance" else targets[cell[0]].get(cell[1], 0)
        for cell in held
    }
    return {row["id"] for row in train if any(held[cell] < goal[cell] for cell in of(row))}


@pytest.mark.parametrize("seed", range(12))
def test_the_same_rows_are_taken_as_if_all_had_been_asked(seed, embedding):
    """Whole rows are the same, but that a parent whose children are all refused is of a family that has its name."""
    draw = random.Random(seed)
    rows, answers = corpus(seed)
    knobs = {
        "embedding": embedding,
        **WIDE,
        "targets": random_targets(draw),
        "keep": draw.choice([None, 5]),
        "max_per_parent": draw.choice([None, 1]),
        "max_share": draw.choice([None, 0.3]),
        "min_chrf": draw.choice([0, 12]),
    }

    few = laws.sent(rows, [Says(answers=answers), Admission(**knobs)])
    every = laws.sent(rows, [Says(answers=answers), AsksAll(**knobs)])

    asked = below(rows, knobs["targets"])
    assert (few.grown, every.grown) == (
        2 * len(asked),
        2 * sum(row["split"] != "test" for row in rows.to_pylist()),
    )
    assert few.kept.drop(["family"]) == every.kept.drop(["family"])
    assert few.stages[-1]["unmet"] == every.stages[-1]["unmet"]
    gone = {line["id"]: (line["reason"], line["detail"]) for line in every.ledger.to_pylist()}
    still = {line["id"]: (line["reason"], line["detail"]) for line in few.ledger.to_pylist()}
    assert still.items() <= gone.items()
    assert {gone[one][0] for one in gone.keys() - still} <= {"enough", "meaning_drift"}


def test_the_probe_of_labels_learns_from_all_labels_though_one_alone_grows(embedding, monkeypatch):
    """The same probe is asked: of the parents alone, and some others to make up the least, it would know another world."""
    monkeypatch.setattr(labels, "LEAST", 40)
    rows, answers = corpus(5, 90)
    rows = put(
        rows,
        label=["sad" if at % 3 else "glad" for at in range(90)],
        split=["train"] * 90,
    )
    knobs = {"embedding": embedding, **WIDE, "min_label_margin": 0.03, "targets": {"glad": 50}}

    few = laws.sent(rows, [Says(answers=answers), Admission(**knobs)])
    every = laws.sent(rows, [Says(answers=answers), AsksAll(**knobs)])

    assert few.stages[-1]["label_probe"] == every.stages[-1]["label_probe"]
    assert few.stages[-1]["label_probe"]["rows"] == 90
    assert few.stages[-1]["dropped"]["label_changed"] > 3
    assert few.kept.drop(["family"]) == every.kept.drop(["family"])


def growing(rows, stages, folder, part_rows=10_000, workers=1):
    """The ids that the last growth made, and its summary."""
    with Local(workers) as engine:
        runner = Runner(Store(folder), engine, Models(folder, folder), 7, part_rows)
        standing = runner.run(Segment(None, (), ()), runner.store.snapshot([rows], part_rows)).standing
        (segment,) = cut(stages)
        _, ids, summary = runner.grow(segment.grow, standing, segment.gate)
    return ids, summary


def test_who_was_not_asked_is_counted(embedding, tmp_path):
    rows, answers = corpus(3)
    gate = Admission(embedding=embedding, targets={"label": {"sad": 12}})

    _, told = growing(rows, [Says(answers=answers), gate], tmp_path)

    train = [row for row in rows.to_pylist() if row["split"] != "test"]
    asked = below(rows, {"label": {"sad": 12}})
    assert (told["grown"], told["unasked"]) == (2 * len(asked), len(train) - len(asked))
    assert len(train) > len(asked) > 0


def test_without_targets_all_are_asked_and_nothing_is_told(embedding, tmp_path):
    rows, answers = corpus(3)

    _, told = growing(rows, [Says(answers=answers), Admission(embedding=embedding, keep=1)], tmp_path)

    assert told["grown"] == 2 * sum(row["split"] != "test" for row in rows.to_pylist())
    assert "unasked" not in told


@pytest.mark.parametrize(("part_rows", "workers"), [(3, 1), (7, 2)])
def test_the_same_are_asked_whatever_the_size_of_a_part_and_the_number_of_workers(
    part_rows, workers, embedding, tmp_path
):
    rows, answers = corpus(4)
    stages = [Says(answers=answers), Admission(embedding=embedding, targets={"source": "balance"})]

    whole, told = growing(rows, stages, tmp_path / "whole")
    apart, also = growing(rows, stages, tmp_path / "apart", part_rows, workers)

    assert apart == whole
    assert also["unasked"] == told["unasked"] > 0


def test_rows_of_the_version_that_is_built_on_count(embedding):
    """Eight sad rows stand already, and one comes: of nine that are wanted none is left to be grown, of ten one is."""
    rows, answers = corpus(9)
    rows = put(rows, split=["train"] * 36, label=["sad"] * 9 + ["glad"] * 27)
    earlier, new = laws.published(rows.slice(0, 8)), rows.slice(8)
    grown = [
        laws.sent(
            new,
            [Says(answers=answers), Admission(embedding=embedding, **WIDE, targets={"sad": count})],
            earlier=earlier,
        )
        for count in (9, 10)
    ]

    assert [one.grown for one in grown] == [0, 2]
    kept = [row for row in grown[1].kept.to_pylist() if row["parent"]]
    assert [row["label"] for row in kept] == ["sad"]


def test_behind_a_filter_all_are_asked_since_it_may_make_any_cell_thin(embedding):
    """Of eight sad rows four are too short: the target of six is met before the filter and not behind it."""
    rows, answers = corpus(6)
    labels = ["sad" if at < 8 else "glad" for at in range(36)]
    texts = [row["messages"][0]["content"] for row in rows.to_pylist()]
    short = [" ".join(text.split()[:4]) if at < 4 else text for at, text in enumerate(texts)]
    answers = {own: answers[text] for own, text in zip(short, texts, strict=True)}
    rows = put(
        rows,
        label=labels,
        split=["train"] * 36,
        messages=[[{"role": "text", "content": text}] for text in short],
    )
    gate = Admission(embedding=embedding, **WIDE, targets={"sad": 6})

    outcome = laws.sent(rows, [Says(answers=answers), Length(min_words=5), gate])
    rewritten = laws.sent(rows, [Says(answers=answers), Normalise(), gate])

    assert outcome.grown == 72
    assert Counter(outcome.kept["label"].to_pylist())["sad"] == 6
    assert rewritten.grown == 0


def test_a_split_that_the_gate_does_not_judge_is_asked_as_before(embedding):
    rows, answers = corpus(7)
    both = ("train", "test")
    gate = {"embedding": embedding, **WIDE, "splits": ("train",), "targets": {"sad": 8}}

    few = laws.sent(rows, [Says(answers=answers, splits=both), Admission(**gate)])
    every = laws.sent(rows, [Says(answers=answers, splits=both), AsksAll(**gate)])

    assert few.kept.drop(["family"]) == every.kept.drop(["family"])
    assert few.grown < every.grown
    assert any(row["parent"] and row["split"] == "test" for row in few.kept.to_pylist())


def test_an_axis_that_no_row_has_is_told_before_anything_grows(embedding, tmp_path):
    rows, answers = corpus(8)

    with pytest.raises(UserError, match="targets name 'colour', and no training row has one"):
        growing(
            rows,
            [Says(answers=answers), Admission(embedding=embedding, targets={"colour": "balance"})],
            tmp_path,
        )


def test_what_grew_of_what_grew_counts_for_the_first_source():
    """A child, its child and the child of that are all of the shop; a row without a parent that stands is of none."""
    table = pa.table(
        {
            "id": ["c", "b", "a", "x", "d"],
            "parent": ["b", "a", None, "gone", "c"],
            "source": pa.array([None, None, "shop", None, None], pa.string()),
        }
    )

    assert cells(table, ("source",), np.arange(5)) == [(("source", "shop"),)] * 3 + [
        (),
        (("source", "shop"),),
    ]
