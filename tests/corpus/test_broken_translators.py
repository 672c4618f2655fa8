"""A translator that breaks costs the texts that it breaks on, and no other."""

import os
import shutil
import signal
import sys

import pyarrow as pa
import pytest

from corpus import apertium, pipe
from corpus.piecewise import BrokenError, piecewise
from corpus.pipes import KEPT

TRANSLATOR = f"""#!{sys.executable}
import os, pathlib, sys, time
here = pathlib.Path(__file__).parent
with open(here / "pids", "a") as pids:
    print(os.getpid(), file=pids)
out = sys.stdout

def texts():
    left = ""
    while piece := os.read(0, 2**16).decode():
        *whole, left = (left + piece).split("\\0")
        yield from whole

for text in texts():
    if "DIE" in text or ("ONCE" in text and not (here / "once").exists()):
        (here / "once").touch()
        sys.exit(3)
    if "HANG" in text:
        out.flush()
        time.sleep(1_000)
    while "FOREVER" in text:
        out.write("and on " * 1_000)
    if "MUTE" in text:
        sys.stdout.close()
        os.close(1)
        os.close(2)
        time.sleep(1_000)
    if "BYTES" in text:
        out.flush()
        os.write(1, b"\\xff[]\\0")
        continue
    if "SWALLOW" in text:
        continue
    mark = text[text.rindex("["):]
    answer = mark if "EMPTY" in text else text if "SAME" in text else text.upper()
    if "NUL" in text:
        answer = answer.replace(" ", "\\0")
    out.write(answer.removesuffix(mark) + "\\0" if "CUT" in text else answer + "\\0")
    if "TWICE" in text:
        out.write(answer + "\\0")
    out.flush()
    if "LAST" in text:
        sys.exit(0)
"""
BREAKS = ["DIE", "HANG", "FOREVER", "MUTE", "BYTES", "SWALLOW", "CUT", "TWICE", "NUL", "LAST"]

pytestmark = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="needs apt-get install apertium apertium-eng-spa"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "modes").mkdir()
    (tmp_path / "bad").write_text(TRANSLATOR)
    (tmp_path / "bad").chmod(0o755)
    (tmp_path / "modes" / "eng-bad.mode").write_text(f"'{tmp_path}/bad'\n")
    monkeypatch.setenv("APERTIUM_DATADIR", str(tmp_path))
    monkeypatch.setattr(pipe, "SILENCE", 1.0)
    apertium.pipeline.cache_clear()
    yield tmp_path
    apertium.pipeline.cache_clear()
    KEPT.end()
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def translated(texts: list[str]) -> list[str | None]:
    return apertium.translate("eng", "bad", pa.array(texts, pa.string())).to_pylist()


@pytest.mark.parametrize("breaks", BREAKS)
def test_a_text_that_breaks_the_translator_is_not_made_and_its_neighbours_are(folder, breaks):
    texts = [f"text {number}" for number in range(20)]
    texts[13] = f"text {breaks}"

    answers = translated(texts)

    assert answers == [None if text == f"text {breaks}" else text.upper() for text in texts]


def test_an_empty_answer_and_the_source_itself_are_answers(folder):
    assert translated(["one", "EMPTY", "Two SAME", "three"]) == ["ONE", "", "Two SAME", "THREE"]


def test_a_translator_that_dies_once_makes_all_on_a_second_try(folder):
    texts = ["one", "ONCE", "three"]

    assert translated(texts) == ["ONE", "ONCE", "THREE"]
    assert (folder / "once").exists()


def test_a_text_alone_has_a_second_try_too(folder):
    assert translated(["ONCE"]) == ["ONCE"]
    assert translated(["DIE"]) == [None]


@pytest.mark.parametrize("breaks", BREAKS)
def test_the_next_batch_is_as_if_none_had_broken(folder, breaks):
    assert translated(["one", "two"]) == ["ONE", "TWO"]

    translated(["three", f"four {breaks}", "five"])

    assert translated(["six", "seven"]) == ["SIX", "SEVEN"]


def test_one_translator_makes_all_batches(folder):
    for number in range(5):
        assert translated([f"text {number}", "two"]) == [f"TEXT {number}", "TWO"]

    assert len((folder / "pids").read_text().split()) == 1


def test_a_translator_that_is_killed_between_two_batches_costs_no_text(folder):
    assert translated(["one"]) == ["ONE"]

    os.kill(int((folder / "pids").read_text()), signal.SIGKILL)

    assert translated(["two", "three"]) == ["TWO", "THREE"]
    assert len((folder / "pids").read_text().split()) == 2


def test_a_translator_that_breaks_on_everything_is_not_asked_for_ever(folder):
    texts = [f"DIE {number}" for number in range(3_000)]

    assert translated(texts) == [None] * 3_000
    assert len((folder / "pids").read_text().split()) < 30


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 64, 65, 1_000])
def test_what_is_sent_in_pieces_comes_back_in_its_order(count):
    texts = [str(number) for number in range(count)]
    broken = {"0", "64", str(count - 1)}
    sent = []

    def make(some: list[str]) -> list[str]:
        sent.append(len(some))
        if broken.intersection(some):
            raise BrokenError("broken")
        return [f"<{text}>" for text in some]

    assert piecewise(make, texts) == [None if text in broken else f"<{text}>" for text in texts]
    assert len(sent) < 100
