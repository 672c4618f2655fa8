"""A store is tried before Prefect starts, and what is served ends with the process that serves it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from corpus.schema import UserError
from corpus.store import Store
from flows.job import Options
from flows.server import run_flow, serve
from tests.flows import gated, jobs

PYTHON = [sys.executable, "-c"]


@pytest.fixture
def begin():
    """Start processes, and end those that a test leaves, with all that they started."""
    begun: list[subprocess.Popen] = []

    def start(*command: str, **more) -> subprocess.Popen:
        begun.append(subprocess.Popen(command, cwd=Path(__file__).parents[2], text=True, **more))
        return begun[-1]

    yield start
    for process in begun:
        family = [process, *(psutil.Process(process.pid).children() if process.poll() is None else [])]
        for one in family:
            one.kill()
        process.communicate()


def unwritable(tmp_path: Path) -> list[Path]:
    (tmp_path / "file").touch()
    return [tmp_path / "file", *([Path("/proc")] if Path("/proc/mounts").exists() else [])]


def test_a_store_that_cannot_be_written_is_told_before_prefect_starts(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(5))

    for store in unwritable(tmp_path):
        with pytest.raises(UserError, match=f"the store {store} cannot be written"):
            run_flow(jobs.recipe(corpus), Options(store=str(store)), quiet=True)
        with pytest.raises(UserError, match=f"the store {store} cannot be written"):
            serve(store, *ports(2))


def ports(count: int) -> list[int]:
    """Return ports that were free a moment ago."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return numbers


BESIDE = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests may have it ignored
from flows.beside import run_beside
run_beside([[sys.executable, "-c", code] for code in sys.argv[1:]], os.environ)
print("after", flush=True)
"""
SLOW_TO_END = """
import signal, time, os
def end(*_):
    time.sleep(1)
    print("ended", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
print("began", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_ended_ends_the_one_beside_it_and_waits_for_it(begin, ending):
    process = begin(*PYTHON, BESIDE, SLOW_TO_END, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "began\n"

    process.send_signal(ending)
    told, _ = process.communicate(timeout=30)

    assert (told, process.returncode) == ("ended\nafter\n", 0)


@pytest.mark.parametrize("which", [0, 1])
def test_where_one_process_beside_ends_the_other_is_ended(begin, which):
    commands = [SLOW_TO_END, SLOW_TO_END]
    commands[which] = "import time; time.sleep(2); print('gone', flush=True)"

    process = begin(*PYTHON, BESIDE, *commands, stdout=subprocess.PIPE)
    told, _ = process.communicate(timeout=60)

    assert (told, process.returncode) == ("began\ngone\nended\nafter\n", 0)


FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def test_what_a_process_beside_started_ends_too(begin):
    process = begin(*PYTHON, BESIDE, FAMILY, stdout=subprocess.PIPE)
    grandchild = psutil.Process(int(process.stdout.readline()))

    process.terminate()
    process.communicate(timeout=60)

    assert not grandchild.is_running()


def served(begin, store: Path) -> tuple[subprocess.Popen, int, int]:
    """Begin `winnow serve`; return its process, and the ports of server and reports."""
    port, reports = ports(2)
    words = ["serve", "--port", port, "--reports-port", reports, "--store", store]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    process = begin(*PYTHON, "from flows.cli import main; main()", *map(str, words), env=environment)
    wait_for(f"http://127.0.0.1:{port}/api/health", 90)
    wait_for(f"http://127.0.0.1:{reports}/", 10)
    return process, port, reports


def post(port: int, path: str, held: dict) -> Any:
    asked = urllib.request.Request(  # http on this machine
        f"http://127.0.0.1:{port}/api/{path}", json.dumps(held).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=30) as told:  # noqa: S310  # likewise
        return json.load(told)


@pytest.mark.slow
def test_the_deployment_release_lets_a_stopped_version_pass(begin, tmp_path):
    summary = gated.run(gated.recipe(gated.corpus(tmp_path)), tmp_path)
    _, port, _ = served(begin, tmp_path)
    held: list[dict] = []
    latest = time.monotonic() + 60
    while not held and time.monotonic() < latest:
        time.sleep(0.5)
        held = post(port, "deployments/filter", {})
    (deployment,) = held
    make = f"deployments/{deployment['id']}/create_flow_run"

    with pytest.raises(urllib.error.HTTPError, match="4"):
        post(port, make, {"parameters": {"run_or_version": "latest", "reason": " ", "by": "ada"}})
    words = {"run_or_version": summary["run"], "reason": "advertisements", "by": "ada"}
    run = post(port, make, {"parameters": words, "state": {"type": "SCHEDULED"}})
    state = run["state"]["type"]
    while state not in ("COMPLETED", "FAILED", "CRASHED") and time.monotonic() < latest + 60:
        time.sleep(0.5)
        found = post(port, "flow_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        state = found[0]["state"]["type"]

    assert (deployment["name"], deployment["parameters"]) == ("release", {"store": str(tmp_path)})
    assert state == "COMPLETED"
    version = Store(tmp_path).library.open("small")
    assert version.id == summary["version"]
    assert [one["by"] for one in version.attested("attestations/approval.json")] == ["ada"]


@pytest.mark.slow
def test_nothing_that_winnow_serves_outlives_its_sigterm(begin, tmp_path):
    process, port, reports = served(begin, tmp_path / "store")
    family = psutil.Process(process.pid).children(recursive=True)

    process.terminate()
    process.wait(timeout=60)
    outlived = [one for one in family if one.is_running()]
    for one in outlived:
        one.kill()

    assert len(family) > 1
    assert outlived == []
    for number in (port, reports):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", number))


def wait_for(address: str, seconds: float) -> None:
    latest = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310  # http on this machine
                return
        except OSError:
            assert time.monotonic() < latest, f"{address} does not answer"
            time.sleep(0.5)
