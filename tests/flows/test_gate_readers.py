"""What readers found is a plain recount, and sheets that were read before there were other kinds and questions are read still."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from corpus.statistics import wilson
from flows import gate_sheet
from flows.gate_readers import agreement, judged, reader

RESULTS = Path("bench/results")


def test_the_committed_sheet_gives_the_published_figures():
    held = json.loads((RESULTS / "augmentation_sheet.json").read_text())
    key = json.loads((RESULTS / "augmentation_sheet.key.json").read_text())
    files = [RESULTS / one["sheet"] for one in held["readers"]]
    read = [gate_sheet.read(file, len(key["lines"])) for file in files]

    for file, answers, was in zip(files, read, held["readers"], strict=True):
        told = reader(file, key, answers)
        for kind in ("admitted", "refused"):
            assert told[kind] == {**was[kind], "fluent": None}
        assert {name: told["planted_caught"][name] for name in was["planted_caught"]} == was["planted_caught"]
        assert told["planted"] == {"lines": 30, "fluent": None}
    assert agreement(read) == {**held["agreement"], "fluent": None}


def test_who_is_fluent_is_counted_by_kind_and_is_no_part_of_what_is_right(tmp_path):
    kinds = ["admitted"] * 5 + ["refused"] * 4 + ["date", "opposite", "shifted"]
    said = ["yes", "no", "", "yes", "1", "no", "no", "Y", "", "no", "yes", ""]
    key = {"lines": [{"line": at, "kind": kind} for at, kind in enumerate(kinds)]}
    with (tmp_path / "one.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "same_meaning", "same_label", "fluent"])
        writer.writerows([at, "yes", "yes", fluent] for at, fluent in enumerate(said))

    answers = gate_sheet.read(tmp_path / "one.csv", len(kinds))
    told = reader(tmp_path / "one.csv", key, answers)

    for kind in ("admitted", "refused"):
        of_kind = [
            one.lower() in ("yes", "y", "1")
            for one, mine in zip(said, kinds, strict=True)
            if mine == kind and one
        ]
        low, high = wilson(sum(of_kind), len(of_kind))
        assert told[kind]["fluent"] == {
            "value": pytest.approx(sum(of_kind) / len(of_kind)), "low": low, "high": high, "n": len(of_kind)
        }  # fmt: skip
    assert told["planted"]["lines"] == 3
    assert (told["planted"]["fluent"]["value"], told["planted"]["fluent"]["n"]) == (0.5, 2)
    assert told["planted_caught"]["all"]["value"] == 0
    assert told["planted_caught"]["date"]["n"] == told["planted_caught"]["opposite"]["n"] == 1
    assert Counter(judged(one) for one in answers) == {(True, True): 12}
