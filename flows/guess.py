"""Guesses which column is what, from names first and from values where names say nothing."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import text
from corpus.schema import UserError

_TEXTS = ("text", "content", "body", "review", "tweet", "sentence")
_LABELS = ("label", "class", "sentiment", "category", "rating", "target")
_CONFIDENCES = ("confidence", "agreement", "trust")


def facts_of(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Say of each column of some records how much it holds, and of what kind."""
    names = dict.fromkeys(name for record in records for name in record)
    return {name: _fact([record.get(name) for record in records]) for name in names}


def guess(file: str, facts: dict[str, dict[str, Any]]) -> tuple[dict[str, str], list[str]]:
    """Return knobs that name columns of `file`, with notes. Raises `UserError` where no column holds text."""
    names = {name.lower(): name for name in facts}
    turns: dict[str, str] = {knob: names[knob] for knob in ("prompt", "completion") if knob in names}
    knobs: dict[str, str] = {}
    notes: list[str] = []
    if "messages" in names:
        knobs["messages"] = names["messages"]
    elif len(turns) == 2:
        knobs |= turns
    elif facts:
        knobs["text"], told = _text(file, facts)
        notes += told
    label = _label(facts, set(knobs.values()), guessed="text" in knobs)
    if label is not None:
        knobs["label"] = label
        notes.append(
            f"label is {label!r}: {facts[label]['distinct']} classes in the first {facts[label]['rows']:,} rows"
        )
    confidence = _named(facts, _CONFIDENCES, set(knobs.values()))
    if confidence is not None and facts[confidence]["numbers"]:
        knobs["confidence"] = confidence
        notes.append(f"confidence is {confidence!r}")
    said = {knob for knob, column in knobs.items() if knob != column}
    said |= set(turns) if said & set(turns) else set()  # the two of them go together
    return {knob: knobs[knob] for knob in knobs if knob in said}, notes


def unique(facts: dict[str, dict[str, Any]], taken: set[str]) -> list[str]:
    """Return the columns that are called an id and may be a key."""
    return [
        name
        for name, fact in facts.items()
        if name.lower().endswith("id")
        and name not in {"id", *taken}
        and not fact["nested"]
        and not fact["nulls"]
        and fact["distinct"] == fact["rows"]
    ]


def _fact(values: list[Any]) -> dict[str, Any]:
    spelled = [value if isinstance(value, str) else json.dumps(value, default=str) for value in values]
    filled = pa.array(
        [told for value, told in zip(values, spelled, strict=True) if value not in (None, "")], pa.string()
    )
    _, begins = text.word_hashes(filled, signs=False, marks=False)
    numbers = pc.match_substring_regex(filled, r"^\s*[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*$")
    all_numbers = bool(len(filled)) and bool(pc.all(numbers).as_py())
    return {
        "rows": len(values),
        "nulls": len(values) - len(filled),
        "distinct": len(filled.unique()),
        "numbers": all_numbers,
        "strings": not all_numbers and any(isinstance(value, str) for value in values),
        "nested": any(isinstance(value, (list, dict)) for value in values),
        "words": float(np.diff(begins).mean()) if len(filled) else None,
    }


def _named(columns: Iterable[str], known: Sequence[str], taken: set[str]) -> str | None:
    """Return the column that has the first of some well-known names."""
    names = {name.lower(): name for name in columns}
    return next((names[name] for name in known if name in names and names[name] not in taken), None)


def _text(file: str, facts: dict[str, dict[str, Any]]) -> tuple[str, list[str]]:
    """Return the column of the text, with notes: a well-known name, or else the most words.

    A column of short labels is no text; nor is one of few words where a column that is called so is empty.
    """
    empty = [name for name, fact in facts.items() if name.lower() in _TEXTS and fact["words"] is None]
    words: dict[str, float] = {
        name: fact["words"]
        for name, fact in facts.items()
        if fact["strings"]
        and not fact["nested"]
        and fact["words"] is not None
        and (fact["words"] > 3 or name.lower() in _TEXTS or not (empty or name.lower() in _LABELS))
    }
    chosen = _named(words, _TEXTS, set()) or max(words, key=lambda name: words[name], default=None)
    has = f"it has {', '.join(map(repr, facts))}"
    if chosen is None and empty:
        raise UserError(
            f"the column {empty[0]!r} of {file} is empty in its first {facts[empty[0]]['rows']:,} records, and no "
            f"other holds text ({has}); fill it, or name a file that has text"
        )
    if chosen is None:
        raise UserError(f"no column of {file} holds text; {has}")
    return chosen, [
        *(f"{name!r} is empty in the first {facts[name]['rows']:,} rows" for name in empty),
        f"text is {chosen!r}: {words[chosen]:.0f} words a row",
    ]


def _label(facts: dict[str, dict[str, Any]], taken: set[str], *, guessed: bool) -> str | None:
    """Return the column of the class: a well-known name, or else, where that may be guessed, one of few short values."""
    label = _named(facts, _LABELS, taken) or next(
        (
            name
            for name, fact in facts.items()
            if guessed
            and name not in taken
            and 2 <= fact["distinct"] <= 20
            and fact["words"] is not None
            and fact["words"] <= 3
            and fact["rows"] >= 100
        ),
        None,
    )
    fits = label is not None and not facts[label]["nested"] and 2 <= facts[label]["distinct"] <= 200
    return label if fits else None
