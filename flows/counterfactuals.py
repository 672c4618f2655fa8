"""Chooses which evaluated rows the models are asked of again as if they spoke of another group."""

from collections import defaultdict
from collections.abc import Sequence

import pyarrow as pa

from audit.groups import MENTIONS, AuditSettings, Membership
from audit.models.counterfactual import Exchange
from corpus import lexicon, text
from corpus.exchange import exchanged
from corpus.schema import digest
from flows.probing import pairs_of


def exchanges(
    rows: pa.Table, groups: Sequence[Membership], settings: AuditSettings, seed: int
) -> tuple[list[Exchange], int]:
    """Return up to `max_counterfactuals` exchanges of terms in evaluated rows, and how many there could be.

    Each pair of groups gives one in turn, those of least keyed hash first, so that a group of few rows is asked of
    too; which they are depends on seed, rows and groups alone.
    """
    contents, ids = text.contents(rows).to_pylist(), rows["id"].to_pylist()
    found: dict[tuple[str, str, str], list[tuple[bytes, Exchange]]] = defaultdict(list)
    for axis, slots in lexicon.load(settings.lexicon).swaps.items():
        mine = [
            group
            for group in groups
            if group.axis.removesuffix(MENTIONS) == axis and group.origin == "mention-lexicon"
        ]
        members = {group.group: group.rows.nonzero()[0].tolist() for group in mine}
        for group, instead in pairs_of(mine, slots):
            for row in members[group]:
                other = exchanged(contents[row] or "", slots, group, instead)
                if other is not None:
                    key = digest(str(seed), "counterfactual", axis, group, instead, ids[row])
                    found[axis, group, instead].append((key, Exchange(row, axis, group, instead, other)))
    ranked = [
        (turn, key, one)
        for mine_of_pair in found.values()
        for turn, (key, one) in enumerate(sorted(mine_of_pair, key=lambda each: each[0]))
    ]
    ranked.sort(key=lambda each: each[:2])
    return [one for _, _, one in ranked[: settings.max_counterfactuals]], len(ranked)
