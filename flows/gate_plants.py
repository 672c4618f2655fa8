"""Bad ones for a sheet of candidates: with one fault each, made of admitted candidates and of originals that the sheet does not show.

    renumbered 3, numeral 3, unit 2, date 2    |    negated 5, opposite 5    |    shifted 10

are asked for where originals are needed; ten each of `renumbered`, `negated` and `shifted` where candidates are enough.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from augment import planted, planted_words
from corpus.schema import digest
from flows.gate_candidates import Candidate

PLANTED = 30
"""Bad ones on a sheet, or as many as there are texts for."""
FIRST = ("renumbered", "negated", "shifted")
"""What spare candidates alone get: other numbers first, for few texts have one; then pairs that do not belong together."""
SPLIT = {
    "date": 2,
    "unit": 2,
    "numeral": 3,
    "opposite": 5,
    "renumbered": 3,
    "negated": 5,
    "shifted": 10,
}
"""How many of each kind are asked for otherwise, in the order in which they choose: the rarest first."""
SHARES = (("renumbered", "numeral", "unit", "date"), ("negated", "opposite"), ("shifted",))
"""Kinds that take each other's place where texts lack a word: amounts, contraries, what another row says; ten of each share."""
PLANTS = (*FIRST, *(kind for kind in SPLIT if kind not in FIRST))


class Plant(NamedTuple):
    """A row, its fault, and what the sheet says of it."""

    row: Candidate
    kind: str
    said: str


def of_spare(spare: Sequence[Candidate], seed: int) -> list[Plant]:
    """Plant ten with another number, ten that deny, and ten pairs that are shifted by one among themselves."""
    found: list[Plant] = []
    left = list(spare)
    most = PLANTED // len(FIRST)
    for kind in ("renumbered", "negated"):
        some = _first(kind, left, most, seed)
        used = {plant.row.id for plant in some}
        left = [one for one in left if one.id not in used]
        found += some
    ring = left[:most]
    return found + [
        Plant(one, "shifted", other.said)
        for one, other in zip(ring, ring[1:] + ring[:1], strict=True)
        if len(ring) > 1
    ]


def of_any(rows: Sequence[Candidate], seed: int) -> list[Plant]:
    """Plant as many as `SPLIT` says of each kind, those of its share for one that texts lack, and any for a share that they lack.

    No row is used twice, and none is shown beside what another says that has a line of its own: an original would stand on
    the sheet twice.
    """
    found: list[Plant] = []
    left = list(rows)
    for kind, kinds, most in _wanted():
        lacking = most - sum(plant.kind in kinds for plant in found)
        if kind == "shifted":
            pairs = [*zip(left[::2], left[1::2], strict=False)][: max(lacking, 0)]
            found += [Plant(one, kind, other.said) for one, other in pairs]
            left = left[2 * len(pairs) :]
        else:
            some = _first(kind, left, lacking, seed)
            used = {plant.row.id for plant in some}
            left = [one for one in left if one.id not in used]
            found += some
    return found


def _wanted() -> Iterator[tuple[str, tuple[str, ...], int]]:
    """Yield a kind, and with which others it may come to how many."""
    for kind, most in SPLIT.items():
        yield kind, (kind,), most
    for share in SHARES:
        for kind in share:
            yield kind, share, sum(SPLIT[one] for one in share)
    for kind in SPLIT:
        yield kind, tuple(SPLIT), PLANTED


def _first(kind: str, rows: Sequence[Candidate], most: int, seed: int) -> list[Plant]:
    """Return the first that can be made bad in a way."""
    found: list[Plant] = []
    for one in rows:
        if len(found) >= most:
            break
        said = _bad(kind, one, seed)
        if said is not None:
            found.append(Plant(one, kind, said))
    return found


def _bad(kind: str, one: Candidate, seed: int) -> str | None:
    """Return what a candidate says once it is made bad; None where it cannot be made so."""
    if kind == "negated":
        return planted.negated(one.said)
    generator = np.random.default_rng(list(digest(str(seed), kind, one.id)))
    if kind == "renumbered":
        return planted.renumbered(one.said, generator)
    return planted_words.exchanged(one.said, kind, one.parent, generator)
