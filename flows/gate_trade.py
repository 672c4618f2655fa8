"""What a threshold of admission trades: how many candidates pass, and how many of these are what they should be.

{"knob": "min_word_similarity", "now": 0.65, "points": [{"value": 0.5, "admitted": 812, "precision": {"value": 0.84, "low":
 0.77, "high": 0.9, "n": 131}}, ...]}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from augment.admission import Admission
from corpus.schema import UserError
from corpus.statistics import effective_size, wilson

KNOBS = {
    "min_chrf": ("chrf", 1),
    "max_chrf": ("chrf", -1),
    "min_similarity": ("cosine", 1),
    "max_similarity": ("cosine", -1),
    "min_word_similarity": ("weakest_word", 1),
    "min_label_margin": ("label_margin", -1),
}
"""Knobs that are moved: which score they bound, from below (1) or from above (-1)."""
POINTS = 15
"""Values that are tried of a knob: from quantile to quantile of the scores."""


@dataclass(frozen=True)
class Judged:
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
            name, sign = KNOBS[knob]
            if threshold is not None:
                passed &= ~(sign * self.scores[name] < sign * threshold)
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


def trades(judged: Judged, gate: Admission) -> list[dict[str, Any]]:
    """Return for each knob what other values of it would admit, all other knobs as they are."""
    now = {knob: getattr(gate, knob) for knob in KNOBS}
    found = []
    for knob, (name, _) in KNOBS.items():
        others = judged.passing({one: value for one, value in now.items() if one != knob})
        known = judged.scores[name][others & ~np.isnan(judged.scores[name])]
        if not len(known):
            continue
        tried = {round(float(one), 3) for one in np.quantile(known, np.linspace(0, 1, POINTS))}
        tried = {value for value in tried if _allowed(gate, knob, value)}
        if now[knob] is not None:
            tried.add(float(now[knob]))
        points = [_point(judged, {**now, knob: value}, value) for value in sorted(tried)]
        found.append({"knob": knob, "now": now[knob], "points": points})
    return found


def best(judged: Judged, gate: Admission, precision: float) -> dict[str, Any] | None:
    """Return the pair of thresholds that admits most of those under which the lower bound of precision is at least so high.

    Of `min_word_similarity`, `min_similarity` and `max_chrf`, which trade most, all combinations are tried; None where none
    reaches it. The bound is that of one comparison: the best of many is partly luck, so read another sheet under it.
    """
    now = {knob: getattr(gate, knob) for knob in KNOBS}
    tried = {
        knob: _grid(judged.scores[KNOBS[knob][0]])
        for knob in ("min_word_similarity", "min_similarity", "max_chrf")
    }
    found: dict[str, Any] | None = None
    for word in tried["min_word_similarity"]:
        for cosine in tried["min_similarity"]:
            for chrf in tried["max_chrf"]:
                knobs = {"min_word_similarity": word, "min_similarity": cosine, "max_chrf": chrf}
                told = _point(judged, {**now, **knobs}, None)
                if (
                    told["precision"]
                    and told["precision"]["low"] >= precision
                    and (found is None or told["admitted"] > found["admitted"])
                ):
                    found = {"knobs": knobs, **{name: told[name] for name in ("admitted", "precision")}}
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


def _point(judged: Judged, thresholds: Mapping[str, float | None], value: float | None) -> dict[str, Any]:
    passed = judged.passing(thresholds)
    return {"value": value, "admitted": int(passed.sum()), "precision": judged.worth(passed)}
