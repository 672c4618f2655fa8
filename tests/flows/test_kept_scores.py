"""What gates measured of a grown row stays beside each version that has the row, whatever became of the run that grew it."""

import json
import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from corpus.forgetting.find import Wanted
from corpus.schema import SPLITS
from corpus.store import Store
from corpus.versions.scores import scores
from flows import biography
from flows.forget import forget
from tests.embedding import tiny
from tests.flows import jobs
from tests.flows.test_descent import texts
from tests.flows.test_forget import run

GATE = {
    "stage": "admission",
    "min_chrf": 0,
    "max_chrf": 55,
    "min_similarity": -1,
    "max_similarity": 1,
    "min_word_similarity": None,
    "kept": [],
}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A store with a version, one that builds on it, and one without a row of the first; and the three."""
    folder = tmp_path_factory.mktemp("scores")
    growth = {"stage": "paraphrase", "engine": "edits"}
    stages = [{"stage": "split"}, growth, {**GATE, "embedding": tiny(folder)}]
    records = [{"text": one, "label": "ab"[number % 2]} for number, one in enumerate(texts())]
    held = jobs.recipe(folder / "corpus", stages, audit={"axes": ["label"]})
    store = Store((folder / "store").resolve())

    def version():
        return store.library.open("small")

    jobs.write(folder / "corpus", records[:30])
    run(held, store.root, workers=1)
    first = version()
    (folder / "corpus" / "more.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records[30:]))
    run(held, store.root, workers=1)
    second = version()
    parents = {row["parent"] for row in rows(first)} - {None}
    lost = next(row["id"] for row in rows(first) if row["id"] in parents)
    forget(Wanted(row=lost), store.root, "asked to", quiet=True)
    return store, first, second, version(), lost


def rows(version):
    files = [file for split in SPLITS for file in version.files(split)]
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def grown(version):
    return {row["id"] for row in rows(version) if row["parent"]}


def measured(version):
    """What is known of each grown row of a version, sorted."""
    known = scores(version).filter(pc.is_in(scores(version)["id"], pa.array(sorted(grown(version)))))
    return sorted(known.to_pylist(), key=lambda one: (one["id"], one["stage"], one["name"]))


def test_a_version_that_builds_on_another_has_the_scores_of_both(told):
    _, first, second, _, _ = told
    of_first = {one["id"] for one in measured(first)}

    assert of_first == grown(first)
    assert grown(first) < grown(second) == {one["id"] for one in measured(second)}
    assert [one for one in measured(second) if one["id"] in of_first] == measured(first)


def test_what_a_run_refused_is_beside_its_own_version_alone(told):
    _, first, second, _, _ = told
    refused = {*scores(first)["id"].to_pylist()} - grown(first)

    assert refused
    assert not refused & {*scores(second)["id"].to_pylist()}


def test_what_is_left_after_forgetting_keeps_its_scores_and_loses_those_of_the_children(told):
    _, _, second, left, lost = told
    children = {row["id"] for row in rows(second) if row["parent"] == lost}

    assert children
    assert grown(left) == grown(second) - children
    assert measured(left) == [one for one in measured(second) if one["id"] not in children]
    assert {*scores(left)["id"].to_pylist()} == grown(left)


def test_a_row_tells_its_scores_when_the_runs_and_the_versions_before_are_gone(told, tmp_path):
    store, first, second, left, _ = told
    row_id = min(grown(first) & grown(left))
    alone = tmp_path / "store"
    shutil.copytree(store.root, alone, symlinks=True)
    before = biography.explain(left.id, row_id, alone)["events"]
    shutil.rmtree(alone / "runs")
    for version in (first, second):
        shutil.rmtree(alone / "versions" / version.id, ignore_errors=True)

    after = biography.explain(left.id, row_id, alone)["events"]

    known = {one["name"]: round(one["score"], 4) for one in measured(left) if one["id"] == row_id}
    expected = [{"stage": "admission", "event": "scored", **known}]
    assert {"chrf", "cosine"} <= known.keys()
    assert [event for event in before if event["event"] == "scored"] == expected
    assert [event for event in after if event["event"] == "scored"] == expected
