"""What to do where a pair of Apertium is not there: it may be installed under other codes, or a package brings it.

Some pairs go by codes of three letters and some of two (ISO 639-3, 639-1), modes and packages alike, as they were when the
pair was begun: eng-spa and eng-cat, but en-gl and en-eo.
"""

import re
from pathlib import Path

from corpus import languages

_PACKAGES = {
    frozenset({"eng", "spa"}): "apertium-eng-spa",
    frozenset({"eng", "cat"}): "apertium-eng-cat",
    frozenset({"eng", "glg"}): "apertium-en-gl",
    frozenset({"eng", "epo"}): "apertium-eo-en",
}
"""Debian's packages of the pairs that are tested here."""
_PLAIN = re.compile(r"[a-z]{2,3}-[a-z]{2,3}")


def advice(source: str, target: str, modes: Path) -> str:
    """Say what to do about a pair that has no mode among `modes`: what to write where it is there, else what to install."""
    installed = sorted(file.stem for file in modes.glob("*.mode"))
    same = [pair for pair in installed if _codes(pair) == _codes(f"{source}-{target}")]
    if same:
        return f"it is installed as {same[0]}: write apertium:{same[0]}"
    there = ", ".join(pair for pair in installed if _PLAIN.fullmatch(pair))
    package = _PACKAGES.get(frozenset(_codes(f"{source}-{target}")))
    brings = (
        "look with `apt-cache search apertium-` for a package of both languages"
        if package is None
        else f"apt-get install apertium {package}"
    )
    return f"write one that is installed ({there}), or {brings}" if there else brings


def _codes(pair: str) -> tuple[str, ...]:
    """Return the codes of a pair in three letters, each with the variant that stands behind it (cat_valencia)."""
    found = (code.partition("_") for code in pair.split("-"))
    return tuple(f"{languages.in_three_letters(code)}{bar}{variant}" for code, bar, variant in found)
