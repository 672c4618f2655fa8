"""What a version, and a ledger beside it, tell of growth where the run is gone: less than the run did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from corpus.schema import SPLITS, UserError
from corpus.stage import CorpusJudge, Grow, Stage
from corpus.versions.scores import scores
from corpus.versions.version import Version
from flows.descent import Event, lost, plain, told_of, told_to
from flows.lines import scored

ANOTHER = ("near_duplicate", "test_overlap")
"""Reasons of a gate whose `other` is the row that a candidate is too much like; of all others it is the parent."""


@dataclass(frozen=True)
class Lineup:
    """Which stages grew rows, and which judged them: titles, and the name of each growth's operation."""

    growths: tuple[tuple[str, str], ...]
    gates: tuple[str, ...]
    seed: int

    @classmethod
    def of_stages(cls, stages: Iterable[tuple[type[Stage], str, str]], seed: int) -> "Lineup":
        """Take each stage's kind, its name among kinds, and its title."""
        held = list(stages)
        return cls(
            tuple((name, title) for kind, name, title in held if issubclass(kind, Grow)),
            tuple(title for kind, _, title in held if issubclass(kind, CorpusJudge) and kind.candidates),
            seed,
        )

    def grew(self, operation: str) -> str:
        """Return the title of the stage that made rows so; the operation where several did, or none that is known."""
        titles = [title for name, title in self.growths if name == operation]
        return titles[0] if len(titles) == 1 else operation

    def refuses(self, line: dict[str, Any]) -> bool:
        """Say whether a line of the ledger is the refusal of a candidate for which `other` is its parent."""
        return bool(
            line["action"] == "drop" and line["stage"] in self.gates and line["reason"] not in ANOTHER
        )


def published_growth(
    version: Version | None, base: Version | None, lineup: Lineup, row_id: str
) -> list[Event]:
    """Tell how a row of a version was made, and of the rows there that were made of it; those of its base told before."""
    if version is None or version.withdrawn is not None:
        return []
    own = _rows(version, "id", [row_id])
    children = _rows(version, "parent", [row_id])
    known = {row["id"] for row in _rows(base, "id", [row["id"] for row in [*own, *children]])}
    born = [row for row in own if row["parent"] is not None and row["id"] not in known]
    parents = {row["id"]: row["text"] for row in _rows(version, "id", [row["parent"] for row in born])}
    said = own[0]["text"] if own else None
    return [
        *(
            told_of(lineup.grew(row["operation"]), row, parents.get(row["parent"]), lineup.seed)
            for row in born
        ),
        *(_scored(version, row_id) if born else []),
        *(
            told_to(lineup.grew(row["operation"]), row, said, {"became": "admitted"})
            for row in children
            if row["id"] not in known
        ),
    ]


def _scored(version: Version, row_id: str) -> list[Event]:
    """Tell what gates measured of a row, each once."""
    try:
        known = scores(version)
    except UserError:  # `winnow verify` tells why
        return []
    return [*scored(known, row_id).values()]


def refused(line: dict[str, Any]) -> Event:
    """Tell a parent of a candidate that a gate refused, by the gate's line of the ledger: no more is left of it."""
    fate = lost(line, line["other"], "refused")
    return {"stage": line["stage"], "event": "parent of", "child": line["id"], **fate}


def _rows(version: Version | None, column: str, ids: Sequence[str]) -> list[Event]:
    """Return the rows of a version, in id order, that have one of some ids in a column; none of one that is withdrawn."""
    if version is None or version.withdrawn is not None or not ids:
        return []
    with version.reading():
        files = [str(file) for split in SPLITS for file in version.files(split)]
        if not files:
            return []
        meant = pc.field(column).isin(pa.array(sorted({*ids})))
        names = ["id", "parent", "operation", "extra", "messages"]
        return plain(ds.dataset(files).to_table(columns=names, filter=meant).sort_by("id"))
