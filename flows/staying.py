"""Who is published by a run: which of the rows that came, in which split, and which rows beside them."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.groups import OTHER, READ_OFF, AuditSettings, Membership
from corpus.schema import SPLITS, of_splits
from flows import subjects
from flows.job import Job


@dataclass(frozen=True)
class Published:
    """Who is published: of the rows that came the split of each (string, row-aligned; null of those that went), and what stands beside them.

    Beside them stand rows that were grown, and those of the version that the run builds on. `beside` counts them by (split,
    axis, group); `rows` counts by split all of them and those that were grown.
    """

    split: pa.Array
    beside: Counter[tuple[str, str, str]]
    rows: dict[str, tuple[int, int]]

    @property
    def kept(self) -> np.ndarray:
        """Which of the rows that came are published (bool, row-aligned)."""
        found: np.ndarray = self.split.is_valid().to_numpy(zero_copy_only=False)
        return found

    @property
    def by_group(self) -> Counter[tuple[str, str]]:
        """What stands beside, by group, whatever its split."""
        counts: Counter[tuple[str, str]] = Counter()
        for (_, axis, group), count in self.beside.items():
            counts[axis, group] += count
        return counts

    @property
    def others(self) -> int:
        """All that stands beside."""
        return sum(rows for rows, _ in self.rows.values())


def published(job: Job, groups: list[Membership], settings: AuditSettings) -> Published:
    """Say which of the rows that came stand at the end, in which split; count by group what stands beside them, read as it is."""
    standing = job.standing
    ids = subjects.came(job).narrow(["id"])["id"].combine_chunks()
    names = standing.narrow["id"].combine_chunks()
    where_of = pc.fill_null(standing.narrow["split"].combine_chunks(), "train")
    mine = pc.is_in(names, value_set=ids).to_numpy(zero_copy_only=False)
    mine &= np.arange(len(mine)) >= standing.earlier
    stay = pa.array(mine & standing.stands)
    split = where_of.filter(stay).take(pc.index_in(ids, value_set=names.filter(stay)))
    others = standing.stands & ~mine
    grown = others & pc.is_valid(standing.narrow["parent"]).to_numpy(zero_copy_only=False)
    counts: Counter[tuple[str, str, str]] = Counter()
    apart = settings.model_copy(update={"min_group": 1, "max_groups": len(others)})
    known = {(group.axis, group.group) for group in groups}
    declared = {group.axis for group in groups if group.origin not in READ_OFF}
    where = np.flatnonzero(others)
    for first in range(0, len(where), subjects.READ):
        chosen = where[first : first + subjects.READ]
        rows = standing.take(chosen, ["label", "source", "groups", "messages"])
        stands = {name: of_splits(where_of.take(pa.array(chosen)), [name]) for name in SPLITS}
        for group in subjects.members(rows, apart, declared):
            folded = (group.axis, group.group) not in known and (group.axis, OTHER) in known
            told = OTHER if folded else group.group
            for name, here in stands.items():
                counts[name, group.axis, told] += int((group.rows & here).sum())
    by_split: dict[str, tuple[int, int]] = {
        name: (int((others & here).sum()), int((grown & here).sum()))
        for name in SPLITS
        for here in [of_splits(where_of, [name])]
    }
    return Published(split, _folded(counts, known, settings.max_groups), by_split)


def _folded(
    counts: Counter[tuple[str, str, str]], known: set[tuple[str, str]], most: int
) -> Counter[tuple[str, str, str]]:
    """Return counts by split and group in which those that only stand beside are told apart up to so many an axis, the largest first."""
    sums: Counter[tuple[str, str]] = Counter()
    for (_, axis, group), count in counts.items():
        sums[axis, group] += count
    beside: Counter[str] = Counter()
    rare = set()
    for (axis, group), _ in sorted(sums.items(), key=lambda item: (-item[1], item[0])):
        if (axis, group) not in known:
            beside[axis] += 1
            if beside[axis] > most:
                rare.add((axis, group))
    told: Counter[tuple[str, str, str]] = Counter()
    for (split, axis, group), count in counts.items():
        told[split, axis, OTHER if (axis, group) in rare else group] += count
    return told
