"""Audits grown rows: which groups' mentions outlive a translation or a paraphrase, and which appear from nowhere.

Back-translation through languages without grammatical gender changes pronouns (Stanovsky, Smith and Zettlemoyer
2019, "Evaluating Gender Bias in Machine Translation").
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.findings import TOTAL, Finding
from audit.groups import AuditSettings, Membership
from audit.retention import retention
from audit.steps import Step
from corpus.statistics import benjamini_hochberg, effective_size, wilson

Grower = Mapping[str, Any]
"""JSON, what one growth did: stage, parents, candidates, grown; yields and associations; pronouns and labels or None."""


def admission(
    step: Step, memberships: Sequence[Membership], settings: AuditSettings, seed: int, names: pa.Array | None = None
) -> list[Finding]:  # fmt: skip
    """Measure which groups' candidates were admitted: `step` and groups are aligned with candidates.

    `names` are the parents' ids, without which each candidate has a parent of its own. Children of one parent are not
    independent: intervals and tests are for as many as they are worth (Kish 1965), and a group is as large as it has parents
    (`families`, and `other_families` of all others).
    """
    family = np.arange(len(step.entered)) if names is None else _codes(names)
    groups = {(group.axis, group.group): group.rows for group in memberships}

    def parents(rows: np.ndarray) -> int:
        return len(np.unique(family[step.entered & rows]))

    return [
        each | {"families": parents(rows), "other_families": parents(~rows)}
        for each in retention([step], memberships, settings, seed, families=family)
        if each["stage"] != TOTAL
        for rows in [groups[each["axis"], each["group"]]]
    ]


def survival(
    parents: pa.Table, grown: pa.Table, settings: AuditSettings, stage: str, names: pa.Array | None = None
) -> list[Finding]:
    """Measure the rule `survival` of each mention column "axis=value".

    The tables hold the mentions of each grown row and of its parent, row-aligned (a parent of several rows
    stands there several times); `names` are the parents' ids, without which each row has a parent of its own. `rate` and `ratio` are P(mention in grown | mention in parent) with Wilson's
    interval, judged against `min_survival` by the interval alone: there is no second sample, so no p. Children of one parent are not
    independent: the interval is for as many as they are worth (Kish 1965), and `needed` counts the parents that `min_group` lacks.
    `appeared` counts grown rows with a mention that their parent lacks. `rate` is None where no parent has it.
    """
    assert parents.column_names == grown.column_names, "both tables are of the same lexicon"
    assert parents.num_rows == grown.num_rows, "each grown row stands beside its parent"
    found = []
    family = np.arange(grown.num_rows) if names is None else _codes(names)
    for name in parents.column_names:
        axis, group = name.split("=", 1)
        before, after = parents[name], grown[name]
        n, kept = _count(before), _count(pc.and_(before, after))
        children = np.bincount(family[before.to_numpy()]) if n else np.zeros(1)
        size, rate = effective_size(children) if n else 0.0, kept / n if n else None
        low, high = wilson((rate or 0.0) * size, size)
        found.append(
            {
                "axis": axis,
                "group": group,
                "origin": "mention-lexicon",
                "stage": stage,
                "rule": "survival",
                "ratio": rate,
                "rate": rate,
                "low": low if n else None,
                "high": high if n else None,
                "n": n,
                "kept": kept,
                "appeared": _count(pc.and_not(after, before)),
                "p": None,
                "limit": settings.min_survival,
                "expected": size,
                "needed": max(0, settings.min_group - int(np.count_nonzero(children))) if n else 0,
            }
        )
    return found


def settled(growers: Sequence[Grower]) -> list[dict[str, Any]]:
    """Return what growths did with the q values of all that was tested of it: who got rows, pronouns, labels, associations."""
    tested = [each["p"] for one in growers for each in _tests(one) if each["p"] is not None]
    values = iter(benjamini_hochberg(tested))

    def corrected(each: Mapping[str, Any]) -> dict[str, Any]:
        return {**each, "q": None if each["p"] is None else next(values)}

    return [
        {
            **one,
            "yields": [corrected(each) for each in one["yields"]],
            "associations": [corrected(each) for each in one["associations"]],
            "pronouns": one["pronouns"] and corrected(one["pronouns"]),
            "labels": one["labels"] and corrected(one["labels"]),
        }
        for one in growers
    ]


def _tests(one: Grower) -> list[Mapping[str, Any]]:
    """Return what was tested of a growth, in the order in which it is corrected."""
    mixes = [one[name] for name in ("pronouns", "labels") if one[name] is not None]
    return [*one["yields"], *one["associations"], *mixes]


def _codes(names: pa.Array) -> np.ndarray:
    codes: np.ndarray = names.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return codes


def _count(mask: pa.ChunkedArray) -> int:
    return pc.sum(mask).as_py() or 0
