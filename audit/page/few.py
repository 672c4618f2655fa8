"""Lists the groups that were too small to judge, with what would have been needed."""

from collections.abc import Sequence

from audit.findings import TOTAL, Finding


def few(measured: Sequence[Finding]) -> list[Finding]:
    """Return the findings over the whole pipeline that could not be judged, the fullest group first."""
    undecided = [one for one in measured if one["stage"] == TOTAL and one["verdict"] == "INSUFFICIENT_DATA"]
    return sorted(undecided, key=lambda one: (-one["n"], one["axis"], one["group"]))
