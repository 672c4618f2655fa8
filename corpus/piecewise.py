"""What breaks a batch is sought by sending it again in pieces, so that the rest of the batch is made all the same."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from corpus.schema import UserError

_PIECES = 8
_PATIENCE = 4
"""So often nothing comes, one ask after another, before the known text is asked for."""
_PAUSES = (0.0, 1.0, 5.0)
"""Seconds before each try of the known text: what a machine lacks for a moment is no reason to end a run."""


class BrokenError(RuntimeError):
    """Who was asked died, hung, or gave answers that cannot be told apart."""


def piecewise(
    make: Callable[[list[str]], list[str]], texts: Sequence[str], known: str
) -> list[str | None]:  # fmt: skip
    """Return what `make` answers for each text, all at once if that goes; None for a text that it breaks on twice.

    `make` answers as many texts as it is given, or raises `BrokenError`. A batch that breaks is sent again in pieces, and these
    in theirs, down to single texts: some 8 log8(n) asks for each that breaks, of a batch of n. `known` is a text that `make` has
    an answer for unless it is out of order. No text is None before another, or that one, was answered behind it, so what is made
    depends on no neighbour and on no batch; what broke while that one was not answered either is asked once more. Raises
    `UserError` where `known` is not answered either, asked three times with pauses.
    """
    found: list[str | None] = [None] * len(texts)
    waiting = [range(len(texts))] if texts else []
    again = False  # whether what is sent was sent before
    failed = 0
    doubted: list[range] = []  # texts that broke alone since anything was answered
    spared: set[int] = set()  # texts that were asked once more for what was no fault of theirs
    while waiting:
        piece = waiting.pop()
        try:
            made = make([texts[place] for place in piece])
        except BrokenError as error:
            if len(piece) > 1 or not again:
                waiting += reversed(_cut(piece))
            else:
                doubted.append(piece)
            again = True
            failed += 1
            if failed == _PATIENCE or not waiting:
                if _recovered(make, known, error):
                    waiting += [one for one in reversed(doubted) if one.start not in spared]
                    spared |= {one.start for one in doubted}
                failed, doubted = 0, []
            continue
        failed, doubted = 0, []
        for place, text in zip(piece, made, strict=True):
            found[place] = text
    return found


def _recovered(make: Callable[[list[str]], list[str]], known: str, why: BrokenError) -> bool:
    """Say whether `make`, which broke `why`, was out of order for a while; raise `UserError` where it still is."""
    for number, pause in enumerate(_PAUSES):
        time.sleep(pause)
        with suppress(BrokenError):
            make([known])
            return number > 0
    raise UserError(
        f"needed an answer, and {' '.join(str(why).split())}; not even {known!r} is answered any more: "
        "see that the program runs by itself, and start again, what was made is kept"
    )


def _cut(piece: range) -> list[range]:
    size = -(-len(piece) // _PIECES)
    return [piece[start : start + size] for start in range(0, len(piece), size)]
