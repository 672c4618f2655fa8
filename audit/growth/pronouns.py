"""Measures whether growth turns pronouns: he into she, she into he, nobody's into somebody's.

Languages without gendered pronouns, and those that drop them, give back another one than they were given (Stanovsky,
Smith and Zettlemoyer 2019, "Evaluating Gender Bias in Machine Translation"; Prates, Avelar and Lamb 2020).

{"table": {"masculine": {"masculine": 51, "feminine": 1, "both": 0, "none": 2}, "feminine": {...}, "both": {...}, "none": {...}},
 "to_feminine": {"value": 0.019, "low": 0.003, "high": 0.098, "n": 54}, "to_masculine": {...}, "none_to_feminine": {...},
 "none_to_masculine": {...}, "p": 0.02}
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.lexicon import Pronouns, pattern
from corpus.statistics import effective_size, wilson

KINDS = ("masculine", "feminine", "both", "none")
"""Which pronouns a text has."""

_NO_PROSE = r"(?s)```.*?```|`[^`\n]*`|https?://\S+|www\.\S+|@\w+"
"""Code between backticks, links and handles, in which a pronoun is none."""


def kinds(texts: pa.StringArray, pronouns: Pronouns) -> np.ndarray:
    """Return the place in `KINDS` of each text (int): whole words count, in any case, outside of code, links and handles."""
    prose = pc.replace_substring_regex(texts, _NO_PROSE, " ")
    he, she = (
        pc.fill_null(pc.match_substring_regex(prose, pattern(terms), ignore_case=True), False).to_numpy(
            zero_copy_only=False
        )
        for terms in (pronouns.masculine, pronouns.feminine)
    )
    return np.select([he & ~she, she & ~he, he & she], [0, 1, 2], 3)


def flips(parents: np.ndarray, grown: np.ndarray, owner: np.ndarray) -> dict[str, Any] | None:
    """Count what became of the pronouns of parents in the rows that grew of them; None where there are no such rows.

    `parents` and `grown` are places in `KINDS`, one for each grown row and its parent; `owner` numbers the parents. A row
    flips where its parent has pronouns of one gender alone and it has those of the other alone; beside these stand rows
    that have those of one gender where their parent has none. The shares' intervals are Wilson's for as many rows as the parents' children are worth. p is that of McNemar's exact test between the two
    directions over parents: those of whom any child flipped.
    """
    from scipy.stats import binomtest

    if not len(owner):
        return None
    table = np.zeros((len(KINDS), len(KINDS)), np.int64)
    np.add.at(table, (parents, grown), 1)
    masculine, feminine = (len(np.unique(owner[(parents == one) & (grown == 1 - one)])) for one in (0, 1))
    turned = masculine + feminine
    return {
        "table": {
            before: dict(zip(KINDS, map(int, line), strict=True))
            for before, line in zip(KINDS, table, strict=True)
        },
        "to_feminine": _share(parents == 0, grown == 1, owner),
        "to_masculine": _share(parents == 1, grown == 0, owner),
        "none_to_feminine": _share(parents == 3, grown == 1, owner),
        "none_to_masculine": _share(parents == 3, grown == 0, owner),
        "p": float(binomtest(masculine, turned, 0.5).pvalue) if turned else 1.0,
    }


def _share(among: np.ndarray, hits: np.ndarray, owner: np.ndarray) -> dict[str, Any]:
    n, found = int(among.sum()), int((among & hits).sum())
    if not n:
        return {"value": None, "low": 0.0, "high": 1.0, "n": 0}
    size = effective_size(np.bincount(owner[among]))
    low, high = wilson(found / n * size, size)
    return {"value": found / n, "low": low, "high": high, "n": n}
