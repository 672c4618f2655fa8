"""Events of a row's life that a line of the ledger, what was measured, or a version that has the row, tells."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.schema import SPLITS, UserError
from corpus.versions.version import Version
from flows.job import Job

CAME = ["id", "source", "file", "row", "parent"]
"""What is to be known of a row to find it: its id, where it was read, its parent."""
EVENTS = {"drop": "dropped", "mark": "marked", "replace": "replaced", "forget": "forgotten"}
"""What an action of the ledger is called in a row's life."""


def why(line: dict[str, Any]) -> dict[str, Any]:
    """Say why a row went or was marked: what its line has of reason, score, threshold, other row and detail."""
    return {
        key: line[key] for key in ("reason", "score", "threshold", "other", "detail") if line[key] is not None
    }


def displaced(line: dict[str, Any]) -> dict[str, Any]:
    """Tell the `other` row of a line of the row that lost to it, or was marked against it."""
    return {
        "stage": line["stage"],
        "event": "displaced" if line["action"] == "drop" else "marked another",
        "other": line["id"],
        "reason": line["reason"],
        "score": line["score"],
    }


def made_by(job: Job) -> Version | None:
    """Return the version that a run made or found, if it can still be read."""
    held = job.read("version.json")
    try:
        version = None if held is None else Version.look(job.store.library.shelf, held["version"])
        _ = version is None or version.withdrawn or version.shards  # which raises where they are broken
    except (UserError, FileNotFoundError):
        return None
    return version


def published(version: Version, row_id: str) -> list[dict[str, Any]]:
    """Say where in a version a row lies, if it does."""
    if version.withdrawn is not None:
        return []
    with version.reading():
        for split in SPLITS:
            for file in version.files(split):
                at = pc.index(pq.read_table(file, columns=["id"])["id"], row_id).as_py()
                if at >= 0:
                    return [
                        {
                            "stage": "publish",
                            "event": "published",
                            "version": version.id,
                            "split": split,
                            "shard": file.name,
                            "row": at,
                        }
                    ]
    return []


def scored(scores: pa.Table, row_id: str) -> dict[str, dict[str, Any]]:
    """Return for each stage what it measured of a row, as an event of the row's life."""
    events: dict[str, dict[str, Any]] = {}
    for one in scores.filter(pc.equal(scores["id"], row_id)).to_pylist():
        event = events.setdefault(one["stage"], {"stage": one["stage"], "event": "scored"})
        event[one["name"]] = round(one["score"], 4)
    return events
