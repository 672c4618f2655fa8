"""Each knob refuses by its score whom the gate refuses, to the score that is equal."""

import numpy as np
import pytest

from augment.admission import Admission
from flows.gate_trade import CAPS, KNOBS, Scored, moved, trades
from tests.augment.test_what_gates_measured import ANSWERS, measured
from tests.augment.wide import WIDE
from tests.embedding import tiny

ALONE = ("min_label_margin", "min_entailment")
"""Knobs whose gates have nothing to say of these answers: the one has no labels to learn, the other reads 64 letters."""


@pytest.fixture(scope="module")
def embedding(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("model"))


def asked(embedding, **knobs):
    wide = {knob: bound.widest for knob, bound in KNOBS.items() if knob not in ALONE}
    return measured(embedding, **{**wide, **knobs})


@pytest.mark.parametrize("knob", [knob for knob in KNOBS if knob not in ALONE])
def test_a_bound_refuses_whom_the_gate_refuses(embedding, knob):
    bound = KNOBS[knob]
    scores = {answer: one[bound.score] for answer, one in asked(embedding)[0].items() if bound.score in one}
    tried = bound.values(np.array([*scores.values()]))

    for value in {*tried.tolist(), float(np.mean(tried))}:
        fell = asked(embedding, **{knob: value})[1]
        refused = bound.refuses(np.array([*scores.values()]), value)
        assert {*fell} == {answer for answer, gone in zip(scores, refused, strict=True) if gone}
    assert len(scores) == len(ANSWERS)


def test_under_their_widest_values_all_knobs_refuse_nobody(embedding):
    found, fell = asked(embedding)

    assert not fell
    assert {*found} == {*ANSWERS.values()}


def test_a_margin_refuses_from_its_value_on():
    scores = np.array([-1, 0.5, 1, 1.5, np.nan])

    assert KNOBS["min_label_margin"].refuses(scores, 1).tolist() == [False, False, True, True, False]
    assert KNOBS["min_label_margin"].values(scores).tolist() == [0.5, 1, 1.5]


def test_a_ratio_is_bounded_from_both_sides():
    scores = np.array([0.25, 0.5, 1, 2, 3, np.nan])

    assert KNOBS["max_word_ratio"].refuses(scores, 2).tolist() == [True, False, False, False, True, False]
    assert KNOBS["max_word_ratio"].values(scores).tolist() == [4, 2, 1, 2, 3]


def test_each_knob_that_is_traded_is_one_of_the_gate_and_so_is_each_cap():
    assert {*KNOBS, *CAPS} <= {*Admission.model_fields}
    assert "near_duplicate" not in KNOBS


def test_what_is_off_stays_off_where_no_value_lets_all_pass():
    assert {*moved(Admission())} == {*KNOBS}
    assert {*KNOBS} - {*moved(Admission(overlap=None))} == {"overlap"}


def test_a_knob_whose_score_nobody_has_is_not_shown():
    """No model of entailment is named, all candidates are surely of one language, and one says a part of a held-out text."""
    scores = {bound.score: np.full(3, np.nan) for bound in KNOBS.values()}
    scores |= {
        "word_ratio": np.array([1, 0.5, 1.25]),
        "other_language": np.zeros(3),
        "held_out": np.array([0, 0.2, 0]),
    }
    scored = Scored(scores, np.ones(3), np.array([True, False, True]))

    found = {trade["knob"]: trade["points"] for trade in trades(scored, Admission(**WIDE | {"overlap": 0.3}))}

    assert [*found] == ["max_word_ratio", "min_language_score", "overlap"]
    assert [(one["value"], one["admitted"]) for one in found["min_language_score"]] == [(1, 3)]
    assert [(one["value"], one["admitted"]) for one in found["overlap"]] == [(0.2, 2), (0.3, 3)]
    assert found["overlap"][0]["precision"]["value"] == 1
    ratios = {one["value"]: one["admitted"] for one in found["max_word_ratio"]}
    assert {value: ratios[value] for value in (1, 1.25, 2, 1000)} == {1: 1, 1.25: 2, 2: 3, 1000: 3}
