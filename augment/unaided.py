"""What is asked of candidates without a model: whether they were made at all, are no copies, have the links of their parents, and keep what can be counted."""

import functools
from operator import or_

import numpy as np

from augment.anew import FAULTS
from augment.kept import OF_OTHERS, REASONS, Kept, groups_changed, lost, word_ratio
from augment.masks import pieces_lost
from augment.pairs import Pairs
from corpus import language_id, text
from corpus.lexicon import Lexicon
from corpus.stage import Features
from corpus.verdict import Verdict


def made(features: Features, pairs: Pairs) -> Verdict:
    """Refuse what its maker could not make, what says nothing, what lost a mask, and what says the words of its parent.

    A maker says that masks were lost, not how many: they count as one.
    """
    mine, theirs = pairs.chosen, pairs.theirs
    words, fault = np.stack(text.halves(features["said"])), features["fault"].to_numpy()[mine]
    return (
        functools.reduce(or_, (pairs.where(fault == one, one) for one in FAULTS))
        | pairs.where(features["characters"].to_numpy()[mine] == 0, "empty")
        | pairs.counted(features["mask_lost"].to_numpy()[mine].astype(np.int64), "mask_lost")
        | pairs.where((words[:, mine] == words[:, theirs]).all(axis=0), "copy_of_parent")
    )


def pieces(pairs: Pairs) -> Verdict:
    """Refuse what has not the links, handles, slots and their like of its parent, whatever its maker says."""
    near = pairs.near[pairs.chosen].tolist()
    lost_some = [
        pieces_lost(one, other, near=is_near)
        for one, other, is_near in zip(*pairs.texts(), near, strict=True)
    ]
    return pairs.counted(np.array(lost_some, np.int64), "mask_lost")


def length(pairs: Pairs, most: float) -> Verdict:
    """Refuse what has more than `most` times as many words as its parent, or as few."""
    ratio = np.array([word_ratio(*both) for both in zip(*pairs.words(), strict=True)])
    return pairs.band("word_ratio", pairs.spread(ratio), (1 / most, most), ("length_changed",) * 2)


def kept(pairs: Pairs, asked: tuple[Kept, ...], known: Lexicon) -> Verdict:
    """Refuse what does not keep what is asked for; of those that mean to stay near their parent not what they exchange."""
    of_near = tuple(one for one in asked if one not in OF_OTHERS)
    near = pairs.near[pairs.chosen]
    found = [
        lost(one, other, of_near if is_near else asked, words)
        for one, other, words, is_near in zip(
            *pairs.texts(), zip(*pairs.words(), strict=True), near.tolist(), strict=True
        )
    ]
    verdict = Verdict.keep(len(pairs.asked))
    for reason in REASONS:
        counts = [0 if one is None or one.reason != reason else one.size for one in found]
        verdict |= pairs.counted(np.array(counts, np.int64), reason)
    if "groups" not in asked:
        return verdict
    left = pairs.after(verdict)
    changed = groups_changed(*left.texts(), known)
    return verdict | left.counted(changed * ~left.near[left.chosen], "groups_changed")


def language(pairs: Pairs, least: float) -> Verdict:
    """Refuse what is surely in another language than its parent is surely in: the lesser of both probabilities is `least`."""
    told = [language_id.likeliest(side) for side in pairs.texts()]
    score = [min(sure, of) if said != asked else 0.0 for (said, sure), (asked, of) in zip(*told, strict=True)]
    return pairs.at_least("other_language", pairs.spread(np.array(score)), least, "language_changed")
