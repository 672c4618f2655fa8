"""Of what cannot be compared the audit says so in a line, on the page and at the gate, and never that it passed."""

import json
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.schema import UserError
from flows import assess, curate, finish
from tests.flows import jobs

BLOCKLIST = [{"stage": "blocklist", "words": ["forbidden"]}]
NOTHING = "There was nothing to compare"
TOO_SMALL = "No group is known to have fared worse, but some are too small to judge"


def rows(count, who, label=None, forbidden=0.5, seed=1):
    """Rows of which about half hold a word of the blocklist; `who` and `label` say of the row's number what it is of."""
    draw = random.Random(seed)
    return [
        {
            "text": f"{'forbidden ' if draw.random() < forbidden else ''}row {number} of them",
            "who": who(number),
            **({} if label is None else {"label": label(number)}),
        }
        for number in range(count)
    ]


def audited(tmp_path, made, **more):
    """Audit rows, with a gate on who they are of that would stop the run."""
    sources = [{"name": "small", "uri": f"file:{jobs.write(tmp_path / 'corpus', made)}", "groups": ["who"]}]
    held = {"sources": sources, "gates": [{"axis": "who", "on_fail": "stop"}], "audit": {"axes": ["who"]}}
    done = jobs.job(jobs.recipe(tmp_path / "corpus", BLOCKLIST, **(held | more)), tmp_path / "store")
    assess.audit_data(done)
    return done, assess.conclude(done)


def outcomes(record, axis):
    """The outcomes of the findings of an axis, but for what stands together as (other)."""
    return {one["verdict"] for one in record["findings"] if one["axis"] == axis and one["group"] != "(other)"}


@pytest.mark.parametrize(
    ("made", "verdict", "line"),
    [
        (rows(400, lambda _: "all"), "NOT_APPLICABLE", NOTHING),  # one group
        (rows(400, lambda _: None), "NOT_APPLICABLE", NOTHING),  # missing groups
        (rows(40, lambda n: f"person {n}"), "INSUFFICIENT_DATA", TOO_SMALL),  # groups of one
        (rows(400, lambda n: "one" if n == 7 else "all"), "INSUFFICIENT_DATA", TOO_SMALL),
        (rows(400, lambda n: "ab"[n % 2], forbidden=1), "INSUFFICIENT_DATA", TOO_SMALL),  # all are dropped
        (rows(400, lambda n: "ab"[n % 2], forbidden=0), "NOT_APPLICABLE", NOTHING),  # none is
        (rows(1, lambda _: "one"), "NOT_APPLICABLE", NOTHING),
        (
            rows(900, lambda n: f"person {n}"),
            "INSUFFICIENT_DATA",
            TOO_SMALL,
        ),  # more groups than are told apart
    ],
)
def test_groups_that_cannot_be_compared_are_told_and_never_pass(tmp_path, made, verdict, line):
    done, record = audited(tmp_path, made)

    page = finish.page(done, record)

    assert outcomes(record, "who") == {verdict}
    assert record["gates"][0]["verdict"] == verdict
    assert assess.stopping(done) == []
    assert f'<p class="verdict">{line}</p>' in page
    json.dumps(record, allow_nan=False)


def test_without_groups_and_labels_there_is_nothing_to_compare(tmp_path):
    done, record = audited(tmp_path, rows(400, lambda _: "x"), audit={"axes": []}, gates=[])

    assert (record["verdict"], record["counts"]["PASS"]) == ("NOT_APPLICABLE", 0)
    assert NOTHING in finish.page(done, record)


@pytest.mark.parametrize("label", [None, lambda _: "only", lambda _: None])
def test_no_labels_and_one_class_are_nothing_to_compare(tmp_path, label):
    _, record = audited(tmp_path, rows(400, lambda _: "x", label))

    assert outcomes(record, "label") <= {"NOT_APPLICABLE"}
    assert record["counts"]["PASS"] == 0
    assert record["associations"]["labels"] == []


def test_labels_are_the_same_as_numbers_and_as_strings(tmp_path):
    records = [
        audited(tmp_path / name, rows(600, lambda n: "ab"[n % 3 > 0], label))[1]
        for name, label in (
            ("numbers", lambda n: n % 2),
            ("strings", lambda n: str(n % 2)),
            ("both", lambda n: n % 2 if n < 300 else str(n % 2)),
        )
    ]

    of_labels = [[one for one in record["findings"] if one["axis"] == "label"] for record in records]

    assert {one["group"] for one in of_labels[0]} == {"0", "1"}
    assert of_labels[0] == of_labels[1] == of_labels[2]
    assert records[0]["associations"] == records[1]["associations"] == records[2]["associations"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda ids: [*ids, "nobody"], "holds {more} predictions, of which {rows} are of rows of the test"),
        (lambda ids: [*ids, ids[0]], "holds {more} predictions, of which {rows} are of rows of the test"),
    ],
)
def test_predictions_of_no_row_or_twice_of_one_are_an_error(tmp_path, change, said):
    made = rows(600, lambda _: "x", lambda n: "yn"[n % 2], forbidden=0)
    held = jobs.recipe(jobs.write(tmp_path / "corpus", made), [{"stage": "split"}])
    done = jobs.job(held, tmp_path / "store")
    assess.audit_data(done)
    done.write("version.json", {"version": curate.publish(done)})
    test = pa.concat_tables(map(pq.read_table, curate.opened(done).files("test")))
    ids = change(test["id"].to_pylist())
    told = pa.table(
        {
            "id": ids,
            "label": ["y"] * len(ids),
            "tuned": ["y"] * len(ids),
            "tuned_log_probabilities": [[0.0, -9.0]] * len(ids),
        }
    )
    pq.write_table(
        told.replace_schema_metadata({"labels": json.dumps(["y", "n"])}), done.folder / "predictions.parquet"
    )

    with pytest.raises(UserError, match=said.format(more=len(ids), rows=len(test))):
        assess.audit_model(done, lambda _: {})


def test_a_model_that_was_asked_of_one_class_has_no_rates_of_the_other(tmp_path):
    """All held-out rows are of one class: what needs the other does not exist, and small groups are no pass."""
    made = rows(600, lambda n: "one" if n == 7 else "all", lambda _: "y", forbidden=0)
    sources = [{"name": "small", "uri": f"file:{jobs.write(tmp_path / 'corpus', made)}", "groups": ["who"]}]
    done = jobs.job(
        jobs.recipe(tmp_path / "corpus", [{"stage": "split"}], sources=sources, audit={"axes": ["who"]}),
        tmp_path / "store",
    )
    assess.audit_data(done)
    done.write("version.json", {"version": curate.publish(done)})
    test = pa.concat_tables(map(pq.read_table, curate.opened(done).files("test")))
    told = pa.table(
        {"id": test["id"], "label": test["label"], "tuned": test["label"], "tuned_log_probabilities": [[0.0, -9.0]] * len(test)}
    )  # fmt: skip
    pq.write_table(
        told.replace_schema_metadata({"labels": json.dumps(["y", "n"])}), done.folder / "predictions.parquet"
    )
    assess.audit_model(done, lambda _: {})

    record = assess.conclude(done)

    assert "PASS" not in {one["verdict"] for one in record["findings"]}
    of_n = [each for one in record["classes"] for each in one["classes"] if each["class"] == "n"]
    assert of_n
    assert {each["true_positive"]["value"] for each in of_n} == {None}
    json.dumps(record, allow_nan=False)
    assert finish.page(done, record)
