"""How alike two texts are letter by letter: chrF (Popović 2015) of a candidate against its parent, for many pairs at a time.

Characters alone, in runs of 1 to 6 without white space, beta 2: sacrebleu's defaults and its numbers, to the last bit.
"""

from collections.abc import Sequence

import numpy as np

ORDER, BETA = 6, 2
"""Characters in the longest run, and how much more recall counts than precision."""


def scores(candidates: Sequence[str], parents: Sequence[str]) -> np.ndarray:
    """Return the chrF of each candidate against the parent beside it (float64, 0 to 100); 0 where one of them is empty."""
    from augment import chrf_kernels

    sides = ["".join(one.split()) for pair in zip(candidates, parents, strict=True) for one in pair]
    lengths = np.array([len(one) for one in sides], np.int64)
    codes = np.frombuffer("".join(sides).encode("utf-32-le", "surrogatepass"), np.uint32)
    shared = chrf_kernels.shared(codes, np.concatenate([[0], np.cumsum(lengths)]), ORDER)
    precision, recall, orders = np.zeros(len(shared)), np.zeros(len(shared)), np.zeros(len(shared))
    for order in range(ORDER):
        mine, theirs = (np.maximum(lengths[side::2] - order, 0) for side in (0, 1))
        both = (mine > 0) & (theirs > 0)  # an order that one of them is too short for says nothing
        precision[both] += shared[both, order] / mine[both]
        recall[both] += shared[both, order] / theirs[both]
        orders += both
    some = precision + recall > 0
    precision, recall = (each[some] / orders[some] for each in (precision, recall))
    found = np.zeros(len(shared))
    found[some] = 100 * ((1 + BETA**2) * precision * recall / ((BETA**2 * precision) + recall))
    return found
