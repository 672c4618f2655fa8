"""What came of each engine's candidates at the gate: how many passed, why others did not, and how alike their parents they were.

{"operation": "paraphrase", "engine": "wordnet", "made": 540, "independent": 540.0, "admitted": 301, "refused": {"too_close": 120, ...},
 "chrf": {"low": 0, "high": 100, "all": [0, 0, 3, ...], "admitted": [0, 0, 1, ...]}, "cosine": {"low": 0, "high": 1, ...}}
"""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.statistics import effective_size

BINS = 20


def yields(
    operations: pa.ChunkedArray,
    engines: pa.ChunkedArray,
    parents: np.ndarray,
    reasons: pa.Array,
    chrf: np.ndarray,
    cosine: np.ndarray,
) -> list[dict[str, Any]]:
    """Return a line for each operation and engine, in their order; all are aligned with the candidates.

    `parents` says where each one's parent stands, `reasons` are null of those that are admitted. `independent` is how many
    candidates they are worth where those of one parent share their fate. A score that was not asked for is nan and in no bin; bins are of one width
    and hold their lower end, the last one its upper end too; what lies outside counts in the first or the last.
    """
    makers = list(zip(operations.to_pylist(), engines.to_pylist(), strict=True))
    said = reasons.to_pylist()
    admitted = np.array([reason is None for reason in said], bool)
    found = []
    for maker in sorted(set(makers), key=lambda one: (one[0] or "", one[1] or "")):
        mine = np.array([one == maker for one in makers], bool)
        refused = Counter(said[at] for at in np.flatnonzero(mine & ~admitted))
        found.append(
            {
                "operation": maker[0],
                "engine": maker[1],
                "made": int(mine.sum()),
                "independent": effective_size(np.unique(parents[mine], return_counts=True)[1]),
                "admitted": int((mine & admitted).sum()),
                "refused": dict(sorted(refused.items())),
                "chrf": _histogram(chrf, mine, admitted, 0, 100),
                "cosine": _histogram(cosine, mine, admitted, 0, 1),
            }
        )
    return found


def _histogram(
    scores: np.ndarray, mine: np.ndarray, admitted: np.ndarray, low: float, high: float
) -> dict[str, Any]:
    told: dict[str, Any] = {"low": low, "high": high}
    for name, some in (("all", mine), ("admitted", mine & admitted)):
        known = scores[some & ~np.isnan(scores)]
        told[name] = np.histogram(np.clip(known, low, high), BINS, (low, high))[0].tolist()
    return told
