"""What growth changes of a group and a label is the difference of two measures, and its interval that of a bootstrap."""

import numpy as np
import pyarrow as pa
import pytest

from audit.association import with_labels
from audit.groups import Membership
from audit.growth.association_drift import association_drift


def group(rows, name="women", axis="gender"):
    return Membership(axis, name, "mention-lexicon", np.asarray(rows, dtype=bool))


def drawn(generator, parents, more=0.0, lost=0.1):
    """Rows that were read and their children: a third speak of the group, and `more` of those labelled yes are grown."""
    mine = generator.random(parents) < 0.3
    yes = generator.random(parents) < np.where(mine, 0.4, 0.5)
    children = generator.poisson(0.4 + more * (mine & yes))
    owner = np.r_[np.arange(parents), np.repeat(np.arange(parents), children)]
    grown = np.arange(len(owner)) >= parents
    said = mine[owner] & ~(grown & (generator.random(len(owner)) < lost))
    return said, np.where(yes, "yes", "no")[owner], owner, grown


def told(said, labels, owner, grown):
    return {one["with"]: one for one in association_drift([group(said)], pa.array(labels), owner, grown)}


def test_values_are_those_of_the_association_before_and_after():
    said, labels, owner, grown = drawn(np.random.default_rng(1), 400, 0.5)

    found = told(said, labels, owner, grown)["yes"]

    before, after = (
        {one["with"]: one for one in with_labels([group(said[some])], pa.array(labels[some]))}["yes"]
        for some in (~grown, grown >= 0)
    )
    for name in ("rate", "npmi", "log_odds"):
        assert found[name]["before"] == pytest.approx(before[name])
        assert found[name]["after"] == pytest.approx(after[name])
        assert found[name]["difference"] == pytest.approx(after[name] - before[name])
    assert (found["n"], found["n_after"]) == (before["n"], after["n"])
    assert (found["both"], found["both_after"]) == (before["both"], after["both"])


def test_the_interval_is_that_of_a_bootstrap_over_parents():
    generator = np.random.default_rng(3)
    said, labels, owner, grown = drawn(generator, 500, 0.6)
    found = told(said, labels, owner, grown)["yes"]
    yes = labels == "yes"

    def value(weights):
        a, b, c, d = (float(weights[mine & one].sum()) for mine in (said, ~said) for one in (yes, ~yes))
        of = a + b + c + d
        pmi = np.log(a * of / ((a + b) * (a + c)))
        return np.array([a / (a + b), pmi / np.log(of / a), np.log(a * d / (b * c))])

    differences = []
    for _ in range(2_000):
        weights = np.bincount(generator.integers(0, 500, 500), minlength=500)[owner]
        differences.append(value(weights) - value(weights * ~grown))
    low, high = np.quantile(differences, (0.025, 0.975), axis=0)
    for at, name in enumerate(("rate", "npmi", "log_odds")):
        width = high[at] - low[at]
        assert found[name]["low"] == pytest.approx(low[at], abs=0.12 * width)
        assert found[name]["high"] == pytest.approx(high[at], abs=0.12 * width)


def test_growth_that_does_not_look_at_the_label_drifts_as_often_as_chance_says():
    found = [told(*drawn(np.random.default_rng(seed), 400))["yes"] for seed in range(300)]

    sure = [one for one in found if one["p"] is not None]
    held = [one["log_odds"]["low"] <= 0 <= one["log_odds"]["high"] for one in sure]
    assert len(sure) > 280
    assert 0.91 <= np.mean(held) <= 0.98
    assert np.mean([one["p"] < 0.05 for one in sure]) <= 0.09


def test_growth_that_prefers_a_groups_label_is_found():
    found = told(*drawn(np.random.default_rng(8), 600, 2.0))

    assert found["yes"]["log_odds"]["low"] > 0
    assert found["yes"]["rate"]["low"] > 0
    assert found["no"]["npmi"]["high"] < 0
    assert found["yes"]["p"] < 0.001


def test_few_families_say_nothing():
    """Three parents of the group have a child each, all of one label: a difference, and no telling."""
    said, labels = np.arange(400) < 200, np.where(np.arange(400) % 2, "yes", "no")
    owner = np.r_[np.arange(400), [1, 3, 5]]

    (found, _) = association_drift(
        [group(said[owner])], pa.array(labels[owner]), owner, np.arange(403) >= 400
    )

    assert found["families"] < 10
    assert found["log_odds"]["difference"] != 0
    assert (found["p"], found["log_odds"]["low"], found["rate"]["high"]) == (None, None, None)


def test_an_empty_cell_has_odds_and_no_slope_of_npmi():
    labels = np.repeat(["yes", "no", "yes"], [30, 30, 40])
    said, owner = np.repeat([False, True, False], [30, 30, 40]), np.r_[np.arange(60), np.arange(40) % 30]

    found = told(said, labels, owner, np.arange(100) >= 60)

    assert found["yes"]["npmi"] == {
        "before": None, "after": None, "difference": None, "low": None, "high": None,
    }  # fmt: skip
    assert found["yes"]["rate"]["before"] == found["yes"]["rate"]["after"] == 0
    assert found["yes"]["log_odds"]["difference"] < 0


@pytest.mark.parametrize(
    ("labels", "grown"),
    [(["a", "b", "a"], [0, 0, 0]), (["a", "a", "a"], [0, 0, 1]), ([None, "a", None], [0, 0, 1])],
)
def test_without_growth_or_two_labels_nothing_drifts(labels, grown):
    said = [True, False, True]

    assert (
        association_drift(
            [group(said)], pa.array(labels, pa.string()), np.array([0, 1, 0]), np.array(grown, bool)
        )
        == []
    )


def test_labels_sources_and_groups_of_nobody_are_left_out():
    said, labels, owner, grown = drawn(np.random.default_rng(1), 100)
    nobody = np.zeros(len(said), bool)
    asked = [group(nobody), group(~nobody), group(said, "shop", "source"), group(said, "yes", "label")]

    assert association_drift(asked, pa.array(labels), owner, grown) == []
