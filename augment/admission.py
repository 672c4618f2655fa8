"""The gate of grown rows: neither a copy nor nonsense, and like no row of any split."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PositiveInt, model_validator

from augment.kept import Kept, lost, word_ratio
from augment.masks import said
from corpus import language_id, shingles, similarity, survival, text
from corpus.arrays import matrix
from corpus.models import EMBEDDING, EncodeTexts
from corpus.schema import UserError
from corpus.shingles import Bands
from corpus.stage import Context, CorpusJudge, Features, Rows, Verdict


class Admission(CorpusJudge):
    """Judge the candidates of the growth before it, cheap questions first; rows that stood before always stay.

    In order: `empty`, `mask_lost` (a link, handle, hashtag or number did not come back), `copy_of_parent`
    (the same words), `length_changed` (by the ratio of words), `number_changed`, `negation_changed` and `name_lost` (what
    `kept` names; `augment.kept`), `language_changed` (surely another language than the parent's), chrF of the candidate against its parent (Popović 2015, 0 to 100, sacrebleu's
    defaults; over the words alone, since links and handles that come back untouched hide both a copy and
    nonsense) below the band (`meaning_drift`) or above it (`too_close`), cosine of the two embeddings below
    the band (`embedding_drift`) or above it (`embedding_too_close`), and `near_duplicate` of any row of any
    split, admitted candidates included. `other` is the parent, or the row that it is too much like.
    """

    stage: Literal["admission"] = "admission"
    kept: tuple[Kept, ...] = Field(
        ("numbers", "negations", "names"), description="what a candidate must keep of its parent"
    )
    max_word_ratio: float = Field(
        2.0, ge=1, description="most times as many, or as few, words as its parent that a candidate may have"
    )
    min_language_score: float = Field(
        0.7, gt=0, le=1, description="probability from which a text is surely in a language"
    )
    min_chrf: float = Field(25, ge=0, le=100, description="chrF below which the meaning drifted")
    max_chrf: float = Field(80, ge=0, le=100, description="chrF above which a candidate is its parent again")
    embedding: str = Field(EMBEDDING, description="URI of the embedding model")
    min_similarity: float = Field(
        0.6, ge=-1, le=1, description="cosine with the parent below which the meaning drifted"
    )
    max_similarity: float = Field(
        0.99, ge=-1, le=1, description="cosine with the parent above which nothing was said anew"
    )
    near_duplicate: float = Field(
        0.8, gt=0, le=1, description="Jaccard similarity at which a candidate is a near-duplicate"
    )
    shingle_words: PositiveInt = Field(2, le=50, description="words in a shingle")

    candidates: ClassVar[bool] = True
    thresholds = frozenset(
        {
            *("kept", "max_word_ratio", "min_language_score", "min_chrf", "max_chrf"),
            *("min_similarity", "max_similarity", "near_duplicate", "embedding"),
        }
    )
    libraries = language_id.LIBRARIES

    @property
    def measuring(self) -> dict[str, Any]:
        """The knobs, and the bands that the threshold asks for."""
        return {**super().measuring, "bands": Bands.at(self.near_duplicate).count}

    @property
    def models(self) -> tuple[str, ...]:
        """The embedding model."""
        return (self.embedding,)

    @model_validator(mode="after")
    def _bands_are_open(self) -> "Admission":
        for low, high, name in (
            (self.min_chrf, self.max_chrf, "chrf"),
            (self.min_similarity, self.max_similarity, "similarity"),
        ):
            if low > high:
                raise UserError(f"min_{name} is {low:g} and max_{name} {high:g}: no candidate could pass")
        return self

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return LSH band keys, the key of the words, and whether a mask was lost on the way."""
        texts = text.contents(rows)
        lost = [
            parent is not None and bool(orjson.loads(extra or "{}").get("grown", {}).get("masks_lost"))
            for parent, extra in zip(rows["parent"].to_pylist(), rows["extra"].to_pylist(), strict=True)
        ]
        return pa.table(
            {
                **shingles.measured(rows, self.shingle_words, Bands.at(self.near_duplicate)),
                "characters": pc.utf8_length(pc.utf8_trim_whitespace(texts)),
                "mask_lost": pa.array(lost, pa.bool_()),
            }
        )

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Ask each question of the candidates that passed the ones before."""
        asked = rows.candidates.copy()
        parent = pc.index_in(rows.table["parent"].combine_chunks(), rows.table["id"].combine_chunks())
        parents = parent.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        asked &= parents >= 0
        words = np.stack(text.halves(features["said"]))
        of_parent = pa.array(parents, mask=parents < 0)
        cheap = (
            Verdict.where(asked & (features["characters"].to_numpy() == 0), "empty", other=of_parent)
            | Verdict.where(asked & features["mask_lost"].to_numpy(), "mask_lost", other=of_parent)
            | Verdict.where(
                asked & (words == words[:, parents]).all(axis=0), "copy_of_parent", other=of_parent
            )
        )
        verdict = cheap | self._kept(rows, _still(asked, cheap), parents, of_parent)
        verdict |= self._meaning(rows, _still(asked, verdict), parents, of_parent, context)
        return verdict | self._likeness(features, rows, _still(asked, verdict))

    def _kept(self, rows: Rows, asked: np.ndarray, parents: np.ndarray, of_parent: pa.Array) -> Verdict:
        """Ask what needs no model, or one of a microsecond a letter: length, numbers, negations, names, language."""
        count, chosen = len(asked), np.flatnonzero(asked)
        mine, theirs = _texts(rows, chosen), _texts_of_any(rows, parents[chosen])
        pairs = list(zip(mine, theirs, strict=True))
        ratio = _spread(count, chosen, np.array([word_ratio(*pair) for pair in pairs]))
        longer = _band(
            asked, ratio, 1 / self.max_word_ratio, self.max_word_ratio, "length_changed", "length_changed", of_parent
        )  # fmt: skip
        reasons = [lost(*pair, self.kept) for pair in pairs]
        told = [language_id.surely(side, self.min_language_score) for side in (mine, theirs)]
        other = [None not in pair and pair[0] != pair[1] for pair in zip(*told, strict=True)]
        verdict = longer
        for reason in ("number_changed", "negation_changed", "name_lost"):
            here = _spread(count, chosen, np.array([one == reason for one in reasons], float)) == 1
            verdict |= Verdict.where(here, reason, other=of_parent)
        elsewhere = _spread(count, chosen, np.array(other, float)) == 1
        return verdict | Verdict.where(elsewhere, "language_changed", other=of_parent)

    def _meaning(
        self, rows: Rows, asked: np.ndarray, parents: np.ndarray, of_parent: pa.Array, context: Context
    ) -> Verdict:
        count = len(asked)
        chosen = np.flatnonzero(asked)
        chrf = _spread(count, chosen, _chrf(_texts(rows, chosen), _texts_of_any(rows, parents[chosen])))
        verdict = _band(asked, chrf, self.min_chrf, self.max_chrf, "meaning_drift", "too_close", of_parent)
        left = _still(asked, verdict)
        chosen = np.flatnonzero(left)
        encode = EncodeTexts(self.embedding)
        mine, theirs = (_vectors(rows, encode, positions) for positions in (chosen, parents[chosen]))
        cosine = _spread(count, chosen, np.einsum("ij,ij->i", mine, theirs))
        return verdict | _band(
            left,
            cosine,
            self.min_similarity,
            self.max_similarity,
            "embedding_drift",
            "embedding_too_close",
            of_parent,
        )

    def _likeness(self, features: Features, rows: Rows, asked: np.ndarray) -> Verdict:
        """Compare the candidates that are left with all rows and with each other; candidates refused are out."""
        settled = similarity.settle(
            features,
            rows,
            self.shingle_words,
            _CandidatesLast(rows, asked),
            self.near_duplicate,
            fixed=~asked,
            among=~rows.candidates | asked,
        )
        drop = settled.other >= 0
        return Verdict.where(
            drop,
            "near_duplicate",
            score=pa.array(settled.likeness, mask=np.isnan(settled.likeness)),
            threshold=self.near_duplicate,
            other=pa.array(settled.other, mask=~drop),
        )


@dataclass(frozen=True)
class _CandidatesLast:
    """Candidates come behind all other rows; labels make no difference."""

    rows: Rows
    asked: np.ndarray

    def rank(self, positions: np.ndarray) -> np.ndarray:
        """Return the place of each of these rows."""
        places = survival.rank(self.rows.table.take(pa.array(positions)))
        return places + np.where(self.asked[positions], len(positions), 0)

    def classes(self, positions: np.ndarray) -> np.ndarray:
        """Return one number for all."""
        return np.zeros(len(positions), np.int64)


def _still(asked: np.ndarray, verdict: Verdict) -> np.ndarray:
    still: np.ndarray = asked & verdict.reason.is_null().to_numpy(zero_copy_only=False)
    return still


def _spread(count: int, positions: np.ndarray, values: np.ndarray) -> np.ndarray:
    spread = np.full(count, np.nan)
    spread[positions] = values
    return spread


def _band(
    asked: np.ndarray, score: np.ndarray, low: float, high: float, under: str, over: str, other: pa.Array
) -> Verdict:
    known = pa.array(score, mask=np.isnan(score))
    return Verdict.where(
        asked & (score < low), under, score=known, threshold=low, other=other
    ) | Verdict.where(asked & (score > high), over, score=known, threshold=high, other=other)


def _identity(texts: pa.StringArray, context: Context) -> pa.StringArray:
    return texts


def _texts(rows: Rows, positions: np.ndarray) -> list[str]:
    found: list[str] = rows.map(_identity, positions).to_pylist()
    return found


def _texts_of_any(rows: Rows, positions: np.ndarray) -> list[str]:
    """Return the texts at positions in any order, with repeats."""
    ascending, back = np.unique(positions, return_inverse=True)
    found = _texts(rows, ascending)
    return [found[place] for place in back]


def _vectors(rows: Rows, encode: EncodeTexts, positions: np.ndarray) -> np.ndarray:
    ascending, back = np.unique(positions, return_inverse=True)
    if not len(ascending):
        return np.zeros((0, 1), np.float32)
    found = rows.map(encode, ascending)
    vectors: np.ndarray = matrix(found)[back]
    return vectors


def _chrf(candidates: list[str], parents: list[str]) -> np.ndarray:
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    return np.array(
        [
            metric.sentence_score(said(one), [said(other)]).score
            for one, other in zip(candidates, parents, strict=True)
        ]
    )
