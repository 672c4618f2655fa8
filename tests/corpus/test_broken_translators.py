"""A translator that breaks costs the texts that it breaks on, and no other."""

import os
import shutil
import sys

import pyarrow as pa
import pytest

from corpus import apertium, piped
from corpus.piecewise import BrokenError, piecewise

TRANSLATOR = f"""#!{sys.executable}
import os, pathlib, sys, time
here = pathlib.Path(__file__).parent
with open(here / "pids", "a") as pids:
    print(os.getpid(), file=pids)
out = sys.stdout
for text in sys.stdin.read().split("\\0")[:-1]:
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
    answer = "[]" if "EMPTY" in text else text if "SAME" in text else text.upper()
    out.write(answer.removesuffix("[]") + "\\0" if "CUT" in text else answer + "\\0")
    if "TWICE" in text:
        out.write(answer + "\\0")
"""
BREAKS = ["DIE", "HANG", "FOREVER", "MUTE", "BYTES", "SWALLOW", "CUT", "TWICE"]

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
    monkeypatch.setattr(piped, "SILENCE", 1.0)
    apertium.pipeline.cache_clear()
    yield tmp_path
    apertium.pipeline.cache_clear()
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
