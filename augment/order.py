"""Whether those of whom a text speaks change places: names, handles and persons, in the order in which they come first.

"Germany beat Brazil"  ->  "Brazil beat Germany"        "she said he left"  ->  "he said she left"

A sentence that is turned round and means the same ("Brazil was beaten by Germany") is not told from these: admission would
rather lose a candidate.
"""

from collections.abc import Iterable


def moved(mine: Iterable[str], theirs: Iterable[str]) -> int:
    """Count those that come in both texts and at another place among these, each where it comes first."""
    first, other = dict.fromkeys(mine), dict.fromkeys(theirs)
    ours = [word for word in first if word in other]
    of_parent = [word for word in other if word in first]
    return sum(one != another for one, another in zip(ours, of_parent, strict=True))
