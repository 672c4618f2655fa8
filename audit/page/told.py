"""Puts findings into words, each with what it is owed to and removed rows to look at."""

from collections.abc import Mapping, Sequence
from typing import Any

from audit.findings import RETENTION, TOTAL, Finding
from audit.page.words import cause, sentence

Facts = Mapping[str, Any]


def told(finding: Finding, samples: Sequence[Facts], moves: Sequence[Facts]) -> dict[str, Any]:
    """Put a finding into words, with what it is owed to, which of the `moves` (remedies of thresholds) is for it, and removed texts to look at."""
    group, stages = (finding["axis"], finding["group"]), {finding["stage"]}
    if finding["stage"] == TOTAL:
        stages = {part["stage"] for part in finding["parts"]}
    mine = [
        sample
        for sample in samples
        if (sample["axis"], sample["group"]) == group and sample["stage"] in stages
    ]
    # What the loss is owed to most is shown first.
    first = finding["parts"][0] if finding.get("parts") else None
    if first is not None:
        mine.sort(key=lambda sample: (sample["stage"], sample["reason"]) != (first["stage"], first["rule"]))
    unlike: dict[str, Facts] = {}
    for sample in mine:
        unlike.setdefault(sample["text"], sample)
    shown = list(unlike.values())[:5]
    return {
        "finding": finding,
        "words": sentence(finding),
        "cause": cause(finding),
        "move": next(
            (one for one in moves if (one["axis"], one["group"], one["stage"]) == (*group, finding["stage"])),
            None,
        ),
        "samples": shown,
    }


def untold(gaps: Sequence[Finding], first: Sequence[Finding]) -> list[Finding]:
    """Return the gaps that are not among those that were told first."""
    names = {(one["stage"], one["axis"], one["group"]) for one in first if one["rule"] in RETENTION}
    return [one for one in gaps if (one["stage"], one["axis"], one["group"]) not in names]
