"""What `winnow explain` says of rows that it finds, and of those that it cannot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.schema import UserError
from flows import biography, curate
from flows.job import Job, Options
from tests.flows import jobs


@pytest.fixture
def done(tmp_path):
    """A run over ten rows, in a file with markup and an emoji's code in its name."""
    (tmp_path / "corpus").mkdir()
    jobs.write(tmp_path / "corpus", jobs.records(10))
    (tmp_path / "corpus" / "part-0.jsonl").rename(tmp_path / "corpus" / "p [v1]:bug:.jsonl")
    return jobs.job(jobs.recipe(tmp_path / "corpus", [{"stage": "length"}]), tmp_path / "store", workers=1)


def test_a_run_that_ended_before_its_rows_were_read_has_no_biographies(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(10))
    begun = Job.begin(jobs.recipe(corpus), Options(store=str(tmp_path / "store")))

    with pytest.raises(UserError, match=f"run {begun.folder.name} ended before its rows were read"):
        biography.explain(begun.folder.name, "small:0", tmp_path / "store")


def test_a_run_that_ended_before_its_rows_were_judged_has_no_biographies(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(10))
    begun = Job.begin(jobs.recipe(corpus), Options(store=str(tmp_path / "store"), workers=1))
    curate.ingest(begun)

    with pytest.raises(UserError, match=f"run {begun.folder.name} ended before its rows were judged"):
        biography.explain(begun.folder.name, "small:0", tmp_path / "store")


@pytest.mark.parametrize("digits", ["9" * 18, "9" * 23, "9" * 5000])
def test_a_number_that_no_row_has_is_told_however_long_it_is(done, digits):
    with pytest.raises(UserError, match=f"no row is called 'small:{digits}'"):
        biography.explain(done.folder.name, f"small:{digits}", done.store.root)


def test_the_name_of_a_file_is_printed_as_it_is(done, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    held = biography.explain(done.folder.name, "small:0", done.store.root)

    biography.show(held)

    assert "file p [v1]:bug:.jsonl, row 0" in capsys.readouterr().out


SILENT = """
from typing import Literal

import numpy as np
import pyarrow as pa

from corpus.stage import Judge
from corpus.verdict import Verdict


class Silent(Judge):
    stage: Literal["silent"] = "silent"

    def measure(self, rows, context):
        return pa.table({"score": pa.nulls(len(rows), pa.float64())})

    def judge(self, features, context):
        return Verdict.below("silent", features["score"], 0.5)
"""


TOLD = """
import json, sys
from pathlib import Path
from flows import biography
from tests.flows import jobs
done = jobs.job(jobs.recipe(Path(sys.argv[1]), [{"stage": "silent"}]), Path(sys.argv[2]), workers=1)
print(json.dumps(biography.explain(done.folder.name, "small:0", done.store.root)["events"]))
"""


def test_a_judge_that_has_no_score_for_a_row_tells_no_threshold_of_it(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(10))
    package = tmp_path / "site" / "silent-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Name: silent\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[winnow.stages]\nsilent = silent:Silent\n")
    (tmp_path / "site" / "silent.py").write_text(SILENT)
    paths = os.pathsep.join([str(tmp_path / "site"), *sys.path])

    told = subprocess.run(
        [sys.executable, "-c", TOLD, str(corpus), str(tmp_path / "store")],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(told.stdout)[1] == {"stage": "silent", "event": "passed"}


def test_a_row_tells_what_was_marked_and_what_is_left_of_it(tmp_path):
    shared = "A paragraph of eight words and a few more."
    texts = [
        f"One row begins with words of its own.\n\n{shared}",
        f"Another says something else.\n\n{shared}",
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": said}) + "\n" for said in texts))
    stages = [{"stage": "paragraph_duplicates"}, {"stage": "near_duplicates", "action": "mark"}]
    job = jobs.job(jobs.recipe(tmp_path, stages), tmp_path / "store", workers=1)

    told = [biography.explain(job.folder.name, f"small:{number}", tmp_path / "store") for number in (0, 1)]

    events = [[(event["stage"], event["event"]) for event in one["events"]] for one in told]
    keeper, cut = sorted(events, key=lambda one: ("paragraph_duplicates", "cut") in one)
    assert ("paragraph_duplicates", "marked another") in keeper
    assert cut[1:4] == [
        ("paragraph_duplicates", "marked"),
        ("paragraph_duplicates", "cut"),
        ("near_duplicates", "passed"),
    ]
    left = [event["text"] for one in told for event in one["events"] if event["event"] == "cut"]
    assert left[0] in [said.split("\n\n")[0] for said in texts]
