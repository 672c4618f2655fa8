"""The kinds of stage, and the one door through which they see the world."""

from __future__ import annotations

import functools
import importlib
import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from corpus.memo import Replay
from corpus.models import Models
from corpus.schema import SPLITS, Split, digest
from corpus.verdict import Verdict


class Features(Protocol):
    """What a corpus judge measured of the rows that still stand, read column by column as it is asked for."""

    def __getitem__(self, name: str) -> pa.ChunkedArray:
        """Return a column, aligned with the rows. Whoever needs it twice keeps it: it is read each time."""

    def stream(self, name: str) -> Iterator[pa.Array]:
        """Yield a column part by part: for what is too much to be held at a time."""


class Rows(Protocol):
    """The rows that a corpus judge judges: those that still stand, in id order."""

    @property
    def table(self) -> pa.Table:
        """The narrow columns: what a row has beside its `messages`, its `extra` and where it was read; its `fingerprint`; and `earlier`.

        Rows that are `earlier` are those of the version that is built on: they stay, whatever a judge says.
        """

    @property
    def first(self) -> np.ndarray:
        """For each row the position of the first row of its family; its own where it has no kin here."""

    @property
    def candidates(self) -> np.ndarray:
        """Which rows the last growth made, and nobody has admitted yet."""

    def map(self, function: Callable[[pa.StringArray, Context], pa.Array], positions: np.ndarray) -> pa.Array:
        """Look again at the texts of the rows at `positions` (ascending): `function` is called part by part."""

    def stream(
        self, function: Callable[[pa.Table, Context], pa.Array], positions: np.ndarray
    ) -> Iterator[pa.Array]:
        """Yield, part by part, what is said of the `messages` of the rows at `positions` (ascending).

        For what is too much to be held at a time, or needs more than texts: other columns are read if the function names
        them (`columns`).
        """

    @property
    def memory(self) -> int:
        """How many bytes a judge may hold beside columns of numbers; what is more goes to `scratch`."""

    def scratch(self) -> AbstractContextManager[Path]:
        """Lend an empty folder; it is removed at the end."""


@dataclass(frozen=True)
class Context:
    """What a stage may ask of the world. Picklable: it travels to the workers."""

    seed: int
    stage: str
    models: Models
    replay: Replay

    def generator(self, row_id: str) -> np.random.Generator:
        """Return a generator of its own for each row: the same whatever the order, the part and the worker."""
        return np.random.default_rng(list(digest(str(self.seed), self.stage, row_id)))

    def keyed(self, value: str | bytes) -> float:
        """Return a number in [0, 1) that depends on the seed, the stage and `value` alone."""
        return int.from_bytes(digest(str(self.seed), self.stage, value)[:8], "big") / 2**64


class Stage(BaseModel):
    """A stage's fields are its knobs. Frozen; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"required": ["stage"]})

    stage: str
    name: str | None = Field(
        None, description="tells two uses of one stage apart; the stage's own name by default"
    )
    roles: tuple[str, ...] | None = Field(None, description="messages that are read; all where absent")
    splits: tuple[Split, ...] = Field(
        SPLITS, description="splits whose rows may be dropped, changed or grown"
    )

    thresholds: ClassVar[frozenset[str]] = frozenset()
    """Knobs that only `judge` reads: another value needs no new measuring."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions on whose version it depends what is measured: part of the memo's key."""
    exempt: ClassVar[Mapping[str, str]] = {}
    """Laws that cannot hold for this stage, each with its reason; `docs/stages.md` lists them."""

    @property
    def models(self) -> tuple[str, ...]:
        """URIs of the models that the stage asks: fetched before a run, their digests part of the memo's key."""
        return ()

    @property
    def title(self) -> str:
        """What the ledger, the report and the summary call it."""
        return self.name or self.stage

    @property
    def measuring(self) -> dict[str, Any]:
        """The knobs that what is measured depends on: part of the memo's key."""
        return self.model_dump(mode="json", exclude={"name", "splits", *self.thresholds})

    def depends(self, models: Models) -> tuple[str, ...]:
        """Return digests of what else is measured with: part of the memo's key."""
        return tuple(models.revision(uri) for uri in self.models)

    def identity(self, models: Models) -> dict[str, Any]:
        """Return what a version's id knows of the stage: all knobs written out."""
        return self.model_dump(mode="json")

    def ready(self, models: Models) -> None:
        """Raise UserError where what the stage needs is not there, before anything heavy runs."""

    @classmethod
    def source_file(cls) -> Path:
        """Return the file of the stage's own module, whose hash is part of the memo's key."""
        return Path(inspect.getfile(importlib.import_module(cls.__module__)))


class Rewrite(Stage):
    """Contents in, contents out. The runner takes them out of `messages` and puts them back."""

    @property
    def measuring(self) -> dict[str, Any]:
        """The knobs, and the splits whose rows are rewritten."""
        return {**super().measuring, "splits": sorted(self.splits)}

    @abstractmethod
    def rewrite(self, texts: pa.StringArray, ids: pa.StringArray, context: Context) -> pa.StringArray:
        """Return the new contents, aligned with `texts`; `ids` are those of the rows that hold them."""


class Judge(Stage):
    """A filter: it measures part by part, and judges what it measured."""

    @abstractmethod
    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return row-aligned features; `messages` holds only the roles that the stage reads."""

    @abstractmethod
    def judge(self, features: pa.Table, context: Context) -> Verdict:
        """Return the verdict on each row from its features alone."""


class CorpusJudge(Stage):
    """A judge that sees all rows that stand, once: those of the version that is built on, then the others in id order."""

    candidates: ClassVar[bool] = False
    """Judges the candidates of the growth before it and no other row."""
    chooses: ClassVar[bool] = False
    """Keeps so many rows, or sets rows apart: what it leaves out is no loss."""

    @property
    def cuts(self) -> bool:
        """Whether it may cut texts: what stands behind it reads what is left of them."""
        return False

    def wanted(self, rows: pa.Table) -> np.ndarray:
        """Say of the rows that stand when a growth begins (their narrow columns) of which it could keep children (bool): by default of all.

        Asked of the judge of candidates right behind the growth, so that nothing is made that it could not keep.
        """
        return np.ones(len(rows), bool)

    @abstractmethod
    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return row-aligned features; `messages` holds only the roles that the stage reads.

        They depend on what a row says, not on its family or split: a later run takes them over.
        """

    @abstractmethod
    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Return the verdict on each row that stands; `features` is aligned with `rows`."""


class Grow(Stage):
    """New rows from those that stand, each naming its parent. Of the rows of `splits`, which are those of training where nothing else is said."""

    splits: tuple[Split, ...] = Field(("train",), description="splits whose rows are grown")

    @abstractmethod
    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return candidates with `parent`, `operation`, `messages` and `extra`; the runner copies the rest."""


@functools.cache
def file_digest(path: Path) -> str:
    """Hash a source file: what was measured by other code is measured again."""
    return digest(path.read_bytes()).hex()
