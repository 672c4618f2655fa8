"""The flow, once, with nothing started by hand: a run's summary, its refs, its report and what Prefect shows."""

import json
from pathlib import Path

import pytest

from corpus.store import Store
from tests.flows import jobs


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

    assert [entry.version for entry in Store(store).library.log("small@candidate")] == [summary["version"]]
    assert [entry.version for entry in Store(store).library.log("small")] == [summary["version"]]


def test_report_audit_and_ledger_lie_beside_the_version(finished):
    summary, store = finished
    folder = Store(store).library.open("small").folder

    assert (folder / "report.html").read_text() == Path(summary["report"]).read_text()
    assert json.loads((folder / "audit.json").read_text())["verdict"] == summary["audit"]["verdict"]
    assert {file.name for file in (folder / "attestations").iterdir()} == {
        "shards.json",
        "ledger.parquet",
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


def test_a_limited_run_moves_no_ref(prefect, tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(60))

    summary = _run(jobs.recipe(corpus, audit={}), tmp_path / "store", limit=20)

    assert summary["rows"]["in"] == 20
    assert Store(tmp_path / "store").library.log("small") == []


def test_a_gate_that_must_stop_publishes_nothing(prefect, tmp_path):
    records = [
        {
            "text": f"{'forbidden ' if number % 2 else ''}row {number} of a kind",
            "label": "a",
            "kind": "odd" if number % 2 else "even",
        }
        for number in range(200)
    ]
    corpus = jobs.write(tmp_path / "corpus", records)
    gates = [{"axis": "kind", "min_impact_ratio": 0.8, "on_fail": "stop"}]
    sources = [{"name": "small", "uri": str(corpus), "groups": ["kind"]}]

    summary = _run(
        jobs.recipe(
            corpus,
            [{"stage": "blocklist", "words": ["forbidden"]}],
            sources=sources,
            audit={"axes": ["kind"]},
            gates=gates,
        ),
        tmp_path / "store",
    )

    assert "odd is kept 0.00 times as often" in summary["stopped"]
    assert summary["version"] is None
    assert not (tmp_path / "store" / "versions").exists()


def test_a_run_that_keeps_nothing_publishes_nothing_and_moves_no_ref(prefect, tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(40))

    summary = _run(jobs.recipe(corpus, [{"stage": "length", "min_words": 3000}]), tmp_path / "store")

    assert summary["stopped"].startswith("no row is left")
    assert summary["rows"]["dropped"] == 40
    assert Path(summary["report"]).exists()
    assert not (tmp_path / "store" / "versions").exists()
    assert Store(tmp_path / "store").library.log("small") == []
