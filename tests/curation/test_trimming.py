"""`paragraph_duplicates` and `substring_duplicates` against plain computations over Python lists."""

import random
import re
from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.schema import MESSAGE
from corpus.tiles import tiles
from curation.length import Length
from curation.paragraph_duplicates import ParagraphDuplicates
from curation.substring_duplicates import SubstringDuplicates
from tests import laws
from tests.corpora import make, send

A, B, C, D = (
    "The first of the paragraphs has eight words and more.",
    "Another paragraph that says quite other things than that one.",
    "A third one, of which nobody else has ever heard anything.",
    "And the fourth, which stands in nearly all of the rows.",
)


def words(said: str) -> list[str]:
    return re.findall(r"[^\W_]+", said.casefold().replace("'", ""))


def best_first(rows: pa.Table) -> list[dict]:
    """Return the rows in the order in which they keep what several have: the most confident first."""
    return sorted(rows.to_pylist(), key=lambda row: -row["confidence"])


def paragraphs_left(rows: pa.Table, min_words: int) -> dict[str, list[str] | None]:
    """Return for each row the paragraphs that it keeps, or None where each word of it is repeated."""
    held: set[tuple[str, ...]] = set()
    left = {}
    for row in best_first(rows):
        pieces = re.split(r"\n\s*\n", row["messages"][0]["content"])
        keys = [tuple(words(piece)) for piece in pieces]
        gone = [len(key) >= min_words and key in held for key in keys]
        held |= {key for key in keys if len(key) >= min_words}
        lost = any(gone) and all(one or not key for one, key in zip(gone, keys, strict=True))
        left[row["id"]] = (
            None if lost else [piece for piece, one in zip(pieces, gone, strict=True) if not one]
        )
    return left


def sentences(content: str) -> list[str]:
    found = tiles(make([content]), "sentence")
    raw = content.encode()
    return [raw[start:stop].decode() for start, stop in zip(found.start, found.stop, strict=True)]


def sentences_left(rows: pa.Table, size: int) -> dict[str, str | None]:
    """Return what is left of each row, or None where each word of it is repeated, row by row, the best first.

    The first row of a run holds it, as long as it has lost none of its words.
    """
    holders: dict[tuple[str, ...], tuple[str, int]] = {}
    lost: dict[str, set[int]] = {}
    left = {}
    for row in best_first(rows):
        content = row["messages"][0]["content"]
        pieces = sentences(content)
        spoken = [words(piece) for piece in pieces]
        said = [word for piece in spoken for word in piece]
        runs = [tuple(said[at : at + size]) for at in range(len(said) - size + 1)]
        inside: set[int] = set()
        for at, run in enumerate(runs):
            holder, start = holders.get(run, ("", 0))
            if holder and not lost[holder] & {*range(start, start + size)}:
                inside |= {*range(at, at + size)}
        for at, run in enumerate(runs):
            holders.setdefault(run, (row["id"], at))
        ends = [0]
        for own in spoken:
            ends.append(ends[-1] + len(own))
        spans = [{*range(start, stop)} for start, stop in pairwise(ends)]
        gone = [bool(span) and span <= inside for span in spans]
        whole = bool(said) and len(inside) == len(said)
        lost[row["id"]] = {at for span, one in zip(spans, gone, strict=True) if one for at in span}
        kept = "".join(piece for piece, one in zip(pieces, gone, strict=True) if not one)
        kept = kept.lstrip() if gone and gone[0] else kept
        left[row["id"]] = None if whole else kept.rstrip() if gone and gone[-1] else kept
    return left


def left(outcome) -> dict[str, str]:
    return {row["id"]: row["messages"][0]["content"] for row in outcome.kept.to_pylist()}


def told(rows: list[str]) -> pa.Table:
    """Make rows of unlike confidence, so that each has its place."""
    return make(rows, confidence=[1 - number / (len(rows) + 1) for number in range(len(rows))])


vocabulary = [f"w{number}" for number in range(12)]
sayings = st.lists(st.sampled_from(vocabulary), min_size=1, max_size=7).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.lists(sayings, min_size=1, max_size=5).map("\n\n".join), max_size=9, unique=True))
def test_paragraphs_are_cut_as_a_plain_loop_over_rows_cuts_them(rows):
    held = told(rows)

    outcome = laws.sent(held, [ParagraphDuplicates(min_words=2)], part_rows=3)

    expected = paragraphs_left(held, 2)
    assert left(outcome) == {
        row: "\n\n".join(kept).strip() for row, kept in expected.items() if kept is not None
    }


ended = st.lists(st.sampled_from(vocabulary[:5]), min_size=1, max_size=6).map(
    lambda some: " ".join(some).upper() + ". "
)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(ended, min_size=1, max_size=6).map("".join), max_size=8, unique=True))
def test_sentences_are_cut_as_a_plain_loop_over_rows_cuts_them(rows):
    held = told(rows)

    outcome = laws.sent(held, [SubstringDuplicates(min_words=4)], part_rows=3)

    expected = sentences_left(held, 4)
    gone = {row for row, kept in expected.items() if kept is None}
    assert set(outcome.dropped) == gone
    assert left(outcome) == {row: said for row, said in expected.items() if said is not None}


def test_long_runs_are_found_wherever_they_begin(tmp_path):
    generator = random.Random(3)
    known = [f"{chr(97 + number % 26)}{number}" for number in range(4_000)]
    shared = " ".join(generator.choices(known, k=120))
    rows = []
    for _ in range(40):
        before = " ".join(generator.choices(known, k=generator.randint(1, 90)))
        after = " ".join(generator.choices(known, k=generator.randint(1, 90)))
        start = generator.randint(0, 60)
        piece = " ".join(shared.split()[start : start + generator.randint(45, 60)]).capitalize()
        rows.append(f"{before.capitalize()}. {piece}. {after.capitalize()}.")
    held = told(rows)

    outcome = send(held, [SubstringDuplicates(min_words=50)], tmp_path, part_rows=7)
    spilled = send(held, [SubstringDuplicates(min_words=50)], tmp_path / "two", part_rows=9, memory=5_000)

    expected = sentences_left(held, 50)
    assert left(outcome) == expected
    assert spilled.fates() == outcome.fates()
    assert sum(len(sentences(said)) == 2 for said in expected.values()) > 10


def test_a_row_of_which_all_stands_elsewhere_goes_and_names_the_row_that_keeps_it():
    held = told([f"{A}\n\n{B}", f"{C}\n\n{D}", f"{B.upper()}\n\n{D}\n\n***"])

    outcome = laws.sent(held, [ParagraphDuplicates()])

    by_text = {row["messages"][0]["content"]: row["id"] for row in held.to_pylist()}
    gone = [line for line in outcome.ledger.to_pylist() if line["action"] == "drop"]
    assert [(line["reason"], line["score"], line["other"]) for line in gone] == [
        ("repeated_whole", 1.0, by_text[f"{A}\n\n{B}"])
    ]
    assert outcome.kept.num_rows == 2


def test_what_is_cut_is_told_in_the_ledger_and_in_the_row():
    held = told([f"{A}\n\n{D}", f"{B}\n\n{D}"])

    outcome = laws.sent(held, [ParagraphDuplicates()])

    (line,) = outcome.ledger.to_pylist()
    assert (line["action"], line["reason"], line["detail"]) == (
        "mark",
        "repeated_paragraphs",
        "1 of 2 paragraphs, 11 of 21 words",
    )
    assert sorted(left(outcome).values()) == sorted([f"{A}\n\n{D}", B])
    assert [row["extra"] for row in outcome.kept.to_pylist() if row["extra"]] == [
        '{"marks":["paragraph_duplicates"]}'
    ]


def test_stages_behind_a_cut_read_what_is_left():
    held = told([f"{A}\n\n{D}", f"Two words\n\n{D}"])

    outcome = laws.sent(held, [ParagraphDuplicates(), Length(min_words=3)])

    assert sorted(left(outcome).values()) == [f"{A}\n\n{D}"]
    assert [line["stage"] for line in outcome.ledger.to_pylist() if line["action"] == "drop"] == ["length"]


def test_a_run_that_covers_no_whole_sentence_is_told_and_not_cut():
    run = " ".join(f"w{number}" for number in range(200))
    rows = [run, f"my own start {run}"]

    outcome = laws.sent(told(rows), [SubstringDuplicates()])

    (line,) = outcome.ledger.to_pylist()
    assert (line["action"], line["reason"], line["score"]) == ("mark", "repeated_not_cut", 200 / 203)
    assert line["detail"] == "0 of 1 sentences, 0 of 203 words; 200 words are repeated"
    assert sorted(left(outcome).values()) == sorted(rows)


def test_no_text_is_cut_from_every_row():
    """A run whose words its own holder loses to others is held by nobody."""
    rows = ["a b c d z z z z e f g h.", "c d e f and what is more.", "a b c d e f g h.", "c d e f."]
    held = make(rows, confidence=[0.9, 0.2, 0.8, 0.7])

    outcome = laws.sent(held, [SubstringDuplicates(min_words=4)])

    kept = " | ".join(left(outcome).values())
    assert "c d e f" in kept
    stays = set(outcome.kept["id"].to_pylist())
    assert all(line["other"] in stays for line in outcome.ledger.to_pylist() if line["action"] == "drop")


@pytest.mark.parametrize("stage", [ParagraphDuplicates, SubstringDuplicates])
def test_what_was_not_read_saves_a_chat_and_no_turn_is_emptied(stage):
    turns = [
        [("system", D), ("user", f"{question} {A}"), ("assistant", f"{question} {B}")]
        for question in ("One is asked.", "Two is asked.", "Three is asked.")
    ]
    same = [[("user", C), ("assistant", answer)] for answer in ("Yes, it is.", "No, it is not.")]

    for rows, roles in ((turns, ("system",)), (same, ("user",)), (turns, None), (same, ("system", "user"))):
        held = chat(told([str(number) for number in range(len(rows))]), rows)
        outcome = laws.sent(held, [stage(roles=roles, min_words=4)])

        assert outcome.dropped == []
        assert all(turn["content"] for row in outcome.kept.to_pylist() for turn in row["messages"])


def test_paragraphs_stay_apart_where_the_sentence_between_them_goes():
    shared = "Beta gamma delta epsilon zeta eta theta."
    rows = [
        f"Own words begin the first of both.\n\n{shared}",
        f"    code = 1\nAlpha one two three. {shared}\n\nA new paragraph begins.",
    ]

    outcome = laws.sent(told(rows), [SubstringDuplicates(min_words=6)])

    assert "    code = 1\nAlpha one two three.\n\nA new paragraph begins." in left(outcome).values()


def test_rows_that_differ_in_an_emoji_or_a_sign_both_stay():
    rows = ["I waited for this thing for two weeks 😊", "I waited for this thing for two weeks 😡"]
    rows += ["for all real x it holds that x + y = 3", "for all real x it holds that x y = 3"]

    outcome = laws.sent(told(rows), [ParagraphDuplicates()])

    assert outcome.kept.num_rows == 4


def test_marks_leave_texts_as_they_are():
    rows = [f"{A}\n\n{D}", f"{B}\n\n{D}", D]

    outcome = laws.sent(told(rows), [ParagraphDuplicates(action="mark")])

    assert sorted(left(outcome).values()) == sorted(rows)
    assert outcome.ledger["action"].to_pylist() == ["mark", "mark"]


def test_lines_are_compared_one_by_one():
    rows = [f"{A}\n{D}\nshort", f"{D}\n{B}\nshort"]

    outcome = laws.sent(told(rows), [ParagraphDuplicates(unit="line")])

    assert sorted(left(outcome).values()) == sorted([f"{A}\n{D}\nshort", f"{B}\nshort"])


def chat(rows: pa.Table, turns: list[list[tuple[str, str]]]) -> pa.Table:
    held = [[{"role": role, "content": said} for role, said in one] for one in turns]
    return rows.set_column(
        rows.schema.get_field_index("messages"), "messages", pa.array(held, pa.list_(MESSAGE))
    )


@pytest.mark.parametrize(("roles", "cut"), [(("text",), False), (("assistant",), True)])
def test_of_chats_those_turns_are_cut_that_are_named(roles, cut):
    turns = [
        [("system", A), ("user", C), ("assistant", f"{B}\n\n{D}")],
        [("system", A), ("user", D), ("assistant", "Short."), ("user", C), ("assistant", f"Yes.\n\n{D}")],
    ]
    held = told(["one", "two"])
    order = {row["messages"][0]["content"]: number for number, row in enumerate(held.to_pylist())}
    placed = [turns[0], turns[1]] if order["one"] == 0 else [turns[1], turns[0]]

    outcome = laws.sent(chat(held, placed), [ParagraphDuplicates(roles=roles)])

    said = {tuple(turn["content"] for turn in row["messages"]) for row in outcome.kept.to_pylist()}
    assert said == {(A, C, f"{B}\n\n{D}"), (A, D, "Short.", C, "Yes." if cut else f"Yes.\n\n{D}")}


@pytest.mark.parametrize("stage", [ParagraphDuplicates(min_words=1, unit="line"), SubstringDuplicates()])
def test_scripts_without_spaces_and_characters_of_many_bytes_are_cut_whole(stage):
    chinese = "今天下雨所以我们都在家里看书喝茶。" * 1 + "明天如果天气好我们就去山上走走顺便看看朋友。" * 3
    held = told([f"前面说别的事情。\n{chinese}", f"另外一件事情😀。\n{chinese}"])

    outcome = laws.sent(held, [stage])

    assert sorted(left(outcome).values()) == sorted(["另外一件事情😀。", f"前面说别的事情。\n{chinese}"])


def test_a_paragraph_in_a_thousand_rows_stays_in_one(tmp_path):
    held = told([f"Row {number} has its own words: {number * 7919}.\n\n{D}" for number in range(1_000)])

    outcome = send(held, [ParagraphDuplicates(min_words=10)], tmp_path, part_rows=100)

    assert sum(D in said for said in left(outcome).values()) == 1
    assert len(left(outcome)) == 1_000
