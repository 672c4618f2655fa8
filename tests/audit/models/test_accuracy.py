"""A model's accuracy by group is that of its rows, and what it did not answer is wrong."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import accuracy_score

from audit.findings import record, settle, verdict, worst
from audit.groups import AuditSettings, Membership
from audit.models import accuracy as model


def accuracy(truth, predicted, groups, settings, stage, **more):
    return settle(model.accuracy(truth, predicted, groups, settings, stage, **more), settings)


def group(rows, name="g"):
    return Membership("region", name, "declared", np.asarray(rows, dtype=bool))


def test_accuracy_is_sklearns_on_either_side():
    generator = np.random.default_rng(1)
    truth = generator.choice(["no", "yes", "maybe"], 300)
    predicted = np.where(generator.random(300) < 0.8, truth, "no")
    rows = generator.random(300) < 0.3

    (found,) = accuracy(pa.array(truth), pa.array(predicted), [group(rows)], AuditSettings(), "tuned")

    here, there = accuracy_score(truth[rows], predicted[rows]), accuracy_score(truth[~rows], predicted[~rows])
    assert (found["rate"], found["other_rate"]) == pytest.approx((here, there))
    assert (found["difference"], found["ratio"]) == pytest.approx((here - there, here / there))
    assert (found["n"], found["other_n"], found["kept"]) == (
        rows.sum(),
        300 - rows.sum(),
        round(here * rows.sum()),
    )


def test_groups_of_one_frame_or_of_many_are_counted_each_among_its_own_rows(monkeypatch):
    generator = np.random.default_rng(4)
    truth = generator.choice(["no", "yes"], 200)
    predicted = np.where(generator.random(200) < 0.7, truth, "no")
    rows = [generator.random(200) < share for share in (0.2, 0.5, 0.9, 0.0)]
    among = [generator.random(200) < share for share in (1.0, 0.4, 0.1, 0.5)]
    groups = [group(mine, f"g{at}") for at, mine in enumerate(rows)]

    def found():
        told = accuracy(pa.array(truth), pa.array(predicted), groups, AuditSettings(), "probe", among=among)
        return [(each["kept"], each["n"], each["other_n"], each["other_rate"]) for each in told]

    whole = found()
    monkeypatch.setattr(model, "_FRAME_ROWS", 1)

    assert found() == whole
    for (kept, n, other_n, other_rate), mine, side in zip(whole, rows, among, strict=True):
        right = (truth == predicted)[side]
        assert (kept, n, other_n) == (right[mine[side]].sum(), mine[side].sum(), (~mine[side]).sum())
        assert other_rate == pytest.approx(right[~mine[side]].mean())


def test_each_outcome_has_its_reason():
    truth = pa.array(["yes"] * 600)
    at = np.arange(600)
    predicted = pa.array(np.where((at < 40) | ((at >= 500) & (at % 10 == 0)), "no", "yes"))
    groups = [
        group(at < 100, "worse"),
        group((at >= 100) & (at < 500), "better"),
        group(at < 20, "few"),
        group(at < 0, "nobody"),
        group(at >= 0, "everybody"),
    ]

    found = accuracy(truth, predicted, groups, AuditSettings(), "tuned")

    assert {each["group"]: each["verdict"] for each in found} == {
        "worse": "FAIL",
        "better": "PASS",
        "few": "INSUFFICIENT_DATA",
        "nobody": "NOT_APPLICABLE",
        "everybody": "NOT_APPLICABLE",
    }


def test_a_missing_answer_is_a_wrong_one():
    (found,) = accuracy(
        pa.array(["", "a"]), pa.array([None, "a"], pa.string()), [group([True, False])], AuditSettings(), "m"
    )

    assert (found["rate"], found["other_rate"]) == (0.0, 1.0)


def test_no_evaluated_row_is_nothing_to_judge():
    (found,) = accuracy(
        pa.array([], pa.string()), pa.array([], pa.string()), [group([])], AuditSettings(), "m"
    )

    assert (found["verdict"], found["n"], found["rate"]) == ("NOT_APPLICABLE", 0, None)


def test_a_baseline_is_told_and_does_not_count():
    truth = pa.array(["yes"] * 600)
    predicted = pa.array(np.where(np.arange(600) < 100, "no", "yes"))
    groups = [group(np.arange(600) < 100)]

    base = accuracy(truth, predicted, groups, AuditSettings(), "base model", baseline=True)
    tuned = accuracy(truth, truth, groups, AuditSettings(), "tuned model")

    assert (base[0]["verdict"], tuned[0]["verdict"]) == ("FAIL", "PASS")
    assert verdict([*base, *tuned]) == "PASS"
    assert worst([*base, *tuned]) == []
    held = record([*base, *tuned], AuditSettings())
    assert (held["counts"]["FAIL"], len(held["findings"])) == (0, 2)
