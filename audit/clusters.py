"""Finds the groups that nobody named: clusters of embeddings, by number, with the rows that stand nearest to their middle.

A stage may remove a topic, a dialect or a genre that no lexicon and no column has a word for (Lucy et al. 2024,
arXiv 2401.06408, found quality filters to be filters of topics). What a cluster is about its rows must tell: a name made of
their words would stay where a row is forgotten.
"""

import numpy as np

from audit.groups import Membership

ROWS_EACH = 120
"""Rows that a cluster has on the average; a smaller one could hardly be judged."""

MOST = 12
AXIS = "cluster"
ORIGIN = "embedding-clusters"


def clusters(vectors: np.ndarray, seed: int) -> list[Membership]:
    """Return the clusters of rows, by their unit vectors (float32, (rows, dimensions)), the largest first; none of too few rows.

    k-means of `rows / ROWS_EACH` clusters, `MOST` at most (Lloyd 1982, k-means++), named "1", "2", and so on.
    """
    count = min(MOST, len(vectors) // ROWS_EACH, len(np.unique(vectors, axis=0)))
    if count < 2:
        return []
    from sklearn.cluster import KMeans

    codes = KMeans(count, n_init=4, random_state=seed % 2**32).fit_predict(vectors)
    sizes = np.bincount(codes, minlength=count)
    order = [code for code in np.argsort(-sizes, kind="stable") if sizes[code]]
    return [
        Membership(AXIS, str(number), ORIGIN, codes == code) for number, code in enumerate(order, start=1)
    ]


def middle(vectors: np.ndarray, group: Membership, most: int) -> np.ndarray:
    """Return the positions of the `most` rows of a cluster that are most alike the mean of its vectors, the nearest first."""
    rows = np.flatnonzero(group.rows)
    likeness = vectors[rows] @ vectors[rows].mean(axis=0)
    found: np.ndarray = rows[np.argsort(-likeness, kind="stable")[:most]]
    return found
