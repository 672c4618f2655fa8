"""The banner tells each failure of a gate once, beside who approved it, when and why."""

import re

from audit.page.approved import beside
from audit.page.report import ReportFacts, render
from tests.audit.page.test_report import audit_of

NOW = "2026-11-28T14:08:19Z"


def failure(group, stage="total", ratio=0.5):
    return {"group": group, "stage": stage, "ratio": ratio, "low": 0.4, "high": 0.6, "n": 400}


def gate(axis, *failed, limit=0.8):
    return {
        "axis": axis,
        "min_impact_ratio": limit,
        "on_fail": "stop",
        "verdict": "FAIL" if failed else "PASS",
        "ok": not failed,
        "failed": [*failed],
        "undecided": [],
    }


def approval(*gates, by="ada", reason="advertisements"):
    held = [{name: one[name] for name in ("axis", "min_impact_ratio", "failed")} for one in gates]
    return {"name": "small", "by": by, "at": NOW, "reason": reason, "run": "r", "gates": held}


def told(found):
    """Who approved what, as (by, [(axis, groups)])."""
    return [
        (
            one["approval"] and one["approval"]["by"],
            [(each["axis"], [failed["group"] for failed in each["failed"]]) for each in one["gates"]],
        )
        for one in found
    ]


def test_what_nobody_approved_comes_first_and_each_failure_once():
    religion = gate("religion", failure("jewish"), failure("muslim", "blocklist", 0.1), failure("muslim"))
    gender = gate("gender", failure("women"))
    of_jews = gate("religion", failure("jewish"))

    found = beside([religion, gender, gate("region")], [approval(of_jews, gender)])

    assert told(found) == [
        (None, [("religion", ["muslim"])]),
        ("ada", [("religion", ["jewish"]), ("gender", ["women"])]),
    ]
    assert found[0]["gates"][0]["failed"][0]["stage"] == "total"  # which the stage is a part of


def test_another_bound_or_another_number_is_another_failure():
    now = gate("gender", failure("women", ratio=0.49))

    found = beside([now], [approval(gate("gender", failure("women"))), approval(gate("gender", failure("women", ratio=0.49), limit=0.9))])  # fmt: skip

    assert told(found) == [
        (None, [("gender", ["women"])]),
        ("ada", [("gender", ["women"])]),
        ("ada", [("gender", ["women"])]),
    ]
    assert [one["gates"][0]["failed"][0]["ratio"] for one in found] == [0.49, 0.5, 0.49]


def test_who_approved_last_is_who_is_named():
    gender = gate("gender", failure("women"))

    found = beside([gender], [approval(gender), approval(gender, by="eve")])

    assert told(found) == [("ada", []), ("eve", [("gender", ["women"])])]


def test_the_page_tells_gate_who_when_and_why_once():
    audit = audit_of()
    audit["gates"] = [gate("gender", failure("women"), failure("women", "length")), gate("source")]
    reason = "they are advertisements, " * 9

    html = render(ReportFacts(title="t", audit=audit, approvals=[approval(audit["gates"][0], reason=reason)]))

    banner = html[html.index('id="verdict"') : html.index('id="worst"')]
    words = " ".join(re.sub(r"<[^>]+>", "", banner).split())
    assert words.count("women at the whole pipeline (0.50, 0.40 to 0.60, n 400)") == 1
    assert words.count("Gate gender, impact ratio 0.8, which stops a run.") == 1
    assert words.count("Approved by ada on 2026-11-28 14:08 UTC: they are advertisements,") == 1
    assert words.replace("… The rest of the reason …", "").count("they are advertisements") == 9
    assert "pass Gate source (impact ratio 0.8) passed." in words
