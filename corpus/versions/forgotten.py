"""What is to be taken in no more."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Forgotten:
    """Row ids and sources that were forgotten, each with when and why."""

    rows: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def among(self, source: str, ids: Sequence[str | None]) -> dict[int, str]:
        """Return the places of the rows of a source that are forgotten, each with when and why."""
        if source in self.sources:
            return {place: self.sources[source] for place, row_id in enumerate(ids) if row_id is not None}
        if not self.rows:
            return {}
        return {place: self.rows[row_id] for place, row_id in enumerate(ids) if row_id in self.rows}
