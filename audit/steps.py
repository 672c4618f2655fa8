"""What a stage did to whom, as counts: of a group's rows, how many entered, how many stayed, why the rest went."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.findings import TOTAL
from audit.groups import Membership
from corpus.statistics import effective_size, product_limit


@dataclass(frozen=True)
class Step:
    """What one stage did to the audited rows, in their order.

    `entered`: the row stood when the stage began and the stage may drop it. `kept` is read where `entered` is
    true. `reason` (string, null where kept) says why a row went, `other` (int, negative where there is none) numbers the row
    against which it went, as a copy goes against the row that stays. A stage that `chooses` keeps so many rows, or sets rows
    apart: what it leaves out is no loss by itself, though whom it leaves out is audited.
    """

    stage: str
    entered: np.ndarray
    kept: np.ndarray
    reason: pa.Array | None = None
    chooses: bool = False
    other: np.ndarray | None = None


@dataclass(frozen=True)
class Counts:
    """Rows of a group that entered and stayed, and the same of all other rows. Of `total` and of families they are effective."""

    n: float
    kept: float
    other_n: float
    other_kept: float

    @property
    def two_sided(self) -> bool:
        """Whether there are rows on both sides."""
        return min(self.n, self.other_n) > 0

    @property
    def compared(self) -> bool:
        """Whether there is something to compare: rows on both sides, of which some were dropped."""
        return self.two_sided and self.kept + self.other_kept < self.n + self.other_n

    @property
    def pooled(self) -> float:
        """The share of all rows that stayed."""
        return (self.kept + self.other_kept) / (self.n + self.other_n)

    @property
    def log_ratio(self) -> float | None:
        """The logarithm of the ratio of the two rates; 0 without two sides, None where it is not finite."""
        if not self.two_sided:
            return 0.0
        if 0 in (self.kept, self.other_kept):
            return None
        return math.log(self.kept / self.n) - math.log(self.other_kept / self.other_n)


def count(step: Step, rows: np.ndarray) -> Counts:
    """Count the `rows` that entered and stayed in `step`, and the others."""
    stayed = step.entered & step.kept
    n, kept = int((step.entered & rows).sum()), int((stayed & rows).sum())
    return Counts(n, kept, int(step.entered.sum()) - n, int(stayed.sum()) - kept)


def clustered(step: Step, rows: np.ndarray, families: np.ndarray) -> Counts:
    """Count as `count` does, but as many rows as their families are worth (`families`: int, row-aligned), at the same rates.

    Rows of one family may share a fate, and no family is of both sides.
    """
    plain = count(step, rows)
    n, other_n = (effective_size(np.bincount(families[step.entered & side])) for side in (rows, ~rows))
    return Counts(
        n,
        n * plain.kept / plain.n if plain.n else 0.0,
        other_n,
        other_n * plain.other_kept / plain.other_n if plain.other_n else 0.0,
    )


def compose(stages: Sequence[Counts]) -> Counts:
    """Return the counts of a whole pipeline, from those of its stages that both sides entered.

    Where there is none, those of the group are over the stages that it entered, and there is nobody to compare with.
    """
    both = [counts for counts in stages if counts.two_sided]
    mine = [(counts.n, counts.kept) for counts in both or stages if counts.n]
    others = [(counts.other_n, counts.other_kept) for counts in both]
    (kept, n), (other_kept, other_n) = (
        product_limit(*zip(*side, strict=True)) if side else (0, 0) for side in (mine, others)
    )
    return Counts(n, kept, other_n, other_kept)


def whole(steps: Sequence[Step]) -> Step:
    """Return the step `total`: a row entered if it entered any step, and stayed if none dropped it."""
    dropped = [step.entered & ~step.kept for step in steps]
    entered = np.logical_or.reduce([step.entered for step in steps])
    return Step(TOTAL, entered, ~np.logical_or.reduce(dropped))


@dataclass(frozen=True)
class Reasons:
    """Why the rows of a side went: how many by each rule, the commonest first, and against how many rows, where rules name such."""

    removed: dict[str, int]
    against: dict[str, int]


def reasons(step: Step, memberships: Sequence[Membership]) -> tuple[list[Reasons], Reasons]:
    """Count why the rows of each group went, and why all rows did. Rows without a reason went by the rule "dropped"."""
    rows = len(step.entered)
    told = pa.nulls(rows, pa.string()) if step.reason is None else step.reason.cast(pa.string())
    coded = pc.fill_null(told, "dropped").dictionary_encode()
    gone = np.flatnonzero(step.entered & ~step.kept)
    codes = coded.indices.to_numpy(zero_copy_only=False)[gone]
    others = np.full(len(gone), -1) if step.other is None else step.other[gone].astype(np.int64)
    span = int(others.max(initial=0)) + 1
    met = np.where(others < 0, -1, codes * span + others)
    names = coded.dictionary.to_pylist()

    def counted(mine: np.ndarray) -> Reasons:
        times = np.bincount(codes[mine], minlength=len(names)).tolist()
        ranked = sorted(zip(names, times, strict=True), key=lambda item: (-item[1], item[0]))
        unlike = np.unique(met[mine & (met >= 0)]) // span
        against = zip(names, np.bincount(unlike, minlength=len(names)).tolist(), strict=True)
        return Reasons(*({name: count for name, count in each if count} for each in (ranked, against)))

    return [counted(group.rows[gone]) for group in memberships], counted(np.ones(len(gone), bool))


def check(steps: Sequence[Step], memberships: Sequence[Membership]) -> None:
    """Assert that all are aligned and that no dropped row comes back."""
    rows = len(steps[0].entered)
    gone = np.zeros(rows, dtype=bool)
    for step in steps:
        assert len(step.entered) == len(step.kept) == rows, (
            f"{step.stage} is not aligned with the audited rows"
        )
        assert not (gone & step.entered).any(), f"{step.stage} was entered by rows that were dropped before"
        gone |= step.entered & ~step.kept
    for group in memberships:
        assert len(group.rows) == rows, f"{group.axis}={group.group} is not aligned with the audited rows"


def selection_rates(cells: Sequence[Counts]) -> np.ndarray:
    """Return the retention (group, others) of each cell by Fairlearn's MetricFrame, shape (cells, 2).

    The frame is given the four counts of each cell as weighted rows, each side of a cell being a sensitive group
    of its own, so it costs the same for any corpus. Labels are 0 and 1, and nothing is missing: of a missing
    group it would drop the rows in silence.
    """
    if not cells:
        return np.empty((0, 2))
    from fairlearn.metrics import MetricFrame, selection_rate

    sides = [side for cell in cells for side in ((cell.n, cell.kept), (cell.other_n, cell.other_kept))]
    kept = np.tile([1, 0], len(sides))
    weights = np.array([weight for n, stayed in sides for weight in (stayed, n - stayed)], dtype=float)
    frame = MetricFrame(
        metrics={"retention": selection_rate},
        y_true=kept,
        y_pred=kept,
        sensitive_features=np.repeat(np.arange(len(sides)), 2),
        sample_params={"retention": {"sample_weight": weights}},
    )
    rates: np.ndarray = frame.by_group["retention"].to_numpy().reshape(len(cells), 2)
    return rates
