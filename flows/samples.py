"""Draws the removed rows that stand behind each gap, so that a reader sees whom a rule took and not the number alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audit.draws import Ranks
from audit.findings import MOST_GAPS, RETENTION, TOTAL, Finding, gaps, worst
from audit.groups import AuditSettings, Membership
from audit.steps import Step
from corpus import text
from corpus.schema import digest
from flows.job import Job
from flows.said import said

SAMPLES = 5
"""Removed texts behind a gap."""

LONGEST = 1_000
"""Characters of a text that are kept; the page shows fewer."""


@dataclass(frozen=True)
class Judged:
    """Rows with their ids, what each step did to them, and which groups they are of, all row-aligned."""

    ids: pa.StringArray
    steps: Sequence[Step]
    groups: Sequence[Membership]

    @cached_property
    def fell(self) -> np.ndarray:
        """The number of the step to which each row went; -1 where it stayed."""
        found = np.full(len(self.ids), -1)
        for number, step in enumerate(self.steps):
            found[step.entered & ~step.kept] = number
        return found

    @cached_property
    def _member(self) -> Mapping[tuple[str, str], np.ndarray]:
        return {(group.axis, group.group): group.rows for group in self.groups}

    def gone(self, finding: Finding) -> np.ndarray | None:
        """Return which rows (bool) of the finding's group, or of both of a crossing, went to its stage; None if these are others' rows."""
        numbers = [
            number for number, step in enumerate(self.steps) if finding["stage"] in (step.stage, TOTAL)
        ]
        sides = [tuple(side) for side in finding.get("sides", [(finding["axis"], finding["group"])])]
        if not numbers or not all(side in self._member for side in sides):
            return None
        fell = self.fell >= 0 if finding["stage"] == TOTAL else self.fell == numbers[0]
        found: np.ndarray = np.logical_and.reduce([fell, *(self._member[side] for side in sides)])
        return found

    def owed(self, finding: Finding, gone: np.ndarray) -> np.ndarray:
        """Return which of the rows that are `gone` (bool) went by the rule that the finding's loss is owed to most."""
        guilty = np.zeros(len(gone), dtype=bool)
        for part in finding["parts"][:1]:
            number = next(at for at, step in enumerate(self.steps) if step.stage == part["stage"])
            reason, rows = self.steps[number].reason, np.flatnonzero(gone & (self.fell == number))
            if reason is not None:
                by = pc.equal(reason.take(pa.array(rows)), part["rule"])
                guilty[rows] = pc.fill_null(by, False).to_numpy(zero_copy_only=False)
        return guilty


def samples(
    job: Job, found: Sequence[Finding], judged: Sequence[Judged], settings: AuditSettings
) -> list[dict[str, Any]]:
    """Return up to `SAMPLES` removed rows for each gap, those that the guilty rule took first: `{"id", "stage", "axis", "group", "reason", "text", "other", "other_text"}`.

    `other` is the row against which it went, None where there is none; `other_text` None also where that stands in the version built on.

    Of `judged` the first are the rows that came, of which the stage `total` tells. `found` is settled before models are
    audited, which moves q; so gaps are taken by p, which is never greater, and twice as many as a page tells.
    """
    told = [one for one in worst(found) if one["rule"] in RETENTION]
    told += gaps(found, settings.alpha, 2 * MOST_GAPS, by="p")
    drawn: dict[tuple[str, str, str], str] = {}
    for rows in judged:
        ranks = Ranks.drawn(
            len(rows.ids), np.random.default_rng(list(digest(str(job.recipe.seed), "samples")))
        )
        for one in told:
            if one["stage"] != TOTAL or rows is judged[0]:
                for row, stage in _drawn(rows, one, ranks):
                    drawn.setdefault((one["axis"], one["group"], row), stage)
    return _with_texts(job, drawn)


def _drawn(rows: Judged, finding: Finding, ranks: Ranks) -> Iterator[tuple[str, str]]:
    """Yield id and stage of the rows that are drawn behind a finding."""
    gone = rows.gone(finding)
    if gone is None:
        return
    guilty = rows.owed(finding, gone)
    first = ranks.first(guilty, SAMPLES)
    for row in (*first, *ranks.first(gone & ~guilty, SAMPLES - len(first))):
        yield rows.ids[int(row)].as_py(), rows.steps[rows.fell[row]].stage


def _with_texts(job: Job, drawn: Mapping[tuple[str, str, str], str]) -> list[dict[str, Any]]:
    names = pa.array(sorted({row for _, _, row in drawn}), pa.string())
    texts: dict[str, dict[str, str | None]] = {}
    for file in sorted((job.folder / "dropped").glob("*.parquet")) if len(names) else ():
        rows = pq.read_table(file, columns=["id", "messages", "reason", "other"])
        rows = rows.filter(pc.is_in(rows["id"], names))
        told = rows.select(["id", "reason", "other"]).append_column("text", text.contents(rows))
        texts |= {row["id"]: row for row in told.to_pylist()}
    others = said(job, {row["other"] for row in texts.values() if row["other"] is not None})
    for row in texts.values():
        row |= {"text": _short(row["text"]), "other_text": _short(others.get(row["other"] or ""))}
    return [
        {"stage": stage, "axis": axis, "group": group, **texts[row]}
        for (axis, group, row), stage in drawn.items()
        if row in texts
    ]


def _short(content: str | None) -> str | None:
    return None if content is None else content[:LONGEST]
