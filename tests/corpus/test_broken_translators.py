"""A translator that breaks costs the texts that it breaks on, and no other."""

import math
import os
import shutil
import signal
import sys
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import apertium, pipe
from corpus import piecewise as pieces
from corpus.piecewise import BrokenError, piecewise
from corpus.pipes import KEPT
from corpus.schema import UserError


@pytest.fixture(autouse=True, scope="module")
def no_pauses():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_PAUSES", (0.0, 0.0, 0.0))
        yield


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


def test_a_translator_that_answers_nothing_any_more_is_not_asked_for_ever(folder):
    (folder / "bad").write_text(TRANSLATOR.replace('"DIE" in text', "True"))
    texts = [f"text {number}" for number in range(3_000)]

    with pytest.raises(UserError, match=r"ended in the middle.* not even 'a' is answered"):
        translated(texts)

    assert len((folder / "pids").read_text().split()) < 10


@pytest.mark.parametrize("size", [1, 4, 20])
def test_texts_behind_many_that_break_the_translator_are_made_in_parts_of_any_size(folder, size):
    texts = [*(f"DIE {number}" for number in range(8)), *(f"text {number}" for number in range(12))]

    made = [one for at in range(0, 20, size) for one in translated(texts[at : at + size])]

    assert made == [None] * 8 + [text.upper() for text in texts[8:]]


def maker(broken: set[str], sent: list[int], last: int = 10**9) -> Callable[[list[str]], list[str]]:
    """Return what breaks on some texts, and on all of them from the ask `last` on; `sent` learns how many each ask was for."""

    def make(some: list[str]) -> list[str]:
        sent.append(len(some))
        if broken.intersection(some) or len(sent) > last:
            raise BrokenError("broken")
        return [f"<{text}>" for text in some]

    return make


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 64, 65, 1_000])
def test_what_is_sent_in_pieces_comes_back_in_its_order(count):
    texts = [str(number) for number in range(count)]
    broken, sent = {"0", "64", str(count - 1)}, []

    made = piecewise(maker(broken, sent), texts, "a")

    assert made == [None if text in broken else f"<{text}>" for text in texts]
    assert len(sent) < 100


@given(st.integers(1, 300), st.sets(st.integers(0, 299)), st.integers(1, 300))
def test_the_same_texts_in_parts_of_any_size_have_the_same_answers(count, places, size):
    texts = [str(number) for number in range(count)]
    broken = {str(place) for place in places}

    parts = [piecewise(maker(broken, []), texts[at : at + size], "a") for at in range(0, count, size)]

    assert [one for part in parts for one in part] == [
        None if text in broken else f"<{text}>" for text in texts
    ]


@pytest.mark.parametrize("count", [1, 8, 100, 5_000])
def test_a_text_that_breaks_costs_few_asks_more(count):
    sent = []

    piecewise(maker({str(count // 2)}, sent), [str(number) for number in range(count)], "a")

    assert len(sent) <= 2 + 8 * (1 + math.ceil(math.log(count, 8)))


@given(st.integers(1, 60), st.sets(st.integers(0, 59)), st.integers(0, 200))
def test_who_is_dead_is_told_by_the_known_text_and_condemns_none(count, places, last):
    texts = [str(number) for number in range(count)]
    broken, sent = {str(place) for place in places}, []

    try:
        made = piecewise(maker(broken, sent, last), texts, "a")
    except UserError as error:
        assert "not even 'a'" in str(error)  # noqa: PT017 - either may come
        assert last < len(sent) <= last + 7
    else:
        assert made == [None if text in broken else f"<{text}>" for text in texts]


def test_a_machine_that_lacks_something_for_a_moment_ends_nothing(monkeypatch):
    slept, sent = [], []
    monkeypatch.setattr(pieces, "_PAUSES", (0.0, 1.0, 5.0))
    monkeypatch.setattr(pieces.time, "sleep", slept.append)

    def make(texts):
        sent.append(texts)
        if len(sent) < 6:
            raise BrokenError("no memory")
        return [f"<{text}>" for text in texts]

    assert piecewise(make, ["one", "two"], "a") == ["<one>", "<two>"]
    assert slept == [0.0, 1.0, 5.0]
