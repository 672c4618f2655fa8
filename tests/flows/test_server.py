"""A store is tried before Prefect starts, and what is served ends with the process that serves it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from corpus.schema import UserError
from flows.job import Options
from flows.server import run_flow, serve
from tests.flows import jobs

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
from flows.server import run_beside
run_beside([sys.executable, "-c", sys.argv[1]], os.environ)
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


@pytest.mark.slow
def test_nothing_that_winnow_serves_outlives_its_sigterm(begin, tmp_path):
    port, reports = ports(2)
    words = ["serve", "--port", port, "--reports-port", reports, "--store", tmp_path / "store"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    process = begin(*PYTHON, "from flows.cli import main; main()", *map(str, words), env=environment)
    wait_for(f"http://127.0.0.1:{port}/api/health", 90)
    wait_for(f"http://127.0.0.1:{reports}/", 10)
    served = psutil.Process(process.pid).children(recursive=True)

    process.terminate()
    process.wait(timeout=60)
    outlived = [one for one in served if one.is_running()]
    for one in outlived:
        one.kill()

    assert len(served) > 0
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
