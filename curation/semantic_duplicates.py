"""Rows that mean what a better row means go: their embeddings are alike."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from corpus import cells, nearest, survival, text
from corpus.arrays import matrix
from corpus.models import EMBEDDING, EncodeTexts
from corpus.nearest import Nearest, Vectors
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.verdict import ACTION, Action, Verdict


class SemanticDuplicates(CorpusJudge):
    """Drop a row whose embedding has a cosine of `threshold` or more with that of a better row that stays.

    Each row is compared with all better rows that stay (`corpus.nearest`: exact, nothing is sampled), so a drop's `score`
    is its cosine with `other`, the most alike of them. Where the vectors are more than the recipe's `memory`, each is
    compared with those of near cells (`corpus.cells`), and the share of duplicates that is found is measured: `recall` in
    the table of stages. Of rows with equal text one is embedded. What is asked and what an
    assistant answers are embedded apart, and the lesser cosine counts. Rows of unlike label become kin and stay; rows
    whose numbers differ are never alike where `numbers` means them. A model reads the beginning of a text: all-MiniLM-L6-v2
    256 word pieces.
    """

    stage: Literal["semantic_duplicates"] = "semantic_duplicates"
    threshold: float = Field(0.95, gt=0, le=1, description="cosine at which a row goes")
    numbers: text.Numbers = Field("all", description=text.NUMBERS)
    embedding: str = Field(EMBEDDING, description="URI of a sentence-transformers model")
    prefer: survival.Prefer = Field(
        "confidence", description="which of two rows stays: the more confident or the longer"
    )
    priority: tuple[str, ...] = Field((), description=survival.PRIORITY)
    action: Action = Field("drop", description=ACTION)

    thresholds = frozenset({"action", "threshold", "embedding", "prefer", "priority"})

    @property
    def models(self) -> tuple[str, ...]:
        """The embedding model."""
        return (self.embedding,)

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return a key of the numbers that matter, and the number of words; embeddings are made of rows that stand."""
        return pa.table(
            {"apart": pa.array(text.numbers_apart(rows, self.numbers)), "words": text.count_words(rows)}
        )

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Embed one row of each text, and drop those that are alike a better one."""
        count = rows.table.num_rows
        order = survival.Survivors(rows, features["words"].to_numpy(), self.prefer, self.priority)
        places, classes = order.rank(np.arange(count)), order.classes(np.arange(count))
        high, low = text.halves(rows.table["fingerprint"])
        of = survival.best(places, high, low, classes)
        single = np.flatnonzero(of == np.arange(count))
        best = single[np.argsort(places[single])]
        found, measured = self._settled(rows, features, single, best, classes[best])
        single = best
        other, likeness = np.full(count, -1), np.full(count, np.nan)
        other[single] = np.where(found.other >= 0, single[found.other], -1)
        likeness[single] = found.likeness
        copies = np.flatnonzero(of != np.arange(count))
        model = of[copies]
        other[copies] = np.where(other[model] < 0, model, other[model])
        likeness[copies] = np.where(other[model] < 0, 1.0, likeness[model])
        drop = (other >= 0) & ~rows.table["earlier"].to_numpy()
        return Verdict.where(
            drop,
            "semantic_duplicate",
            action=self.action,
            score=pa.array(likeness, mask=np.isnan(likeness)),
            threshold=self.threshold,
            other=pa.array(other, mask=~drop),
            family=pa.array(_families(count, single, single[found.kin], copies, model)),
            measured=measured,
        )

    def _settled(
        self, rows: Rows, features: Features, single: np.ndarray, best: np.ndarray, classes: np.ndarray
    ) -> tuple[Nearest, dict[str, Any]]:
        """Compare the rows at `single`, of which `best` is the survivor order; tell what was measured of it."""
        place = np.empty(rows.table.num_rows, np.int64)
        place[best] = np.arange(len(best))
        with rows.scratch() as folder:
            vectors, answers = self._vectors(rows, single, place[single], folder)
            held = Vectors(
                np.asarray(vectors),
                np.asarray(answers),
                classes,
                features["apart"].to_numpy()[best],
                rows.table["earlier"].to_numpy()[best],
            )
            if not isinstance(vectors, np.memmap):
                return nearest.settle(held, self.threshold), {}
            found, recall = cells.settle(held, self.threshold)
            return found, {"recall": recall.told()}

    def _vectors(
        self, rows: Rows, positions: np.ndarray, places: np.ndarray, folder: Path
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors of what is asked and of what is answered, each row's at its place; in files where they are too many.

        Those of answers have a dimension more that is 1 where there is none, and no row where nobody answers.
        """
        asked, answered = np.zeros((0, 1), np.float32), np.zeros((0, 1), np.float32)
        count = len(positions)
        done = 0
        for part in rows.stream(_EncodeSides(self.embedding), positions) if count else ():
            mine = places[done : done + len(part)]
            done += len(part)
            first, second = (matrix(part.field(name)) for name in ("asked", "answered"))
            if not len(asked):
                asked = _room(folder / "asked", count, first.shape[1], rows.memory)
            asked[mine] = first
            if second.any():
                if not len(answered):
                    answered = _room(folder / "answered", count, second.shape[1] + 1, rows.memory)
                    answered[:, -1] = 1
                answered[mine, :-1] = second
                answered[mine, -1] = ~second.any(axis=1)
        return asked, answered


def _room(file: Path, count: int, width: int, memory: int) -> np.ndarray:
    """Return room for vectors: a file, mapped, where they are of more than `memory` bytes."""
    if 4 * count * width <= memory:
        return np.zeros((count, width), np.float32)
    return np.memmap(file, np.float32, "w+", shape=(count, width))


@dataclass(frozen=True)
class _EncodeSides:
    """Vectors of what is asked and of what is answered in each row; zero where there is no answer."""

    uri: str
    heavy: ClassVar[bool] = True

    def __call__(self, rows: pa.Table, context: Context) -> pa.StructArray:
        """Return a struct of `asked` and `answered`, lists of float32."""
        asked, answered = text.sides(rows)
        encode = EncodeTexts(self.uri)
        first = encode(asked, context)
        second = np.zeros((len(rows), 1), np.float32)
        if answered is not None:
            said = pc.greater(pc.binary_length(answered), 0)
            some = encode(answered.filter(said), context)
            second = np.zeros((len(rows), first.type.list_size), np.float32)
            second[said.to_numpy(zero_copy_only=False)] = matrix(some)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(second.reshape(-1)), second.shape[1])
        return pa.StructArray.from_arrays([first, lists], ["asked", "answered"])


def _families(
    count: int, single: np.ndarray, kin: np.ndarray, copies: np.ndarray, model: np.ndarray
) -> np.ndarray:
    """Return for each row the first row of those that it is linked with: `single` with `kin`, `copies` with their `model`."""
    from corpus import set_kernels

    parents = np.arange(count)
    set_kernels.unite(parents, single, kin)
    set_kernels.unite(parents, copies, model)
    set_kernels.flatten(parents)
    return parents
