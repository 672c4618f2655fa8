"""The flow, once, with nothing started by hand: a run's summary, its refs, its report and what Prefect shows."""

import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from corpus.store import Store
from corpus.versions.verify import verify
from flows import stop
from flows.job import Job
from flows.release import release
from flows.scorecard import show
from tests.flows import gated, jobs
from tests.tuning.conftest import model_folder, tokenizer


@pytest.fixture(scope="module")
def prefect(tmp_path_factory):
    """A server of the tests' own; nobody outside this machine is called."""
    home = tmp_path_factory.mktemp("prefect")
    patch = pytest.MonkeyPatch()
    for name, value in (
        ("PREFECT_HOME", str(home)),
        ("PREFECT_SERVER_ANALYTICS_ENABLED", "false"),
        ("DO_NOT_TRACK", "1"),
    ):
        patch.setenv(name, value)
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    with (
        prefect_test_harness(server_startup_timeout=120),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        yield
    patch.undo()


_ = model_folder, tokenizer  # fixtures


def _run(held, store: Path, **options) -> dict:
    from flows.job import Options
    from flows.pipeline import run

    return run(held, Options(store=str(store), **options))


@pytest.fixture(scope="module")
def finished(prefect, tmp_path_factory) -> tuple[dict, Path]:
    """A run of a small corpus, audited and published."""
    corpus = jobs.write(tmp_path_factory.mktemp("corpus"), jobs.records())
    store = tmp_path_factory.mktemp("store")
    return _run(jobs.recipe(corpus, audit={}), store), store


def test_a_run_publishes_what_the_plain_functions_publish(finished, tmp_path):
    summary, _ = finished
    corpus = jobs.write(tmp_path / "corpus", jobs.records())

    assert summary["version"] == jobs.publish(jobs.recipe(corpus), tmp_path / "store")


def test_the_summary_accounts_for_every_row(finished):
    summary, _ = finished
    rows = summary["rows"]

    assert rows["in"] + rows["grown"] == rows["rejected"] + rows["kept"] + rows["dropped"]
    assert [stage["stage"] for stage in summary["stages"]] == [stage["stage"] for stage in jobs.STAGES]
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_the_name_means_the_version_after_the_candidate_did(finished):
    summary, store = finished

    assert [entry.version for entry in Store(store).library.names.log("small@candidate")] == [
        summary["version"]
    ]
    assert [entry.version for entry in Store(store).library.names.log("small")] == [summary["version"]]


def test_report_audit_and_ledger_lie_beside_the_version(finished):
    summary, store = finished
    folder = Store(store).library.open("small").folder

    assert (folder / "report.html").read_text() == Path(summary["report"]).read_text()
    assert json.loads((folder / "audit.json").read_text())["verdict"] == summary["audit"]["verdict"]
    assert {file.name for file in (folder / "attestations").iterdir() if "records-" not in file.name} == {
        "shards.json",
        "records.json",
        "sources.json",
        "curation.json",
        "ledger.parquet",
        "scores.parquet",
        "environment.json",
        "run.json",
    }


def test_prefect_shows_the_stage_table_and_the_audit(finished):
    from prefect.artifacts import Artifact

    assert {key: Artifact.get(key).type for key in ("stages", "audit", "links")} == {
        "stages": "table",
        "audit": "markdown",
        "links": "markdown",
    }
    said = Artifact.get("audit").data
    drawn = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", said)
    assert drawn
    for one in drawn:
        assert ET.fromstring(base64.b64decode(one)).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  # of our own making
    assert f"/runs/{finished[0]['run']}/report.html" in Artifact.get("links").data


def test_a_second_run_over_the_same_sources_publishes_nothing(finished, prefect, tmp_path):
    first, store = finished
    held = Job.open(store / "runs" / first["run"]).recipe
    report = Path(first["report"]).read_text()

    summary = _run(held, store)

    assert summary["unchanged"]
    assert summary["version"] == first["version"]
    assert summary["rows"] == {"in": 0, "rejected": 0, "kept": 0, "dropped": 0, "grown": 0}
    assert summary["audit"] == first["audit"]
    assert set(summary) == {*first, "ref"} - {"ref"}
    assert Path(summary["report"]).read_text() == report
    assert [entry.version for entry in Store(store).library.names.log("small")] == [first["version"]]
    show({**summary, "seconds": 1.0, "peak_rss_mb": 1})


def test_an_audit_that_asks_for_more_is_made_anew_of_the_version_that_stays(prefect, tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(60))
    first = _run(jobs.recipe(corpus), tmp_path / "store")

    gates = [{"axis": "label", "min_impact_ratio": 0.8}]
    summary = _run(jobs.recipe(corpus, gates=gates, audit={"axes": ["label"]}), tmp_path / "store")
    version = Store(tmp_path / "store").library.open("small")

    assert summary["unchanged"]
    assert summary["version"] == first["version"]
    assert [gate["axis"] for gate in summary["audit"]["gates"]] == ["label"]
    assert json.loads((version.folder / "audit.json").read_text())["gates"] == summary["audit"]["gates"]
    assert "near_duplicates" in (version.folder / "report.html").read_text()
    assert [entry.version for entry in Store(tmp_path / "store").library.names.log("small")] == [
        first["version"]
    ]


def test_a_run_over_sources_that_grew_tells_what_it_built_on(prefect, tmp_path, capsys):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(60))
    first = _run(jobs.recipe(corpus), tmp_path / "store")
    jobs.write(tmp_path / "corpus" / "more", jobs.records(20, seed=9))

    summary = _run(jobs.recipe(corpus), tmp_path / "store")
    show({**summary, "seconds": 1.0, "peak_rss_mb": 1})

    assert summary["rows"]["in"] == 20
    assert summary["builds_on"] == {
        "version": first["version"],
        "because": None,
        "rows": first["rows"]["kept"],
        "replaced": 0,
    }
    assert f"{first['rows']['kept'] + summary['rows']['kept']} rows" in capsys.readouterr().out
    assert [entry.version for entry in Store(tmp_path / "store").library.names.log("small")] == [
        first["version"],
        summary["version"],
    ]


def test_a_limited_run_moves_no_ref(prefect, tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(60))

    summary = _run(jobs.recipe(corpus, audit={}), tmp_path / "store", limit=20)

    assert summary["rows"]["in"] == 20
    assert Store(tmp_path / "store").library.names.log("small") == []


def test_a_gate_that_must_stop_ends_the_run_at_the_candidate(prefect, tmp_path):
    names = Store(tmp_path).library.names

    summary = _run(gated.recipe(gated.corpus(tmp_path)), tmp_path)

    assert "odd is kept 0.00 times as often" in summary["stopped"]
    assert names.last("small@candidate").version == summary["version"]
    assert names.log("small") == []


def test_a_released_version_is_not_stopped_again_and_one_that_builds_on_it_is(prefect, tmp_path):
    corpus = gated.corpus(tmp_path)
    held = gated.recipe(corpus)
    stopped = _run(held, tmp_path)
    release(stopped["run"], "advertisements", tmp_path, "ada")

    again = _run(held, tmp_path)
    jobs.write(corpus / "more", gated.records(200, 400))
    more = _run(held, tmp_path)

    assert (again["version"], again["unchanged"], "stopped" in again) == (stopped["version"], True, False)
    assert more["builds_on"]["version"] == stopped["version"]
    assert "odd is kept 0.00 times as often" in more["stopped"]
    assert Store(tmp_path).library.open("small").id == stopped["version"]


def test_a_gate_that_comes_later_stops_what_is_to_be_done_with_the_version_until_it_is_approved(
    prefect, tmp_path
):
    """And the name need not move: it means the version already."""
    corpus = gated.corpus(tmp_path)
    first = _run(gated.recipe(corpus, gates=[]), tmp_path)
    held = gated.recipe(corpus)

    stopped = [_run(held, tmp_path) for _ in range(2)]
    release("small", "advertisements", tmp_path, "ada")
    after = _run(held, tmp_path)

    assert [one["version"] for one in stopped] == [first["version"]] * 2
    assert all("odd is kept 0.00 times" in one["stopped"] for one in stopped)
    assert "stopped" not in after
    assert [entry.version for entry in Store(tmp_path).library.names.log("small")] == [first["version"]]


@pytest.mark.slow
def test_a_released_version_is_tuned_and_judged_by_the_next_run_and_then_nothing_is_left(
    prefect, model_folder, tmp_path
):
    labelled = [{**one, "label": "ab"[n // 2 % 2]} for n, one in enumerate(gated.records(0, 400))]
    corpus = jobs.write(tmp_path / "corpus", labelled)
    held = gated.recipe(
        corpus,
        stages=[*gated.STAGES, {"stage": "split"}],
        tuning={"method": "lora", "model": f"file:{model_folder}", "epochs": 1},
        evaluation={"probe": None},
    )
    stopped = _run(held, tmp_path)

    left = release("latest", "advertisements", tmp_path, "ada")["left"]
    tuned, after = _run(held, tmp_path), _run(held, tmp_path)

    assert left == ["tuning", "evaluation"]
    assert (stopped["scores"], "stopped" in tuned, tuned["version"]) == ({}, False, stopped["version"])
    assert {"base", "tuned"} <= {*tuned["scores"]}
    assert after["scores"] == tuned["scores"]
    assert not (tmp_path / "runs" / after["run"] / "adapter").exists()
    page = (tmp_path / "versions" / tuned["version"] / "report.html").read_text()
    assert "Approved by ada" in page
    assert 'id="model"' in page
    assert verify(Store(tmp_path).library, "small")["problems"] == []


@pytest.fixture
def answer(prefect):
    """Answer the run that waits, in Prefect's own way; returns what the server said of each answer."""
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.settings import PREFECT_API_URL

    api, said = PREFECT_API_URL.value(), []
    waits = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PAUSED"]}}})

    def wait_and_say(words: list[dict]) -> None:
        # Its client asks again where the server's database is locked (503).
        with SyncPrefectClient(api) as client:
            paused: list[Any] = []
            while not paused:
                paused = client.read_flow_runs(flow_run_filter=waits)
                time.sleep(0.2)
            for word in words:
                told = client.resume_flow_run(paused[0].id, run_input=word)
                # Prefect pauses a run first, and then writes down what it asks.
                while told.status.value == "ABORT" or "schema not found" in str(told.details):
                    time.sleep(0.2)
                    told = client.resume_flow_run(paused[0].id, run_input=word)
                said.append(told.status.value)

    @contextmanager
    def saying(*words: dict) -> Iterator[list[str]]:
        thread = threading.Thread(target=wait_and_say, args=(list(words),), daemon=True)
        thread.start()
        yield said
        thread.join(timeout=60)
        assert len(said) == len(words), f"of {len(words)} answers these were given: {said}"

    return saying


@pytest.fixture
def impatient(monkeypatch):
    """Look every second whether somebody answered."""
    monkeypatch.setattr("flows.waiting.POLL", 1)


def test_a_run_that_waits_goes_on_when_it_is_approved_with_a_reason(prefect, answer, impatient, tmp_path):
    held = gated.recipe(gated.corpus(tmp_path), wait_minutes=1)
    empty = {"approve": True, "reason": " ", "by": "ada"}

    with answer({}, empty, {"approve": True, "reason": "advertisements", "by": "ada"}) as said:
        summary = _run(held, tmp_path)

    version = Store(tmp_path).library.open("small")
    (approved,) = version.attested("attestations/approval.json")
    assert said == ["REJECT", "REJECT", "ACCEPT"]
    assert (version.id, "stopped" in summary) == (summary["version"], False)
    assert (approved["by"], approved["reason"], approved["run"]) == ("ada", "advertisements", summary["run"])
    assert "Approved by ada" in Path(summary["report"]).read_text()


def test_a_run_that_waits_ends_at_the_candidate_when_it_is_refused(prefect, answer, impatient, tmp_path):
    held = gated.recipe(gated.corpus(tmp_path), wait_minutes=1)

    with answer({"approve": False, "reason": "they are not", "by": "ada"}):
        summary = _run(held, tmp_path)

    assert "ada refused: they are not" in summary["stopped"]
    assert Store(tmp_path).library.names.log("small") == []
    assert Store(tmp_path).library.names.last("small@candidate").version == summary["version"]


def test_a_run_that_waits_ends_at_the_candidate_when_nobody_answers(prefect, impatient, tmp_path):
    summary = _run(gated.recipe(gated.corpus(tmp_path), wait_minutes=0.02), tmp_path)

    assert "nobody answered within 0.02 minutes" in summary["stopped"]
    assert Store(tmp_path).library.names.log("small") == []


def test_where_no_server_is_attached_nobody_is_asked_and_that_is_said(prefect, tmp_path):
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows import waiting

    stopped = gated.run(gated.recipe(gated.corpus(tmp_path), wait_minutes=1), tmp_path)
    job = Job.open(tmp_path / "runs" / stopped["run"])

    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        said = waiting.approved(job)

    assert not said
    assert "nobody was asked, since no Prefect server is attached" in stop.stop(job)["stopped"]


def test_a_version_that_is_released_while_its_run_waits_is_approved(prefect, impatient, tmp_path):
    held = gated.recipe(gated.corpus(tmp_path), wait_minutes=0.1)

    def released() -> None:
        while not list(tmp_path.glob("versions/*/attestations/stopped.json")):
            time.sleep(0.1)
        release("latest", "advertisements", tmp_path, "ada")

    thread = threading.Thread(target=released)
    thread.start()
    summary = _run(held, tmp_path)
    thread.join()

    assert "stopped" not in summary
    assert summary["ref"] == {"name": "small", "n": 1}
    assert Store(tmp_path).library.open("small").id == summary["version"]


def test_a_run_that_keeps_nothing_publishes_nothing_and_moves_no_ref(prefect, tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(40))

    summary = _run(jobs.recipe(corpus, [{"stage": "length", "min_words": 3000}]), tmp_path / "store")

    assert summary["stopped"].startswith("no row is left")
    assert summary["rows"]["dropped"] == 40
    assert Path(summary["report"]).exists()
    assert not (tmp_path / "store" / "versions").exists()
    assert Store(tmp_path / "store").library.names.log("small") == []
