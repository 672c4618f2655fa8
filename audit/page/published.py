"""Says what is published of the rows, split by split, and which groups have no training row left."""

from collections.abc import Mapping
from typing import Any

from audit.crossings import TOLD

Facts = Mapping[str, Any]

_MOST = 12
"""Groups that are named; the rest are counted."""


def published(audit: Facts | None) -> dict[str, Any] | None:
    """Return the sizes of the splits and the groups that are `gone` from training, the largest first; None of nothing.

    `gone` are those of which five rows and more came: `mentioned` by the lexicon's groups and `others`, each
    `{"axis", "group", "came"}`, up to twelve of both, `more` is how many are not named, and `least` the rows from which a group is told. Where no row is for training
    nobody is gone from it.
    """
    splits = (audit or {}).get("splits") or []
    if audit is None or not any(split["rows"] for split in splits):
        return None
    train = next(split for split in splits if split["split"] == "train")
    left = {(one["axis"], one["group"]): one["rows"] for one in train["groups"]}
    gone = [
        {"axis": axis["axis"], "group": one["group"], "came": one["came"]["rows"], "origin": axis["origin"]}
        for axis in audit["representation"]
        for one in axis["groups"]
        if train["rows"] and one["came"]["rows"] >= TOLD and left.get((axis["axis"], one["group"])) == 0
    ]
    gone.sort(key=lambda one: (-one["came"], one["axis"], one["group"]))
    named = gone[:_MOST]
    return {
        "splits": splits,
        "mentioned": [one for one in named if one["origin"] == "mention-lexicon"],
        "others": [one for one in named if one["origin"] != "mention-lexicon"],
        "more": len(gone) - len(named),
        "least": TOLD,
    }
