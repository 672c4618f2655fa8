"""Whatever text comes, the duplicates stages account for every row, and tell the same whatever its order, parts and memory."""

import random
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import hostile

LONG = " ".join(f"word{number % 977}" for number in range(400_000))
NAMED = {
    "empty": [b"", b" ", b"\n\n", b"\t"] * 3,
    "one word": [b"yes", b"no", b"yes", b"Yes!", b"YES", b"12", b"+"],
    "equal": [b"the same row of nine words comes again here"] * 500,
    "one character differs": [
        f"the same row of nine words {letter} again here".encode() for letter in "abcdefgh" * 9
    ],
    "half alike": [
        (" ".join(f"all{n}" for n in range(20)) + " ".join(f" own{row * 20 + n}" for n in range(20))).encode()
        for row in range(300)
    ],
    "not UTF-8": [
        b"good words stay here",
        *(b"good words " + bad + b" stay here" for bad in hostile.INVALID),
    ],
    "emoji": ["👩‍👩‍👧‍👦 👩‍👩‍👧 👩‍👩‍👧‍👦", "👍🏽", "👍🏿", "👍", "🇩🇪🇩🇪", "🇩🇪", "☠️", "☠"],
    "NUL": [b"a\x00b", b"a\x00c", b"a", b"\x00", b"\x00\x00"],
    "HTML": [b"<p>one</p>", b"<p>one</p>\n<p>two</p>", b"one", b"&lt;p&gt;one"],
    "code": [b"for i in range(10):\n    print(i)", b"for i in range(11):\n    print(i)", b"for j in x: pass"],
    "long": [LONG.encode(), LONG.encode(), LONG[:-1].encode(), b"short"],
}
STAGES = [[{"stage": name}] for name in sorted(hostile.KNOBS)]
said = st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=30)


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_as_bad_input_is_accounted_for(name, tmp_path):
    texts = [text if isinstance(text, bytes) else text.encode() for text in NAMED[name]]
    rows = hostile.table(texts, random.Random(3))

    for number, stages in enumerate(STAGES):
        folder = tmp_path / str(number)
        folder.mkdir()
        hostile.check(rows, stages, hostile.told(rows, stages, folder, workers=1))


@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(said, max_size=8), often=st.lists(st.integers(0, 7), max_size=20), seed=st.integers(0, 99)
)
def test_any_text_is_accounted_for_and_told_the_same_in_any_order(texts, often, seed):
    draw = random.Random(seed)
    made = hostile.table([*texts, *(texts[which % len(texts)] for which in often if texts)], draw)
    stages = hostile.recipe(draw)

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first = hostile.told(made, stages, Path(one), workers=1)
        hostile.check(made, stages, first)
        backwards = made.take(pa.array(range(len(made))[::-1], pa.int64()))
        hostile.same(first, hostile.told(backwards, stages, Path(two), "1MiB", workers=1, part_rows=3))


@pytest.mark.parametrize("seed", range(12))
def test_a_corpus_of_copies_and_edits_in_all_scripts_is_accounted_for(seed):
    hostile.attempt(seed, 150)
