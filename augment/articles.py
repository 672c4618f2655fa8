"""The article before a word that was exchanged: a before a consonant that is heard, an before a vowel.

a Muslim  ->  an atheist;  an American  ->  a Ukrainian
"""

import re

_SILENT = re.compile(r"(?:hour|honest|honou?r|heir)", re.IGNORECASE)
_SOUNDED = re.compile(r"(?:[bcdfghj-np-tv-z]|uni|ukr|us[eu]|eu|one\b|once\b)", re.IGNORECASE)


def agreed(article: str, word: str) -> str:
    """Return the article that stands before `word`, with the capital of the one that stood there."""
    vowel = _SILENT.match(word) or not _SOUNDED.match(word)
    return article[0] + ("n" if vowel else "")
