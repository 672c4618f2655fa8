"""Says in a few words what a cluster is about, from the rows in its middle: made anew with the page, so that no word outlives its row.

topics([{"cluster": "7", "text": "Claritin Clear."}, {"cluster": "7", "text": "claritin D"}])  ->  {"7": "claritin"}
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from audit.findings import Finding

_WORD = re.compile(r"[^\W\d_]{3,}")
_ADDRESS = re.compile(r"https?://\S+|@\w+")
_MOST, _LONGEST = 3, 24
ORIGIN = "embedding-clusters"


def topics(quotes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return by cluster the words, three at most, that stand in two of its quoted rows and more, and in those of no two others.

    The commonest come first. Addresses and handles are no words. A cluster without such a word is not in it.
    """
    by: dict[str, Counter[str]] = {}
    for one in quotes:
        words = _WORD.findall(_ADDRESS.sub(" ", one["text"].casefold()))
        by.setdefault(one["cluster"], Counter()).update(set(words))
    spread = Counter(word for counts in by.values() for word in counts)
    found = {}
    for cluster, counts in by.items():
        mine = [
            word for word, times in counts.items() if times > 1 and spread[word] < 3 and len(word) <= _LONGEST
        ]
        told = sorted(mine, key=lambda word: (-counts[word], spread[word], word))[:_MOST]
        if told:
            found[cluster] = ", ".join(told)
    return found


def with_topics(findings: Iterable[Finding], known: Mapping[str, str]) -> list[Finding]:
    """Return findings, those of clusters with what they are about (`topic`) where that is known."""
    return [
        one | {"topic": known[one["group"]]} if one["origin"] == ORIGIN and one["group"] in known else one
        for one in findings
    ]
