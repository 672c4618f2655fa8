"""Pipelines are kept for their process alone, so many at a time, and end with it however it ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.pipes import Pipes
from tests.corpus.test_pipe import ECHO, gone

OWNER = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from corpus.pipes import KEPT

COMMAND, HOW = sys.argv[1:]

def who(_=None):
    return int(KEPT.ask(COMMAND, ["WHO"]).answers[0])

def text(number):
    return [KEPT.ask(COMMAND, [f"{number} {place}" for place in range(number)]).answers for _ in range(50)]

def main():
    pids = [who()]
    if HOW == "fork":
        child = os.fork()
        made = [who(), who()] if not child else [who(), child]
        expected = [[f"{number} {place}" for place in range(number)] for number in (30, 40)]
        assert text(30 if child else 40) == [expected[not child]] * 50
        print(*pids, *made, flush=True)
        time.sleep(1000)
    if HOW.startswith("pool"):
        context = multiprocessing.get_context(HOW.removeprefix("pool "))
        with ProcessPoolExecutor(2, context) as pool:
            pids += pool.map(who, range(8))
    print(*pids, flush=True)
    if HOW == "stay":
        time.sleep(1000)
    if HOW == "leave":
        os._exit(0)

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def command(tmp_path):
    script = tmp_path / "echo.py"
    script.write_text(ECHO.format(noise=0, delay=0, leave="/no/such"))
    return f"cat | {sys.executable} -S -E '{script}' | cat"


@pytest.fixture
def kept():
    pipes = Pipes(2)
    yield pipes
    pipes.end()


@pytest.fixture
def owner(command, tmp_path):
    (tmp_path / "owner.py").write_text(OWNER)
    started: list[subprocess.Popen[str]] = []

    def start(how: str) -> subprocess.Popen[str]:
        words = [sys.executable, str(tmp_path / "owner.py"), command, how]
        path = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=path))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def who(kept: Pipes, command: str) -> int:
    return int(kept.ask(command, ["WHO"]).answers[0])


def line(owner: subprocess.Popen[str]) -> list[int]:
    assert owner.stdout is not None
    return [int(word) for word in owner.stdout.readline().split()]


def test_a_command_is_asked_of_one_pipeline(kept, command):
    assert len({who(kept, command) for _ in range(5)}) == 1


def test_the_least_lately_asked_is_ended_where_too_many_run(kept, command):
    commands = [command, f"{command} | cat", f"{command} | cat | cat"]
    first, second = who(kept, commands[0]), who(kept, commands[1])

    assert who(kept, commands[0]) == first
    third = who(kept, commands[2])

    assert gone(second)
    assert [who(kept, commands[0]), who(kept, commands[2])] == [first, third]
    assert who(kept, commands[1]) != second
    assert gone(first)


def test_a_file_or_a_program_that_changed_is_read_anew(kept, command, tmp_path, monkeypatch):
    first = who(kept, command)
    script = tmp_path / "echo.py"

    os.utime(script, ns=(0, 0))
    second = who(kept, command)
    (tmp_path / "cat").write_text("#!/bin/sh\nexec /bin/cat\n")
    (tmp_path / "cat").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    third = who(kept, command)

    assert len({first, second, third}) == 3
    assert who(kept, command) == third


@pytest.mark.parametrize("how", ["end", "leave", "pool forkserver", "pool spawn", "pool fork"])
def test_they_end_with_their_process_and_with_its_workers(how, owner):
    started = owner(how)

    pids = line(started)

    assert started.wait(20) == 0
    assert len({*pids}) == (1 if how in {"end", "leave"} else len({*pids[1:]}) + 1)
    assert all(gone(pid) for pid in pids)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_they_end_with_a_process_that_is_killed(by, owner):
    started = owner("stay")
    (pid,) = line(started)

    started.send_signal(by)

    assert gone(pid)


def test_a_child_of_fork_has_its_own_and_holds_none_of_its_parent(owner):
    started = owner("fork")
    lines = sorted((line(started), line(started)), key=lambda pids: pids[0] == pids[1])

    (before, own, again), (kept, still, child) = lines
    started.kill()
    started.wait()

    assert before == kept == still != own == again
    assert gone(kept)  # though the child, which was born when it ran, is still there
    assert not gone_now(own)
    os.kill(child, signal.SIGKILL)
    assert gone(own)


def gone_now(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()
