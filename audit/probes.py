"""Asks whether a row would have stayed if it spoke of another group: terms are exchanged in real rows, which are judged again.

Counterfactual token fairness (Garg et al. 2019, arXiv 1809.10610) turned on the stages of a pipeline. It needs no labels,
and nothing but the exchanged words can be why the outcome changes.

{"axis": "religion", "group": "muslim", "instead": "christian", "n": 40, "kept": 31, "kept_instead": 38, "lost": 0, "won": 7,
 "flips": {"value": 0.175, "low": 0.087, "high": 0.319, "n": 40}, "p": 0.016, "q": 0.09, "stages": {"blocklist: blocked_word": 7}}

No text is kept: what quotes a row must be found again when the row is forgotten.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from corpus.statistics import benjamini_hochberg, wilson

Slots = Sequence[Mapping[str, str]]
"""Terms that stand for one another, by value: {muslim: mosque, christian: church, jewish: synagogue}."""

Fates = Callable[[Sequence[int], Sequence[str]], Sequence[str | None]]
"""What would become of rows if they said other texts: "stage: reason", or None where one stays. Aligned with both."""


def exchanged(text: str, slots: Slots, group: str, instead: str) -> str | None:
    """Return the text with the group's terms exchanged for those of another; None where there is nothing to exchange.

    Whole words alone are exchanged, and a term keeps its capitals. Where one of the group's terms stands in two slots the
    first counts.
    """
    terms: dict[str, str] = {}
    for slot in slots:
        if group in slot and instead in slot:
            terms.setdefault(slot[group].lower(), slot[instead])
    if not terms:
        return None
    longest_first = sorted(map(re.escape, terms), key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)", re.IGNORECASE)
    changed, count = pattern.subn(lambda found: _like(found[0], terms[found[0].lower()]), text)
    return changed if count else None


def _like(term: str, other: str) -> str:
    """Give a term the capitals of the one that it stands for."""
    if term.isupper() and len(term) > 1:
        return other.upper()
    return other[:1].upper() + other[1:] if term[:1].isupper() else other


def probe(
    texts: Mapping[str, Mapping[int, str]], axis: str, slots: Slots, pairs: Sequence[tuple[str, str]], fates: Fates
) -> list[dict[str, Any]]:  # fmt: skip
    """Return what each exchange (group, instead) does to the rows of a group: how many stay, how many would.

    `texts` are the group's rows, by number. `lost` were kept and would have gone, `won` went and would have stayed; p is that of McNemar's
    exact test between the two. q is added by `settled`, over all axes.
    """
    asked = [
        (group, instead, row, text, other)
        for group, instead in pairs
        for row, text in texts.get(group, {}).items()
        if (other := exchanged(text, slots, group, instead)) is not None
    ]
    rows = [row for _, _, row, _, _ in asked]
    before, after = fates(rows, [one[3] for one in asked]), fates(rows, [one[4] for one in asked])
    found = []
    for group, instead in pairs:
        mine = [at for at, (one, two, *_) in enumerate(asked) if (one, two) == (group, instead)]
        if mine:
            found.append(
                {"axis": axis, "group": group, "instead": instead}
                | _told([(before[at], after[at]) for at in mine])
            )
    return found


def _told(rows: Sequence[tuple[str | None, str | None]]) -> dict[str, Any]:
    from scipy.stats import binomtest

    lost = [row for row in rows if row[0] is None and row[1] is not None]
    won = [row for row in rows if row[0] is not None and row[1] is None]
    flips = len(lost) + len(won)
    low, high = wilson(flips, len(rows))
    return {
        "n": len(rows),
        "kept": sum(row[0] is None for row in rows),
        "kept_instead": sum(row[1] is None for row in rows),
        "lost": len(lost),
        "won": len(won),
        "flips": {"value": flips / len(rows), "low": low, "high": high, "n": len(rows)},
        "p": float(binomtest(len(won), flips, 0.5).pvalue) if flips else 1.0,
        "stages": dict(Counter(sorted(row[0] or row[1] or "" for row in (*won, *lost))).most_common()),
    }


def settled(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the probes of all axes with their q values, those first whose rows would most often have stayed."""
    q = benjamini_hochberg([one["p"] for one in found])
    told = [dict(one) | {"q": value} for one, value in zip(found, q, strict=True)]
    return sorted(
        told,
        key=lambda one: ((one["lost"] - one["won"]) / one["n"], one["axis"], one["group"], one["instead"]),
    )
