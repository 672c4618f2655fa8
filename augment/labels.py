"""Whether a candidate still has its parent's label, as a probe of the originals sees it that never saw the parent's family.

The probe is logistic regression on embeddings (`corpus.out_of_fold`). It says how much likelier than the parent's label the
likeliest other one is, in log-odds: 0 is as likely, 1 is e times, negative is less. A candidate's `score` is that number less
the parent's own where that is above 0: of a parent whose label the probe doubts anyway it asks only how much more it doubts
the candidate's.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from augment.embedded import Embedded
from augment.pairs import Pairs
from corpus.out_of_fold import LEAST as FAMILIES
from corpus.out_of_fold import Probe, learn
from corpus.schema import of_splits
from corpus.stage import Context, Rows
from corpus.statistics import wilson
from corpus.survival import codes

LEAST, MOST = 500, 10_000
"""Originals that the probe learns from: the parents, others drawn to make up the least, of more as many as the most.

Where growth was targeted its parents are of few labels, and the probe learns from all, or as many as the most.
"""


@dataclass(frozen=True)
class Asked:
    """The score of each row (nan where nobody could say), all rows that are embedded now, and what the probe is worth.

    `probe` is `{"rows", "classes", "right": {"value", "low", "high", "n"}}`: how often it is right on the originals that it
    did not see. None where there was nothing to learn: no labels, fewer than two with enough families, or no candidate.
    """

    scores: np.ndarray
    embedded: Embedded
    probe: dict[str, Any] | None


def ask(pairs: Pairs, embedded: Embedded, model: str, context: Context, *, targeted: bool = False) -> Asked:
    """Ask about candidates that are embedded, as their parents are."""
    rows, chosen, parents = pairs.rows, pairs.chosen, pairs.theirs
    scores = np.full(len(rows.table), np.nan)
    originals = _originals(rows)
    if not len(chosen) or not _differ(rows, originals):
        return Asked(scores, embedded, None)
    near = np.isin(originals, embedded.positions) | targeted
    taught = _taught(rows, originals, near, context)
    embedded = embedded.beside(rows, model, taught)
    called: dict[int, str] = {}  # a family by the first of it that is learned from: candidates change no fold
    families = [
        called.setdefault(head, name)
        for head, name in zip(rows.first[taught].tolist(), _strings(rows, "id", taught), strict=True)
    ]
    probe = learn(embedded.at(taught), _strings(rows, "label", taught), families, context.seed)
    if probe is None:
        return Asked(scores, embedded, None)
    number = {label: at for at, label in enumerate(probe.classes)}
    heads = rows.first[taught[probe.rows]].tolist()
    fold = dict(zip(heads, probe.fold.tolist(), strict=True))
    truth = np.array([number.get(label, -1) for label in _strings(rows, "label", parents)], np.int64)
    place = np.array([fold.get(head, 0) for head in rows.first[parents].tolist()], np.int64)
    some = truth >= 0
    own, others = (
        _margins(probe, embedded.at(at[some]), truth[some], place[some]) for at in (chosen, parents)
    )
    scores[chosen[some]] = own - np.maximum(others, 0)
    return Asked(scores, embedded, _worth(probe, embedded.at(taught)))


def _originals(rows: Rows) -> np.ndarray:
    """Return the positions of the labelled training rows that were read, not grown."""
    table = rows.table
    found: np.ndarray = np.flatnonzero(
        of_splits(table["split"], ["train"])
        & table["parent"].is_null().to_numpy()
        & table["label"].is_valid().to_numpy()
    )
    return found


def _differ(rows: Rows, originals: np.ndarray) -> bool:
    """Say whether two labels or more have as many families as the probe needs, before anything is embedded for it."""
    held = np.unique(np.stack([codes(rows.table["label"])[originals], rows.first[originals]], axis=1), axis=0)
    return int((np.unique(held[:, 0], return_counts=True)[1] >= FAMILIES).sum()) >= 2


def _taught(rows: Rows, originals: np.ndarray, near: np.ndarray, context: Context) -> np.ndarray:
    """Return the originals that the probe learns from, in id order: those that are `near` (bool), then others by keyed hash."""
    here = _drawn(rows, originals[near], MOST, context)
    others = _drawn(rows, originals[~near], LEAST - len(here), context)
    found = np.r_[here, others]
    ordered: np.ndarray = found[np.argsort(np.array(_strings(rows, "id", found)))]
    return ordered


def _drawn(rows: Rows, positions: np.ndarray, most: int, context: Context) -> np.ndarray:
    """Return so many of the positions: those whose ids have the least keyed hash."""
    if len(positions) <= most:
        return positions
    keys = np.array([context.keyed(one) for one in _strings(rows, "id", positions)])
    drawn: np.ndarray = positions[np.argsort(keys, kind="stable")[: max(most, 0)]]
    return drawn


def _strings(rows: Rows, column: str, positions: np.ndarray) -> list[str]:
    found: list[str] = rows.table[column].take(pa.array(positions)).to_pylist()
    return found


def _margins(probe: Probe, vectors: np.ndarray, truth: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return how much likelier, in log-odds, the likeliest other class is than the true one."""
    told = probe.ask(vectors, fold)
    own = told[np.arange(len(told)), truth]
    told[np.arange(len(told)), truth] = -np.inf
    margins: np.ndarray = told.max(axis=1, initial=-np.inf) - own
    return margins


def _worth(probe: Probe, vectors: np.ndarray) -> dict[str, Any]:
    """Say how often the probe is right on the originals, each answered by the fit that never saw it."""
    right = int((probe.ask(vectors[probe.rows], probe.fold).argmax(axis=1) == probe.truth).sum())
    n = len(probe.truth)
    low, high = wilson(right, n)
    return {
        "rows": n,
        "classes": probe.classes,
        "right": {"value": right / n, "low": low, "high": high, "n": n},
    }
