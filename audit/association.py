"""Measures what stands together: groups with labels, and groups with words.

A model learns from the rows that mention a group which label and which words go with it. Normalised pointwise mutual
information (Bouma 2009) says how much more often than by chance, from -1 (never) to 1 (always); the log odds ratio says
the same with an interval (Valentini et al. 2021, arXiv 2104.06474). Both are over rows in which the two stand together.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from audit.groups import MENTIONS, Membership, partition
from corpus.statistics import Z95, benjamini_hochberg, two_by_two_p, wilson

Association = dict[str, Any]
"""JSON: axis, group, origin, with, n (the group's rows), both, rate, low, high, other_n, other_rate, npmi, log_odds,
log_odds_low, log_odds_high, p, q. `with` is a label or a word, `rate` its share among the group's rows."""

LEAST = 10
"""Rows that a word stands in, and rows of a group, below which neither is looked at."""

TOGETHER = 5
"""Rows of a group that a word stands in, below which it is a matter of a few texts."""

_WORDS = r"(?u)\b[^\W\d_]{2,}\b"


def with_labels(memberships: Sequence[Membership], labels: pa.Array | pa.ChunkedArray) -> list[Association]:
    """Return how each group goes with each label; `labels` (string) are row-aligned with the groups.

    Rows without a label do not count. The groups of the axis `label` are left out, and those of all rows or none. q is over all of them.
    """
    classes = [group for group in partition(labels, "label", "label") if group.group != "(missing)"]
    if len(classes) < 2:
        return []
    labelled = np.logical_or.reduce([one.rows for one in classes])
    found = []
    for group in memberships:
        if group.axis == "label":
            continue
        mine = group.rows & labelled
        n, rest = int(mine.sum()), int(labelled.sum() - mine.sum())
        if not min(n, rest):
            continue  # there is nobody to compare with
        for one in classes:
            both = int((mine & one.rows).sum())
            others = int(one.rows.sum()) - both
            found.append(_association(group, one.group, (both, n, others, rest)))
    return _corrected(found)


def with_words(
    memberships: Sequence[Membership], texts: pa.StringArray, own: Mapping[tuple[str, str], Sequence[str]], most: int = 10
) -> list[Association]:  # fmt: skip
    """Return the words that go with each group most, up to `most` a group, the surest first.

    `texts` are row-aligned with the groups. `own` are the terms by which a group is found, whose words say nothing
    beside it. A word counts once a row, must stand in `LEAST` and in `TOGETHER` of the group, and more often than by
    chance. q is over all words of all groups, and only those under 0.05 are told.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(binary=True, min_df=LEAST, token_pattern=_WORDS, dtype=np.int32)
    try:
        standing = counter.fit_transform(texts.to_pylist())
    except ValueError:  # no word stands in so many rows
        return []
    words = counter.get_feature_names_out()
    in_all = np.asarray(standing.sum(axis=0)).ravel().astype(np.int64)
    found, tested = [], 0
    for group in memberships:
        n = int(group.rows.sum())
        if not LEAST <= n < len(texts):
            continue
        both = np.asarray(standing[group.rows].sum(axis=0)).ravel().astype(np.int64)
        others, rest = in_all - both, len(texts) - n
        known = own.get((group.axis.removesuffix(MENTIONS), group.group), ())
        terms = {word for term in known for word in re.findall(_WORDS, term.lower())}
        asked = np.flatnonzero((both >= TOGETHER) & ~np.isin(words, list(terms)))
        tested += len(asked)
        log_odds, error = _log_odds(both[asked], n, others[asked], rest)
        # The others stand together no more often than chance explains; their p is near 0.05 or over it, here 1.
        surely = asked[log_odds > Z95 * error]
        found += [
            _association(group, str(words[at]), (int(both[at]), n, int(others[at]), rest)) for at in surely
        ]
    q = benjamini_hochberg([*(one["p"] for one in found), *[1.0] * (tested - len(found))])
    told = [one | {"q": value} for one, value in zip(found, q, strict=False) if value < 0.05]
    told.sort(key=lambda one: (-one["log_odds_low"], one["with"]))
    kept: dict[tuple[str, str], list[Association]] = {}
    for one in told:
        kept.setdefault((one["axis"], one["group"]), []).append(one)
    return [one for group in memberships for one in kept.get((group.axis, group.group), [])[:most]]


def _log_odds(both: np.ndarray, n: int, others: np.ndarray, rest: int) -> tuple[np.ndarray, np.ndarray]:
    """Return log odds ratios and their standard errors; one half in each cell where one is empty (Haldane 1956)."""
    cells = np.array([both, n - both, others, rest - others], dtype=float)
    a, b, c, d = cells + 0.5 * (cells.min(axis=0) == 0)
    return np.log(a * d / (b * c)), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def _association(group: Membership, other: str, counts: tuple[int, int, int, int]) -> Association:
    """Measure a group with something else, from how many of its rows and of all others have that."""
    both, n, others, rest = counts
    low, high = wilson(both, n)
    (log_odds,), (error,) = _log_odds(np.array([both]), n, np.array([others]), rest)
    return {
        "axis": group.axis,
        "group": group.group,
        "origin": group.origin,
        "with": other,
        "n": n,
        "both": both,
        "rate": both / n if n else None,
        "low": low,
        "high": high,
        "other_n": rest,
        "other_rate": others / rest if rest else None,
        "npmi": npmi(both, n, both + others, n + rest),
        "log_odds": float(log_odds),
        "log_odds_low": float(log_odds - Z95 * error),
        "log_odds_high": float(log_odds + Z95 * error),
        "p": two_by_two_p(both, n, others, rest),
    }


def npmi(both: int, one: int, other: int, of: int) -> float | None:
    """Return the normalised pointwise mutual information of two kinds of rows among `of`, from -1 to 1.

    `ln(p(x, y) / (p(x) p(y))) / -ln p(x, y)`; -1 where they never stand together, None where there are no rows of one.
    1 where each is all rows, which says nothing more than that they never stand apart.
    """
    if min(one, other) == 0:
        return None
    if both == 0:
        return -1.0
    if both == of:
        return 1.0
    return math.log(both * of / (one * other)) / -math.log(both / of)


def _corrected(found: list[Association]) -> list[Association]:
    q = benjamini_hochberg([one["p"] for one in found])
    return [one | {"q": value} for one, value in zip(found, q, strict=True)]
