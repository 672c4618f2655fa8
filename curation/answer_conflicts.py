"""Questions that are answered differently elsewhere are told, and kept in one split."""

from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from corpus import survival, text
from corpus.arrays import pairs, values
from corpus.stage import Context, CorpusJudge, Features, Rows
from corpus.verdict import ACTION, Action, Verdict


class AnswerConflicts(CorpusJudge):
    """Mark rows of a chat whose question has another answer elsewhere.

    Questions and answers are the same where their words are, whatever their case and punctuation, and their numbers
    with the operators beside them. What an assistant says is the answer, all else the question; rows without a
    question or an answer take no side. All rows of a question become kin, so that `split` keeps them together.
    `other` is the best row (`corpus.survival`) that answers otherwise. With `action: drop` all sides of a conflict go
    but those of the best row's answer.
    """

    stage: Literal["answer_conflicts"] = "answer_conflicts"
    prefer: survival.Prefer = Field(
        "confidence", description="which row is the best: the more confident or the longer"
    )
    priority: tuple[str, ...] = Field((), description=survival.PRIORITY)
    action: Action = Field("mark", description=ACTION)

    thresholds = frozenset({"prefer", "priority", "action"})

    def measure(self, rows: pa.Table, context: Context) -> pa.Table:
        """Return 128-bit keys of what is asked and of what is answered (null where one is missing), and the number of words."""
        asked, answered = text.sides(rows)
        if answered is None:
            answered = pa.array([""] * len(rows), pa.string())
        (question, asks), (answer, answers) = _keys(asked), _keys(answered)
        said, none = pa.array(asks & answers), pa.scalar(None, pa.binary(16))
        return pa.table(
            {
                "asked": pc.if_else(said, question, none),
                "answered": pc.if_else(said, answer, none),
                "words": text.count_words(rows),
            }
        )

    def judge(self, features: Features, rows: Rows, context: Context) -> Verdict:
        """Find the questions of several answers."""
        count = rows.table.num_rows
        asked = features["asked"]
        sided = np.flatnonzero(asked.is_valid().to_numpy())
        chosen = pa.array(sided)
        words = features["words"].to_numpy()[sided]
        rank = survival.rank(rows.table.take(chosen), self.prefer, words, self.priority)
        question = np.stack(text.halves(asked.take(chosen)))
        answer = np.stack(text.halves(features["answered"].take(chosen)))
        best = survival.best(rank, *question)
        differs = (answer != answer[:, best]).any(axis=0)
        torn = np.isin(best, best[differs])
        mine = np.flatnonzero(torn)
        rival = np.full(len(sided), -1)
        rival[differs] = best[differs]
        first = np.flatnonzero(differs)[np.argsort(rank[differs], kind="stable")]
        leads, at = np.unique(best[first], return_index=True)
        rival[mine[~differs[mine]]] = first[at][np.searchsorted(leads, best[mine[~differs[mine]]])]
        told = torn if self.action == "mark" else differs
        drop, other, family = np.zeros(count, bool), np.full(count, -1), np.arange(count)
        drop[sided[told]] = True
        other[sided[told]] = sided[rival[told]]
        family[sided[mine]] = sided[best[mine]]
        return Verdict.where(
            drop,
            "conflicting_answer",
            action=self.action,
            other=pa.array(other, mask=~drop),
            family=pa.array(family),
        )


def _keys(texts: pa.StringArray) -> tuple[pa.FixedSizeBinaryArray, np.ndarray]:
    """Return a 128-bit key of each text's words and numbers, and which texts have a word (bool)."""
    _, begins = text.word_hashes(texts)
    keys = pairs(text.word_keys(texts)) ^ text.number_keys(texts)[:, None]
    return values(keys), np.diff(begins) > 0
