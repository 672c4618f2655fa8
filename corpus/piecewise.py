"""What breaks a batch is sought by sending it again in pieces, so that the rest of the batch is made all the same."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from corpus.schema import UserError

_PIECES = 8
_PATIENCE = 4
"""So often nothing comes, one ask after another, before the known text is asked for."""
_TRIES = 2


class BrokenError(RuntimeError):
    """Who was asked died, hung, or gave answers that cannot be told apart."""


def piecewise(
    make: Callable[[list[str]], list[str]], texts: Sequence[str], known: str
) -> list[str | None]:  # fmt: skip
    """Return what `make` answers for each text, all at once if that goes; None for a text that it breaks on twice.

    `make` answers as many texts as it is given, or raises `BrokenError`. A batch that breaks is sent again in pieces, and these
    in theirs, down to single texts: some 8 log8(n) asks for each that breaks, of a batch of n. `known` is a text that `make` has
    an answer for unless it is out of order. No text is None before another, or that one, was answered behind it, so what is made
    depends on no neighbour and on no batch. Raises `UserError` where `known` is not answered either.
    """
    found: list[str | None] = [None] * len(texts)
    waiting = [range(len(texts))] if texts else []
    again = False  # whether what is sent was sent before
    failed = 0
    while waiting:
        piece = waiting.pop()
        try:
            made = make([texts[place] for place in piece])
        except BrokenError as error:
            if len(piece) > 1 or not again:
                waiting += reversed(_cut(piece))
            again = True
            failed += 1
            if failed == _PATIENCE or not waiting:
                _check(make, known, error)
                failed = 0
            continue
        failed = 0
        for place, text in zip(piece, made, strict=True):
            found[place] = text
    return found


def _check(make: Callable[[list[str]], list[str]], known: str, why: BrokenError) -> None:
    """Raise `UserError` where `make` is out of order: it broke `why`, and breaks on the known text too."""
    for _ in range(_TRIES):
        with suppress(BrokenError):
            make([known])
            return
    raise UserError(
        f"needed an answer, and {' '.join(str(why).split())}; not even {known!r} is answered any more: "
        "see that the program runs by itself, and start again, what was made is kept"
    )


def _cut(piece: range) -> list[range]:
    size = -(-len(piece) // _PIECES)
    return [piece[start : start + size] for start in range(0, len(piece), size)]
