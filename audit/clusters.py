"""Finds the groups that nobody named: clusters of embeddings, each named by the words that go with it.

A stage may remove a topic, a dialect or a genre that no lexicon and no column has a word for (Lucy et al. 2024,
arXiv 2401.06408, found quality filters to be filters of topics).
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from audit.association import with_words
from audit.groups import Membership

ROWS_EACH = 120
"""Rows that a cluster has on the average; a smaller one could hardly be judged."""

MOST = 12
AXIS = "cluster"
ORIGIN = "embedding-clusters"

_WORDS = 3


def clusters(vectors: np.ndarray, texts: pa.StringArray, seed: int, *, named: bool) -> list[Membership]:
    """Return the clusters of rows, by their unit vectors (float32, (rows, dimensions)), the largest first; none of too few rows.

    k-means of `rows / ROWS_EACH` clusters, `MOST` at most (Lloyd 1982, k-means++). `texts` are row-aligned. A cluster is
    named by a number, and where `named` by the words too that stand in it most surely.
    """
    count = min(MOST, len(vectors) // ROWS_EACH, len(np.unique(vectors, axis=0)))
    if count < 2:
        return []
    from sklearn.cluster import KMeans

    codes = KMeans(count, n_init=4, random_state=seed % 2**32).fit_predict(vectors)
    sizes = np.bincount(codes, minlength=count)
    order = [code for code in np.argsort(-sizes, kind="stable") if sizes[code]]
    numbered = [
        Membership(AXIS, str(number), ORIGIN, codes == code) for number, code in enumerate(order, start=1)
    ]
    return _named(numbered, texts) if named else numbered


def _named(groups: Sequence[Membership], texts: pa.StringArray) -> list[Membership]:
    words: dict[str, list[str]] = {}
    for one in with_words(groups, texts, {}, most=_WORDS):
        words.setdefault(one["group"], []).append(one["with"])
    return [
        Membership(AXIS, ": ".join(filter(None, [group.group, ", ".join(words.get(group.group, ()))])), ORIGIN, group.rows)
        for group in groups
    ]  # fmt: skip
