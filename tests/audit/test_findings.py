"""Which findings are gaps: a loss that failed or is beyond chance, told once for each stage and group."""

from audit.findings import gaps


def finding(group, verdict="PASS", rule="impact_ratio", **more):
    return {
        "verdict": verdict,
        "axis": "gender",
        "group": group,
        "stage": "length",
        "rule": rule,
        "ratio": 0.9,
        "n": 100,
        "p": 0.001,
        "q": 0.01,
        **more,
    }


def test_a_gap_failed_or_is_beyond_chance_and_is_a_loss():
    told = [
        finding("chance", q=0.06),
        finding("gained", ratio=1.1),
        finding("uncompared", "NOT_APPLICABLE", ratio=None, q=None),
        finding("mild"),
        finding("small", "INSUFFICIENT_DATA", q=0.04),
        finding("failed", "FAIL", q=0.2),
        finding("wrong", "FAIL", rule="accuracy"),
        finding("mild", "FAIL", rule="removal_ratio"),
    ]

    found = gaps(told, 0.05)

    assert [(one["group"], one["rule"]) for one in found] == [
        ("failed", "impact_ratio"),
        ("mild", "removal_ratio"),
        ("small", "impact_ratio"),
    ]


def test_the_worst_are_told_where_there_are_many():
    told = [finding(f"{number}", ratio=0.9 - number / 1_000) for number in range(60)]

    found = gaps(told, 0.05)

    assert [one["group"] for one in found] == [f"{number}" for number in range(59, 9, -1)]


def test_what_may_be_told_once_models_are_settled_too_is_found_by_p():
    told = [finding("now", q=0.2), finding("never", p=0.06, q=0.2)]

    assert gaps(told, 0.05) == []
    assert [one["group"] for one in gaps(told, 0.05, by="p")] == ["now"]
