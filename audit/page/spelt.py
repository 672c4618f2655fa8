"""Text of a corpus as a page may show it: what does not show is spelt out, and what is long is cut."""

import unicodedata

_LONGEST = 280
_LONGEST_NAME = 36


def visible(text: str) -> str:
    """Return `text` with its control and format characters (new lines, bidirectional overrides) spelt out."""
    return text if text.isprintable() else "".join(map(_spelt, text.replace("\r\n", "\n")))


def _spelt(character: str) -> str:
    # Joiners hold emoji together and say nothing by themselves.
    if character.isprintable() or character == "\u200d":
        return character
    named = f"U+{ord(character):04X} {unicodedata.name(character, '').lower()}".strip()
    return "\u21b5 " if character in "\n\r" else f"\u2039{named}\u203a"


def cut(text: str) -> str:
    """Return a text as a sample shows it."""
    return visible(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "\u2026")


def named(text: str) -> str:
    """Return a text as a figure names a row by it."""
    shown = visible(text)
    return shown if len(shown) <= _LONGEST_NAME else shown[: _LONGEST_NAME - 1] + "\u2026"
