"""What the benches of growth count is what is there, and their sheet tells nobody whose a line is."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from bench.augmentation import rates
from bench.augmentation_losses import (
    Made,
    changed,
    losses,
    masked_words,
    plain_negation,
    plain_number,
    plain_piece,
    plain_words,
)
from bench.augmentation_nltk import tagged
from bench.augmentation_peers_read import answered, told
from bench.augmentation_peers_sheet import READ, write_sheet
from bench.augmentation_sheet import kept
from bench.watched import embedded
from corpus.morphology import Word

RESULTS = Path("bench/results")
PARENT = "@ann I paid 40 of $1,200 at http://t.co/9x #ok, not more"


@pytest.mark.parametrize(
    ("parent", "candidate", "share"),
    [
        ("the crew was kind", "the crew was kind", 0),
        ("the crew was kind", "The staff was kind!", 1 / 4),
        ("the crew was kind", "was kind the crew", 1 / 2),
        ("the crew was kind", "the crew was very kind today", 1 / 3),
        ("the crew http://t.co/a", "the crew @ann #wow", 0),
        ("http://t.co/a", "", 0),
        ("the crew", "", 1),
    ],
)
def test_the_share_of_words_that_changed_is_of_the_longer_text(parent, candidate, share):
    assert changed(parent, candidate, plain_words) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "plain", "masked"),
    [
        ("The crew, at 7!", ["the", "crew", "at", "7"], ["the", "crew,", "at", "!"]),
        ("@ann it's #ok http://t.co/a now", ["it's", "now"], ["it's", "now"]),
        ("", [], []),
    ],
)
def test_plain_words_have_no_marks_and_masked_ones_are_what_admission_compares(text, plain, masked):
    assert (plain_words(text), masked_words(text)) == (plain, masked)


def test_the_docstring_tells_how_far_the_two_ways_to_cut_words_are_apart():
    key = json.loads((RESULTS / "augmentation_sheet.key.json").read_text())["lines"]
    with (RESULTS / "augmentation_sheet.csv").open(newline="", encoding="utf-8") as file:
        pairs = [
            (row["original"], row["candidate"])
            for row, known in zip(csv.DictReader(file), key, strict=True)
            if known["kind"] == "admitted"
        ]

    counts = {
        words: sum(changed(*pair, words) >= 0.2 for pair in pairs) for words in (plain_words, masked_words)
    }

    assert (len(pairs), counts) == (150, {plain_words: 85, masked_words: 79})


def test_what_readers_answered_is_read_under_the_names_that_are_committed(tmp_path):
    (tmp_path / "c.csv").write_text("one")
    (tmp_path / "d.csv").write_text("two")

    names = kept([tmp_path / "c.csv", tmp_path / "d.csv"], tmp_path)

    assert [name.name for name in names] == [
        "augmentation_sheet.reader1.csv",
        "augmentation_sheet.reader2.csv",
    ]
    assert [name.read_text() for name in kept(names, tmp_path)] == ["one", "two"]
    told = json.loads((RESULTS / "augmentation_sheet.json").read_text())["readers"]
    assert [one["sheet"] for one in told] == [name.name for name in names]
    assert all((RESULTS / one["sheet"]).exists() for one in told)


@pytest.mark.parametrize(
    ("candidate", "lost"),
    [
        (PARENT, (False, False, False)),
        ("at http://t.co/9x #ok @ann paid 40, not more than 1,200", (False, False, False)),
        (PARENT.replace("http://t.co/9x", "http: / / t. co / 9x"), (True, False, False)),
        (PARENT.replace("@ann", "@ ann"), (True, False, False)),
        (PARENT.replace("#ok", "ok"), (True, False, False)),
        (PARENT.replace("40", "41"), (False, True, False)),
        (PARENT.replace("1,200", "1, 200"), (False, True, False)),
        (PARENT.replace("not", "much"), (False, False, True)),
        (PARENT.replace("not", "won't pay"), (False, False, False)),
    ],
)
def test_what_is_lost_is_seen_by_plain_expressions(candidate, lost):
    assert tuple(ask(PARENT, candidate) for ask in (plain_piece, plain_number, plain_negation)) == lost


def test_losses_are_rates_of_the_candidates_that_there_are():
    made = Made([[PARENT], None, [], ["a", "b"], [PARENT.replace("not", "much")]], ["an error"], 1.0, 2.0)

    told = losses([PARENT] * 5, made)

    assert (told["candidates"], told["rows_without_one"], told["rows_with_several"]) == (3, 2, 1)
    assert told["rows_per_second"] == 2.5
    assert (told["left_as_it_was"]["value"], told["left_as_it_was"]["n"]) == (0.3333, 3)
    assert told["link_handle_or_hashtag_lost"]["value"] == told["number_changed_plain"]["value"] == 0.3333
    assert told["negation_changed"]["value"] == told["negation_changed_plain"]["value"] == 0.6667


def test_a_system_of_which_nothing_passed_has_no_rates():
    told = losses([PARENT], Made([None], [], 0.0, 1.0))

    assert told["words_changed"]["median"] is None
    assert (told["left_as_it_was"]["value"], told["left_as_it_was"]["n"]) == (None, 0)


def test_the_sheet_is_mixed_and_blind_and_the_key_says_whose_a_line_is(tmp_path):
    ids, texts = [f"row{at}" for at in range(100)], [f"=sum({at}) was kind" for at in range(100)]
    made = {
        "one": Made([[f"{said} today"] for said in texts], [], 0.0, 1.0),
        "two": Made([[said] if at % 2 else [f"{said} today"] for at, said in enumerate(texts)], [], 0.0, 1.0),
        "three": Made([None] * 100, [], 0.0, 1.0),
    }
    sheet, key = tmp_path / "sheet.csv", tmp_path / "key.csv"

    write_sheet(ids, texts, ["positive"] * 100, made, sheet, key)

    lines, keys = (list(csv.DictReader(file.open(encoding="utf-8"))) for file in (sheet, key))
    whose = {one["line"]: {other["system"] for other in keys if other["line"] == one["line"]} for one in keys}
    assert [sum(name in systems for systems in whose.values()) for name in made] == [READ, READ, 0]
    assert len({*whose}) == len(lines) == len({line["candidate"] for line in lines})
    assert [line["line"] for line in lines] == sorted(line["line"] for line in lines)
    assert {line["meaning_kept"] + line["label_kept"] for line in lines} == {""}
    assert all(line["original"].startswith("'=") and line["original"] in line["candidate"] for line in lines)
    assert not {"one", "two"} & {cell for line in lines for cell in line.values()}
    drawn_of_two = {one["row"] for one in keys if one["system"] == "two"}
    assert all(int(row.removeprefix("row")) % 2 == 0 for row in drawn_of_two)  # the others are as they were


def test_the_same_sheet_is_drawn_again(tmp_path):
    made = {"one": Made([[f"{at}"] for at in range(50)], [], 0.0, 1.0)}
    names = ("sheet", "key", "again", "key_again")
    sheet, key, again, key_again = (tmp_path / name for name in names)

    for pair in ((sheet, key), (again, key_again)):
        write_sheet([str(at) for at in range(50)], ["x"] * 50, [None] * 50, made, *pair)

    assert (sheet.read_bytes(), key.read_bytes()) == (again.read_bytes(), key_again.read_bytes())


def test_who_is_embedded_twice_is_counted():
    candidates = np.array([True, True, False, False])

    assert embedded([np.array([0, 2]), np.array([0, 1, 3])], candidates) == {
        "calls": 2,
        "candidates": 2,
        "other_rows": 2,
        "candidates_asked_twice": 1,
        "other_rows_asked_twice": 0,
    }
    assert embedded([], candidates)["calls"] == 0


def test_rates_are_of_the_rounds():
    told = rates(100, [1.0, 4.0, 2.0], [0.25, 0.25, 0.5])

    assert told["per_second"] == {"median": 50, "low": 25, "high": 100}


def test_words_are_tagged_as_penn_does():
    pieces = [
        Word("We", (("prpers", ("prn", "subj", "p1", "mf", "pl")),)),
        " ",
        Word("bought", (("buy", ("vblex", "past")),)),
        " ",
        Word("bigger", (("big", ("adj", "sint", "comp")),)),
        " ",
        Word("cars", (("car", ("n", "pl")),)),
        " ",
        Word("a lot of", (("a lot of", ("det",)),)),
        Word("Xqza", ()),
    ]

    assert tagged(pieces) == [
        ("We", "PRP"), ("bought", "VBD"), ("bigger", "JJR"), ("cars", "NNS"),
        ("a", "NN"), ("lot", "NN"), ("of", "NN"), ("Xqza", "NN"),
    ]  # fmt: skip


def test_what_readers_say_is_told_by_system_and_a_line_of_two_counts_for_both(tmp_path):
    key = [("a", "ours"), ("b", "ours"), ("b", "theirs"), ("c", "theirs"), ("d", "theirs")]
    one = {"a": (True, True), "b": (True, True), "c": (False, True), "d": (False, False)}
    other = {**one, "d": (True, False)}

    read = told(key, [one, other])

    values = {
        name: [share["value"] for share in read["systems"][name]["meaning_kept"]]
        for name in ("ours", "theirs")
    }
    assert values == {"ours": [1, 1], "theirs": [0.3333, 0.6667]}
    assert read["systems"]["theirs"]["label_kept"][0]["n"] == 3
    assert read["agreement"]["meaning_kept"]["kappa"] == pytest.approx(0.5)  # 3 of 4 alike, 1 of 2 by chance
    assert read["agreement"]["label_kept"]["kappa"] == pytest.approx(1)


@pytest.mark.parametrize("lines", [["a,yes,no"], ["a,yes,no", "b,no,no", "b,no,no"], ["a,yes,no", "c,no,no"]])
def test_a_reader_who_left_a_line_out_or_answered_it_twice_is_not_counted(lines, tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text("\n".join(["line,meaning_kept,label_kept", *lines]))

    with pytest.raises(SystemExit, match="the sheet has 2"):
        answered(file, ["a", "b"])
