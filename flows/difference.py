"""Two texts word by word: what both say, and what only one does.

difference("the crew was great", "the crew was rude")  ->  [("same", "the crew was "), ("gone", "great"), ("new", "rude")]
"""

import re
from difflib import SequenceMatcher
from itertools import takewhile

WORDS = 300
"""Words that differ in between, beyond which what differs is told in one piece: to align words that repeat takes the cube."""
AROUND = 6
"""Words that are printed on each side of what differs."""

Pieces = list[tuple[str, str]]


def difference(before: str, after: str) -> Pieces:
    """Return pieces that are `same`, `gone` (of the first alone) or `new` (of the second alone), in order.

    Joined, `same` and `gone` are the first text, `same` and `new` the second, to the character.
    """
    one, two = _words(before), _words(after)
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))
    left = one[head:][::-1], two[head:][::-1]
    tail = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*left, strict=False)))
    middle, other = one[head : len(one) - tail], two[head : len(two) - tail]
    pieces: Pieces = [("same", "".join(one[:head]))]
    if max(len(middle), len(other)) > WORDS:
        pieces += [("gone", "".join(middle)), ("new", "".join(other))]
    else:
        for how, a, b, c, d in SequenceMatcher(None, middle, other, autojunk=False).get_opcodes():
            if how == "equal":
                pieces.append(("same", "".join(middle[a:b])))
            else:
                pieces += [("gone", "".join(middle[a:b])), ("new", "".join(other[c:d]))]
    pieces.append(("same", "".join(one[len(one) - tail :])))
    return [(how, said) for how, said in pieces if said]


def told(pieces: Pieces) -> str:
    """Return pieces as one line, `[-gone-]{+new+}`, with a few words around what differs."""
    if len(pieces) == 1 and pieces[0][0] == "same":
        return "the same words"
    marks = {"gone": ("[-", "-]"), "new": ("{+", "+}")}
    found = []
    for number, (how, said) in enumerate(pieces):
        words = said.split()
        if how == "same":
            found.append(_between(words, first=number == 0, last=number == len(pieces) - 1))
        else:
            begin, end = marks[how]
            found.append(
                f"{begin}{_between(words, first=False, last=False) if words else repr(said)[1:-1]}{end}"
            )
    return " ".join(filter(None, found))


def _between(words: list[str], *, first: bool, last: bool) -> str:
    """Return words; of many those that stand beside what differs."""
    head, tail = (0 if first else AROUND), (0 if last else AROUND)
    if len(words) <= head + tail:
        return " ".join(words)
    return " ".join([*words[:head], "…", *(words[-tail:] if tail else [])])


def _words(text: str) -> list[str]:
    """Cut a text into words, each with the space behind it."""
    return re.findall(r"\S+\s*|\s+", text)
