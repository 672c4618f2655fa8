"""`winnow explain` tells of a grown row how it was made, and of a parent each child once, with what became of it."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import apertium
from corpus.store import Store
from flows import biography, curate
from flows.job import Job
from tests.embedding import tiny
from tests.flows import jobs

pytestmark = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="needs apt-get install apertium apertium-eng-spa"
)

WHO = ["My sister", "The old man", "Our captain", "Your doctor"]
DID = ["lost a bag on", "asked for help on", "wrote a letter about"]
WHAT = ["the long flight home", "a late train to work", "his birthday last week"]
GROWTHS = {"back_translation": "back_translation", "paraphrase": "edited"}


def texts():
    """Thirty-six sentences of some ten words, no two alike."""
    return [f"{who} {did} {what}, and it was good." for who in WHO for did in DID for what in WHAT]


def recipe(folder, embedding):
    """Two growths, each with a gate behind it: of the second a row may have one child, which may be like no other row."""
    wide = {"min_similarity": -1, "max_similarity": 1, "min_word_similarity": None, "kept": []}
    gate = {"stage": "admission", "embedding": embedding, "min_chrf": 0, **wide}
    stages = [
        {"stage": "normalise"},
        {"stage": "split"},
        {"stage": "back_translation"},
        {**gate, "max_chrf": 70},
        {"stage": "paraphrase", "name": "edited", "engine": "edits", "variants": 3},
        {**gate, "name": "second", "near_duplicate": 0.75, "shingle_words": 1, "max_per_parent": 1},
    ]
    return jobs.recipe(folder, stages)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A published run of two growths, all its rows, and the biography of each that grew or that something grew of."""
    folder = tmp_path_factory.mktemp("descent")
    held = recipe(jobs.write(folder / "corpus", [{"text": one} for one in texts()]), tiny(folder))
    version = jobs.publish(held, folder / "store", workers=1)
    job = Job.open(next((folder / "store" / "runs").iterdir()))
    standing = pa.concat_tables(job.standing.tables()).to_pylist()
    fell = [row for file in (job.folder / "dropped").glob("*") for row in pq.read_table(file).to_pylist()]
    rows = {row["id"]: row for row in [*standing, *fell]}
    kin = {one for row in rows.values() if row["parent"] for one in (row["id"], row["parent"])}
    lives = {one: biography.explain(job.folder.name, one, job.store.root)["events"] for one in kin}
    return job, version, rows, lives


def said(row):
    return row["messages"][0]["content"]


def grown(rows):
    return [row for row in rows.values() if row["parent"]]


def test_a_grown_row_tells_once_how_it_was_made_by_the_stage_that_made_it(told):
    _, _, rows, lives = told

    for row in grown(rows):
        first, *later = lives[row["id"]]
        parent = rows[row["parent"]]
        assert "grown" not in {event["event"] for event in later}
        pieces = first["difference"]
        assert "".join(one for how, one in pieces if how != "new") == said(parent)
        assert "".join(one for how, one in pieces if how != "gone") == said(row)
        assert first == {
            "stage": GROWTHS[row["operation"]],
            "event": "grown",
            "parent": parent["id"],
            "operation": row["operation"],
            "seed": 7,
            "grown": json.loads(row["extra"])["grown"],
            "text": said(row),
            "parent_text": said(parent),
            "difference": pieces,
        }
    assert Counter(row["operation"] for row in grown(rows)).keys() == GROWTHS.keys()


def test_the_pivot_and_the_engine_are_those_that_were_asked(told):
    _, _, rows, lives = told
    row = next(row for row in grown(rows) if row["operation"] == "back_translation")

    made = lives[row["id"]][0]["grown"]

    spanish = apertium.translate("eng", "spa", pa.array([said(rows[row["parent"]])]))
    assert made["pivot"] == spanish.to_pylist()[0]
    assert made["revision"] == f"{apertium.revision('eng', 'spa')}, {apertium.revision('spa', 'eng')}"
    assert "GPL" in made["licence"]


def test_what_the_gate_found_of_a_candidate_is_told_where_it_judged(told):
    job, _, rows, lives = told
    lines = {line["id"]: line for line in job.ledger().to_pylist()}
    scores = job.scores().to_pylist()

    for row in grown(rows):
        gate = {"back_translation": "admission", "paraphrase": "second"}[row["operation"]]
        events = [event for event in lives[row["id"]] if event["stage"] == gate]
        measured = {
            one["name"]: round(one["score"], 4)
            for one in scores
            if (one["id"], one["stage"]) == (row["id"], gate)
        }
        assert [event for event in events if event["event"] == "scored"] == (
            [{"stage": gate, "event": "scored", **measured}] if measured else []
        )
        (verdict,) = [event for event in events if event["event"] in ("passed", "dropped")]
        line = lines.get(row["id"])
        assert verdict["event"] == ("passed" if line is None else "dropped")
        if line is not None:
            why = {name: line[name] for name in ("reason", "score", "other") if line[name] is not None}
            assert {name: verdict.get(name) for name in why} == why
            assert verdict.get("other_is") == ("parent" if line["other"] == row["parent"] else None)
            assert lives[row["id"]][-1] == verdict


def test_a_parent_tells_each_child_once_where_it_grew_and_what_became_of_it(told):
    job, _, rows, lives = told
    lines = {line["id"]: line for line in job.ledger().to_pylist()}
    parents = {row["parent"] for row in grown(rows)}

    for parent in parents:
        children = {row["id"]: row for row in grown(rows) if row["parent"] == parent}
        events = [event for event in lives[parent] if event["event"] == "parent of"]
        assert sorted(event["child"] for event in events) == sorted(children)
        assert not {event.get("other") for event in lives[parent] if event["event"] == "displaced"} & {
            *children
        }
        for event in events:
            row, line = children[event["child"]], lines.get(event["child"])
            assert event["stage"] == GROWTHS[row["operation"]]
            assert event["child_text"] == said(row)
            if line is None:
                assert (event["became"], event["by"]) == (
                    "admitted",
                    "admission" if row["operation"] == "back_translation" else "second",
                )
            else:
                assert (event["became"], event["by"]) == ("refused", line["stage"])
                for name in ("reason", "score", "threshold", "detail"):
                    assert event.get(name) == line[name]
                assert event.get("other") == (None if line["other"] == parent else line["other"])
    assert {line["reason"] for line in lines.values()} >= {"too_close", "enough", "near_duplicate"}


def test_children_of_two_growths_are_told_in_their_order(told):
    _, _, rows, lives = told
    by_parent = Counter(row["parent"] for row in grown(rows) if row["operation"] == "back_translation")
    first = next(
        one
        for one in by_parent
        if any((row["parent"], row["operation"]) == (one, "paraphrase") for row in grown(rows))
    )
    second = next(row for row in grown(rows) if row["operation"] == "back_translation" and any(
        child["parent"] == row["id"] for child in grown(rows)
    ))  # fmt: skip

    stages = [(event["stage"], event["event"]) for event in lives[first]]
    middle = [(event["stage"], event["event"]) for event in lives[second["id"]]]

    assert stages[:2] == [("ingest", "read"), ("normalise", "passed")]
    assert stages[3:7] == [("back_translation", "parent of"), *[("edited", "parent of")] * 3]
    assert middle[:1] == [("back_translation", "grown")]
    assert middle[1:3] == [("admission", "scored"), ("admission", "passed")]
    assert middle[3:6] == [("edited", "parent of")] * 3


def test_who_is_too_like_a_row_that_is_not_its_parent_was_displaced_by_it(told):
    job, _, rows, _ = told
    lines = [
        line
        for line in job.ledger().to_pylist()
        if line["reason"] == "near_duplicate" and line["other"] != rows[line["id"]]["parent"]
    ]

    assert lines
    for line in lines:
        events = biography.explain(job.folder.name, line["other"], job.store.root)["events"]
        assert line["id"] in [event["other"] for event in events if event["event"] == "displaced"]


def test_what_is_printed_says_how_a_row_was_made_and_names_its_parent(told, capsys, monkeypatch):
    job, _, rows, lives = told
    monkeypatch.setenv("COLUMNS", "2000")
    line = next(one for one in job.ledger().to_pylist() if one["reason"] == "too_close")

    biography.show(biography.explain(job.folder.name, line["id"], job.store.root))
    biography.show(biography.explain(job.folder.name, line["other"], job.store.root))

    printed = capsys.readouterr().out
    made = lives[line["id"]][0]["grown"]
    for fact in (
        f"engine apertium, licence {made['licence']}",
        f"revision {made['revision']}",
        f"pivot “{made['pivot']}”",
        f"reason too_close, other {line['other']} (its parent)",
        f"parent “{said(rows[line['other']])}”",
        f"child {line['id']}, operation back_translation, became refused, by admission, reason too_close",
    ):
        assert fact in printed


@pytest.fixture(scope="module")
def later(told, tmp_path_factory):
    """A run that builds on it, over four sentences more: its version, and the store without both runs, ledgers beside versions."""
    job, first, _, _ = told
    more = [f"{who} sang {what}, and nobody listened to it." for who in WHO[:2] for what in WHAT[:2]]
    corpus = Path(job.recipe.sources[0].uri.removeprefix("file:"))
    (corpus / "more.jsonl").write_text("".join(json.dumps({"text": one}) + "\n" for one in more))
    second = jobs.publish(job.recipe, job.store.root, workers=1)
    for folder in (job.store.root / "runs").iterdir():
        run = Job.open(folder)
        curate.opened(run).attest_ledger(run.ledger())
    bare = shutil.copytree(job.store.root, tmp_path_factory.mktemp("bare") / "store")
    shutil.rmtree(bare / "runs")
    (bare / "runs").mkdir()
    assert Store(bare).library.open(second).builds_on == first
    return second, bare


def test_a_later_run_tells_nothing_of_growth_again(told, later):
    job, _, _, lives = told
    second, _ = later

    for one, life in lives.items():
        events = biography.explain(second, one, job.store.root)["events"]
        assert _of_growth(events) == _of_growth(life)


def test_where_the_runs_are_gone_the_versions_tell_what_they_have(told, later):
    """A refused candidate's text and making went with its run; that it was refused, and why, stands in the ledger.

    Of one that was too much like a row the ledger does not say whether that was its parent.
    """
    job, _, _, lives = told
    second, bare = later
    fell = {line["id"]: line for line in job.ledger().to_pylist()}

    for one, life in lives.items():
        before = {event["child"]: event for event in life if event["event"] == "parent of"}
        events = biography.explain(second, one, bare)["events"]
        found = [event for event in events if event["event"] == "parent of"]
        near = [child for child, event in before.items() if event.get("reason") == "near_duplicate"]
        assert sorted(event["child"] for event in found) == sorted({*before} - {*near})
        for event in found:
            whole = before[event["child"]]
            for name in ("became", "reason", "score", "threshold", "detail", "other"):
                assert event.get(name) == whole.get(name)
            assert event["stage"] == (
                whole["by"] if event["became"] == "refused" else GROWTHS[whole["operation"]]
            )
            assert event.get("child_text", whole["child_text"]) == whole["child_text"]
        made = [event for event in events if event["event"] == "grown"]
        wanted = [event for event in life if event["event"] == "grown" and one not in fell]
        assert made == wanted
        displaced = {event["other"] for event in events if event["event"] == "displaced"}
        assert not displaced & {*before} - {*near}


def _of_growth(events):
    return [event for event in events if event["event"] in ("grown", "parent of")]


def test_what_a_terminal_would_obey_is_spelt_out(told, capsys, monkeypatch):
    """A licence comes from a model's card, a pivot from a model: neither may move the cursor."""
    _, _, rows, lives = told
    monkeypatch.setenv("COLUMNS", "2000")
    row = next(row for row in grown(rows))
    life = lives[row["id"]][0]
    made = {**life["grown"], "licence": "free\x1b[2J", "pivot": "so\x1b[1A", "other": {"a": "b\x1b"}}
    held = {"of": "a run", "id": row["id"], "events": [{**life, "grown": made}]}

    biography.show(held)

    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "licence free‹U+001B›[2J" in printed
