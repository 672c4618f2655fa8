"""A run on disk: its folder holds all that a task needs, so that tasks pass nothing but its name."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from corpus.engine import Local
from corpus.fetch import cache_folder, fetch
from corpus.memo import Replay
from corpus.models import Models
from corpus.ray_engine import Ray
from corpus.runner import Progress, Runner, silent
from corpus.schema import LEDGER, SCORES
from corpus.segment import Segment, cut
from corpus.snapshot import PART_ROWS
from corpus.sources import File, Source, files_of
from corpus.stage import Context, Stage
from corpus.standing import Standing, refers
from corpus.store import Store
from corpus.versions.version import Version
from flows import increment
from flows.recipe import Form, Recipe


@dataclass(frozen=True)
class Options:
    """How a run is done; none of it changes what comes out, but for `limit`, which is part of the identity."""

    base: str = "."
    store: str = "winnow-store"
    workers: int | None = None
    limit: int | None = None
    part_rows: int = PART_ROWS
    engine: str = "local"
    fresh: bool = False
    """Build on no version, whatever the name means."""


@dataclass(frozen=True)
class Job:
    """A recipe, how it is to be done, and the run's folder."""

    recipe: Recipe
    options: Options
    folder: Path

    @classmethod
    def begin(cls, recipe: Recipe, options: Options) -> "Job":
        """Make the folder of a new run and write down what it is to do."""
        job = cls(recipe, options, Store(Path(options.store).resolve()).new_run())
        job.write("recipe.json", recipe.model_dump(mode="json"))
        job.write("options.json", asdict(options))
        alone = increment.alone(recipe, options.fresh, options.limit)
        job.write("began.json", increment.begin(recipe, job.store.library, job.models, alone=alone))
        return job

    @classmethod
    def open(cls, folder: Path) -> "Job":
        """Take up a run from its folder."""
        recipe = Form.model_validate(json.loads((folder / "recipe.json").read_text()))
        return cls(recipe, Options(**json.loads((folder / "options.json").read_text())), folder)

    @property
    def store(self) -> Store:
        """The store that the run's folder lies in."""
        return Store(self.folder.parent.parent)

    @property
    def here(self) -> Path:
        """The folder against which relative URIs are read."""
        return Path(self.options.base)

    @property
    def models(self) -> Models:
        """What stages, probe and tuning may ask of models."""
        return Models(self.here, cache_folder())

    @property
    def segments(self) -> list[Segment]:
        """The recipe's stages, cut into passes; a recipe without stages is one empty pass."""
        return cut(self.recipe.stages) or [Segment(None, (), ())]

    @property
    def base(self) -> Version | None:
        """The version that the run builds on."""
        found = self.read("began.json")["builds_on"]
        return None if found is None else self.store.library.open(found)

    @property
    def unchanged(self) -> bool:
        """Whether its sources hold nothing that the version it builds on has not: then that version stays."""
        began, came = self.read("began.json"), self.read("ingest.json")
        return began["builds_on"] is not None and not came["rows"] and not came["without"]

    @contextmanager
    def runner(self, progress: Progress = silent) -> Iterator[Runner]:
        """Lend what runs segments."""
        modules = [
            "corpus.digest_kernels",
            "corpus.json_kernels",
            "corpus.segment",
            "corpus.set_kernels",
            "corpus.settle_kernels",
            "pandas",  # pyarrow imports it when it first turns a list into an array
            *sorted({type(stage).__module__ for stage in self.recipe.stages}),
        ]
        spread = (
            Ray(self.options.workers)
            if self.options.engine == "ray"
            else Local(self.options.workers, modules)
        )
        with spread as engine:
            came = self.read("ingest.json")
            earlier = increment.earlier(self.base, came["without"] if came else [])
            yield Runner(
                self.store,
                engine,
                self.models,
                self.recipe.seed,
                self.options.part_rows,
                progress,
                earlier,
                int(self.recipe.memory),
            )

    def context(self, stage: Stage) -> Context:
        """Return the door through which `stage` saw the world."""
        return Context(self.recipe.seed, stage.title, self.models, Replay(self.store.replay))

    @property
    def whole(self) -> bool:
        """Whether all that the run read and measured is still there: a collected or forgotten part is not."""
        try:
            files = [self.folder / "ingest.json", *self.folder.glob("segments/*/input.json")]
            held = [json.loads(file.read_text())["snapshot"] for file in files if file.exists()]
            parts = [
                part for file in self.folder.glob("segments/*/parts.parquet") for part in refers(file.parent)
            ]
        except (ValueError, OSError, pa.ArrowException):
            return False
        named = [part[what] for part in parts for what in ("file", "memo")]
        snapshots = [self.store.root / "snapshots" / name for name in held]
        return all(map(Path.exists, [*snapshots, *named]))

    def files(self, source: Source) -> list[File]:
        """Return the files of a source, fetched where they are not here."""
        return files(source, self.here)

    def segment(self, number: int) -> Path:
        """Return the folder of what a segment decided."""
        return self.folder / "segments" / str(number)

    @property
    def standing(self) -> Standing:
        """What stands after the last segment."""
        return Standing.load(self.segment(len(self.segments) - 1))

    def ledger(self) -> pa.Table:
        """Return every reject and drop of the run, in the order in which they fell."""
        passed = 0 if self.unchanged else len(self.segments)
        segments = [self.segment(number) / "ledger.parquet" for number in range(passed)]
        return pa.concat_tables(
            [
                LEDGER.empty_table(),
                *(pq.read_table(self.folder / name) for name in ("rejects.parquet", "replaced.parquet")),
                *(pq.read_table(file) for file in segments),
            ]
        )

    def scores(self) -> pa.Table:
        """Return what stages measured of rows beside the ledger's score, in the order in which they did."""
        passed = 0 if self.unchanged else len(self.segments)
        files = [self.segment(number) / "scores.parquet" for number in range(passed)]
        return pa.concat_tables([SCORES.empty_table(), *(pq.read_table(file) for file in files)])

    def write(self, name: str, held: Any) -> None:
        """Write a JSON file of the run, whole or not at all."""
        self.store.write_file(self.folder / name, json.dumps(held, indent=1, default=str))

    def read(self, name: str) -> Any:
        """Read a JSON file of the run; None where it is not there."""
        file = self.folder / name
        return json.loads(file.read_text()) if file.exists() else None


def files(source: Source, here: Path) -> list[File]:
    """Return the files of a source, whose relative URIs are read against a folder, fetched where they are not here."""
    return files_of(source, here, lambda uri: fetch(uri, here, cache_folder()).path)


def stage_rows(job: Job) -> list[dict[str, Any]]:
    """Return the stage table of a run: growth and judges in the recipe's order."""
    held: list[dict[str, Any]] = []
    for number in range(0 if job.unchanged else len(job.segments)):
        held += json.loads((job.segment(number) / "stages.json").read_text())
    return held


def totals(job: Job) -> dict[str, int]:
    """Count rows; what came in and was grown is rejected, kept or dropped."""
    stages: Sequence[dict[str, Any]] = stage_rows(job)
    rejected = pq.read_metadata(job.folder / "rejects.parquet").num_rows
    counted = {
        "in": job.read("ingest.json")["rows"] + rejected,
        "rejected": rejected,
        "kept": 0 if job.unchanged else int(job.standing.fresh.sum()),
        "dropped": sum(sum(stage["dropped"].values()) for stage in stages),
        "grown": sum(stage.get("grown", 0) for stage in stages),
    }
    assert counted["in"] + counted["grown"] == counted["rejected"] + counted["kept"] + counted["dropped"], (
        counted
    )
    return counted
