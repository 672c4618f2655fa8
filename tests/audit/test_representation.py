"""Shares are counts over counts, before and after; a reference is judged by an exact test, and never passed for want of rows."""

import math

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from audit.findings import settle
from audit.groups import AuditSettings, Membership, partition
from audit.page.words import sentence
from audit.representation import against_reference, representation
from corpus.statistics import wilson


def group(rows, name="women", axis="gender"):
    return Membership(axis, name, "mention-lexicon", np.asarray(rows, dtype=bool))


def settings(**reference):
    return AuditSettings(reference=reference)


def judged(women, of, wanted):
    at = np.arange(of)
    shares = representation([group(at < women)], np.ones(of, dtype=bool), {}, 0, settings())
    (found,) = settle(
        against_reference(_with(shares, wanted), settings(gender={"women": wanted})), AuditSettings()
    )
    return found


def _with(shares, wanted):
    return [axis | {"groups": [group | {"reference": wanted} for group in axis["groups"]]} for axis in shares]


def test_shares_are_of_what_came_and_of_what_is_published():
    """Of 100 rows 40 speak of women and 20 of men; 30 and 20 stay of 80, and 5 and 0 are grown of 10."""
    at = np.arange(100)
    groups = [group(at < 40), group((at >= 40) & (at < 60), "men"), group(at < 100, "shop", "source")]
    kept = (at >= 10) & (at < 90)

    gender, source = representation(groups, kept, {("gender", "women"): 5}, 10, settings(gender={"men": 0.3}))

    low, high = wilson(40, 100)
    women, men = gender["groups"]
    assert women["came"] == {"rows": 40, "of": 100, "share": 0.4, "low": low, "high": high}
    assert (women["published"]["rows"], women["published"]["of"]) == (35, 90)
    assert (men["published"]["rows"], men["reference"], women["reference"]) == (20, 0.3, None)
    shares = np.array([40, 20]) / 60
    assert gender["effective"]["came"] == pytest.approx(math.exp(stats.entropy(shares)))
    assert source["effective"] == {"came": 1.0, "published": 1.0}


def test_nobody_and_no_rows_have_no_share():
    (axis,) = representation([group(np.zeros(0))], np.zeros(0, dtype=bool), {}, 0, settings())

    assert axis["effective"] == {"came": None, "published": None}
    assert axis["groups"][0]["published"] == {"rows": 0, "of": 0, "share": None, "low": 0.0, "high": 1.0}


@pytest.mark.parametrize(
    ("women", "of", "wanted", "outcome"),
    [
        (500, 1_000, 0.5, "PASS"),
        (300, 1_000, 0.5, "FAIL"),
        (0, 1_000, 0.5, "FAIL"),
        (700, 1_000, 0.5, "PASS"),  # more than elsewhere is no lack
        (50, 100, 0.5, "INSUFFICIENT_DATA"),  # a sample that would not show the limit
        (20, 1_000, 0.02, "INSUFFICIENT_DATA"),
        (5, 10, 0.5, "INSUFFICIENT_DATA"),
    ],
)
def test_each_outcome_has_its_reason(women, of, wanted, outcome):
    found = judged(women, of, wanted)

    assert found["verdict"] == outcome
    assert found["p"] == pytest.approx(stats.binomtest(women, of, wanted).pvalue)
    assert f"{women:,} of {of:,}" in sentence(found)


def test_what_is_missing_is_how_many_rows_more_would_show_the_limit():
    found = judged(50, 100, 0.5)

    reach = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert found["needed"] == math.ceil(reach**2 * 0.25 / 0.1**2 - 100)


def test_without_a_reference_nothing_is_judged():
    shares = representation([group(np.ones(5))], np.ones(5, dtype=bool), {}, 0, settings())

    assert against_reference(shares, settings()) == []


def test_a_group_that_nobody_is_of_is_told_against_its_reference():
    asked = settings(gender={"women": 0.5, "men": 0.5})
    shares = representation([group(np.ones(1_000))], np.ones(1_000, dtype=bool), {}, 0, asked)

    found = settle(against_reference(shares, asked), asked)

    assert {each["group"]: each["verdict"] for each in found} == {"women": "PASS", "men": "FAIL"}


def test_rows_that_stand_beside_those_that_came_are_published_too():
    shares = representation(
        [group(np.ones(10))], np.ones(10, dtype=bool), {("gender", "women"): 5}, 90, settings()
    )

    assert shares[0]["groups"][0]["published"]["share"] == 0.15


def test_a_group_that_only_stands_beside_what_came_is_told():
    rows = partition(pa.array(["pos"] * 60), "label", "label")

    (label,) = representation(
        rows, np.ones(60, bool), {("label", "old"): 100, ("label", "pos"): 100}, 200, AuditSettings()
    )

    assert {one["group"]: (one["came"]["rows"], one["published"]["rows"]) for one in label["groups"]} == {
        "pos": (60, 160), "old": (0, 100),
    }  # fmt: skip
