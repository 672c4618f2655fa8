"""What a threshold of admission trades: how many candidates pass, and how many of these are what they should be.

{"knob": "min_word_similarity", "now": 0.65, "points": [{"value": 0.5, "admitted": 812, "precision": {"value": 0.84, "low":
 0.77, "high": 0.9, "n": 131}}, ...]}
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from augment.admission import Admission
from corpus.schema import UserError
from corpus.statistics import effective_size, wilson


class Bound(NamedTuple):
    """Which score a knob bounds, from below (1), from above (-1) or, it and its inverse, from both sides (0).

    Under `widest` it refuses nobody that it lets pass under another value. Where it is `met`, a score that is equal goes too, and
    the knob is above 0.
    """

    score: str
    sign: int
    widest: float
    met: bool = False

    def refuses(self, scores: np.ndarray, threshold: float) -> np.ndarray:
        """Say whose score is beyond the threshold: nobody's that has none (nan)."""
        if not self.sign:
            return np.asarray((scores < 1 / threshold) | (scores > threshold))
        refused = np.asarray(self.sign * scores < self.sign * threshold)
        return refused | (scores == threshold) if self.met else refused

    def values(self, scores: np.ndarray) -> np.ndarray:
        """Return the values of the knob at which scores stand."""
        known: np.ndarray = scores[~np.isnan(scores)]
        found: np.ndarray = known if self.sign else np.maximum(known, 1 / known)
        return found[found > 0] if self.met else found


KNOBS = {
    "max_word_ratio": Bound("word_ratio", 0, 1e9),
    "min_language_score": Bound("other_language", -1, 1, met=True),
    "min_chrf": Bound("chrf", 1, 0),
    "max_chrf": Bound("chrf", -1, 100),
    "overlap": Bound("held_out", -1, 1, met=True),
    "min_similarity": Bound("cosine", 1, -1),
    "max_similarity": Bound("cosine", -1, 1),
    "min_word_similarity": Bound("weakest_word", 1, -1),
    "min_entailment": Bound("entailment", 1, 0),
    "min_label_margin": Bound("label_margin", -1, 1e9, met=True),
}
"""The knobs that are moved, in the order in which the gate asks.

`near_duplicate` is none: with it the bands move by which likenesses are found, and whom a candidate meets depends on who else
passed.
"""
CAPS = ("max_per_parent", "max_share", "keep", "targets")
"""The knobs that choose among good candidates: what they left out counts as passed while thresholds are traded."""
MOST_TRADED = ("min_word_similarity", "min_similarity", "max_chrf")
"""Those of which all combinations are tried."""
POINTS = 15
"""Values that are tried of a knob: from quantile to quantile of the scores."""


@dataclass(frozen=True)
class Scored:
    """Candidates that passed all else, with their `scores` by name (nan where nobody asked).

    `weight` says how many of the run's candidates each that was read stands for (0: not read), and `good` whether it was
    found right.
    """

    scores: Mapping[str, np.ndarray]
    weight: np.ndarray
    good: np.ndarray

    def passing(self, thresholds: Mapping[str, float | None]) -> np.ndarray:
        """Say which candidates pass under these thresholds; one without a score is not refused by it."""
        passed = np.ones(len(self.weight), bool)
        for knob, threshold in thresholds.items():
            if threshold is not None:
                passed &= ~KNOBS[knob].refuses(self.scores[KNOBS[knob].score], threshold)
        return passed

    def worth(self, passed: np.ndarray) -> dict[str, Any] | None:
        """Return the share of right ones among those that pass, estimated from those that were read; None where none was.

        Each counts as many candidates as it stands for; the interval is Wilson's at the size that such unlike weights
        leave (Kish 1965).
        """
        mine = passed & (self.weight > 0)
        if not mine.any():
            return None
        weight = self.weight[mine]
        value = min(float(weight[self.good[mine]].sum() / weight.sum()), 1.0)  # which rounding may pass
        size = effective_size(weight)
        low, high = wilson(value * size, size)
        return {"value": value, "low": low, "high": high, "n": int(mine.sum())}


def moved(gate: Admission) -> dict[str, Bound]:
    """Return the knobs that are opened wide: not `overlap` where it is off, for 1 still refuses who says a whole held-out text."""
    return {knob: bound for knob, bound in KNOBS.items() if knob != "overlap" or gate.overlap is not None}


def trades(scored: Scored, gate: Admission) -> list[dict[str, Any]]:
    """Return for each knob what other values of it would admit, all other knobs as they are."""
    now = {knob: getattr(gate, knob) for knob in KNOBS}
    found = []
    for knob, bound in KNOBS.items():
        others = scored.passing({one: value for one, value in now.items() if one != knob})
        scores = scored.scores[bound.score][others]
        if np.isnan(scores).all():
            continue
        values = bound.values(scores)
        tried = (
            {round(float(one), 3) for one in np.quantile(values, np.linspace(0, 1, POINTS))}
            if len(values)
            else set()
        )
        tried = {value for value in tried if _allowed(gate, knob, value)}
        if now[knob] is not None:
            tried.add(float(now[knob]))
        points = [_point(scored, {**now, knob: value}, value) for value in sorted(tried)]
        found.append({"knob": knob, "now": now[knob], "points": points})
    return found


def best(scored: Scored, gate: Admission, precision: float) -> dict[str, Any] | None:
    """Return the thresholds that admit most of those under which the lower bound of precision is at least so high.

    Of `MOST_TRADED` all combinations are tried; None where none reaches it. The bound is that of one comparison: the best
    of many is partly luck, so read another sheet under it.
    """
    now = {knob: getattr(gate, knob) for knob in KNOBS}
    found: dict[str, Any] | None = None
    for values in itertools.product(*(_grid(scored.scores[KNOBS[knob].score]) for knob in MOST_TRADED)):
        knobs = dict(zip(MOST_TRADED, values, strict=True))
        told = _point(scored, {**now, **knobs}, None)
        sure = told["precision"] is not None and told["precision"]["low"] >= precision
        if sure and (found is None or told["admitted"] > found["admitted"]):
            found = {"knobs": knobs, "admitted": told["admitted"], "precision": told["precision"]}
    return found


def _allowed(gate: Admission, knob: str, value: float) -> bool:
    """Say whether the gate can have this value beside its others."""
    try:
        type(gate).model_validate({**gate.model_dump(mode="json"), knob: value})
    except (ValidationError, UserError):
        return False
    return True


def _grid(scores: np.ndarray) -> Sequence[float]:
    known = scores[~np.isnan(scores)]
    return (
        sorted({round(float(one), 2) for one in np.quantile(known, np.linspace(0, 1, POINTS))})
        if len(known)
        else []
    )


def _point(scored: Scored, thresholds: Mapping[str, float | None], value: float | None) -> dict[str, Any]:
    passed = scored.passing(thresholds)
    return {"value": value, "admitted": int(passed.sum()), "precision": scored.worth(passed)}
