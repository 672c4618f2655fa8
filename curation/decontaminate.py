"""Rows that hold what a model will be asked go: texts of evaluation sets."""

from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PositiveInt, model_validator

from corpus import evaluation_sets
from corpus.arrays import matrix, whole
from corpus.models import EMBEDDING, EncodeTexts, Models
from corpus.schema import UserError
from corpus.sources import Source
from corpus.stage import Context, Judge
from corpus.verdict import ACTION, Action, Verdict


class Decontaminate(Judge):
    """Drop a row that has `threshold` or more of the runs of `run_words` words of a text of an evaluation set.

    Each message of an evaluation set's rows is a text (a question, its answer); one of fewer words, but `min_words` and
    more, is one run; of a longer one a single run is no share, for it may be a phrase ("what is the capital of"); shorter
    ones are compared with nothing, and the version's certificate counts them. Runs that more than 50 evaluation texts share
    (a preamble), all but the first of equal texts, and what a system says there are left out. Words are
    compared whatever their case and punctuation, numbers as they are. `score` is the share, `detail` says where the text
    stands. With `min_cosine` a row also goes whose embedding is as alike that of an evaluation text (a row is then
    embedded as a whole: dear). The version gets a certificate (`attestations/decontamination.json`).
    """

    stage: Literal["decontaminate"] = "decontaminate"
    against: tuple[Source, ...] = Field(
        min_length=1, description="the evaluation sets, named and read as sources are"
    )
    threshold: float = Field(
        0.3, gt=0, le=1, description="share of an evaluation text's runs that a row may not have"
    )
    run_words: PositiveInt = Field(5, le=50, description="words in a run")
    min_words: PositiveInt = Field(5, description="words that an evaluation text must have to be compared")
    min_cosine: float | None = Field(
        None, gt=0, le=1, description="cosine with an evaluation text at which a row goes; off where absent"
    )
    embedding: str = Field(EMBEDDING, description="URI of a sentence-transformers model")
    action: Action = Field("drop", description=ACTION)

    thresholds = frozenset({"threshold", "action"})

    @model_validator(mode="after")
    def _can_compare(self) -> "Decontaminate":
        if self.min_words > self.run_words:
            raise UserError(
                f"min_words is {self.min_words} and run_words {self.run_words}: a text shorter than a run is compared whole, raise run_words"
            )
        evaluation_sets.unlike(self.against)
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The embedding model, where one is asked."""
        return () if self.min_cosine is None else (self.embedding,)

    @property
    def measuring(self) -> dict[str, Any]:
        """The knobs, but not where the sets lie: what they hold is told by `depends`."""
        return {**super().measuring, "against": [source.identity() for source in self.against]}

    def depends(self, models: Models) -> tuple[str, ...]:
        """Return the digests of models and evaluation sets."""
        return (*super().depends(models), *evaluation_sets.revisions(self.against, models))

    def identity(self, models: Models) -> dict[str, Any]:
        """Return the knobs, with digests of the sets in the place of their locations."""
        return {**super().identity(models), "against": evaluation_sets.identity(self.against, models)}

    def ready(self, models: Models) -> None:
        """Read the sets once, so that a bad one is told before anything heavy runs."""
        compared = self.min_cosine is None
        evaluation_sets.check(self.against, models, self.run_words, self.min_words, words=compared)

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return the greatest share of an evaluation text that a row has, and its cosine with the nearest; each with the text's place."""
        index = evaluation_sets.index(self.against, context.models, self.run_words, self.min_words)
        messages = whole(rows["messages"])
        holders = np.repeat(np.arange(len(rows)), pc.list_value_length(messages).to_numpy())
        shares, texts = index.shares(messages.flatten().field("content"))
        order = np.lexsort((texts, -shares, holders))
        row, first = np.unique(holders[order], return_index=True)
        share, at = np.zeros(len(rows)), np.full(len(rows), -1)
        share[row], at[row] = shares[order][first], texts[order][first]
        columns = {"share": pa.array(share), "place": index.places.take(pa.array(at, mask=at < 0))}
        if self.min_cosine is not None:
            columns |= self._nearest(rows, context)
        return pa.table(columns)

    def _nearest(self, rows: pa.Table, context: Context) -> dict[str, pa.Array]:
        from corpus import text, vector_kernels

        held = [evaluation_sets.load(source, context.models) for source in self.against]
        encode = EncodeTexts(self.embedding)
        theirs, mine = (
            matrix(encode(texts, context))
            for texts in (pa.concat_arrays([one.texts for one in held]), text.contents(rows))
        )
        at, cosine = vector_kernels.nearest(mine, theirs)
        places = pa.concat_arrays([one.places for one in held])
        return {"cosine": pa.array(cosine), "near": places.take(pa.array(at))}

    def judge(self, features: pa.Table, context: Context) -> Verdict:
        """Drop rows that hold, or nearly say, what is asked."""
        share = whole(features["share"]).to_numpy()
        found = Verdict.where(
            share >= self.threshold,
            "in_evaluation_set",
            action=self.action,
            score=whole(features["share"]),
            threshold=self.threshold,
            detail=pc.if_else(pa.array(share >= self.threshold), whole(features["place"]), None),
        )
        if self.min_cosine is None:
            return found
        cosine = whole(features["cosine"]).to_numpy()
        return found | Verdict.where(
            cosine >= self.min_cosine,
            "like_evaluation_set",
            action=self.action,
            score=whole(features["cosine"]),
            threshold=self.min_cosine,
            detail=pc.if_else(pa.array(cosine >= self.min_cosine), whole(features["near"]), None),
        )
