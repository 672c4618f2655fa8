"""Rows are chosen that between them cover the rest, class by class."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pydantic import ValidationError

from corpus.stage import Stage
from curation.diversity import Diversity
from tests import laws
from tests.corpora import make, send
from tests.embedding import tiny

SUBJECTS = ("cats", "dogs", "cars", "phones", "flights")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("embedding"))


def corpus(rows: int = 60) -> pa.Table:
    texts = [
        f"{SUBJECTS[number % 5]} number {number} are {'good' if number % 3 else 'bad'}"
        for number in range(rows)
    ]
    labels = [("positive", "negative", "negative", None)[number % 4] for number in range(rows)]
    confidence = [None if number % 10 == 0 else (number % 10) / 10 for number in range(rows)]
    splits = ["test" if number % 6 == 0 else "train" for number in range(rows)]
    return make(texts, labels, confidence, splits)


def fate(rows: pa.Table, stages: list[Stage], **knobs: int) -> tuple[dict, dict]:
    """Return what stayed and what the ledger says, by id."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = send(rows, stages, Path(folder), **knobs)
        return {row["id"]: row for row in outcome.kept.to_pylist()}, {
            line["id"]: line for line in outcome.ledger.to_pylist()
        }


class TestDiversity:
    def test_as_many_rows_are_kept_as_were_asked_for_and_only_training_rows_go(self, uri):
        rows = corpus()

        kept, lost = fate(rows, [Diversity(keep=12, pool=30, embedding=uri)])

        training = {row["id"] for row in rows.to_pylist() if row["split"] == "train"}
        assert len(training & set(kept)) == 12
        assert set(lost) < training
        assert sorted(line["reason"] for line in lost.values()) == ["not_chosen"] * 18 + ["not_in_pool"] * 20

    def test_a_row_that_is_not_chosen_names_the_nearest_chosen_row_of_its_class(self, uri, tmp_path):
        from sentence_transformers import SentenceTransformer

        rows = corpus()
        model = SentenceTransformer(uri.removeprefix("file:"), device="cpu")
        by_id = {row["id"]: row for row in rows.to_pylist()}
        vectors = {
            row: model.encode(by_id[row]["messages"][0]["content"], normalize_embeddings=True)
            for row in by_id
        }

        kept, lost = fate(rows, [Diversity(keep=12, pool=30, embedding=uri)])

        for row, line in lost.items():
            if line["reason"] == "not_chosen":
                rivals = [
                    other
                    for other in kept
                    if by_id[other]["split"] == "train" and by_id[other]["label"] == by_id[row]["label"]
                ]
                nearest = min(1 - float(vectors[row] @ vectors[other]) for other in rivals)
                assert line["other"] in rivals
                assert line["score"] == pytest.approx(nearest, abs=1 / 2048)

    @pytest.mark.parametrize(
        ("balance", "shares"),
        [(False, {"positive": 3, "negative": 6, None: 3}), (True, {"positive": 4, "negative": 4, None: 4})],
    )
    def test_classes_get_their_shares(self, uri, balance, shares):
        rows = make(
            [f"row {number} {SUBJECTS[number % 5]}" for number in range(48)],
            ["positive", "negative", "negative", None] * 12,
        )

        kept, _ = fate(rows, [Diversity(keep=12, pool=24, balance=balance, embedding=uri)])

        labels = [row["label"] for row in kept.values()]
        assert {label: labels.count(label) for label in shares} == shares

    def test_confident_rows_come_into_the_pool_first_and_missing_confidence_last(self, uri):
        rows = make(
            [f"row {number}" for number in range(20)],
            confidence=[None if number < 5 else number / 20 for number in range(20)],
        )

        kept, lost = fate(rows, [Diversity(keep=6, pool=6, prefer="confident", embedding=uri)])
        _, nothing = fate(rows, [Diversity(keep=20, pool=20, prefer="confident", embedding=uri)])

        assert sorted(row["confidence"] for row in kept.values()) == [number / 20 for number in range(14, 20)]
        assert {line["reason"] for line in lost.values()} == {"not_in_pool"}
        assert nothing == {}

    def test_rows_below_the_confidence_or_without_one_stay_out_of_the_pool(self, uri):
        kept, lost = fate(corpus(), [Diversity(keep=30, pool=30, min_confidence=0.5, embedding=uri)])

        assert all(row["confidence"] >= 0.5 for row in kept.values() if row["split"] == "train")
        assert {line["reason"] for line in lost.values()} == {"not_in_pool"}

    def test_parts_and_workers_do_not_change_the_choice(self, uri):
        stages: list[Stage] = [Diversity(keep=12, pool=30, embedding=uri)]

        whole = fate(corpus(), stages)

        assert fate(corpus(), stages, part_rows=7) == whole
        assert fate(corpus(), stages, part_rows=11, workers=2) == whole

    def test_the_seed_changes_the_pool(self, uri):
        stages: list[Stage] = [Diversity(keep=12, pool=30, embedding=uri)]

        assert fate(corpus(), stages, seed=8)[0].keys() != fate(corpus(), stages, seed=7)[0].keys()

    def test_laws_that_hold_for_a_budget_hold(self, uri):
        stages: list[Stage] = [Diversity(keep=2, pool=5, embedding=uri)]
        records = [
            ("good phone", "positive", 0.9),
            ("bad", "negative", None),
            ("", None, 0.5),
            ("good phone", "positive", 0.9),
            ("😂", None, None),
            ("the 12 x", "positive", 0.5),
        ]

        laws.conservation(stages, laws.built(records, "train"))
        laws.conservation(stages, laws.built(records, "test"))
        laws.lineage(stages, laws.built(records, "train"))
        laws.parts(stages, laws.built(records, "train"))
        laws.survival(stages, "train")

    def test_more_rows_than_the_pool_holds_cannot_be_chosen(self):
        with pytest.raises(ValidationError, match="keep is 10 and pool 5"):
            Diversity(keep=10, pool=5)

    def test_rows_of_the_version_that_is_built_on_are_chosen_already(self, uri, tmp_path):
        rows = corpus(120)
        late = pa.array(np.arange(120) % 3 == 0)
        first = send(
            rows.filter(pc.invert(late)), [Diversity(keep=12, pool=30, embedding=uri)], tmp_path / "a"
        ).kept
        stage = Diversity(keep=20, pool=30, embedding=uri)

        outcome = send(rows.filter(late), [stage], tmp_path / "b", earlier=laws.published(first))

        train = pc.equal(first["split"], "train")
        labels = [
            row["label"]
            for row in [*first.filter(train).to_pylist(), *outcome.kept.to_pylist()]
            if row["split"] == "train"
        ]
        assert len(labels) == 20
        asked = pc.equal(rows["split"], "train").to_numpy() & late.to_numpy(zero_copy_only=False)
        there = [
            *rows.filter(pa.array(asked))["label"].to_pylist(),
            *first.filter(train)["label"].to_pylist(),
        ]
        self.check(uri, rows, first, outcome)
        for label in ("positive", "negative", None):
            assert abs(labels.count(label) - 20 * there.count(label) / len(there)) <= 1

    def check(self, uri, rows, first, outcome):
        """Hold each refused row's score to the nearest row of its class that is chosen, by vectors made here."""
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(uri.removeprefix("file:"), device="cpu")
        by_id = {row["id"]: row for row in rows.to_pylist()}
        standing = [row for row in [*first.to_pylist(), *outcome.kept.to_pylist()] if row["split"] == "train"]
        vectors = {
            row_id: model.encode(row["messages"][0]["content"], normalize_embeddings=True)
            for row_id, row in by_id.items()
        }
        lines = [
            line for line in outcome.ledger.to_pylist() if line["reason"] == "not_chosen" and line["other"]
        ]
        assert len(lines) > 5
        for line in lines:
            mine = by_id[line["id"]]
            rivals = [row["id"] for row in standing if row["label"] == mine["label"]]
            assert line["other"] in rivals
            nearest = min(1 - float(vectors[line["id"]] @ vectors[other]) for other in rivals)
            assert line["score"] == pytest.approx(nearest, abs=1 / 2048)

    def test_where_nothing_of_the_budget_is_left_nothing_is_embedded(self, uri, tmp_path):
        rows = make([f"row {number}" for number in range(20)], splits=["train"] * 20)
        late = pa.array(np.arange(20) % 2 == 0)
        stage = Diversity(keep=10, pool=30, embedding=uri)

        outcome = send(rows.filter(late), [stage], tmp_path, earlier=rows.filter(pc.invert(late)))

        assert outcome.ledger["reason"].to_pylist() == ["not_chosen"] * 10
        assert outcome.ledger["score"].null_count == 10
