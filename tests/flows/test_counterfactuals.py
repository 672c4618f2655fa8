"""The models are asked of evaluated rows as if they spoke of others; which rows depends on seed and rows alone."""

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator

from audit.groups import AuditSettings, memberships
from corpus.schema import SPLITS
from flows import assess, curate, finish, subjects
from flows.counterfactuals import exchanges
from flows.job import Job
from tests.audit.test_schema import SCHEMA
from tests.flows import jobs

LABELS = ["no", "yes"]


def rows(count=120):
    """Rows of which a third speak of women, a third of men, one of a muslim, all for the test."""
    who = ["she", "he", "nobody"]
    made = [
        {"text": f"{who[n % 3]} says {n} and more", "label": LABELS[n % 2], "split": "test"}
        for n in range(count)
    ]
    return [{**made[0], "text": "a muslim says so and more"}, *made[1:]]


def likely(texts):
    """Log-probabilities of a model that thinks better of men, however long the text."""
    yes = np.array([0.9 if "he" in text.split() else 0.6 if "she" in text.split() else 0.3 for text in texts])
    return np.log(np.stack([1 - yes, yes], axis=1))


@pytest.fixture
def evaluated(tmp_path) -> Job:
    """A published version with predictions, as evaluation leaves them."""
    stages = [{"stage": "split"}]
    done = jobs.job(jobs.recipe(jobs.write(tmp_path / "corpus", rows()), stages), tmp_path / "store")
    assess.audit_data(done)
    curate.publish(done)
    version = curate.opened(done)
    test = pa.concat_tables([pq.read_table(file) for split in SPLITS for file in version.files(split)])
    assert set(test["split"].to_pylist()) == {"test"}
    said = likely([row["messages"][0]["content"] for row in test.to_pylist()])
    columns = {"id": test["id"], "label": test["label"]}
    for name in ("base", "tuned"):
        columns[name] = pa.array([LABELS[at] for at in said.argmax(axis=1)])
        columns[f"{name}_log_probabilities"] = pa.array(list(said))
    table = pa.table(columns).replace_schema_metadata({"labels": json.dumps(LABELS)})
    pq.write_table(table, done.folder / "predictions.parquet")
    return done


def test_the_gap_of_a_model_that_thinks_better_of_some_is_told(evaluated):
    asked = []

    def say(texts):
        asked.append(list(texts))
        return dict.fromkeys(("base", "tuned"), likely(texts))

    assess.audit_model(evaluated, say)
    record = assess.conclude(evaluated)
    page = finish.page(evaluated, record)

    base, tuned = record["counterfactual"]
    assert (base["stage"], base["baseline"], tuned["stage"], tuned["baseline"]) == (
        "base model", True, "tuned model", False,
    )  # fmt: skip
    assert (tuned["n"], tuned["of"], len(asked), len(asked[0])) == (82, 82, 1, 82)
    pairs = {(pair["group"], pair["instead"]): pair for pair in tuned["pairs"]}
    assert {pair for pair in pairs if pair[0] != "muslim"} == {("women", "men"), ("men", "women")}
    assert pairs["women", "men"]["gap"]["value"] == pytest.approx(0.3)
    assert pairs["women", "men"]["signed"][1]["value"] == pytest.approx(0.3)
    assert pairs["men", "women"]["signed"][1]["value"] == pytest.approx(-0.3)
    Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(record, allow_nan=False)))
    assert "Had a row spoken of another group: tuned model" in page
    assert not [text for text in asked[0] if text in json.dumps(record)]


def test_zero_asks_nobody_and_more_than_there_are_all(evaluated):
    def say(texts):
        raise AssertionError("nobody is to be asked")

    held = evaluated.recipe.model_copy(update={"audit": AuditSettings(max_counterfactuals=0)})
    assess.audit_model(Job(held, evaluated.options, evaluated.folder), say)

    assert evaluated.read("audit-model.json")["counterfactual"] == []


def test_each_pair_has_its_turn_and_which_rows_depends_on_no_order(evaluated):
    snapshot, settings = subjects.came(evaluated), AuditSettings(max_counterfactuals=20)
    came = pa.concat_tables([part.read() for part in snapshot.parts]).combine_chunks()

    def chosen(table, seed=1):
        groups = memberships(table, subjects.mentions(table, settings), settings)
        found, of = exchanges(table, groups, settings, seed)
        assert of == 82
        return found, {(table["id"][one.row].as_py(), one.group, one.instead, one.text) for one in found}

    found, drawn = chosen(came)
    _, again = chosen(came.take(pa.array(np.random.default_rng(2).permutation(len(came)))))

    counts = Counter((one.group, one.instead) for one in found)
    assert drawn == again
    assert sum(counts.values()) == 20
    assert sum(count for pair, count in counts.items() if pair[0] == "muslim") == 3
    assert abs(counts["women", "men"] - counts["men", "women"]) <= 1
    assert chosen(came, seed=2)[1] != drawn
