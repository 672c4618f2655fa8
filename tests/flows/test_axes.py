"""What a gate names is measured, or it is told before a row is read; also where two axes cross, and of clusters."""

import re

import pytest

from corpus.schema import UserError
from flows.axes import check
from flows.scorecard import _told
from tests.flows import gated, jobs
from tests.flows.test_samples import rows

SOURCES = [{"name": "small", "uri": "file:rows.jsonl", "groups": ["region", "gender"]}]
CLUSTERED = {"embedding": "file:/a/model"}


def recipe(tmp_path, axis, **more):
    return jobs.recipe(tmp_path, [], **{"sources": SOURCES, "gates": [{"axis": axis}], **more})


@pytest.mark.parametrize(
    ("axis", "audit"),
    [
        ("religion", {}),
        ("region", {"axes": ["region"]}),
        ("label", {"axes": ["region"]}),
        ("gender (mentions)", {"axes": ["gender"]}),
        ("length", {"axes": ["length"]}),
        ("cluster", CLUSTERED),
        ("region & religion", {}),
        ("gender & gender (mentions)", {}),
        ("gender & religion", {"axes": ["religion", "gender"]}),
    ],
)
def test_what_is_measured_can_be_gated(tmp_path, axis, audit):
    check(recipe(tmp_path, axis, audit=audit))


@pytest.mark.parametrize(
    ("axis", "audit", "said"),
    [
        ("religoin", {}, "did you mean 'religion'?"),
        ("religion", {"axes": ["region"]}, "'religion' is not among audit.axes"),
        ("cluster", {}, "found where audit.embedding names a model"),
        ("religion & region", {}, "in the order of their names; did you mean 'region & religion'?"),
        ("region x religion", {}, "did you mean 'region & religion'?"),
        ("gender & religoin", {}, "did you mean 'gender & religion'?"),
        ("gender & religion", {"axes": ["gender", "region"]}, "is no crossing that is measured: two lexicon axes"),
        ("gender & label", {}, "label is of texts and not of people"),
        ("cluster & gender", CLUSTERED, "cluster is of texts and not of people"),
        ("gender & religion", {"axes": ["religion"]}, "there are: none"),
    ],
)  # fmt: skip
def test_what_is_not_measured_is_told_with_what_is_meant(tmp_path, axis, audit, said):
    with pytest.raises(UserError, match=re.escape(said)):
        check(recipe(tmp_path, axis, audit=audit))


def test_a_gate_on_a_crossing_stops_a_run(tmp_path):
    """Women who speak of a church are all short; women and churches are short as all others."""
    made = [
        {**row, "text": " ".join([*row["text"].split()[:2], "x"]) if {"she", "church"} <= {*row["text"].split()} else row["text"]}
        for row in rows(2_000)
    ]  # fmt: skip
    held = jobs.recipe(
        jobs.write(tmp_path / "corpus", made),
        [{"stage": "length", "min_words": 4}],
        gates=[{"axis": "gender & religion", "on_fail": "stop"}],
    )

    summary = gated.run(held, tmp_path / "store")

    (gate,) = summary["audit"]["gates"]
    assert gate["verdict"] == "FAIL"
    assert "women & christian" in {one["group"] for one in gate["failed"]}
    assert summary["stopped"].startswith("gate gender & religion: women & christian is kept 0.00 times")


def test_what_is_undecided_is_told_with_its_rows():
    few = {"group": "women & few", "n": 10, "detectable": None, "needed": 190}
    fewer = {"group": "(of fewer than 5 rows)", "n": None, "detectable": None, "needed": None}

    said = _told({"verdict": "INSUFFICIENT_DATA", "undecided": [few, fewer]})

    assert said == "cannot tell for women & few (10 rows; 190 more would tell), (of fewer than 5 rows)"
