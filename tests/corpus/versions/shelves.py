"""Versions to test with."""

from pathlib import Path

import pyarrow as pa

from corpus.disk import Disk
from corpus.versions.card import Card
from corpus.versions.library import Library
from corpus.versions.version import Version
from tests.corpora import make

CARD = Card("made", {"made": "CC0-1.0"})
RECIPE = {"seed": 7, "stages": []}


def library(root: Path) -> Library:
    """Return a library on a folder of this machine."""
    return Library(Disk(root), Disk(root))


def rows(texts: list[str], splits: list[str] | None = None) -> pa.Table:
    """Make rows, training rows where no split is given."""
    return make(texts, splits=splits or ["train"] * len(texts))


def published(held: Library, texts: list[str], splits: list[str] | None = None, **recipe) -> Version:
    """Publish rows of these texts."""
    return held.publish([rows(texts, splits)], {**RECIPE, **recipe}, CARD)
