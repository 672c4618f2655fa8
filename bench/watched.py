"""Admission that tells how long it judges, and what it has embedded, for the benches of growth."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from augment.admission import Admission
from augment.held_out import Shares
from augment.likeness import near_duplicates
from augment.pairs import Pairs
from corpus.models import EncodeWhole, EncodeWords
from corpus.stage import Context, Features, Rows
from corpus.verdict import Verdict


class Watched(Admission):
    """Admission as it is; `measured` has `watched` beside what it has otherwise."""

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Judge, then ask two gates again of all candidates, as if none had been refused before them."""
        looked = Looked(rows)
        began = time.perf_counter()
        verdict = super().judge(features, looked, context)
        seconds = time.perf_counter() - began
        pairs = Pairs.of(rows, features["near"].to_numpy())
        alone = {
            "held_out": timed(
                lambda: Shares(self.run_words, self.min_words).overlap(pairs, self.against, context)
            ),
            "near_duplicates": timed(
                lambda: near_duplicates(features, pairs, self.shingle_words, self.near_duplicate)
            ),
        }
        watched = {
            "candidates": int(rows.candidates.sum()),
            "seconds": seconds,
            "model_seconds": looked.seconds,
            "alone": alone,
            "embedded": embedded(looked.embedded, rows.candidates),
        }
        return replace(verdict, measured={**verdict.measured, "watched": watched})


def timed(call: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def embedded(asked: list[np.ndarray], candidates: np.ndarray) -> dict[str, int]:
    """Count the rows whose vectors were asked for (positions, an array a call), and how many of them more than once."""
    positions, times = np.unique(np.concatenate([np.zeros(0, np.int64), *asked]), return_counts=True)
    return {
        "calls": len(asked),
        "candidates": int(candidates[positions].sum()),
        "other_rows": int((~candidates[positions]).sum()),
        "candidates_asked_twice": int((candidates[positions] & (times > 1)).sum()),
        "other_rows_asked_twice": int((~candidates[positions] & (times > 1)).sum()),
    }


@dataclass
class Looked:
    """The rows that a judge is given, with a note of each look that asks a model: its seconds, and who was embedded."""

    rows: Rows
    seconds: float = 0
    embedded: list[np.ndarray] = field(default_factory=list)

    @property
    def table(self) -> pa.Table:
        """The narrow columns."""
        return self.rows.table

    @property
    def first(self) -> np.ndarray:
        """For each row the first of its family."""
        return self.rows.first

    @property
    def candidates(self) -> np.ndarray:
        """Which rows the last growth made."""
        return self.rows.candidates

    @property
    def memory(self) -> int:
        """How many bytes may be held."""
        return self.rows.memory

    def scratch(self) -> AbstractContextManager[Path]:
        """Lend an empty folder."""
        return self.rows.scratch()

    def map(self, function: Callable[[pa.StringArray, Context], pa.Array], positions: np.ndarray) -> pa.Array:
        """Look again at texts."""
        began = time.perf_counter()
        found = self.rows.map(function, positions)
        if getattr(function, "heavy", False):
            self.seconds += time.perf_counter() - began
        if isinstance(function, EncodeWhole | EncodeWords):
            self.embedded.append(positions)
        return found

    def stream(
        self, function: Callable[[pa.Table, Context], pa.Array], positions: np.ndarray
    ) -> Iterator[pa.Array]:
        """Look again at messages, part by part."""
        return self.rows.stream(function, positions)
