"""Whether candidate and parent follow from one another: what a model of natural language inference makes of their meaning."""

import numpy as np
import pyarrow as pa

from augment.pairs import Pairs
from corpus.stage import Context

_BETWEEN = "\x1f"


def entailed(pairs: Pairs, uri: str, context: Context) -> np.ndarray:
    """Return of each row how likely it follows from its parent and its parent from it, the lesser of the two.

    nan for rows that are not asked, for those that mean to stay near their parent, and for what is longer than the model reads.
    Asked where the judge runs and not by the workers, to whom texts go row by row: a pair is of two.
    """
    asked = ~pairs.near[pairs.chosen]
    mine, theirs = pairs.texts()
    both = [
        (one, other) for one, other, is_asked in zip(mine, theirs, asked.tolist(), strict=True) if is_asked
    ]
    there = _ask([(other, one) for one, other in both], uri, context)
    back = _ask(both, uri, context)
    told = np.full(len(pairs.chosen), np.nan)
    told[asked] = np.minimum(there, back)
    return pairs.spread(told)


def _ask(sides: list[tuple[str, str]], uri: str, context: Context) -> np.ndarray:
    """Ask of pairs of premise and hypothesis, or replay what was answered before."""
    from importlib.metadata import version

    def made(missing: pa.StringArray) -> pa.DoubleArray:
        halves = [one.split(_BETWEEN) for one in missing.to_pylist()]
        return pa.array(context.models.entails(uri, *map(list, zip(*halves, strict=True))), pa.float64())

    joined = [_BETWEEN.join(text.replace(_BETWEEN, " ") for text in one) for one in sides]
    maker = f"entails {context.models.revision(uri)} torch {version('torch')}"
    told = (
        context.replay.recall(maker, pa.array(joined, pa.string()), made)
        if joined
        else pa.array([], pa.float64())
    )
    found: np.ndarray = told.to_numpy(zero_copy_only=False)
    return found
