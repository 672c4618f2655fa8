"""`winnow init` on files that the project has never seen."""

import csv
import json
import random
from importlib.resources import files as resources

import pytest

from bench import evidence
from corpus.reading.files import form_of
from corpus.schema import UserError
from flows.apply import apply
from flows.draft import init, show
from flows.recipe import load


def reviews(folder, rows: int = 300):
    """Write a shop's CSV: a key, stars, a body, a region; some bodies come twice."""
    generator = random.Random(4)
    words = [f"word{number}" for number in range(300)]
    file = folder / "reviews.csv"
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["review_id", "stars", "body", "region"])
        body = ""
        for number in range(rows):
            body = body if number % 10 == 9 else " ".join(generator.choices(words, k=20))
            writer.writerow([f"r{number}", number % 2 * 4 + 1, body, generator.choice(["EU", "US"])])
    return file


def words(number: int, count: int = 12) -> str:
    """Return some words that are always the same for a number, and unlike those of another."""
    return " ".join(random.Random(number).choices([f"word{place}" for place in range(300)], k=count))


def comments(recipe) -> str:
    """Return what a recipe says of itself, as one line."""
    lines = recipe.read_text().splitlines()
    return " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))


def test_columns_are_told_apart_and_the_draft_runs(tmp_path):
    held = init([str(reviews(tmp_path))], tmp_path / "recipe.yaml", 200)

    source = load(tmp_path / "recipe.yaml").sources[0]

    assert (source.text, source.label, source.uri) == ("body", "stars", "file:reviews.csv")
    assert held["trial"]["rows"]["in"] == 200
    assert json.loads(json.dumps(held, default=str))["recipe"] == str(tmp_path / "recipe.yaml")
    assert any("review_id" in note for note in held["notes"])


def test_only_stages_with_evidence_are_drafted(tmp_path, monkeypatch):
    monkeypatch.setattr("flows.draft._earned", lambda stage: stage == "exact_duplicates")

    held = init([str(reviews(tmp_path))], tmp_path / "recipe.yaml", 50)

    assert [stage["stage"] for stage in held["draft"]["stages"]] == ["exact_duplicates", "split"]


def test_a_recipe_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "recipe.yaml").write_text("mine")

    with pytest.raises(UserError, match="is there already"):
        init([str(reviews(tmp_path))], tmp_path / "recipe.yaml", 50)

    assert (tmp_path / "recipe.yaml").read_text() == "mine"


def test_a_file_without_text_is_told_and_leaves_no_recipe(tmp_path):
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n3,4\n")

    with pytest.raises(UserError, match="no column"):
        init([str(tmp_path / "numbers.csv")], tmp_path / "recipe.yaml", 50)

    assert not (tmp_path / "recipe.yaml").exists()


def test_chats_need_no_column_named(tmp_path):
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"question {number}"},
                {"role": "assistant", "content": f"answer {number}"},
            ]
        }
        for number in range(30)
    ]
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    held = init([str(tmp_path / "chats.jsonl")], tmp_path / "recipe.yaml", 20)

    assert held["trial"]["rows"]["kept"] > 0


def test_plain_text_needs_no_column(tmp_path):
    (tmp_path / "one.txt").write_text("a document of some words " * 30)
    (tmp_path / "two.txt").write_text("another document of other words " * 30)

    held = init([str(tmp_path / "one.txt"), str(tmp_path / "two.txt")], tmp_path / "recipe.yaml", 20)

    assert held["trial"]["rows"]["in"] == 2


def test_rejects_are_counted_and_told_with_a_place_and_the_knob_that_helps(tmp_path, capsys):
    lines = [f"{words(number)}{' café' if number % 2 else ''},{number % 3}\n" for number in range(200)]
    mixed = "naïve " + "".join(lines[:1])
    (tmp_path / "latin.csv").write_bytes(
        b"text,label\n" + mixed.encode() + "".join(lines[1:]).encode("latin-1")
    )

    held = init([str(tmp_path / "latin.csv")], tmp_path / "recipe.yaml", 50)
    show(held)

    told = "rejected: 100 of 200 records as bad_encoding, for example latin.csv:3: undecodable bytes; "
    assert held["rejects"] == {"bad_encoding": 100}
    for place in ("\n".join(held["notes"]), comments(tmp_path / "recipe.yaml"), capsys.readouterr().out):
        assert told in place
        assert "`encoding:`" in place
        assert "`encoding_errors: replace`" in place


def test_a_stray_quote_is_told_with_the_lines_that_are_lost_in_it(tmp_path):
    lines = [f"{words(number)}\t{number % 3}\n" for number in range(500)]
    (tmp_path / "stray.tsv").write_text("text\tlabel\n" + lines[0] + '"' + "".join(lines[1:]))

    init([str(tmp_path / "stray.tsv")], tmp_path / "recipe.yaml", 50)

    assert (
        "rejected: 1 of 2 records as open_quote, for example stray.tsv:3: a quote is never closed; 499 lines"
        in comments(tmp_path / "recipe.yaml")
    )


def test_what_init_counts_as_rejected_is_what_a_whole_run_rejects(tmp_path):
    rows = [f"k{number % 40},{words(number)},{number}\n" for number in range(60)]
    (tmp_path / "odd.csv").write_text("id,text,n\n" + "".join(rows) + "a,b\n,no key,3\n", encoding="utf-8")

    held = init([str(tmp_path / "odd.csv")], tmp_path / "recipe.yaml", 50)
    whole = apply(
        str(tmp_path / "recipe.yaml"), (), tmp_path / "out", store=str(tmp_path / "store"), workers=1
    )

    assert held["rejects"] == {"ragged_row": 1, "null_key": 1, "repeated_key": 20}
    assert whole["rows"]["rejected"] == sum(held["rejects"].values())


def test_no_row_at_all_is_told_by_the_reason_of_the_rejects(tmp_path):
    (tmp_path / "chats.jsonl").write_text('{"messages": "hello there"}\n')

    with pytest.raises(
        UserError, match=r"not one record .*1 of 1 records as bad_messages, for example chats.jsonl:1: .*role"
    ):
        init([str(tmp_path / "chats.jsonl")], tmp_path / "recipe.yaml", 50)

    assert not (tmp_path / "recipe.yaml").exists()


def test_a_column_id_that_repeats_gives_way_to_one_that_does_not(tmp_path):
    rows = [f"k{number % 50},r{number},{words(number)}\n" for number in range(100)]
    (tmp_path / "two.csv").write_text("id,row_id,text\n" + "".join(rows))

    held = init([str(tmp_path / "two.csv")], tmp_path / "recipe.yaml", 100)

    assert load(tmp_path / "recipe.yaml").sources[0].key == "row_id"
    assert held["rejects"] == {}
    assert held["trial"]["rows"]["in"] == 100


def test_a_column_id_that_repeats_is_told_where_no_other_is_a_key(tmp_path):
    rows = [f"k{number % 50},{words(number)}\n" for number in range(100)]
    (tmp_path / "one.csv").write_text("id,text\n" + "".join(rows))

    held = init([str(tmp_path / "one.csv")], tmp_path / "recipe.yaml", 100)

    assert load(tmp_path / "recipe.yaml").sources[0].key is None
    assert held["rejects"] == {"repeated_key": 50}
    assert (
        "50 of 100 records as repeated_key, for example one.csv:52: another record has the key 'k0'; "
        "name a column that tells records apart with `key:`" in comments(tmp_path / "recipe.yaml")
    )


@pytest.mark.parametrize(("last", "offered"), [("r2100", True), ("r7", False)])
def test_a_key_is_offered_where_it_tells_all_rows_apart_that_were_looked_at(tmp_path, last, offered):
    rows = [f"r{number},{words(number, 5)}\n" for number in range(2_100)]
    (tmp_path / "late.csv").write_text("row_id,text\n" + "".join(rows) + f"{last},the last one\n")

    held = init([str(tmp_path / "late.csv")], tmp_path / "recipe.yaml", 50)

    assert any("`key: row_id`" in note for note in held["notes"]) == offered


def test_the_recipe_says_what_was_measured_and_where(tmp_path):
    shipped = json.loads((resources("data") / "evidence.json").read_text())

    held = init([str(reviews(tmp_path))], tmp_path / "recipe.yaml", 50)

    told = comments(tmp_path / "recipe.yaml")
    drafted = [stage for stage in held["draft"]["stages"] if stage["stage"] != "split"]
    assert shipped["corpus"] in told
    assert "split is no cleaning stage" in told
    assert [stage["stage"] for stage in drafted] == list(evidence.CASES)
    for stage in drafted:
        assert f"{stage['stage']}: {shipped['stages'][stage['stage']]['lowers']}, " in told
        assert stage == evidence.CASES[stage["stage"]][2]
    assert "was measured with" not in told


def test_a_knob_that_differs_from_the_measured_one_is_said(tmp_path):
    (tmp_path / "long.csv").write_text("text\n" + "".join(f"{words(number, 80)}\n" for number in range(60)))

    held = init([str(tmp_path / "long.csv")], tmp_path / "recipe.yaml", 50)

    assert held["draft"]["stages"][2]["shingle_words"] == 5
    assert (
        "near_duplicates was measured with shingle_words: 2; 5 stands here, for rows of 80 words, and was not measured."
        in comments(tmp_path / "recipe.yaml")
    )


def test_the_evidence_that_ships_names_the_knobs_that_are_measured():
    shipped = json.loads((resources("data") / "evidence.json").read_text())

    assert {stage: {"stage": stage, **held["knobs"]} for stage, held in shipped["stages"].items()} == {
        stage: knobs for stage, (_, _, knobs, _) in evidence.CASES.items()
    }


@pytest.mark.parametrize(
    ("name", "held", "told"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.jsonl", b"", "a.jsonl is empty"),
        ("a.txt", b"", "a.txt is empty"),
        ("a.csv", b"\n \n\n", "a.csv holds nothing but blank lines"),
        ("a.txt", b"\n \n\n", "a.txt holds nothing but blank lines"),
        ("a.csv", b"text,label\n", "a.csv holds a header and no row under it"),
        ("a.csv", b"text;label", "a.csv holds a header and no row under it"),
        ("a.csv", b"\0" * 4_000, "a.csv is full of NUL bytes.*`encoding: utf-16-le`"),
        ("a.csv", b"\x81\n1\n", "the header of a.csv is neither UTF-8 nor cp1252"),
        ("a.csv", b"text,label\n" + b",good\n,bad\n" * 100, "the column 'text' of a.csv is empty in its first 200"),
        ("a.csv", b"label,stars\ngood,1\nbad,2\n", "no column of a.csv holds text; it has 'label', 'stars'"),
        ("a.csv", b"a,b\n1\n", "no record of a.csv can be read: ragged_row, for example a.csv:2: .*quotes"),
        ("a.csv.gz", b"no gzip", "no record of a.csv.gz can be read: truncated"),
        ("a.json", b'[{"text": "one"}]', r"the ending of a.json says no format; .*\.jsonl holds one JSON object"),
        ("a.doc", b"text", r"the ending of a.doc says no format; give it that of what it holds: \.jsonl, "),
        ("none.csv", None, "there is no file .*none.csv; name a file, a folder or a glob that is there"),
    ],
)  # fmt: skip
def test_a_file_that_gives_no_draft_is_told_by_its_name_and_its_reason(tmp_path, name, held, told):
    if held is not None:
        (tmp_path / name).write_bytes(held)

    with pytest.raises(UserError, match=told) as raised:
        init([str(tmp_path / name)], tmp_path / "recipe.yaml", 50)

    assert "probe" not in str(raised.value)
    assert "format:" not in str(raised.value)
    assert not (tmp_path / "recipe.yaml").exists()


def test_an_empty_folder_is_told(tmp_path):
    (tmp_path / "none").mkdir()

    with pytest.raises(UserError, match="none is empty; name one that holds files"):
        init([str(tmp_path / "none")], tmp_path / "recipe.yaml", 50)


def test_each_ending_that_is_named_to_the_user_is_read(tmp_path):
    (tmp_path / "a.doc").write_text("text")

    with pytest.raises(UserError) as raised:
        init([str(tmp_path / "a.doc")], tmp_path / "recipe.yaml", 50)

    endings = str(raised.value).partition("what it holds: ")[2].split(", ")
    assert endings[0] == ".jsonl"
    assert [ending for ending in endings if form_of(f"a{ending}", None) is None] == []


def test_a_file_that_is_empty_does_not_hide_the_next(tmp_path):
    (tmp_path / "a.csv").write_text("")
    (tmp_path / "b.csv").write_text("body\n" + "".join(f"{words(number)}\n" for number in range(20)))

    init([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")], tmp_path / "recipe.yaml", 50)

    assert load(tmp_path / "recipe.yaml").sources[0].text == "body"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", ["fine day", "хороший день", "美好的一天"])
def test_utf_16_without_a_mark_is_drafted_as_such(tmp_path, encoding, language):
    rows = "".join(f"{language} {number},{number % 2}\n" for number in range(120))
    (tmp_path / "wide.csv").write_bytes(f"text,label\n{rows}".encode(encoding))

    held = init([str(tmp_path / "wide.csv")], tmp_path / "recipe.yaml", 200)

    assert load(tmp_path / "recipe.yaml").sources[0].encoding == encoding
    assert held["trial"]["rows"]["in"] == 120
    assert "text is 'text'" in comments(tmp_path / "recipe.yaml")


def test_a_header_that_is_not_utf_8_is_drafted_as_cp1252(tmp_path):
    rows = "".join(f"{words(number)} café,{number % 2}\n" for number in range(120))
    (tmp_path / "french.csv").write_bytes(f"texte,catégorie\n{rows}".encode("cp1252"))

    init([str(tmp_path / "french.csv")], tmp_path / "recipe.yaml", 200)

    source = load(tmp_path / "recipe.yaml").sources[0]
    assert (source.encoding, source.text, source.label) == ("cp1252", "texte", "catégorie")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(
    ("name", "delimiter"), [("a.csv", ";"), ("a.csv", "|"), ("a.csv", "\t"), ("a.tsv", ","), ("a.tsv", ";")]
)
def test_a_delimiter_that_is_not_that_of_the_ending_is_drafted_and_told(tmp_path, name, delimiter, encoding):
    rows = "".join(f'"{words(number)}, all in all"{delimiter}{number % 2}\n' for number in range(120))
    (tmp_path / name).write_bytes(f"text{delimiter}label\n{rows}".encode(encoding))

    held = init([str(tmp_path / name)], tmp_path / "recipe.yaml", 200)

    assert load(tmp_path / "recipe.yaml").sources[0].delimiter == delimiter
    assert f"delimiter is {delimiter!r}: it parts the cells of {name}" in held["notes"]
    assert held["trial"]["rows"]["in"] == 120
    assert held["rejects"] == {}


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_the_delimiter_of_the_ending_is_not_drafted(tmp_path, name):
    delimiter = {"a.csv": ",", "a.tsv": "\t"}[name]
    (tmp_path / name).write_text(f"text{delimiter}label\na fine day; or not|{delimiter}1\n")

    held = init([str(tmp_path / name)], tmp_path / "recipe.yaml", 50)

    assert "delimiter" not in held["draft"]["sources"][0]


@pytest.mark.parametrize("lines", ["0.jsonl", "b.jsonl"])
def test_a_delimiter_is_drafted_beside_files_that_have_none_and_files_of_one_column(tmp_path, lines):
    (tmp_path / "a.csv").write_text("text;label\na fine day;1\n")
    (tmp_path / "one.csv").write_text("text\na third day\n")
    (tmp_path / lines).write_text('{"text": "another day"}\n')

    held = init([str(tmp_path / "*.*")], tmp_path / "recipe.yaml", 50)

    assert held["draft"]["sources"][0]["delimiter"] == ";"
    assert held["trial"]["rows"]["in"] == 3


@pytest.mark.parametrize(
    ("name", "delimiter"), [("b.csv", ","), ("b.csv", "|"), ("b.tsv", "\t"), ("0.csv", ",")]
)
def test_files_that_differ_in_delimiter_are_told_by_their_names(tmp_path, name, delimiter):
    (tmp_path / "a.csv").write_text("text;label\na fine day;1\n")
    (tmp_path / name).write_text(f"text{delimiter}label\nanother day{delimiter}1\n")

    with pytest.raises(UserError) as raised:
        init([str(tmp_path / "a.csv"), str(tmp_path / name)], tmp_path / "recipe.yaml", 50)

    assert f"a.csv is delimited by ';' and {name} by {delimiter!r}, but a source has one" in str(raised.value)
    assert not (tmp_path / "recipe.yaml").exists()


def test_an_empty_column_text_gives_way_to_a_column_of_text_and_is_told(tmp_path):
    rows = "".join(f",{words(number)},{number % 2}\n" for number in range(120))
    (tmp_path / "a.csv").write_text(f"text,remark,label\n{rows}")

    held = init([str(tmp_path / "a.csv")], tmp_path / "recipe.yaml", 50)

    assert load(tmp_path / "recipe.yaml").sources[0].text == "remark"
    assert "'text' is empty in the first 120 rows" in held["notes"]


def test_columns_of_chats_are_found_whatever_their_case(tmp_path):
    rows = [{"Prompt": f"ask {words(number)}", "completion": f"say {words(-number)}"} for number in range(30)]
    (tmp_path / "turns.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    init([str(tmp_path / "turns.jsonl")], tmp_path / "recipe.yaml", 20)

    source = load(tmp_path / "recipe.yaml").sources[0]
    assert (source.prompt, source.completion) == ("Prompt", "completion")


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_whatever_fails_in_the_trial_leaves_no_recipe(tmp_path, monkeypatch, failure):
    def fail(*_, **__):
        raise failure

    monkeypatch.setattr("flows.draft.apply", fail)

    with pytest.raises(failure):
        init([str(reviews(tmp_path))], tmp_path / "recipe.yaml", 50)

    assert not (tmp_path / "recipe.yaml").exists()


@pytest.mark.parametrize("name", ["rating[/5]", "rating [stars]", "rating [bold red]", "rating :smile:"])
def test_names_are_printed_as_they_are(tmp_path, capsys, name):
    folder = tmp_path / "[bold]"
    folder.mkdir()
    rows = "".join(f"{words(number)},{number % 2}\n" for number in range(120))
    (folder / "a.csv").write_text(f"text,{name}\n{rows}")

    show(init([str(folder / "a.csv")], folder / "recipe.yaml", 50))

    out = capsys.readouterr().out
    assert f"label is {name!r}: 2 classes" in out
    assert f"{folder / 'recipe.yaml'} is written" in out


@pytest.mark.parametrize("odd", ["\n", "\r", "\x1b[31m", "\x85", "\u2028"])
def test_no_name_of_a_column_breaks_out_of_its_comment(tmp_path, capsys, odd):
    rows = "".join(f"r{number},{words(number)}\n" for number in range(120))
    (tmp_path / "a.csv").write_text(f'"x{odd}seed: 8 id",text\n{rows}', newline="")

    show(init([str(tmp_path / "a.csv")], tmp_path / "recipe.yaml", 50))

    assert load(tmp_path / "recipe.yaml").seed == 7
    assert "looks like a key" in comments(tmp_path / "recipe.yaml")
    assert odd == "\n" or odd not in capsys.readouterr().out


def test_a_table_in_cp1252_whose_header_is_ascii_is_read_so(tmp_path):
    lines = [f"{words(number)} – “caf\u00e9” {number}\n" for number in range(60)]
    (tmp_path / "excel.csv").write_bytes(("text\n" + "".join(lines)).encode("cp1252"))

    held = init([str(tmp_path / "excel.csv")], tmp_path / "recipe.yaml", 50)

    assert held["draft"]["sources"][0]["encoding"] == "cp1252"
    assert held["rejects"] == {}


def test_a_short_column_of_chats_is_no_label(tmp_path):
    turns = [{"role": "user", "content": "how do I do it"}, {"role": "assistant", "content": "like so"}]
    rows = [{"messages": turns, "channel": "web" if number % 2 else "mail"} for number in range(200)]
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    held = init([str(tmp_path / "chats.jsonl")], tmp_path / "recipe.yaml", 20)

    assert "label" not in held["draft"]["sources"][0]


def test_the_source_is_called_as_its_file(tmp_path):
    held = init([str(reviews(tmp_path))], tmp_path / "recipe.yaml", 20)

    assert held["draft"]["sources"][0]["name"] == held["draft"]["name"] == "reviews"
