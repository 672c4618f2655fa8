"""Asks whether a row would have stayed if it spoke of another group: terms are exchanged in real rows, which are judged again.

Counterfactual token fairness (Garg et al. 2019, arXiv 1809.10610) turned on the stages of a pipeline. It needs no labels,
and nothing but the exchanged words can be why the outcome changes.

{"axis": "religion", "group": "muslim", "instead": "christian", "n": 40, "kept": 31, "kept_instead": 38, "lost": 0, "won": 7,
 "flips": {"value": 0.175, "low": 0.087, "high": 0.319, "n": 40}, "p": 0.016, "q": 0.09, "stages": {"blocklist: blocked_word": 7}}

The worst pairs of texts stand apart from these numbers, for what quotes a row must be found again when the row is forgotten:

{"row": 7, "axis": "religion", "group": "muslim", "instead": "christian", "text": "a mosque", "instead_text": "a church",
 "words": [[2, 8, 2, 8]], "before": "blocklist: blocked_word", "after": null}
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from corpus.exchange import Put, Slots, put, replaced
from corpus.statistics import benjamini_hochberg, wilson

Fates = Callable[[Sequence[int], Sequence[str]], Sequence[str | None]]
"""What would become of rows if they said other texts: "stage: reason", or None where one stays. Aligned with both."""


WORST = 10
"""Pairs of texts that are kept, of all exchanges together."""

Pair = dict[str, Any]
"""JSON: a row whose fate changed, as it is and as it would be. `words` are begin and end of what was exchanged, in either text."""


class Probed(NamedTuple):
    """What the exchanges of an axis did, in numbers, and the pairs of texts whose fates differ."""

    told: list[dict[str, Any]]
    pairs: list[Pair]


def probe(
    texts: Mapping[str, Mapping[int, str]], axis: str, slots: Slots, pairs: Sequence[tuple[str, str]], fates: Fates
) -> Probed:  # fmt: skip
    """Return what each exchange (group, instead) does to the rows of a group: how many stay, how many would.

    `texts` are the group's rows, by number. `lost` were kept and would have gone, `won` went and would have stayed; p is that of McNemar's
    exact test between the two. q is added by `settled`, over all axes.
    """
    asked = [
        (group, instead, row, text, found)
        for group, instead in pairs
        for row, text in texts.get(group, {}).items()
        if (found := replaced(text, slots, group, instead))
    ]
    rows, others = [one[2] for one in asked], [put(text, found) for *_, text, found in asked]
    before, after = fates(rows, [one[3] for one in asked]), fates(rows, others)
    told = []
    for group, instead in pairs:
        mine = [at for at, (one, two, *_) in enumerate(asked) if (one, two) == (group, instead)]
        if mine:
            told.append(
                {"axis": axis, "group": group, "instead": instead}
                | _told([(before[at], after[at]) for at in mine])
            )
    flipped = [
        {
            "row": row,
            "axis": axis,
            "group": group,
            "instead": instead,
            "text": text,
            "instead_text": other,
            "words": _words(found),
            "before": was,
            "after": would,
        }
        for (group, instead, row, text, found), other, was, would in zip(
            asked, others, before, after, strict=True
        )
        if (was is None) != (would is None)
    ]
    return Probed(told, flipped)


def _words(found: Sequence[Put]) -> list[list[int]]:
    """Return where the exchanged words stand, in the text and in the other."""
    shift, told = 0, []
    for start, stop, other in found:
        told.append([start, stop, start + shift, start + shift + len(other)])
        shift += len(other) - (stop - start)
    return told


def worst(told: Sequence[Mapping[str, Any]], pairs: Sequence[Pair], most: int = WORST) -> list[Pair]:
    """Return up to `most` pairs, each of another row: one of each exchange in the order of `told`, then a second of each.

    `told` is settled, so what would most often have stayed comes first.
    """
    order = {(one["axis"], one["group"], one["instead"]): at for at, one in enumerate(told)}
    seen: Counter[int] = Counter()
    ranked = []
    for pair in pairs:
        exchange = order[pair["axis"], pair["group"], pair["instead"]]
        ranked.append((seen[exchange], exchange, pair))
        seen[exchange] += 1
    chosen: dict[int, Pair] = {}
    for _, _, pair in sorted(ranked, key=lambda one: one[:2]):
        chosen.setdefault(pair["row"], pair)
    return list(chosen.values())[:most]


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
