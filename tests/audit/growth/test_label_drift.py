"""Growth that prefers a label shows; that which grows all alike does not, whatever families it makes."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from audit.growth.label_drift import label_drift
from corpus.statistics import wilson


def test_shares_and_distances_are_those_of_the_rows():
    labels = pa.array(["a"] * 60 + ["b"] * 30 + ["c"] * 10 + [None] * 5)
    children = np.repeat([1, 0, 1, 0, 0, 1], [10, 50, 30, 0, 10, 5])

    found = label_drift(labels, children, 1)

    before, grown, after = (np.array(mix, float) for mix in ([60, 30, 10], [10, 30, 0], [70, 60, 10]))
    assert [one["label"] for one in found["labels"]] == ["a", "b", "c"]
    for what, mix in (("before", before), ("grown", grown), ("after", after)):
        assert [one[what]["value"] for one in found["labels"]] == pytest.approx((mix / mix.sum()).tolist())
        assert {one[what]["n"] for one in found["labels"]} == {int(mix.sum())}
    assert (found["labels"][0]["grown"]["low"], found["labels"][0]["grown"]["high"]) == pytest.approx(
        wilson(10, 40)
    )
    assert found["distance"]["grown"] == pytest.approx(np.abs(before / 100 - grown / 40).sum() / 2)
    assert found["distance"]["after"] == pytest.approx(np.abs(before / 100 - after / 140).sum() / 2)
    assert found["p"] < 0.001


def test_p_and_what_is_by_chance_are_those_of_shuffling_the_parents():
    generator = np.random.default_rng(4)
    codes, children = generator.choice(3, 120, p=[0.5, 0.3, 0.2]), generator.poisson(0.7, 120)
    children[codes == 2] += generator.integers(0, 2, (codes == 2).sum())
    mix = np.bincount(codes) / 120

    found = label_drift(pa.array(np.array(list("abc"))[codes]), children, 3)

    drawn = []
    for _ in range(5_000):
        dealt = np.bincount(generator.permutation(codes), weights=children, minlength=3)
        drawn.append(np.abs(dealt / dealt.sum() - mix).sum() / 2)
    assert found["distance"]["by_chance"] == pytest.approx(np.mean(drawn), abs=0.002)
    assert found["p"] == pytest.approx(
        np.mean(np.array(drawn) >= found["distance"]["grown"] - 1e-12), abs=0.02
    )


def test_children_that_come_by_tens_are_no_drift_where_a_row_by_row_test_says_so():
    """Thirty of 300 parents, drawn at random, get ten children each: over the rows chi-square fails far too often."""
    rows_fail = families_fail = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        codes, children = generator.integers(0, 2, 300), np.zeros(300, int)
        children[generator.choice(300, 30, replace=False)] = 10
        table = [np.bincount(codes, minlength=2), np.bincount(codes, weights=children, minlength=2)]
        rows_fail += stats.chi2_contingency(table).pvalue < 0.05
        families_fail += label_drift(pa.array(np.array(["a", "b"])[codes]), children, seed)["p"] < 0.05

    assert rows_fail > 50
    assert families_fail <= 20


@pytest.mark.parametrize(
    ("labels", "children"),
    [
        ([], []),
        (["a", "b"], [0, 0]),
        (["a", "a"], [1, 0]),
        ([None, None], [1, 1]),
        (["a", None, "b"], [0, 1, 0]),
    ],
)
def test_without_two_labels_or_children_there_is_no_drift(labels, children):
    assert label_drift(pa.array(labels, pa.string()), np.array(children, int), 1) is None
