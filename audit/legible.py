"""Whether an `audit.json` has what is compared with another: earlier builds wrote other shapes."""

from collections.abc import Mapping
from typing import Any

_NEEDED = ("verdict", "findings", "settings", "lexicon", "representation", "gates")
_SETTINGS = ("alpha", "min_group", "min_expected", "max_groups")
_COUNTED = (
    "other_n",
    "other_rate",
    "adjusted",
    "effective_n",
    "effective_other_n",
    "removal_low",
    "removal_high",
)
_OF_ALL = (
    *("axis", "group", "origin", "stage", "rule", "verdict"),
    *("n", "kept", "rate", "ratio", "low", "high", "expected"),
)
_OF_RULE: dict[str, tuple[str, ...]] = {
    "impact_ratio": _COUNTED,
    "removal_ratio": _COUNTED,
    "lost_most": (),
    "accuracy": ("other_n", "other_rate", "difference", "difference_low", "difference_high"),
    "survival": (),
    "representation": ("reference",),
}


def legible(audit: Any) -> bool:
    """Say whether a parsed `audit.json` has the sections, the settings and the keys of each rule that `audit.change` reads."""
    if not isinstance(audit, Mapping) or not all(key in audit for key in _NEEDED):
        return False
    lexicon = audit["lexicon"]
    return (
        all(key in audit["settings"] for key in _SETTINGS)
        and (lexicon is None or "digest" in lexicon)
        and all(_whole(finding) for finding in audit["findings"])
    )


def _whole(finding: Mapping[str, Any]) -> bool:
    own = _OF_RULE.get(finding.get("rule", ""))
    return own is not None and all(key in finding for key in (*_OF_ALL, *own))
