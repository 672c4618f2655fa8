"""A lexicon finds whole words of any script, whatever their case, blanks and apostrophes."""

import json
import re
import time
import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.lexicon import Lexicon, load
from corpus.schema import UserError


def lexicon(*terms):
    return Lexicon(
        name="t", licence="CC0-1.0", origin="here", caution="none", axes={"axis": {"value": terms}}
    )


def found(terms, texts):
    return lexicon(*terms).mentions(pa.array(texts, pa.string()))["axis=value"].to_pylist()


def test_words_are_found_whole_and_in_any_case():
    texts = ["Women lead", "womenfolk", "post-women.", "WOMEN", "swomen", "women2", "", None]

    assert found(["women"], texts) == [True, False, True, True, False, False, False, False]


def test_word_ends_are_those_of_every_script():
    """An ASCII word boundary would find "man" in "mañana" and "é" nowhere."""
    texts = ["mañana", "man\u0303ana", "roman٣", "éman", "日本man", "man。", "ÉTÉ"]

    assert found(["man", "été"], texts) == [False, False, False, False, False, True, True]


def test_blanks_match_any_white_space_and_apostrophes_are_alike():
    texts = [
        "black\n  women",
        "black\u00a0women",
        "blackwomen",
        "the woman’s bag",
        "the woman's bag",
        "womans",
    ]

    assert found(["black women", "woman's"], texts) == [True, True, False, True, True, False]


def test_a_curly_apostrophe_in_the_lexicon_finds_a_straight_one():
    assert found(["woman’s"], ["a woman's"]) == [True]


def test_operators_of_regular_expressions_are_plain_text():
    texts = ["c++ and c", "a.b", "axb", "(x)", "they/them", "[a-z]*", "q"]

    assert found(["c++", "a.b", "(x)", "they/them", "[a-z]*"], texts) == [
        True, True, False, True, True, True, False,
    ]  # fmt: skip


@given(st.text(max_size=8), st.text(max_size=30))
def test_a_term_is_found_as_a_plain_search_finds_it(term, text):
    """Against a search by hand over folded text, for terms of letters, marks, digits and signs of one case."""
    if not term.strip() or any(unicodedata.category(c)[0] in "LZCS" for c in term) or set(term) & set("'’‘ʼ"):
        return
    inside = {"L", "M", "N"}

    def bounded(start):
        around = (text[start - 1 : start], text[start + len(term) : start + len(term) + 1])
        return not any(unicodedata.category(c)[0] in inside for c in around if c)

    expected = any(bounded(m.start()) for m in re.finditer(f"(?={re.escape(term)})", text))
    assert found([term], [text]) == [expected]


def test_our_lexicon_reads_back_what_it_says():
    texts = pa.array(["Black women at church", "a gay Muslim teenager", "the black cat, oh white christmas"])

    mentions = load("mentions").mentions(texts)

    assert mentions.num_rows == 3
    assert [[name for name in mentions.column_names if mentions[name][row].as_py()] for row in range(3)] == [
        ["gender=women", "religion=christian", "ethnicity=black"],
        ["religion=muslim", "age=young", "orientation=gay"],
        [],
    ]


def test_each_axis_of_ours_says_what_it_misses():
    ours = load("mentions")

    assert set(ours.notes) == set(ours.axes)
    assert [
        term for axis in ours.axes.values() for terms in axis.values() for term in terms if not term
    ] == []


def test_the_digest_follows_the_terms_and_not_the_notes():
    plain = lexicon("a", "b")

    assert plain.digest == plain.model_copy(update={"caution": "other"}).digest
    assert plain.digest != lexicon("a", "c").digest


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "one of ours (mentions)"),
        ("axes: {a: {b: []}}", "name: Field required"),
        ("axes: [", "flow"),
        ("name: n\nlicence: l\norigin: o\ncaution: c\naxes: {a: {b: [' ']}}", "a term must hold a word"),
        ("name: n\nlicence: l\norigin: o\ncaution: c\naxes: {a=b: {b: [c]}}", "hold '='"),
    ],
)
def test_a_lexicon_that_cannot_be_read_is_said_in_one_line(tmp_path, written, said):
    path = "no-such"
    if written is not None:
        path = str(tmp_path / "own.yaml")
        (tmp_path / "own.yaml").write_text(written)

    with pytest.raises(UserError) as error:
        load(path)

    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_lexicon_of_the_users_own_is_read_by_its_path(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("name: n\nlicence: l\norigin: o\ncaution: c\naxes: {region: {scots: [aye, dinnae ken]}}")

    mentions = load(str(file)).mentions(pa.chunked_array([["Aye!"], ["I  dinnae\tken"], ["eyes"]]))

    assert mentions.to_pydict() == {"region=scots": [True, True, False]}


def test_the_demo_corpus_is_searched_in_less_than_three_seconds():
    texts = pa.array(["@southwest thanks for the help, my mother loved the young man at the gate ☀"] * 38_158)
    ours = load("mentions")

    start = time.perf_counter()
    mentions = ours.mentions(texts)

    assert time.perf_counter() - start < 3
    assert mentions.num_rows == 38_158


def trapped(terms, traps, texts):
    held = Lexicon(
        name="t", licence="CC0-1.0", origin="here", caution="none", axes={"axis": {"value": terms, "other": ["x"]}},
        traps={"axis": {"value": traps}},
    )  # fmt: skip
    return held.mentions(pa.array(texts, pa.string()))["axis=value"].to_pylist()


def test_what_stands_in_a_trap_is_no_mention():
    texts = [
        "I flew American Airlines",
        "an American on American Airlines",
        "american airlines, american  AIRLINES american airlines",
        "americans",
        "American-Airlines",
        "pan-american",
        None,
        "",
    ]

    assert trapped(["american", "americans"], ["american airlines"], texts) == [
        False, True, False, True, True, True, False, False,
    ]  # fmt: skip


@given(st.lists(st.text(alphabet="ab ,", max_size=12), max_size=8))
def test_without_traps_in_the_texts_traps_change_nothing(texts):
    assert trapped(["a", "ab b"], ["zzz"], texts) == found(["a", "ab b"], texts)


def test_a_trap_of_no_known_value_is_an_error(tmp_path):
    file = tmp_path / "terms.yaml"
    file.write_text(
        "{name: t, licence: x, origin: x, caution: x, axes: {a: {b: [c]}}, traps: {a: {z: [q]}}}",
        encoding="utf-8",
    )

    with pytest.raises(UserError, match="traps name a=z"):
        load(str(file))


def test_traps_are_part_of_what_mentions_depend_on():
    one = lexicon("a")

    assert one.model_copy(update={"traps": {"axis": {"value": ("a b",)}}}).digest != one.digest


def test_the_precision_told_is_what_was_read():
    """`bench/results/lexicon_reading.json` holds each row that was read."""
    results = Path(__file__).parents[2] / "bench" / "results" / "lexicon_reading.json"
    read = json.loads(results.read_text(encoding="utf-8"))

    told = {axis: (each.read, each.right) for axis, each in load("mentions").precision.items()}

    assert told == {
        axis: (
            sum(one["axis"] == axis for one in read),
            sum(one["axis"] == axis and one["right"] for one in read),
        )
        for axis in load("mentions").axes
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("we flew American Airlines", "nationality=american"),
        ("black coffee, please", "ethnicity=black"),
        ("it fell on deaf ears", "disability=sensory"),
        ("happy Mother's Day", "gender=women"),
        ("a great straight man to the clown", "orientation=straight"),
        ("my account is disabled", "disability=disabled"),
        ("an African-American poet", "nationality=american"),
        ("bamboo poles", "nationality=polish"),
    ],
)
def test_other_senses_are_no_mentions(text, name):
    assert load("mentions").mentions(pa.array([text]))[name].to_pylist() == [False]


@pytest.mark.parametrize("what", ["swaps", "names", "traps"])
def test_what_growth_exchanges_is_of_values_that_are_known(what):
    held = {"other": ("a",)} if what == "traps" else ({"value": "a", "other": "b"},)

    with pytest.raises(ValueError, match="axis=other, which is not among the axes"):
        Lexicon.model_validate({**lexicon("a").model_dump(), "growth": {what: {"axis": held}}})


def test_words_that_nothing_stands_for_are_of_axes_that_are_known():
    with pytest.raises(ValueError, match="unpaired names size, which is not among the axes"):
        Lexicon.model_validate({**lexicon("a").model_dump(), "growth": {"unpaired": {"size": ("big",)}}})


def test_what_growth_exchanges_is_no_part_of_what_mentions_depend_on():
    one = load("mentions")

    assert one.model_copy(update={"growth": type(one.growth)()}).digest == one.digest
