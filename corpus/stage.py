"""The kinds of stage, what a stage answers, and the one door through which it sees the world."""

from __future__ import annotations

import functools
import importlib
import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, Field

from corpus.arrays import nulls, whole
from corpus.memo import Replay
from corpus.models import Models
from corpus.schema import SPLITS, Split, digest


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


Action = Literal["drop", "mark"]
"""What becomes of a row that is judged: it goes, or it stays and says so (`extra.marks`, the ledger)."""
ACTION = "what becomes of such a row: it goes, or it stays and is marked"


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


@dataclass(frozen=True)
class Verdict:
    """What a stage says of each row. `reason` null keeps the row; `other` and `family` are positions.

    `action` is `drop`, or `mark` where the row stays all the same; null where `reason` is.
    `score` and `threshold` (float64, null where there is none) are given for kept rows too, so that a row's
    biography can say by how much it passed. `family` links a row to another that it is kin to. `columns` are
    set by the runner on the rows that stay.
    """

    reason: pa.Array
    action: pa.Array
    score: pa.Array
    threshold: pa.Array
    other: pa.Array
    detail: pa.Array
    family: pa.Array
    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    cuts: pa.ListArray | None = None
    """What is cut out of the texts of rows that stay (lists of `corpus.amend.CUT`, messages numbered as they were read)."""
    measured: Mapping[str, Any] = field(default_factory=dict)
    """What the stage measured of its own work, for the table of stages."""
    scores: Mapping[str, np.ndarray] = field(default_factory=dict)
    """What the stage measured of each row beside `score`, by name (float64, nan where it was not asked): kept beside the ledger."""

    @classmethod
    def keep(cls, rows: int) -> Verdict:
        """Return a verdict that keeps `rows` rows."""
        text, number, position = pa.string(), pa.float64(), pa.int64()
        return cls(*(nulls(rows, kind) for kind in (text, text, number, number, position, text, position)))

    @classmethod
    def where(
        cls,
        drop: np.ndarray,
        reason: str,
        *,
        action: Action = "drop",
        score: pa.Array | None = None,
        threshold: float | None = None,
        other: pa.Array | None = None,
        detail: pa.Array | None = None,
        family: pa.Array | None = None,
        columns: Mapping[str, pa.Array] | None = None,
        measured: Mapping[str, Any] | None = None,
    ) -> Verdict:
        """Drop the rows where `drop` is true, for one reason; or mark them."""
        rows = len(drop)
        kept = cls.keep(rows)
        limit = pa.scalar(threshold, pa.float64())
        fell, none = pa.array(drop), pa.scalar(None, pa.string())
        return cls(
            reason=pc.if_else(fell, pa.scalar(reason), none),
            action=pc.if_else(fell, pa.scalar(action), none),
            score=kept.score if score is None else score.cast(pa.float64()),
            threshold=pa.repeat(limit, rows),
            other=kept.other if other is None else other,
            detail=kept.detail if detail is None else detail,
            family=kept.family if family is None else family,
            columns=columns or {},
            measured=measured or {},
        )

    @classmethod
    def below(cls, reason: str, score: pa.Array | pa.ChunkedArray, threshold: float) -> Verdict:
        """Drop the rows whose score is less than `threshold`; a null score keeps its row."""
        flat = whole(score)
        drop = pc.fill_null(pc.less(flat, threshold), False)
        return cls.where(drop.to_numpy(zero_copy_only=False), reason, score=flat, threshold=threshold)

    @classmethod
    def above(cls, reason: str, score: pa.Array | pa.ChunkedArray, threshold: float) -> Verdict:
        """Drop the rows whose score is greater than `threshold`; a null score keeps its row."""
        flat = whole(score)
        drop = pc.fill_null(pc.greater(flat, threshold), False)
        return cls.where(drop.to_numpy(zero_copy_only=False), reason, score=flat, threshold=threshold)

    def __or__(self, later: Verdict) -> Verdict:
        """The first reason stands, with the score that belongs to it; columns, families and named scores are united."""
        mine = pc.or_(pc.is_valid(self.reason), pc.is_null(later.reason))
        return replace(
            self,
            **{
                name: pc.if_else(mine, getattr(self, name), getattr(later, name))
                for name in ("reason", "action", "score", "threshold", "other", "detail")
            },
            family=pc.coalesce(self.family, later.family),
            columns={**later.columns, **self.columns},
            scores={**self.scores, **later.scores},
            cuts=later.cuts if self.cuts is None else self.cuts,
        )

    def says(self, action: Action) -> np.ndarray:
        """Say of which rows the verdict is `action` (bool)."""
        said: np.ndarray = pc.fill_null(pc.equal(self.action, action), False).to_numpy(zero_copy_only=False)
        return said

    def explained(self, detail: pa.Array) -> Verdict:
        """The same verdict, saying `detail` where it drops."""
        return replace(self, detail=pc.if_else(pc.is_valid(self.reason), detail, self.detail))

    def told(self, name: str, score: np.ndarray) -> Verdict:
        """The same verdict, with a score of each row (nan where there is none) to be kept under `name`."""
        return replace(self, scores={**self.scores, name: score})

    def on(self, rows: np.ndarray) -> Verdict:
        """The same verdict where `rows` is true; elsewhere the row is kept. Kinship is told of all."""
        if rows.all():
            return self
        mask = pa.array(rows)
        return replace(
            self,
            reason=pc.if_else(mask, self.reason, pa.scalar(None, pa.string())),
            action=pc.if_else(mask, self.action, pa.scalar(None, pa.string())),
            other=pc.if_else(mask, self.other, pa.scalar(None, pa.int64())),
            cuts=None if self.cuts is None else self.cuts.take(pa.array(np.arange(len(rows)), mask=~rows)),
        )


@functools.cache
def file_digest(path: Path) -> str:
    """Hash a source file: what was measured by other code is measured again."""
    return digest(path.read_bytes()).hex()
