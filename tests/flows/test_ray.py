"""Parts as tasks of a Ray cluster: the same version, also where a node dies in the middle."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from corpus.ray_engine import ADDRESS, Ray
from corpus.schema import UserError
from tests.flows import jobs

pytest.importorskip("ray")
RAY = str(Path(sys.executable).parent / "ray")
PORT = 6_397


def start(*words: str) -> None:
    command = [
        RAY,
        "start",
        *words,
        "--num-cpus=1",
        "--disable-usage-stats",
        "--object-store-memory=100000000",
    ]
    subprocess.run(command, check=True, capture_output=True)


def raylets() -> set[int]:
    return {process.pid for process in psutil.process_iter(["name"]) if process.info["name"] == "raylet"}


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """A head and a second node, of a core each, on this machine; yields the process of the second node."""
    before = raylets()
    place = Path("/tmp") / f"ray-{os.getpid()}"  # noqa: S108 - a socket's path must be short
    start(
        "--head",
        f"--port={PORT}",
        "--node-ip-address=127.0.0.1",
        "--include-dashboard=false",
        f"--temp-dir={place}",
    )
    head = raylets() - before
    start(f"--address=127.0.0.1:{PORT}")
    (second,) = raylets() - before - head
    monkeypatch.setenv(ADDRESS, f"127.0.0.1:{PORT}")
    try:
        yield second
    finally:
        import ray

        ray.shutdown()
        for pid in {*head, second}:
            if psutil.pid_exists(pid):
                psutil.Process(pid).terminate()
        gcs = [
            one
            for one in psutil.process_iter(["cmdline"])
            if str(place) in " ".join(one.info["cmdline"] or [])
        ]
        for process in gcs:
            process.terminate()


def test_without_a_cluster_the_error_says_what_to_start(monkeypatch):
    monkeypatch.delenv(ADDRESS, raising=False)

    with pytest.raises(
        UserError, match=r"no Ray cluster answers at 'auto'; start one with `ray start --head`"
    ):
        Ray()


@pytest.mark.slow
def test_the_version_is_that_of_this_machine_alone(cluster, tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(300), files=3)

    local = jobs.publish(jobs.recipe(corpus), tmp_path / "local", workers=1)
    there = jobs.publish(jobs.recipe(corpus), tmp_path / "ray", engine="ray", part_rows=20)

    assert there == local


@pytest.mark.slow
def test_a_node_that_dies_in_the_middle_changes_nothing(cluster, tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(2_000), files=3)
    store = tmp_path / "ray"
    killed = []

    def kill() -> None:
        while len(list((store / "memo").rglob("done.json"))) < 5:
            time.sleep(0.01)
        os.kill(cluster, signal.SIGKILL)
        killed.append(len(list((store / "memo").rglob("done.json"))))

    murderer = threading.Thread(target=kill, daemon=True)
    murderer.start()
    there = jobs.publish(jobs.recipe(corpus), store, engine="ray", part_rows=20)
    murderer.join(1)

    assert killed
    assert killed[0] < 100  # of as many parts, so that others were still to be done
    assert there == jobs.publish(jobs.recipe(corpus), tmp_path / "local", workers=1)


@pytest.mark.slow
def test_what_a_task_raises_is_raised_as_it_was(cluster):
    with Ray() as engine, pytest.raises(UserError, match="a record that is none"):
        list(engine.map(refuse, [1, 2], 2))


def refuse(number: int) -> None:
    raise UserError("a record that is none")
