"""How good a classifier is and which of two is better, with an interval, an n and what could have been seen.

metric      {"value": 0.66, "low": 0.62, "high": 0.70, "n": 600}
comparison  {"metric": "accuracy", "of": "tuned", "against": "base", "difference": 0.24, "low": 0.19, "high": 0.29,
             "n": 600, "p": 3e-20, "mde": 0.06, "verdict": "better", "sentence": "tuned is better than base: ..."}

The intervals of F1, of losses and of differences are percentiles of a bootstrap over rows. Rows that are alike
in truth and prediction are interchangeable, so a draw is a multinomial over their counts: its cost does not
depend on the number of rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from corpus.statistics import wilson
from tuning.settings import Metric

DRAWS = 2_000
_POWER = 0.8

Answer = dict[str, Any]


@dataclass(frozen=True)
class Chance:
    """How intervals are made: their confidence level, and the seed of the bootstrap."""

    level: float = 0.95
    seed: int = 0

    def draws(self, counts: np.ndarray) -> np.ndarray:
        """Return DRAWS resamples of rows that come in kinds of so many: draws by kinds."""
        total = int(counts.sum())
        return np.random.default_rng(self.seed).multinomial(total, counts / total, size=DRAWS)

    def interval(self, drawn: np.ndarray) -> tuple[float, float]:
        """Return the percentile interval of a drawn statistic."""
        tail = (1 - self.level) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail])
        return float(low), float(high)


def score(metric: Metric, truth: np.ndarray, said: np.ndarray, num_classes: int, chance: Chance) -> Answer:
    """Return a metric of predictions; `truth` and `said` are class numbers, row by row, of one row at least.

    Accuracy has a Wilson interval. Macro-F1 is the mean over the classes that truth or predictions hold.
    """
    if metric == "accuracy":
        hits = int((truth == said).sum())
        low, high = wilson(hits, len(truth), chance.level)
        return _metric(hits / len(truth), low, high, len(truth))
    kinds, counts = _kinds(truth, said)
    low, high = chance.interval(_f1_macro(chance.draws(counts), kinds[:, 0], kinds[:, 1], num_classes))
    return _metric(
        float(_f1_macro(counts[None], kinds[:, 0], kinds[:, 1], num_classes)[0]), low, high, len(truth)
    )


def per_class(
    truth: np.ndarray, said: np.ndarray, names: Sequence[str], chance: Chance
) -> dict[str, dict[str, Answer]]:
    """Return precision, recall (Wilson intervals) and F1 (bootstrap) of each class; their n is what they divide by.

    F1 divides by twice the right ones and the wrong ones; its n is the number of rows that the class is in.
    """
    kinds, counts = _kinds(truth, said)
    drawn = _f1(chance.draws(counts), kinds[:, 0], kinds[:, 1], len(names))
    value = _f1(counts[None], kinds[:, 0], kinds[:, 1], len(names))[0]
    found = {}
    for at, name in enumerate(names):
        hits, support, named = ((truth == at) & (said == at)).sum(), (truth == at).sum(), (said == at).sum()
        low, high = chance.interval(drawn[:, at])
        found[name] = {
            "precision": _rate(int(hits), int(named), chance.level),
            "recall": _rate(int(hits), int(support), chance.level),
            "f1": _metric(float(value[at]), low, high, int(support + named - hits)),
        }
    return found


def compare(
    metric: Metric,
    of: tuple[str, np.ndarray],
    against: tuple[str, np.ndarray],
    truth: np.ndarray,
    num_classes: int,
    chance: Chance,
) -> Answer:
    """Return whether one classifier is better than another on the same rows; each is a name and its predictions.

    The test is paired: exact McNemar for accuracy (McNemar 1947), the bootstrap's share of draws on the other
    side of zero for macro-F1. A verdict needs both the p and the interval. `mde` is the least difference that
    so many rows would have shown with a power of 0.8, given how often the two disagree.
    """
    kinds, counts = _kinds(truth, of[1], against[1])
    drawn, whole = chance.draws(counts), counts[None]
    if metric == "accuracy":
        one, other = kinds[:, 1] == kinds[:, 0], kinds[:, 2] == kinds[:, 0]
        signs = one.astype(int) - other.astype(int)
        differences, difference = drawn @ signs / len(truth), float((whole @ signs)[0] / len(truth))
        won, lost = int(counts[signs > 0].sum()), int(counts[signs < 0].sum())
        p, spread = mcnemar(won, lost), math.sqrt((won + lost) / len(truth) / len(truth))
    else:
        differences, difference = (
            _f1_macro(rows, kinds[:, 0], kinds[:, 1], num_classes)
            - _f1_macro(rows, kinds[:, 0], kinds[:, 2], num_classes)
            for rows in (drawn, whole)
        )
        difference = float(difference[0])
        p, spread = _p(differences), float(differences.std())
    return _comparison(metric, of[0], against[0], difference, differences, len(truth), p, spread, chance)


def loss(nll: np.ndarray, tokens: np.ndarray, chance: Chance) -> Answer:
    """Return the loss in nats a token, of rows with so much negative log-likelihood over so many tokens each."""
    drawn = chance.draws(np.ones(len(nll), dtype=np.int64))
    low, high = chance.interval((drawn @ nll) / (drawn @ tokens))
    return _metric(float(nll.sum() / tokens.sum()), low, high, len(nll))


def compare_loss(
    of: tuple[str, np.ndarray], against: tuple[str, np.ndarray], tokens: np.ndarray, chance: Chance
) -> Answer:
    """Return whether one model's loss on the same rows is lower, which is better, than another's."""
    drawn = chance.draws(np.ones(len(tokens), dtype=np.int64))
    gap = of[1] - against[1]
    differences = (drawn @ gap) / (drawn @ tokens)
    difference, spread = float(gap.sum() / tokens.sum()), float(differences.std())
    return _comparison(
        "loss",
        of[0],
        against[0],
        difference,
        differences,
        len(tokens),
        _p(differences),
        spread,
        chance,
        better=-1,
    )


def mcnemar(won: int, lost: int) -> float:
    """Return the exact two-sided p of McNemar's test: of `won + lost` rows that one alone got right, so many each."""
    from scipy.stats import binomtest

    return float(binomtest(won, won + lost).pvalue) if won + lost else 1.0


def _comparison(
    metric: str,
    of: str,
    against: str,
    difference: float,
    differences: np.ndarray,
    rows: int,
    p: float,
    spread: float,
    chance: Chance,
    better: int = 1,
) -> Answer:
    """`spread` is the standard error of the difference; one row's worth stands in where no two answers differ."""
    low, high = chance.interval(differences)
    normal = NormalDist()
    reach = normal.inv_cdf(0.5 + chance.level / 2) + normal.inv_cdf(_POWER)
    mde = reach * max(spread, 1 / rows)
    seen = p < 1 - chance.level and (low > 0 or high < 0)
    verdict = "cannot tell" if not seen else "better" if difference * better > 0 else "worse"
    relation = "cannot be told from" if not seen else f"is {verdict} than"
    sentence = (
        f"{of} {relation} {against}: {metric} {difference:+.3f} (from {low:+.3f} to {high:+.3f}) on the same {rows} rows;"
        f" a difference of {mde:.3f} would have been seen four times in five"
    )
    return {
        "metric": metric,
        "of": of,
        "against": against,
        "difference": difference,
        "low": low,
        "high": high,
        "n": rows,
        "p": p,
        "mde": mde,
        "verdict": verdict,
        "sentence": sentence,
    }


def _p(differences: np.ndarray) -> float:
    """Return the two-sided p of no difference: draws that are zero or on the other side, the data counted as one."""
    tail = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(differences) + 1))


def _kinds(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows of some columns of class numbers, and how many rows are of each kind."""
    return np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)


def _f1(counts: np.ndarray, truth: np.ndarray, said: np.ndarray, num_classes: int) -> np.ndarray:
    """Return F1 of each class for each draw (draws by kinds in, draws by classes out); 0 where a class is nowhere."""
    classes = np.arange(num_classes)
    of_truth, of_said = truth[:, None] == classes, said[:, None] == classes
    hits = counts @ (of_truth & of_said)
    either = counts @ of_truth + counts @ of_said
    return np.asarray(2 * hits / np.maximum(either, 1))


def _f1_macro(counts: np.ndarray, truth: np.ndarray, said: np.ndarray, num_classes: int) -> np.ndarray:
    held = np.union1d(truth, said)
    return np.asarray(_f1(counts, truth, said, num_classes)[:, held].mean(axis=1))


def _rate(hits: int, of: int, level: float) -> Answer:
    low, high = wilson(hits, of, level)
    return _metric(hits / of if of else 0.0, low, high, of)


def _metric(value: float, low: float, high: float, rows: int) -> Answer:
    return {"value": value, "low": low, "high": high, "n": rows}
