"""What breaks a batch is sought by sending it again in pieces, so that the rest of the batch is made all the same."""

from collections.abc import Callable, Sequence

_PIECES = 8
_PATIENCE = 8
"""So many texts that fail alone, one after another, say that it is not the texts that are broken."""


class BrokenError(RuntimeError):
    """Who was asked died, hung, or gave answers that cannot be told apart."""


def piecewise(make: Callable[[list[str]], list[str]], texts: Sequence[str]) -> list[str | None]:
    """Return what `make` answers for each text, all at once if that goes; None for a text that it breaks on twice.

    `make` answers as many texts as it is given, or raises `BrokenError`. A batch that breaks is sent again in pieces, and these
    in theirs, down to single texts. Where eight of these fail one after another the rest is not sent, and is None too: who is
    out of order for all of them would be waited for all day.
    """
    found: list[str | None] = [None] * len(texts)
    waiting = [range(len(texts))]
    again = False  # whether what is sent was sent before
    failed = 0
    while waiting and failed < _PATIENCE:
        piece = waiting.pop()
        try:
            made = make([texts[place] for place in piece])
        except BrokenError:
            if again and len(piece) == 1:
                failed += 1
            else:
                waiting += reversed(_cut(piece))
            again = True
            continue
        failed = 0
        for place, text in zip(piece, made, strict=True):
            found[place] = text
    return found


def _cut(piece: range) -> list[range]:
    size = -(-len(piece) // _PIECES)
    return [piece[start : start + size] for start in range(0, len(piece), size)]
