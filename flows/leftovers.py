"""What is still told of a row where the rows of its run are gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.schema import LEDGER, SPLITS, UserError
from corpus.versions.version import Version
from flows.heirs import Lineup, published_growth, refused
from flows.job import Job
from flows.lines import CAME, EVENTS, displaced, made_by, published, why
from flows.stages import known


@dataclass(frozen=True)
class LedgerChapter:
    """What is still told where a run's rows are gone from disk: its ledger, and the version that it made, if any."""

    name: str
    ledger: pa.Table
    sources: list[str]
    version: Version | None
    last: bool
    lineup: Lineup

    @classmethod
    def of_version(cls, version: Version, *, last: bool) -> "LedgerChapter":
        """Return what a version tells by itself."""
        try:
            ledger = version.ledger
        except UserError:  # `winnow verify` tells why
            ledger = None
        recipe = version.manifest["recipe"]
        sources = [source["name"] for source in recipe.get("sources", [])]
        stages = [(stage["stage"], stage.get("name") or stage["stage"]) for stage in recipe.get("stages", [])]
        kinds = [(known()[name], name, title) for name, title in stages if name in known()]
        told = LEDGER.empty_table() if ledger is None else ledger
        lineup = Lineup.of_stages(kinds, recipe.get("seed", 0))
        return cls(f"version {version.id[:12]}", told, sources, version, last, lineup)

    @classmethod
    def of_run(cls, job: Job, *, last: bool) -> "LedgerChapter":
        """Return what is left of a run of which rows were forgotten."""
        sources = [source.name for source in job.recipe.sources]
        kinds = [(type(stage), stage.stage, stage.title) for stage in job.recipe.stages]
        lineup = Lineup.of_stages(kinds, job.recipe.seed)
        return cls(f"run {job.folder.name}", job.ledger(), sources, made_by(job), last, lineup)

    @cached_property
    def came(self) -> pa.Table:
        """The rows that it knows: id and where they were read."""
        held = []
        if self.version is not None and self.version.withdrawn is None:
            held = [
                pq.read_table(file, columns=CAME) for split in SPLITS for file in self.version.files(split)
            ]
        fell = self.ledger.filter(self.ledger["id"].is_valid())
        none = pa.nulls(fell.num_rows, pa.string())
        return pa.concat_tables([*held, fell.select(CAME[:-1]).append_column("parent", none)])

    @property
    def ids(self) -> Iterator[pa.ChunkedArray]:
        """The ids of all rows that it knows."""
        yield self.came["id"]

    @property
    def refused(self) -> pa.Table:
        """The rejects, as lines of the ledger."""
        return self.ledger.filter(pc.equal(self.ledger["action"], "reject"))

    def tell(self, row_id: str) -> list[dict[str, Any]]:
        """Return the events of a row's life that are known: how it was made, what it lost to, what it displaced, its children."""
        lines = self.ledger.filter(pc.equal(self.ledger["id"], row_id)).to_pylist()
        others = self.ledger.filter(pc.fill_null(pc.equal(self.ledger["other"], row_id), False)).to_pylist()
        events = published_growth(self.version, self._base, self.lineup, row_id)
        events += [
            {
                "stage": line["stage"],
                "event": EVENTS[line["action"]],
                **why(line),
                **({"other_is": "parent"} if line["other"] and self.lineup.refuses(line) else {}),
            }
            for line in lines
        ]
        events += [refused(line) if self.lineup.refuses(line) else displaced(line) for line in others]
        return events + (published(self.version, row_id) if self.last and self.version is not None else [])

    @property
    def _base(self) -> Version | None:
        """The version that its version builds on, where that can be read."""
        return None if self.version is None else next(islice(self.version.lineage, 1, None), None)
