"""Normalising gives text one form, and leaves plain text alone."""

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.normalise import Normalise

NASTY = st.text(
    st.sampled_from(
        "ab &;<>amplt#38'\t\n\r \u00a0\u200b\u200c\u200d\ufeff\u202e\u200f\ufffdéâ€™Ã©œ\u0301аеоkשمک👩💻\ufe0f\U0001f3f4\U000e0067\x07\x1b\x85\u2028"
    )
    | st.characters(codec="utf-8"),
    max_size=40,
)
WORD = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="&"), min_size=1)
PLAIN = st.lists(st.lists(WORD, min_size=1).map(" ".join), min_size=1).map("\n".join)
STAGES = [
    Normalise(),
    Normalise(replacement_character="remove", look_alikes=False),
    Normalise(white_space="keep", entities=False, mojibake=False),
]


def normalised(texts: list[str], stage: Normalise = STAGES[0]) -> list[str]:
    column = pa.array(texts, pa.string())
    return stage.rewrite(column, column, None).to_pylist()


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("doesnâ€™t", "doesn’t"),
        ("âœ” No problems", "✔ No problems"),
        ("&amp;amp; I &lt;3 you", "& I <3 you"),
        ("&#38;#38;", "&"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("cafe\u0301", "café"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        (" a \t b\u00a0c \n\n\n\n d ", "a b c\n\nd"),
        ("x\u200by\ufeff\x07z\u00ad", "xyz"),
        ("pаypal", "paypal"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\u202eabc", "abc"),
        ("שלום \u200fabc", "שלום \u200fabc"),
        ("lost \ufffd byte", "lost \ufffd byte"),
        ("“curly” ﬁne ＡＢ", "“curly” ﬁne ＡＢ"),
        ("", ""),
    ],
)
def test_each_fault_is_repaired(text, form):
    assert normalised([text]) == [form]


def test_joiners_stay_where_they_mean_something():
    family, flag, persian, hindi = (
        "👩\u200d💻",
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",
        "می\u200cخواهم",
        "क्\u200dष",
    )

    assert normalised([family, flag, persian, hindi]) == [family, flag, persian, hindi]
    assert normalised(["a\u200db", "x\u200cy", "👍\u200d", "a\U000e0067b"]) == ["ab", "xy", "👍", "ab"]


def test_knobs_turn_a_repair_off():
    assert normalised(["&amp;"], Normalise(entities=False)) == ["&amp;"]
    assert normalised(["doesnâ€™t"], Normalise(mojibake=False)) == ["doesnâ€™t"]
    assert normalised(["pаypal"], Normalise(look_alikes=False)) == ["pаypal"]
    assert normalised(["if x:\n    y\n\n\n\n"], Normalise(white_space="keep")) == ["if x:\n    y\n\n\n\n"]
    assert normalised(["lost\ufffd _\ufffd_"], Normalise(replacement_character="remove")) == ["lost __"]


@settings(max_examples=300, deadline=None)
@given(st.lists(NASTY, max_size=4), st.sampled_from(STAGES))
@example(["&amp;lt;"], STAGES[0])
@example(["e\u200b\u0301"], STAGES[0])
def test_normalising_twice_is_normalising_once(texts, stage):
    once = normalised(texts, stage)

    assert normalised(once, stage) == once


@settings(deadline=None)
@given(st.lists(NASTY, max_size=6), st.sampled_from(STAGES))
def test_texts_are_normalised_as_each_alone(texts, stage):
    assert normalised(texts, stage) == [normalised([text], stage)[0] for text in texts]


@settings(deadline=None)
@given(PLAIN, st.sampled_from(STAGES))
def test_plain_ascii_never_changes(text, stage):
    assert normalised([text], stage) == [text]
