"""Small corpora for tests, and the shortest way to send one through stages."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from corpus.earlier import NOTHING, Earlier
from corpus.engine import Local
from corpus.models import Models
from corpus.runner import MEMORY, Runner
from corpus.schema import LEDGER, ROW, conform, digest, record_id
from corpus.segment import cut
from corpus.stage import Stage
from corpus.standing import Standing
from corpus.store import Store
from corpus.versions.card import Card


def make(
    texts: Sequence[str],
    labels: Sequence[str | None] | None = None,
    confidence: Sequence[float | None] | None = None,
    splits: Sequence[str | None] | None = None,
    source: str = "made",
) -> pa.Table:
    """Make rows in id order; equal records are told apart by their ordinal, as in ingest."""
    labels = labels or [None] * len(texts)
    confidence = confidence or [None] * len(texts)
    splits = splits or [None] * len(texts)
    seen: dict[bytes, int] = {}
    ids = []
    for record in zip(texts, labels, confidence, splits, strict=True):
        key = digest(repr(record))
        ids.append(record_id(source, key, seen.get(key, 0)))
        seen[key] = seen.get(key, 0) + 1
    return conform(
        {
            "id": pa.array(ids, pa.string()),
            "messages": pa.array(
                [[{"role": "text", "content": text}] for text in texts],
                pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())])),
            ),
            "label": pa.array(labels, pa.string()),
            "confidence": pa.array(confidence, pa.float64()),
            "source": pa.array([source] * len(texts), pa.string()),
            "file": pa.array(["made.jsonl"] * len(texts), pa.string()),
            "row": pa.array(range(len(texts)), pa.int64()),
            "split": pa.array(splits, pa.string()),
            "groups": pa.array(
                [[]] * len(texts),
                pa.list_(pa.struct([("axis", pa.string()), ("value", pa.string()), ("origin", pa.string())])),
            ),
        }
    ).sort_by("id")


def chats(*messages: Sequence[tuple[str, str]]) -> pa.Table:
    """Make a row of each conversation, in id order."""
    rows = make([f"chat {number}" for number in range(len(messages))])
    held = [[{"role": role, "content": content} for role, content in one] for one in messages]
    return rows.set_column(
        rows.schema.get_field_index("messages"),
        rows.schema.field("messages"),
        pa.array(held, ROW.field("messages").type),
    )


@dataclass(frozen=True)
class Outcome:
    """What came of a corpus: rows that stand, the ledger, how many were grown, each row's last steps."""

    kept: pa.Table
    ledger: pa.Table
    grown: int
    standing: Standing
    steps: pa.Table
    stages: tuple[dict, ...]
    scores: pa.Table

    @property
    def texts(self) -> list[str]:
        return [messages[0]["content"] for messages in self.kept["messages"].to_pylist()]

    @property
    def dropped(self) -> list[str]:
        """The ids of the rows that fell."""
        return [line["id"] for line in self.ledger.to_pylist() if line["action"] == "drop"]

    def fates(self) -> dict[str, tuple]:
        """Each row's fate: its reason and the row it fell against, or what it was given."""
        gone = {
            line["id"]: ("drop", line["stage"], line["reason"], line["other"])
            for line in self.ledger.to_pylist()
            if line["action"] == "drop"
        }
        return gone | {
            row["id"]: ("keep", row["split"], str(row["messages"])) for row in self.kept.to_pylist()
        }


def send(
    rows: pa.Table,
    stages: Sequence[Stage],
    store: Path,
    *,
    part_rows: int = 10_000,
    workers: int = 1,
    seed: int = 7,
    earlier: pa.Table | None = None,
    memory: int = MEMORY,
) -> Outcome:
    """Send rows through stages, in a store of their own; on a version of the `earlier` rows, if there are any."""
    held = Store(store)
    before_them = NOTHING
    if earlier is not None and earlier.num_rows:
        version = held.library.publish([earlier], {"seed": seed, "stages": []}, Card("made", {}))
        before_them = Earlier.of(version, [])
    with Local(workers) as engine:
        models = Models(store, Path.home() / ".cache" / "winnow")
        runner = Runner(held, engine, models, seed, part_rows, earlier=before_them, memory=memory)
        before = runner.store.snapshot([rows], part_rows)
        ledgers, scores, grown_ids, standing = [LEDGER.empty_table()], [], [], None
        for number, segment in enumerate(cut(stages)):
            fresh: list[str] = []
            if number or segment.grow:
                if standing is None:
                    standing = runner.run(
                        cut([])[0] if cut([]) else type(segment)(None, (), ()), before
                    ).standing
                before, fresh, _ = (
                    runner.grow(segment.grow, standing, segment.gate)
                    if segment.grow
                    else (runner.settle(standing), [], None)
                )
            grown_ids += fresh
            decided = runner.run(segment, before, fresh)
            ledgers.append(decided.ledger)
            scores.append(decided.scores)
            standing = decided.standing
        assert standing is not None
        kept = pa.concat_tables(list(standing.tables())).combine_chunks()
    return Outcome(
        kept,
        pa.concat_tables(ledgers),
        len(grown_ids),
        standing,
        decided.steps,
        decided.stages,
        pa.concat_tables(scores),
    )
