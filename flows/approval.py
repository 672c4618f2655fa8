"""What stopped a version at the candidate, and what people approved of it: two attestations beside it.

What stopped it, an entry a run: `{"run", "name", "after", "gates": [gate]}`; `after` numbers the last entry of the name when the run
began, and a gate is one of `flows.gates.stopping`. An approval, of which there may be several:
`{"name", "by", "at", "reason", "run", "gates": [gate]}`. Two recipes may make one version: what is approved for the name of one
is not for that of the other.
"""

import getpass
from collections.abc import Mapping, Sequence
from typing import Any

from corpus.schema import UserError
from corpus.versions.shelf import now
from corpus.versions.version import Version

APPROVALS, STOPPED = (f"attestations/{name}.json" for name in ("approval", "stopped"))


def approvals(version: Version, name: str | None = None) -> list[dict[str, Any]]:
    """Return what people approved of a version, the oldest first; for one name, if that is given."""
    held = version.attested(APPROVALS) if version.has(APPROVALS) else []
    return [one for one in held if name in (None, one["name"])]


def stops(version: Version) -> dict[str, dict[str, Any]]:
    """Return by recipe's name what stopped a version last."""
    return {one["name"]: one for one in version.attested(STOPPED)} if version.has(STOPPED) else {}


def waiting(
    stopping: Sequence[dict[str, Any]], approved: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return the gates of which something failed that nobody approved.

    Approved is a failure of the same gate with the same numbers: another bound, or another ratio, is another failure.
    """
    known = [failure for one in approved for gate in one["gates"] for failure in _failures(gate)]
    return [gate for gate in stopping if any(failure not in known for failure in _failures(gate))]


def _failures(gate: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "axis": gate["axis"], "limit": gate["min_impact_ratio"]} for one in gate["failed"]]


def checked(reason: str, by: str | None) -> tuple[str, str]:
    """Return a reason and who gives it, by default this system's user; raises `UserError` where one is missing."""
    if not reason.strip():
        raise UserError(
            "an approval needs a reason, and an empty one came; say with --reason why this may be used"
        )
    if by is None:
        try:
            by = getpass.getuser()
        except (KeyError, OSError):  # a container's user may have no name
            by = ""
    if not by.strip():
        raise UserError(
            "an approval needs a name, and this system's user has none; say with --by who approves"
        )
    return reason.strip(), by.strip()


def approve(
    version: Version, name: str, gates: Sequence[Mapping[str, Any]], run: str, reason: str, by: str
) -> dict[str, Any]:  # fmt: skip
    """Attest that a person lets a name mean a version though these gates failed on it; return the approval."""
    entry = {"name": name, "by": by, "at": now(), "reason": reason, "run": run, "gates": list(gates)}
    version.append(APPROVALS, entry)
    return entry


def attest_stop(version: Version, told: Mapping[str, Any]) -> None:
    """Lay beside a version what stopped it."""
    version.append(STOPPED, dict(told))
