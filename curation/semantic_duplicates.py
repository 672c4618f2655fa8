"""Rows that mean what a better row means go: their embeddings are alike."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from corpus import nearest, survival, text
from corpus.models import EMBEDDING, EncodeTexts
from corpus.schema import UserError
from corpus.stage import ACTION, Action, Context, CorpusJudge, Features, Rows, Verdict


class SemanticDuplicates(CorpusJudge):
    """Drop a row whose embedding has a cosine of `threshold` or more with that of a better row that stays.

    Each row is compared with all better rows that stay (`corpus.nearest`: exact, nothing is sampled), so a drop's `score`
    is its cosine with `other`, the most alike of them. Of rows with equal text one is embedded. What is asked and what an
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
        vectors, answers = self._vectors(rows, single)
        by = np.argsort(places[single])
        single = single[by]
        found = nearest.settle(
            vectors[by],
            answers[by] if len(answers) else answers,
            self.threshold,
            classes=classes[single],
            apart=features["apart"].to_numpy()[single],
            fixed=rows.table["earlier"].to_numpy()[single],
        )
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
            family=pa.array(_families(count, single[found.kin], copies, model)),
        )

    def _vectors(self, rows: Rows, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors of what is asked and of what is answered; the latter have no row where nobody answers."""
        asked: list[np.ndarray] = []
        answered: list[np.ndarray] = []
        held = 0
        for part in rows.stream(_EncodeSides(self.embedding), positions) if len(positions) else ():
            for name, vectors in (("asked", asked), ("answered", answered)):
                lists = part.field(name)
                vectors.append(lists.flatten().to_numpy().reshape(len(part), -1))
                held += vectors[-1].nbytes
            if held > rows.memory:
                raise UserError(
                    f"the embeddings of {len(positions):,} rows are more than the recipe's memory of {rows.memory / 2**20:,.0f} MiB; raise `memory`"
                )
        if not asked:
            return np.zeros((0, 1), np.float32), np.zeros((0, 1), np.float32)
        return np.concatenate(asked), _beside(answered)


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
            second[said.to_numpy(zero_copy_only=False)] = some.flatten().to_numpy().reshape(len(some), -1)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(second.reshape(-1)), second.shape[1])
        return pa.StructArray.from_arrays([first, lists], ["asked", "answered"])


def _beside(answered: list[np.ndarray]) -> np.ndarray:
    """Join the vectors of answers, with a dimension more that is 1 where there is none; no row where there is none at all."""
    if not any(part.any() for part in answered):
        return np.zeros((0, 1), np.float32)
    width = max(part.shape[1] for part in answered)
    wide = [part if part.shape[1] == width else np.zeros((len(part), width), np.float32) for part in answered]
    vectors = np.concatenate(wide)
    silent = ~vectors.any(axis=1, keepdims=True)
    return np.concatenate([vectors, silent.astype(np.float32)], axis=1)


def _families(count: int, kin: np.ndarray, copies: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Return for each row the first row of those that it is linked with."""
    from corpus import set_kernels

    parents = np.arange(count)
    set_kernels.unite(parents, np.ascontiguousarray(kin[:, 0]), np.ascontiguousarray(kin[:, 1]))
    set_kernels.unite(parents, copies, model)
    set_kernels.flatten(parents)
    return parents
