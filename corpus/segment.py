"""Where passes over a corpus begin and end, and the pass itself: all rewriting and measuring of a segment at once."""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from unicodedata import unidata_version

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import measures, snapshot, text
from corpus.arrays import whole
from corpus.schema import digest, of_splits
from corpus.snapshot import Part
from corpus.stage import Context, CorpusJudge, Grow, Judge, Rewrite, Stage, file_digest
from corpus.store import Store


@dataclass(frozen=True)
class Segment:
    """Growth, then row stages in the recipe's order, then the corpus judges behind them."""

    grow: Grow | None
    row_stages: tuple[Rewrite | Judge, ...]
    corpus_judges: tuple[CorpusJudge, ...]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages, in order."""
        return (*((self.grow,) if self.grow is not None else ()), *self.row_stages, *self.corpus_judges)

    @property
    def measuring(self) -> tuple[Rewrite | Judge | CorpusJudge, ...]:
        """The stages that see each part, in order."""
        return (*self.row_stages, *self.corpus_judges)

    @property
    def gate(self) -> CorpusJudge | None:
        """The judge of the candidates, where no judge stands between it and the growth: no row falls before it counts them."""
        first = next((stage for stage in self.measuring if not isinstance(stage, Rewrite)), None)
        return first if isinstance(first, CorpusJudge) and first.candidates else None


def cut(stages: Sequence[Stage]) -> list[Segment]:
    """Cut a recipe's stages: a growth begins a segment, a row stage behind a corpus judge, and what follows a cut.

    A recipe that ends with a stage that cuts has an empty segment at its end, for what is left of the texts.
    """
    segments: list[list[Stage]] = [[]]
    for stage in stages:
        after_judge = any(isinstance(earlier, CorpusJudge) for earlier in segments[-1])
        if segments[-1] and (isinstance(stage, Grow) or (after_judge and not isinstance(stage, CorpusJudge))):
            segments.append([])
        segments[-1].append(stage)
        if isinstance(stage, CorpusJudge) and stage.cuts:
            segments.append([])
    return [
        Segment(
            grow=next((stage for stage in held if isinstance(stage, Grow)), None),
            row_stages=tuple(stage for stage in held if isinstance(stage, Rewrite | Judge)),
            corpus_judges=tuple(stage for stage in held if isinstance(stage, CorpusJudge)),
        )
        for number, held in enumerate(segments)
        if held or number
    ]


@dataclass(frozen=True)
class Pass:
    """The task of one part: rewrite and measure it, and keep what came of it under `key` in the memo."""

    store: Store
    part: Part
    segment: Segment
    contexts: Mapping[str, Context]
    key: str


@dataclass(frozen=True)
class Measured:
    """A part, and the memo's folder with what a pass left of it; `seconds` by stage is empty where it stood there.

    The memo holds features and, where one was rewritten, the messages: all that depends on the content of the
    rows. Where they were read stands in the part's own file, since equal rows may come from elsewhere.
    """

    part: Part
    memo: Path
    changed: Mapping[str, int]
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows the part has."""
        return self.part.rows

    @property
    def features(self) -> Path:
        """The file of all features, with the fingerprint of each row."""
        return self.memo / measures.FILE

    def table(self, columns: Sequence[str] | None = None, positions: np.ndarray | None = None) -> pa.Table:
        """Return columns of the rows, or of those at `positions`, as the pass left them; all columns by default."""
        rows = self.part.read(columns, positions)
        rewritten = self.memo / "messages.parquet"
        if "messages" not in rows.column_names or not rewritten.exists():
            return rows
        messages = snapshot.table(rewritten)["messages"]
        return with_messages(rows, messages if positions is None else messages.take(pa.array(positions)))

    def read(self, stage: Stage, column: str | None = None) -> pa.Table:
        """Return the features that `stage` measured, or one of them."""
        prefix = f"{stage.title}/"
        held = measures.read(self.features, None if column is None else [f"{prefix}{column}"])
        mine = held.select([name for name in held.column_names if name.startswith(prefix)])
        return mine.rename_columns([name.removeprefix(prefix) for name in mine.column_names])


def memo_key(part: Part, segment: Segment, contexts: Mapping[str, Context], seed: int) -> str:
    """Name what a pass depends on: the part's content, what measures it, models, seed, code and libraries."""
    corpus_code = "".join(file_digest(file) for file in sorted(Path(__file__).parent.glob("*.py")))
    stages = [
        [
            stage.title,
            stage.measuring,
            file_digest(stage.source_file()),
            [*stage.depends(contexts[stage.title].models)],
            [version(name) for name in stage.libraries],
        ]
        for stage in segment.measuring
    ]
    return digest(
        "pass",
        part.digest,
        str(part.rows),
        json.dumps(stages, sort_keys=True),
        str(seed),
        corpus_code,
        unidata_version,
    ).hex()


def remembered(store: Store, part: Part, key: str) -> Measured | None:
    """Return what an earlier pass left, if one came to its end."""
    folder = store.memo(key)
    if not (folder / "done.json").exists():
        return None
    with suppress(OSError):  # a store that only may be read
        (folder / "done.json").touch()  # what was used lately is kept longer
    return Measured(part, folder, json.loads((folder / "done.json").read_text()))


def run_pass(task: Pass) -> Measured:
    """Do all of a segment's rewriting and measuring of one part, dropped rows included."""
    passed = pass_over(task.part.read(), task.segment, task.contexts)
    keep(task.store, task.key, passed)
    found = remembered(task.store, task.part, task.key)
    assert found is not None
    return replace(found, seconds=passed.seconds)


@dataclass(frozen=True)
class Passed:
    """What came of rows in memory: features with the fingerprint, how many rows each rewrite changed, and seconds by stage.

    `messages` are None where none was rewritten.
    """

    features: pa.Table
    changed: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    messages: pa.ChunkedArray | None = None


def pass_over(rows: pa.Table, segment: Segment, contexts: Mapping[str, Context]) -> Passed:
    """Rewrite and measure rows, stage by stage."""
    features: dict[str, pa.Array | pa.ChunkedArray] = {}
    changed: dict[str, int] = {}
    seconds: dict[str, float] = {}
    for stage in segment.measuring:
        began = time.perf_counter()
        context = contexts[stage.title]
        if isinstance(stage, Rewrite):
            rows, changed[stage.title] = rewritten(rows, stage, context)
        else:
            measured = stage.measure(rows_with_roles(rows, stage.roles), context)
            features.update({f"{stage.title}/{name}": measured[name] for name in measured.column_names})
        seconds[stage.title] = time.perf_counter() - began
    features["fingerprint"] = text.fingerprints(rows)
    messages = rows["messages"] if any(changed.values()) else None
    return Passed(pa.table(features), changed, seconds, messages)


def keep(store: Store, key: str, passed: Passed) -> None:
    """Keep what came of a part's rows in the memo, whole or not at all."""
    with store.aside() as folder:
        made = folder / "made"
        made.mkdir()
        measures.write(made, passed.features)
        if passed.messages is not None:
            pq.write_table(
                pa.table({"messages": passed.messages}),
                made / "messages.parquet",
                compression="none",
                use_dictionary=False,
                write_statistics=False,
            )
        (made / "done.json").write_text(json.dumps(passed.changed))
        store.remember(made, key)


def rewritten(rows: pa.Table, stage: Rewrite, context: Context) -> tuple[pa.Table, int]:
    """Give the contents that `stage` reads (roles, splits) to it, put its answer back, count changed rows."""
    messages = whole(rows["messages"])
    lengths = pc.list_value_length(messages).to_numpy(zero_copy_only=False)
    holders = np.repeat(np.arange(len(rows)), lengths)
    flat = messages.flatten()
    read = of_splits(rows["split"], stage.splits)[holders]
    if stage.roles is not None:
        read &= pc.is_in(flat.field("role"), pa.array(stage.roles)).to_numpy(zero_copy_only=False)
    before, ids = flat.field("content"), whole(rows["id"]).take(pa.array(holders))
    asked = before.filter(pa.array(read))
    answered = stage.rewrite(asked, ids.filter(pa.array(read)), context)
    if len(answered) != len(asked):
        raise ValueError(f"{stage.title} answered {len(answered)} texts for {len(asked)}")
    differs = pc.not_equal(asked, answered).to_numpy(zero_copy_only=False)
    if not differs.any():
        return rows, 0
    after = pc.replace_with_mask(before, pa.array(read), answered)
    return (
        with_messages(rows, _lists(lengths, flat.field("role"), after)),
        len(np.unique(holders[read][differs])),
    )


def rows_with_roles(rows: pa.Table, roles: Sequence[str] | None) -> pa.Table:
    """Hand over only the messages of `roles`; None means all."""
    if roles is None:
        return rows
    messages = whole(rows["messages"])
    lengths = pc.list_value_length(messages).to_numpy(zero_copy_only=False)
    flat = messages.flatten()
    read = pc.is_in(flat.field("role"), pa.array(roles))
    holders = np.repeat(np.arange(len(rows)), lengths)[read.to_numpy(zero_copy_only=False)]
    kept = flat.filter(read)
    lists = _lists(np.bincount(holders, minlength=len(rows)), kept.field("role"), kept.field("content"))
    return with_messages(rows, lists)


def with_messages(rows: pa.Table, messages: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Put other messages in the place of those of the rows."""
    return rows.set_column(rows.schema.get_field_index("messages"), rows.schema.field("messages"), messages)


def _lists(lengths: np.ndarray, role: pa.Array, content: pa.Array) -> pa.ListArray:
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([role, content], ["role", "content"]))
