"""`audit.json` is what its schema says, and the schema refuses what it does not know."""

import copy
import json
from importlib.resources import files

import numpy as np
import pyarrow as pa
import pytest
from jsonschema import Draft202012Validator, ValidationError

from audit.findings import record, settle
from audit.groups import AuditSettings, partition
from audit.representation import against_reference, representation
from audit.retention import retention
from audit.steps import Step
from tests.audit.page.test_report import audit_of

SCHEMA = json.loads((files("audit") / "audit.schema.json").read_text(encoding="utf-8"))
CHECK = Draft202012Validator(SCHEMA)


def plain(held):
    return json.loads(json.dumps(held, allow_nan=False))


def test_an_audit_with_every_rule_and_outcome_is_as_the_schema_says():
    held = plain(audit_of())

    Draft202012Validator.check_schema(SCHEMA)
    CHECK.validate(held)
    assert {each["rule"] for each in held["findings"]} == {"impact_ratio", "survival", "accuracy"}
    assert all(held["counts"].values())


def test_rules_that_need_no_test_of_their_own_are_too():
    settings = AuditSettings(reference={"source": {"a": 0.9}})
    at = np.arange(9_000)
    groups = partition(pa.array(np.where(at < 800, "a", "b")), "source", "source-metadata")
    rare = Step("blocklist", at >= 0, (at >= 40) & (at % 200 != 199), pa.array(["word"] * 9_000))
    most = Step("length", rare.kept, (at >= 800) | (at % 3 == 0))
    measured = retention([rare, most], groups, settings, 1)
    shares = representation(groups, rare.kept & most.kept, {}, 0, settings)
    found = settle([*measured, *against_reference(shares, settings)], settings)

    held = record(found, settings) | {
        "representation": shares,
        "associations": None,
        "classes": [],
        "probes": [],
        "growth": None,
        "counterfactual": [],
    }

    CHECK.validate(plain(held))
    assert {each["rule"] for each in held["findings"]} == {
        "impact_ratio", "removal_ratio", "lost_most", "representation",
    }  # fmt: skip


def test_an_audit_of_nothing_is_too():
    empty = record([], AuditSettings()) | {
        "representation": [],
        "associations": None,
        "classes": [],
        "probes": [],
        "growth": None,
        "counterfactual": [],
    }

    CHECK.validate(plain(empty))


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held.update(more=1),
        lambda held: held["findings"][0].update(verdict="OK"),
        lambda held: held["findings"][0].update(q=1.5),
        lambda held: held["findings"][0].pop("n"),
        lambda held: held["representation"][0]["groups"][0]["came"].update(rows=-1),
    ],
)
def test_what_the_schema_does_not_know_is_refused(change):
    held = copy.deepcopy(plain(audit_of()))
    change(held)

    with pytest.raises(ValidationError):
        CHECK.validate(held)
