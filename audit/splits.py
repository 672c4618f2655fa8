"""Counts who is in each split of what is published: a group may be left in the test alone, and then no model learns of it.

{"split": "train", "rows": 878, "grown": 38, "groups": [{"axis": "religion", "group": "muslim", "rows": 0}]}
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audit.groups import Membership
from corpus.schema import SPLITS


def splits(
    memberships: Sequence[Membership],
    split: pa.Array,
    beside: Mapping[tuple[str, str, str], int],
    rows: Mapping[str, tuple[int, int]],
) -> list[dict[str, Any]]:
    """Return for each split its published rows, how many of them were grown, and those of each group.

    `split` says where each audited row stands (string, row-aligned; null of a row that went). `beside` counts by (split, axis,
    group) what is published beside them, as `audit.representation` takes it, and `rows` by split all of that and those that
    were grown. Groups are those of the audited rows and those that only stand beside.
    """
    names = list(
        dict.fromkeys(
            [
                *((one.axis, one.group) for one in memberships),
                *((axis, group) for (_, axis, group), count in beside.items() if count),
            ]
        )
    )
    found = []
    for name in SPLITS:
        here = pc.fill_null(pc.equal(split, name), False).to_numpy(zero_copy_only=False)
        stay = {(one.axis, one.group): int((one.rows & here).sum()) for one in memberships}
        others, grown = rows.get(name, (0, 0))
        found.append(
            {
                "split": name,
                "rows": int(here.sum()) + others,
                "grown": grown,
                "groups": [
                    {
                        "axis": axis,
                        "group": group,
                        "rows": stay.get((axis, group), 0) + beside.get((name, axis, group), 0),
                    }
                    for axis, group in names
                ],
            }
        )
    return found
