"""A pipeline is asked again and again, answers each text for itself, and leaves nothing behind."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from corpus import pipe
from corpus.piecewise import BrokenError
from corpus.pipe import Pipe

ECHO = """
import os, sys, time
sys.stderr.write("x" * {noise})
left, said = "", b""
while piece := os.read(0, 2**16).decode():
    *whole, left = (left + piece).split("\\0")
    for text in whole:
        body, mark = text[:text.rindex("[")], text[text.rindex("["):]
        if "TELL" in body:
            os.write(2, f"told of {{body}};".encode())
        if "HANG" in body:
            time.sleep(1)
        answer = f"{{os.getpid() if body == 'WHO' else body.upper()}}{{mark}}\\0".encode()
        os.write(1, answer)
        said += answer
        if not body and b"LATE" in said:
            time.sleep({delay})
            os.write(1, said)
        if not body and os.path.exists({leave!r}):
            sys.exit(0)
        said = said if body else b""
"""
"""Answers in capitals, and with its number who asks for that; a batch that is late is said again behind its end."""


def words(noise: int = 0, delay: float = 0.0, leave: str = "/no/such") -> list[str]:
    return [sys.executable, "-S", "-E", "-c", ECHO.format(noise=noise, delay=delay, leave=leave)]


def gone(pid: int) -> bool:
    """Say whether a process ends within some seconds, or has ended and nobody has waited for it."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def who(asked: Pipe) -> int:
    return int(asked.ask(["WHO"]).answers[0])


@pytest.fixture
def echo():
    asked = Pipe(words())
    yield asked
    asked.end()


def test_each_text_has_its_answer_and_one_process_gives_them_all(echo):
    texts = [f"text {number}" * 50 for number in range(2_000)]
    first = who(echo)

    for _ in range(3):
        assert echo.ask(texts).answers == [text.upper() for text in texts]

    assert echo.ask(["", "a", ""]).answers == ["", "A", ""]
    assert who(echo) == first


def test_nothing_asked_begins_nothing():
    assert Pipe(["/no/such/program"]).ask([]).answers == []


def test_what_is_told_of_a_batch_is_told_with_it_and_with_no_other(echo):
    many = [f"TELL {number}" for number in range(3_000)]

    assert echo.ask(many).told == "".join(f"told of {text};" for text in many)
    assert echo.ask(["one"]).told == ""
    assert echo.ask(["TELL two"]).told == "told of TELL two;"


def test_noise_on_standard_error_stops_nobody():
    asked = Pipe(words(noise=2**19))

    assert asked.ask(["one"]).answers == ["ONE"]
    asked.end()


@pytest.mark.parametrize("delay", [0.0, 0.2])
def test_answers_too_many_behind_a_batch_are_never_those_of_the_next(delay):
    asked = Pipe(words(delay=delay))
    late = 0

    for number in range(4):
        texts = [f"LATE {number}", f"text {number}"]
        try:
            assert asked.ask(texts).answers == [text.upper() for text in texts]
        except BrokenError:
            late += 1
        try:
            assert asked.ask(["three", "four"]).answers == ["THREE", "FOUR"]
        except BrokenError:
            late += 1
    asked.end()

    assert delay == 0.0 or late > 0  # they come while the next batch waits for its own


def test_a_pipeline_that_dies_between_two_batches_is_begun_anew(echo):
    first = who(echo)

    os.kill(first, signal.SIGKILL)
    assert gone(first)

    assert echo.ask(["two"]).answers == ["TWO"]
    assert who(echo) != first


def test_a_pipeline_that_leaves_after_each_batch_is_begun_for_each(tmp_path):
    leave = tmp_path / "leave"
    leave.touch()
    asked = Pipe(words(leave=str(leave)))

    pids = []
    for _ in range(3):
        pids.append(who(asked))
        assert gone(pids[-1])

    assert len({*pids}) == 3
    asked.end()


def test_who_hangs_in_a_pipeline_is_ended_with_all_its_neighbours(monkeypatch, tmp_path):
    monkeypatch.setattr(pipe, "SILENCE", 0.5)
    stages = [
        f"{{ echo $BASHPID > {tmp_path}/{name}; exec {program}; }}"
        for name, program in (("first", "cat"), ("second", "sleep 1000"))
    ]
    asked = Pipe(["/bin/bash", "-c", " | ".join([*stages, "cat"])])

    with pytest.raises(BrokenError, match="said nothing"):
        asked.ask(["one"])

    assert all(gone(int(file.read_text())) for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("exit 3", "ended in the middle"),
        ("echo why >&2", "ended in the middle: why"),
        ("exec tr -u 1 2", "ended in the middle"),
        ("exec sed -zu 's/.[0-9]*.$//'", "said nothing"),
        ("exec sed -zu 's/two/t\\x00wo/'", "not in theirs"),
        ("exec sed -zu '/two/d'", "not in theirs"),
        ("exec sed -zu '/two/p'", "not in theirs"),
        ("exec yes", "did not stop"),
    ],
)
def test_a_broken_batch_says_why_and_the_next_begins_anew(command, said, monkeypatch):
    monkeypatch.setattr(pipe, "SILENCE", 0.5)
    asked = Pipe(["/bin/bash", "-c", command])

    for _ in range(2):
        with pytest.raises(BrokenError, match=said):
            asked.ask(["one", "two", "three"])


DRIBBLE = """
import os, time
left = b""
while b"\\0[" not in left or not left.endswith(b"\\0"):
    left += os.read(0, 2**16)
for at in range(len(left)):
    os.write({stream}, left[at:at + 1])
    time.sleep(0.05)
"""


@pytest.mark.parametrize("stream", [1, 2])
def test_who_dribbles_is_waited_for_no_longer_than_a_batch_may_take(stream, monkeypatch):
    monkeypatch.setattr(pipe, "SILENCE", 0.5)
    monkeypatch.setattr(pipe, "LONGEST", (0.5, 1.0))
    asked = Pipe([sys.executable, "-S", "-E", "-c", DRIBBLE.format(stream=stream)])
    began = time.monotonic()

    with pytest.raises(BrokenError, match="in time"):
        asked.ask(["a" * 200, "b" * 200])

    assert time.monotonic() - began < 5  # all of it takes 20 seconds


def test_a_longer_batch_may_take_longer(monkeypatch):
    monkeypatch.setattr(pipe, "SILENCE", 0.5)
    monkeypatch.setattr(pipe, "LONGEST", (0.5, 60.0))
    asked = Pipe([sys.executable, "-S", "-E", "-c", DRIBBLE.format(stream=1)])

    assert asked.ask(["a" * 40]).answers == ["a" * 40]  # in 2 seconds


def test_threads_take_turns(echo):
    batches = [[f"{number} {place}" for place in range(number % 7 + 1)] for number in range(200)]

    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda texts: echo.ask(texts).answers, batches)]

    assert found == [[text.upper() for text in texts] for texts in batches]


def test_an_interrupted_batch_leaves_no_answers_for_the_next(echo, monkeypatch):
    first = who(echo)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)

    with pytest.raises(KeyboardInterrupt):
        echo.ask(["one", "HANG", "two"])
    signal.signal(signal.SIGALRM, before)

    assert gone(first)
    assert echo.ask(["three"]).answers == ["THREE"]


def test_who_is_ended_ends_and_begins_again_when_asked(echo):
    first = who(echo)

    echo.end()
    echo.end()

    assert not Path(f"/proc/{first}").exists()
    assert who(echo) != first


def test_a_killed_one_is_gone_at_once(echo):
    first = who(echo)

    echo.kill()
    echo.kill()

    assert not Path(f"/proc/{first}").exists()
