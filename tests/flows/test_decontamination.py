"""What a version says of evaluation sets, and what its id knows of them."""

import json

import pytest

from corpus.schema import UserError
from corpus.store import Store
from flows import prepare
from flows.certificate import FILE
from flows.job import Job, Options
from tests.flows import jobs

QUESTION = "How many apples does Ann have when she buys twelve and eats three of them?"


@pytest.fixture
def corpus(tmp_path):
    held = jobs.records(12)
    held[3]["text"] = f"By the way: {QUESTION} Nine of them."
    held[4]["text"] = "How many apples does Ann have when it rains, one may ask."
    return jobs.write(tmp_path / "corpus", held)


def recipe(corpus, exam, **knobs):
    sets = [{"name": "exam", "uri": f"file:{exam}"}]
    return jobs.recipe(corpus, [{"stage": "decontaminate", "against": sets, **knobs}, {"stage": "split"}])


def exam(folder, *texts):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "exam.jsonl").write_text("".join(json.dumps({"text": said}) + "\n" for said in texts))
    return folder / "exam.jsonl"


def test_the_version_has_a_certificate_of_what_was_compared(tmp_path, corpus):
    store = tmp_path / "store"
    held = recipe(corpus, exam(tmp_path, QUESTION, "Too short."))

    version = jobs.publish(held, store, workers=1)

    (told,) = Store(store).library.open(version).attested(FILE)
    assert (told["judged"], told["dropped"]) == (12, 1)
    assert told["rows_at_or_over_the_threshold_by_set"] == {"exam": 1}
    assert told["kept_rows_that_share_a_run"] == 1
    assert 0 < told["largest_share_of_a_kept_row"] < 0.3
    (named,) = told["sets"]
    assert (named["name"], named["rows"], named["texts"], named["texts_not_compared"]) == (
        "exam",
        2,
        2,
        1,
    )


def test_the_id_knows_what_a_set_holds_and_not_where_it_lies(tmp_path, corpus):
    here, there = exam(tmp_path / "a", QUESTION), exam(tmp_path / "b", QUESTION)
    other = exam(tmp_path / "c", QUESTION, "Another question that is in no row of all of these.")

    ids = [
        jobs.publish(recipe(corpus, file), tmp_path / f"store-{number}", workers=1)
        for number, file in enumerate((here, there, other))
    ]

    assert ids[0] == ids[1] != ids[2]


def test_a_run_starts_anew_where_an_evaluation_set_has_grown(tmp_path, corpus):
    file = exam(tmp_path, QUESTION)
    jobs.publish(recipe(corpus, file), tmp_path / "store", workers=1)
    same = Job.begin(recipe(corpus, file), Options(store=str(tmp_path / "store")))
    exam(tmp_path, QUESTION, "Another question that is in no row of all of these.")

    grown = Job.begin(recipe(corpus, file), Options(store=str(tmp_path / "store")))

    assert same.read("began.json")["builds_on"] is not None
    assert grown.read("began.json")["builds_on"] is None
    assert "digest" in grown.read("began.json")["because"]


def test_what_was_measured_under_another_set_is_measured_again(tmp_path, corpus):
    file = exam(tmp_path, "Nothing that stands in any of the rows of this corpus.")
    before = jobs.job(recipe(corpus, file), tmp_path / "store", workers=1)
    exam(tmp_path, QUESTION)

    after = jobs.job(recipe(corpus, file), tmp_path / "store", workers=1)

    assert before.ledger().num_rows == 0
    assert after.ledger()["detail"].to_pylist() == ["exam/exam.jsonl:0"]


def test_a_set_that_cannot_be_read_stops_a_run_before_it_begins(tmp_path, corpus):
    (tmp_path / "exam.jsonl").write_text('{"text": "broken')
    job = Job.begin(recipe(corpus, tmp_path / "exam.jsonl"), Options(store=str(tmp_path / "store")))

    with pytest.raises(UserError, match="evaluation set 'exam'"):
        prepare.prepare(job)
