"""Each split's rows and groups are counted one by one, and what went or only stands beside is no row of another."""

import numpy as np
import pyarrow as pa

from audit.groups import Membership
from audit.splits import splits

SPLIT = ["train", "train", None, "test", "validation", "test", None, "train"]


def group(rows, name="women", axis="gender"):
    return Membership(axis, name, "mention-lexicon", np.asarray(rows, dtype=bool))


def test_rows_are_counted_in_the_split_in_which_they_stand():
    women, men = [1, 0, 1, 1, 0, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 0]
    beside = {
        ("train", "gender", "women"): 4,
        ("train", "gender", "others"): 2,
        ("test", "gender", "nobody"): 0,
    }

    found = splits(
        [group(women), group(men, "men")], pa.array(SPLIT), beside, {"train": (9, 5), "test": (1, 0)}
    )

    def counted(name, rows):
        return sum(one == name and bool(mine) for one, mine in zip(SPLIT, rows, strict=True))

    assert found == [
        {
            "split": name,
            "rows": SPLIT.count(name) + others,
            "grown": grown,
            "groups": [
                {"axis": "gender", "group": "women", "rows": counted(name, women) + beside.get((name, "gender", "women"), 0)},
                {"axis": "gender", "group": "men", "rows": counted(name, men)},
                {"axis": "gender", "group": "others", "rows": 2 if name == "train" else 0},
            ],
        }
        for name, others, grown in (("train", 9, 5), ("validation", 0, 0), ("test", 1, 0))
    ]  # fmt: skip


def test_no_rows_and_no_groups_are_counted_as_none():
    found = splits([], pa.array([], pa.string()), {}, {})

    assert found == [
        {"split": name, "rows": 0, "grown": 0, "groups": []} for name in ("train", "validation", "test")
    ]
