"""Texts cut into lines, paragraphs and sentences."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import text
from corpus.schema import MESSAGE
from corpus.tiles import tiles


def rows(*said: list[str]) -> pa.Table:
    held = [[{"role": "text", "content": content} for content in contents] for contents in said]
    return pa.table({"messages": pa.array(held, pa.list_(MESSAGE))})


def cut(content: str, unit: str) -> list[str]:
    """Return the tiles of a text."""
    found, raw = tiles(rows([content]), unit), content.encode()
    return [raw[start:stop].decode() for start, stop in zip(found.start, found.stop, strict=True)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["It rained. ", "We stayed in."],
        ["Dr. Smith came. ", "J. Doe left at 5 p.m. and slept."],
        ["Stop! ", "Who goes there?! ", "Nobody…"],
        ["“Stop!” he said. ", "(It was late.) ", "They slept."],
        ["It is 3.5 metres. ", "In 2019. ", "Then more."],
        ["1. Wash the rice. ", "2. Cook it."],
        ["今天下雨。", "我们在家。”", "好！"],
        ["यह एक है। ", "वह दो है।"],
        ["A title\n", "And a line\nthat goes on.\n", "Another"],
        ["no end at all, and lower. case goes on"],
        ["First paragraph\n\n", "second one"],
        ["The old man looked at the sea for a long time and said to it that\nHe would not go. ", "He went."],
    ],
)
def test_sentences_end_where_a_reader_would_end_them(sentences):
    assert cut("".join(sentences), "sentence") == sentences


def test_paragraphs_end_at_blank_lines():
    assert cut("\n \none\ntwo\n\n  \nthree\n\n", "paragraph") == ["\n \none\ntwo\n\n  \n", "three\n\n"]


def test_lines_end_at_line_feeds():
    assert cut("one\r\ntwo\n\nthree", "line") == ["one\r\n", "two\n", "\n", "three"]


anything = st.text(st.sampled_from("aB1 .!?。”’)\n\t…é日ก🙂\x00") | st.characters(codec="utf-8"), max_size=60)


@pytest.mark.parametrize("unit", ["line", "paragraph", "sentence"])
@given(said=st.lists(st.lists(anything, max_size=3), max_size=4))
def test_tiles_are_the_text_and_their_words_its_words(unit, said):
    found = tiles(rows(*said), unit)

    for row, contents in enumerate(said):
        for message, content in enumerate(contents):
            mine = (found.row == row) & (found.message == message)
            raw = content.encode()
            spans = zip(found.start[mine], found.stop[mine], strict=True)
            assert [raw[start:stop].decode() for start, stop in spans] == [
                piece for piece in cut(content, unit) if piece
            ]
            assert "".join(cut(content, unit)) == content
    contents = [content for row in said for content in row]
    hashes, _ = text.word_hashes(pa.array(contents, pa.string()), marks=False)
    assert found.hashes.tolist() == hashes.tolist()
    assert len(found.begins) == len(found.row) + 1
