"""So many rows are chosen that between them they stand for all."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field, PositiveInt, model_validator

from corpus.arrays import matrix
from corpus.cover import cover
from corpus.models import EMBEDDING, EncodeTexts
from corpus.schema import Split, UserError, of_splits
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.survival import codes
from corpus.text import halves
from corpus.verdict import Verdict


class Diversity(CorpusJudge):
    """Choose `keep` rows, class by class, that cover the meanings of the rows that `splits` names; drop the rest.

    1. A pool of at most `pool` rows, those with the least keyed hash of their fingerprint, or first the most
       confident; only these are embedded. Rows left out go as `not_in_pool`.
    2. Each class gets its share of pool and choice: in proportion to its rows (one at least where `keep` goes
       round), or with `balance` the same for all, as far as a class has rows. No label is a class too.
    3. In each class the row is chosen, again and again, that most raises the sum over the pool of each row's
       cosine to its nearest chosen row (facility location; the greedy choice is within 1 - 1/e of the best,
       Nemhauser et al. 1978). Ties go to the least fingerprint, then to the least id.

    A pool row that is not chosen goes as `not_chosen`; `score` is one minus the cosine to the nearest chosen row
    of its class, which `other` names. Rows of other splits stay.

    Rows of the version that is built on, but for those that were grown, are chosen already: they count in shares
    and coverage, and what is left of `keep` is chosen from the new rows. Of a class that has its share none is embedded.
    """

    stage: Literal["diversity"] = "diversity"
    splits: tuple[Split, ...] = Field(("train",), description="splits whose rows are chosen from")
    keep: PositiveInt = Field(description="rows to choose")
    pool: PositiveInt = Field(
        6000, le=10_000, description="rows that are embedded and chosen from: about 100 a second and core"
    )
    prefer: Literal["random", "confident"] = Field("random", description="rows that come into the pool first")
    min_confidence: float | None = Field(
        None, ge=0, le=1, description="confidence that a row of the pool must have; a row without one has not"
    )
    balance: bool = Field(False, description="as many rows of each class")
    embedding: str = Field(EMBEDDING, description="URI of a sentence-transformers model")

    chooses: ClassVar[bool] = True
    thresholds = frozenset({"keep", "pool", "prefer", "min_confidence", "balance", "embedding"})
    exempt: ClassVar[Mapping[str, str]] = {
        "copies": "a budget: an added row may take another's place in the pool or the choice",
        "idempotence": "a budget by shares: `keep` of what was kept is all of it, but `pool` and `min_confidence` choose anew",
    }

    @property
    def models(self) -> tuple[str, ...]:
        """The embedding model."""
        return (self.embedding,)

    @model_validator(mode="after")
    def _pool_is_large_enough(self) -> "Diversity":
        if self.keep > self.pool:
            raise UserError(
                f"keep is {self.keep} and pool {self.pool}: rows are chosen from the pool, raise it or keep fewer"
            )
        return self

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Measure nothing of every row: embeddings are too dear, and the pool's are made when it is known."""
        return pa.table({"measured": pa.nulls(len(rows), pa.bool_())})

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Choose a pool, embed it, and choose from it class by class."""
        table = rows.table
        count = table.num_rows
        asked = of_splits(table["split"], self.splits)
        earlier = table["earlier"].to_numpy()
        held = np.flatnonzero(asked & earlier & table["parent"].is_null().to_numpy())
        asked &= ~earlier
        labels = codes(table["label"])
        place = _by_content(table)
        pool = np.sort(
            _first(self._worth(table, asked, place, context), labels, self.pool, balance=self.balance)
        )
        quotas = self._quotas(labels[pool], labels[held])
        embedded = np.flatnonzero(np.isin(labels[pool], [label for label, quota in quotas.items() if quota]))
        standing = held[np.isin(labels[held], labels[pool[embedded]])]
        vectors = _vectors(rows, EncodeTexts(self.embedding), np.r_[pool[embedded], standing])
        places = np.r_[pool[embedded], standing]
        chosen = np.zeros(count, bool)
        nearest = np.full(count, -1)
        distance = np.full(count, np.nan)
        for label in np.unique(labels[places]):
            inside = np.flatnonzero(labels[places] == label)
            fixed = np.flatnonzero(inside >= len(embedded))
            picked, closest, likeness = cover(
                vectors[inside], quotas[int(label)], place[places[inside]], fixed=fixed
            )
            chosen[places[inside[picked]]] = True
            nearest[places[inside]] = places[inside[closest]]
            distance[places[inside]] = 1 - likeness
        in_pool = np.isin(np.arange(count), pool)
        lost = in_pool & ~chosen
        near = pa.array(nearest, mask=~lost | (nearest < 0))
        score = pa.array(distance, mask=np.isnan(distance))
        return Verdict.where(lost, "not_chosen", score=score, other=near) | Verdict.where(
            asked & ~in_pool, "not_in_pool"
        )

    def _quotas(self, pool: np.ndarray, held: np.ndarray) -> dict[int, int]:
        """Return how many rows of each class (by label code) are chosen from the pool beside those that are held."""
        shares = _shares(np.r_[pool, held], self.keep, balance=self.balance)
        names = np.array(list(shares), np.int64)
        have = np.array([np.count_nonzero(held == name) for name in names], np.int64)
        lacking = np.maximum(np.array(list(shares.values()), np.int64) - have, 0)
        rest = max(self.keep - len(held), 0)
        return dict.fromkeys(shares, 0) | _shares(np.repeat(names, lacking), rest, balance=False)

    def _worth(self, table: pa.Table, asked: np.ndarray, place: np.ndarray, context: Context) -> np.ndarray:
        """Return the positions of the rows that may come into the pool, the first to come first."""
        confidence = table["confidence"].to_numpy().astype(np.float64)
        if self.min_confidence is not None:
            asked = asked & (confidence >= self.min_confidence)
        rows = np.flatnonzero(asked)
        hashes = np.array(
            [context.keyed(one) for one in table["fingerprint"].take(pa.array(rows)).to_pylist()]
        )
        last = (
            np.where(np.isnan(confidence), np.inf, -confidence)[rows]
            if self.prefer == "confident"
            else np.zeros(len(rows))
        )
        return rows[np.lexsort((place[rows], hashes, last))]


def _by_content(table: pa.Table) -> np.ndarray:
    """Return each row's place in the order of fingerprints, equal ones by id."""
    high, low = halves(table["fingerprint"])
    order = np.lexsort((np.arange(len(high)), low, high))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return place


def _first(rows: np.ndarray, labels: np.ndarray, most: int, *, balance: bool) -> np.ndarray:
    """Take the first rows of each class, as many as its share of `most`."""
    shares = _shares(labels[rows], most, balance=balance)
    return np.concatenate(
        [rows[:0], *(rows[labels[rows] == label][:share] for label, share in shares.items())]
    )


def _shares(labels: np.ndarray, total: int, *, balance: bool) -> dict[int, int]:
    """Share `total` out to the classes: equally, or in proportion by largest remainders; none gets more than it has."""
    names, counts = np.unique(labels, return_counts=True)
    left = min(total, int(counts.sum()))
    shares = np.zeros(len(names), np.int64)
    if left >= len(names):
        shares += 1
    weights = np.ones(len(names)) if balance else counts.astype(np.float64)
    while (rest := left - int(shares.sum())) > 0:
        free = shares < counts
        exact = np.where(free, weights, 0) * rest / weights[free].sum()
        given = np.minimum(np.floor(exact).astype(np.int64), counts - shares)
        if not given.any():
            lucky = np.lexsort((names, -np.where(free, exact, -1)))[:rest]
            given[lucky[free[lucky]]] = 1
        shares += given
    return dict(zip(names.tolist(), shares.tolist(), strict=True))


def _vectors(rows: Rows, encode: EncodeTexts, positions: np.ndarray) -> np.ndarray:
    """Return a vector for each position, in their order."""
    if not len(positions):
        return np.zeros((0, 1), np.float32)
    order = np.argsort(positions)
    found = rows.map(encode, positions[order])
    vectors = np.empty((len(found), found.type.list_size), np.float32)
    vectors[order] = matrix(found)
    return vectors
