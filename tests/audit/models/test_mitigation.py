"""What thresholds by group would leave of a gap, and cost: Fairlearn's own numbers, on rows that they were not fitted to."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate

from audit.groups import AuditSettings, Membership
from audit.models.mitigation import MOST, mitigation

SETTINGS = AuditSettings()
ROWS = 2_000


@pytest.fixture
def probe():
    """Two classes; of the group, a fifth of the rows, the scores lie higher whatever is true."""
    rng = np.random.default_rng(5)
    mine, true = rng.random(ROWS) < 0.2, rng.random(ROWS) < 0.5
    score = 1 / (1 + np.exp(-(2 * true - 1 + 1.5 * mine + rng.normal(size=ROWS))))
    return mine, true, np.stack([1 - score, score], axis=1)


def case(mine, origin="declared"):
    return Membership("region", "north", origin, mine), np.ones(len(mine), dtype=bool)


def told(mine, true, scores, **more):
    cases = more.get("cases", [case(mine)])
    return mitigation(true.astype(int), scores.argmax(axis=1), scores, ["no", "yes"], cases, SETTINGS, seed=1)


def test_without_a_way_the_numbers_are_fairlearns(probe):
    mine, true, scores = probe
    said = scores.argmax(axis=1)
    frame = MetricFrame(
        metrics={"selection": selection_rate, "true_positive": true_positive_rate, "false_positive": false_positive_rate},
        y_true=true.astype(int), y_pred=said, sensitive_features=mine,
    ).by_group  # fmt: skip

    (yes,) = [one for one in told(mine, true, scores) if one["class"] == "yes"]

    none = yes["ways"][0]
    assert none["accuracy"]["value"] == (said == true).mean()
    for name in ("selection", "true_positive", "false_positive"):
        assert none[name]["value"] == pytest.approx(frame.loc[True, name] - frame.loc[False, name])


def test_each_way_evens_out_what_it_is_for(probe):
    (yes,) = [one for one in told(*probe) if one["class"] == "yes"]
    none, parity, odds = yes["ways"]

    assert [way["way"] for way in yes["ways"]] == ["none", "demographic_parity", "equalized_odds"]
    assert none["selection"]["value"] > 0.2
    assert abs(parity["selection"]["value"]) < 0.07
    assert max(abs(odds[name]["value"]) for name in ("true_positive", "false_positive")) < 0.1
    assert odds["accuracy"]["value"] > 0.6


def test_thresholds_are_judged_on_rows_that_they_were_not_fitted_to():
    """Where scores say nothing no threshold is right more often than chance, however it was fitted."""
    rng = np.random.default_rng(8)
    mine, true = np.arange(400) < 60, rng.random(400) < 0.5
    score = rng.random(400) + 0.4 * mine

    ways = told(mine, true, np.stack([0.7 - score, score], axis=1))[0]["ways"]

    assert all(way["accuracy"]["low"] < 0.5 < way["accuracy"]["high"] for way in ways)


def test_gaps_that_may_be_chance_and_small_groups_are_left_out(probe):
    mine, true, scores = probe
    few = np.zeros(ROWS, dtype=bool)
    few[np.flatnonzero(mine)[: SETTINGS.min_group - 1]] = True
    rng = np.random.default_rng(2)

    assert told(mine, true, scores, cases=[case(few)]) == []
    assert told(mine, true, scores, cases=[case(rng.random(ROWS) < 0.3)]) == []
    assert told(mine, true, scores, cases=[case(mine, "source-metadata")]) == []


def test_the_largest_come_first_and_no_more_than_a_page_can_tell(probe):
    mine, true, scores = probe
    rng = np.random.default_rng(3)
    weaker = [mine ^ (rng.random(ROWS) < share) for share in (0.05, 0.1, 0.15)]

    found = told(mine, true, scores, cases=[case(rows) for rows in [*weaker, mine]])

    gaps = [abs(one["ways"][0]["selection"]["value"]) for one in found]
    assert len(found) == MOST
    assert gaps == sorted(gaps, reverse=True)
    assert found[0]["n"] == mine.sum()


def test_a_side_without_positives_is_not_evened_out(probe):
    mine, true, scores = probe

    (yes,) = [one for one in told(mine, true & ~mine, scores) if one["class"] == "yes"]

    assert [way["way"] for way in yes["ways"]] == ["none"]
    assert yes["ways"][0]["true_positive"]["value"] is None
