"""In and grown are rejected, kept and dropped: over a run, and in what `apply` writes."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from sacrebleu.metrics.chrf import CHRF

from corpus.schema import SCORES, UserError
from flows import biography, cautions
from flows.apply import apply
from flows.cli import winnow
from flows.difference import difference
from flows.job import totals
from tests.embedding import tiny
from tests.flows import jobs


@pytest.fixture
def corpus(tmp_path):
    """A folder of records, with two that cannot be read."""
    folder = jobs.write(tmp_path / "corpus", jobs.records(120))
    (folder / "bad.jsonl").write_text('{"text": 12}\n{"text": "broken\n')
    return folder


def test_every_row_is_kept_dropped_or_rejected(corpus, tmp_path):
    done = jobs.job(jobs.recipe(corpus), tmp_path / "store")

    rows = totals(done)
    ledger = pq.read_table(done.folder / "ledger.parquet")

    assert (rows["in"], rows["rejected"]) == (122, 2)
    assert rows["in"] == rows["rejected"] + rows["kept"] + rows["dropped"]
    assert ledger.num_rows == rows["rejected"] + rows["dropped"]
    assert len(ledger["id"].drop_null().unique()) == rows["dropped"]


def test_apply_writes_every_row_once(corpus, tmp_path):
    written = tmp_path / "recipe.yaml"
    written.write_text(
        json.dumps(
            {"name": "small", "sources": [{"name": "small", "uri": str(corpus)}], "stages": jobs.STAGES}
        )
    )

    held = apply(str(written), (), tmp_path / "out", store=str(tmp_path / "store"))

    kept, dropped = (
        pa.concat_tables(
            [pq.read_table(file) for file in sorted((tmp_path / "out" / name).glob("part-*.parquet"))]
        )
        for name in ("kept", "dropped")
    )
    assert (kept.num_rows, dropped.num_rows) == (held["rows"]["kept"], held["rows"]["dropped"])
    assert len({*kept["id"].to_pylist(), *dropped["id"].to_pylist()}) == 120
    assert dropped["reason"].null_count == 0
    assert pq.read_table(tmp_path / "out" / "ledger.parquet")["action"].to_pylist().count("reject") == 2


def test_the_ledger_says_where_each_row_was_read(corpus, tmp_path):
    done = jobs.job(jobs.recipe(corpus), tmp_path / "store", part_rows=7)

    ledger = pq.read_table(done.folder / "ledger.parquet").to_pylist()
    dropped = {row["id"]: row for row in pq.read_table(done.folder / "dropped").to_pylist()}

    fell = [line for line in ledger if line["action"] == "drop"]
    assert len({line["stage"] for line in fell}) > 1
    for line in fell:
        assert [line[name] for name in ("source", "file", "row")] == [
            dropped[line["id"]][name] for name in ("source", "file", "row")
        ]


def test_a_stage_alone_takes_bare_knobs(corpus, tmp_path):
    held = apply(
        "length",
        [str(corpus / "part-0.jsonl")],
        tmp_path / "out",
        settings=["min_words=10"],
        store=str(tmp_path / "store"),
    )

    expected = sum(len(record["text"].replace("\u200b", " ").split()) < 10 for record in jobs.records(120))
    assert held["rows"]["dropped"] == expected
    assert held["stages"][0]["dropped"].keys() == {"too_short"}


def test_apply_writes_what_gates_measured_of_kept_rows_too(tmp_path):
    said = ["the crew was wonderful and the food was good", "my flight from the coast is late again today"]
    corpus = jobs.write(tmp_path / "corpus", [{"text": text} for text in said])
    wide = ["min_chrf=0", "max_chrf=100", "min_similarity=-1", "max_similarity=1", "min_word_similarity=null"]
    knobs = [f"admission.{one}" for one in (*wide, f"embedding={tiny(tmp_path)}", "kept=[]")]

    apply(
        "paraphrase",
        [str(corpus)],
        tmp_path / "out",
        settings=["engine=edits", *knobs],
        store=str(tmp_path / "store"),
    )

    rows = {row["id"]: row for row in pq.read_table(tmp_path / "out" / "kept").to_pylist()}
    texts = {row_id: row["messages"][0]["content"] for row_id, row in rows.items()}
    grown = {row_id: row["parent"] for row_id, row in rows.items() if row["parent"]}
    scores = pq.read_table(tmp_path / "out" / "scores.parquet")
    assert scores.schema == SCORES
    measured = {row["id"]: row["score"] for row in scores.to_pylist() if row["name"] == "chrf"}
    assert len(grown) > 0
    assert measured == {
        row_id: pytest.approx(CHRF().sentence_score(texts[row_id], [texts[parent]]).score)
        for row_id, parent in grown.items()
    }


def test_apply_again_replaces_what_it_wrote(corpus, tmp_path):
    source = [str(corpus / "part-0.jsonl")]
    apply("length", source, tmp_path / "out", settings=["min_words=10"], store=str(tmp_path / "store"))

    held = apply("length", source, tmp_path / "out", settings=["min_words=0"], store=str(tmp_path / "store"))

    assert (
        held["rows"]["kept"]
        == pq.read_metadata(tmp_path / "out" / "kept" / "part-00000.parquet").num_rows
        == 120
    )
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == [
        "dropped",
        "kept",
        "ledger.parquet",
        "scores.parquet",
    ]


def test_a_limit_takes_so_many_rows_and_the_same_ones_of_any_cut(corpus, tmp_path):
    again = jobs.write(tmp_path / "again", jobs.records(120)[::-1], files=3)

    one = jobs.job(jobs.recipe(corpus), tmp_path / "one", limit=40)
    two = jobs.job(jobs.recipe(again), tmp_path / "two", limit=40)

    assert totals(one)["in"] == totals(two)["in"] == 40
    assert one.standing.narrow["id"] == two.standing.narrow["id"]


def test_rules_that_never_fired_are_named(corpus, tmp_path):
    stages = [
        {"stage": "blocklist", "words": ["nobody ever says this"]},
        {"stage": "length", "min_words": 2},
        {"stage": "split"},
    ]

    done = jobs.job(jobs.recipe(corpus, stages), tmp_path / "store")

    assert cautions.warnings(done) == [
        "blocklist changed and dropped nothing",
        "2 records were rejected; the ledger says which and why",
    ]


def test_apply_says_too_what_would_be_silent(corpus, tmp_path):
    """A growth for a label that nobody has asks nobody, and both are told."""
    folder = ["--output", str(tmp_path / "out"), "--store", str(tmp_path / "store")]
    targets = ["--set", "variants=2", "--set", "admission.targets={positve: 900}"]
    roles = ["--set", "roles=[text]"]

    answer = CliRunner().invoke(winnow, ["apply", "templates", str(corpus), *folder, *targets, *roles])

    assert answer.exit_code == 0, answer.output
    said = " ".join(answer.output.split())
    assert "templates 120 120 unasked 120" in said
    assert "note templates made no candidate: of 120 rows no child is wanted" in said
    assert "note admission was asked for 900 training rows labelled 'positve', and there are 0" in said
    assert "note 2 records were rejected" in said


def test_a_gate_of_grown_rows_alone_is_refused_before_a_row_is_read(corpus, tmp_path):
    folder = ["--output", str(tmp_path / "out"), "--store", str(tmp_path / "store")]

    answer = CliRunner().invoke(winnow, ["apply", "admission", str(corpus), *folder], standalone_mode=False)

    assert isinstance(answer.exception, UserError)
    assert "admission judges what the growth before it made" in str(answer.exception)
    assert not (tmp_path / "store").exists()


def test_a_recipe_without_stages_keeps_every_row(corpus, tmp_path):
    done = jobs.job(jobs.recipe(corpus, []), tmp_path / "store")

    assert totals(done) == {"in": 122, "rejected": 2, "kept": 120, "dropped": 0, "grown": 0}


def test_chats_that_differ_in_roles_or_borders_are_no_duplicates(tmp_path):
    def chat(*turns: tuple[str, str]) -> dict:
        return {"messages": [{"role": role, "content": content} for role, content in turns]}

    chats = [
        chat(("user", "one"), ("assistant", "two\nthree")),
        chat(("user", "one\ntwo"), ("assistant", "three")),
        chat(("assistant", "one"), ("user", "two\nthree")),
        chat(("user", "one"), ("assistant", "two\nthree")),
    ]
    folder = jobs.write(tmp_path / "chats", chats)

    for match in ("text", "words"):
        stages = [{"stage": "exact_duplicates", "match": match}]
        assert totals(jobs.job(jobs.recipe(folder, stages), tmp_path / "store"))["dropped"] == 1


def test_a_recipe_reads_named_files_as_it_reads_its_own(corpus, tmp_path):
    source = {"name": "small", "uri": "elsewhere.jsonl", "label": "number", "groups": ["label"]}
    written = tmp_path / "recipe.yaml"
    written.write_text(json.dumps({"name": "small", "sources": [source], "stages": []}))

    apply(str(written), [str(corpus / "part-0.jsonl")], tmp_path / "out", store=str(tmp_path / "store"))

    kept = pq.read_table(tmp_path / "out" / "kept" / "part-00000.parquet")
    assert set(kept["label"].to_pylist()) == {"0", "1", "2", "3", "4", "5", "6"}
    assert {group["axis"] for groups in kept["groups"].to_pylist() for group in groups} == {"label"}


def test_a_gate_that_a_recipe_turns_off_is_off_in_an_apply_too(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", [{"text": "the crew was wonderful and the food was good"}])
    gate = {
        "stage": "admission",
        "embedding": tiny(tmp_path),
        "min_similarity": -1,
        "min_word_similarity": None,
    }
    stages = [{"stage": "paraphrase", "engine": "edits"}, gate]
    recipe = {"name": "small", "sources": [{"name": "small", "uri": str(corpus)}], "stages": stages}
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))

    apply(str(tmp_path / "recipe.yaml"), (), tmp_path / "out", store=str(tmp_path / "store"))

    asked = set(pq.read_table(tmp_path / "out" / "scores.parquet")["name"].to_pylist())
    assert "cosine" in asked
    assert "weakest_word" not in asked


def test_files_for_a_recipe_of_two_sources_are_refused(corpus, tmp_path):
    sources = [{"name": name, "uri": "x.jsonl"} for name in ("a", "b")]
    written = tmp_path / "recipe.yaml"
    written.write_text(json.dumps({"name": "small", "sources": sources, "stages": []}))

    with pytest.raises(UserError, match="has the sources a, b"):
        apply(str(written), [str(corpus)], tmp_path / "out", store=str(tmp_path / "store"))


def test_what_winnow_did_not_write_is_not_replaced(corpus, tmp_path):
    mine = tmp_path / "out" / "kept" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")

    with pytest.raises(UserError, match="is not of winnow"):
        apply("length", [str(corpus)], tmp_path / "out", store=str(tmp_path / "store"))

    assert mine.read_text() == "precious"


def test_an_output_among_the_inputs_is_refused(corpus, tmp_path):
    with pytest.raises(UserError, match="the next call would read it"):
        apply("length", [str(corpus)], corpus / "out", store=str(tmp_path / "store"))


def test_a_second_call_replaces_what_the_first_wrote(corpus, tmp_path):
    for words in (2, 4_000):
        apply(
            "length",
            [str(corpus)],
            tmp_path / "out",
            settings=[f"min_words={words}"],
            store=str(tmp_path / "store"),
        )

    assert pq.read_table(tmp_path / "out" / "kept").num_rows == 0
    assert pq.read_table(tmp_path / "out" / "dropped").num_rows == 120


def test_a_biography_tells_both_sides_of_a_drop(corpus, tmp_path):
    done = jobs.job(jobs.recipe(corpus), tmp_path / "store")
    line = next(line for line in done.ledger().to_pylist() if line["reason"] == "near_duplicate")

    lost = biography.explain(done.folder.name, line["id"], tmp_path / "store")
    stayed = biography.explain(done.folder.name, line["other"][:28], tmp_path / "store")

    said, other = (
        [event["text"] for event in held["events"] if "text" in event][-1] for held in (lost, stayed)
    )
    assert said != other
    assert lost["events"][0]["event"] == "read"
    assert lost["events"][-1] == {
        "stage": "near_duplicates",
        "event": "dropped",
        "reason": "near_duplicate",
        "score": line["score"],
        "threshold": 0.8,
        "other": line["other"],
        "other_text": other,
        "difference": difference(said, other),
    }
    assert {
        "stage": "near_duplicates",
        "event": "displaced",
        "other": line["id"],
        "reason": "near_duplicate",
        "score": line["score"],
        "other_text": said,
        "difference": difference(said, other),
    } in stayed["events"]


def test_a_row_is_found_by_the_place_where_it_was_read(corpus, tmp_path):
    done = jobs.job(jobs.recipe(corpus), tmp_path / "store")
    line = done.ledger().filter(pa.compute.equal(done.ledger()["action"], "drop")).slice(0, 1).to_pylist()[0]

    found = biography.explain(done.folder.name, f"small/{line['file']}:{line['row']}", tmp_path / "store")

    assert found["id"] == line["id"]


def test_a_rejected_row_says_why_it_was_not_read(corpus, tmp_path):
    done = jobs.job(jobs.recipe(corpus), tmp_path / "store")

    with pytest.raises(UserError, match="text_not_a_string"):
        biography.explain(done.folder.name, "small/bad.jsonl:0", tmp_path / "store")


def test_json_is_one_object_on_standard_output(corpus, tmp_path):
    answer = CliRunner().invoke(
        winnow,
        [
            "apply",
            "length",
            str(corpus),
            "--output",
            str(tmp_path / "out"),
            "--store",
            str(tmp_path / "store"),
            "--json",
        ],
        standalone_mode=False,
    )

    held = json.loads(answer.stdout)

    assert set(held) >= {"rows", "stages", "seconds", "peak_rss_mb"}
    assert held["rows"] == {
        "in": 122,
        "rejected": 2,
        "kept": held["rows"]["kept"],
        "dropped": held["rows"]["dropped"],
        "grown": 0,
    }


def test_a_biography_tells_what_a_rewrite_made_of_a_row(tmp_path):
    folder = jobs.write(tmp_path / "corpus", [{"text": "two  \u200bwords"}, {"text": "plain words"}])
    jobs.job(
        jobs.recipe(folder, [{"stage": "normalise"}, {"stage": "length", "min_words": 1}]), tmp_path / "store"
    )

    changed, plain = (
        biography.explain("latest", f"small:{row}", tmp_path / "store")["events"] for row in (0, 1)
    )

    assert [event.get("text") for event in changed[:2]] == ["two  \u200bwords", "two words"]
    assert [event["event"] for event in changed[:2]] == ["read", "rewrote"]
    assert [event["event"] for event in plain[:2]] == ["read", "passed"]


def test_a_row_is_found_by_its_key(tmp_path):
    folder = jobs.write(
        tmp_path / "corpus", [{"id": "R7", "text": "some words"}, {"id": "R8", "text": "others"}]
    )
    done = jobs.job(jobs.recipe(folder, [{"stage": "length", "min_words": 1}]), tmp_path / "store")

    found = biography.explain(done.folder.name, "R8", tmp_path / "store")

    assert found["events"][0]["text"] == "others"
    with pytest.raises(UserError, match=r"no row is called 'R9'.*sources: small"):
        biography.explain(done.folder.name, "R9", tmp_path / "store")


def test_a_stage_alone_finds_the_delimiter(tmp_path):
    (tmp_path / "reviews.csv").write_text(
        "body;rating\n" + "".join(f"some words, and {n};{n % 5}\n" for n in range(30))
    )

    held = apply(
        "length",
        [str(tmp_path / "reviews.csv")],
        tmp_path / "out",
        text_column="body",
        store=str(tmp_path / "store"),
    )

    assert held["rows"]["kept"] + held["rows"]["dropped"] == 30
    with pytest.raises(UserError, match="holds data"):
        apply(str(tmp_path / "reviews.csv"), [], tmp_path / "out", store=str(tmp_path / "store"))
