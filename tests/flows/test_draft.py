"""`winnow init` on files that the project has never seen."""

import csv
import json
import random

import pytest

from corpus.schema import UserError
from flows.draft import init
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
