r"""Texts on their way through a pipeline, each in a frame of its own, so that no answer is taken for that of another text.

"La casa", "Sí"  ->  La casa[17]\0Sí[18]\0[19]\0  ->  ^La/El<det><def><f><sg>$ ^casa/casa<n><f><sg>$[17]\0^Sí/Sí<adv>$[18]\0[19]\0

A mark is a number in a blank of Apertium's stream format (a superblank), which no text can hold and which goes through as it
is. It stands behind each text, and without it a full stop at the end of a text is lost. One more mark alone ends a batch.
"""

from collections.abc import Sequence

from corpus.piecewise import BrokenError


def marks(first: int, texts: int) -> list[str]:
    """Return a mark for each text and one for the end, numbered from `first`."""
    return [f"[{number}]" for number in range(first, first + texts + 1)]


def framed(texts: Sequence[str], marked: Sequence[str]) -> bytes:
    """Return texts as they are sent; none may hold a NUL or a bare bracket."""
    return "".join(f"{text}{mark}\0" for text, mark in zip([*texts, ""], marked, strict=True)).encode()


def unframed(said: bytes, marked: Sequence[str]) -> list[str]:
    """Return the answers of a batch without their marks.

    A rule that moves the last two words together leaves the space that was between them behind the mark. Raises `BrokenError`
    where not each mark ends an answer, all in their order, and nothing else comes.
    """
    try:
        *frames, rest = (frame.rstrip() for frame in said.decode().split("\0"))
    except UnicodeDecodeError as error:
        raise BrokenError("a translator answered what is no text") from error
    whole = len(frames) == len(marked) and all(map(str.endswith, frames, marked))
    if rest or not whole or frames[-1] != marked[-1]:
        raise BrokenError(f"{len(frames)} answers came for {len(marked)} frames, or not in theirs")
    return [frame.replace(mark, "") for frame, mark in zip(frames[:-1], marked[:-1], strict=True)]
