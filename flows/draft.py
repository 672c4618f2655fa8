"""Looks at the user's own data and drafts a recipe: only stages whose effect on real data stands in `bench/evidence`."""

import json
import tempfile
from collections.abc import Sequence
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from corpus import text
from corpus.schema import UserError
from corpus.sources import Batch, Source, files_of, read
from flows.apply import apply

LOOKED_AT = 20_000
"""Rows that the draft is made from; the first ones are enough to tell columns apart."""


def init(inputs: Sequence[str], output: Path, rows: int) -> dict[str, Any]:
    """Write a recipe for `inputs` to `output`; return it with what it does to `rows` of their rows."""
    if output.exists():
        raise UserError(f"{output} is there already; name another file with --output, or remove it")
    paths = [str(Path(entry).absolute()) for entry in inputs]
    found = _columns(paths)
    near = [_beside(path, output) for path in paths]
    source = {"name": "data", "uri": near[0] if len(near) == 1 else near, **found["knobs"]}
    looked = _look(Source.model_validate({**source, "uri": paths}))
    recipe = {
        "name": _name(inputs[0]),
        "seed": 7,
        "sources": [source],
        "stages": _stages(looked),
        "audit": {},
    }
    written = _written(recipe, looked, found["notes"])
    output.write_text(written)
    try:
        with tempfile.TemporaryDirectory() as folder:
            trial = apply(
                str(output),
                (),
                Path(folder) / "out",
                store=str(Path(folder) / "store"),
                limit=rows,
                quiet=True,
            )
    except (UserError, OSError):
        output.unlink()
        raise
    return {
        "recipe": str(output),
        "draft": recipe,
        "columns": found["columns"],
        "notes": found["notes"],
        "trial": {key: trial[key] for key in ("rows", "stages", "seconds")},
    }


def _beside(path: str, output: Path) -> str:
    """Name a file as seen from the recipe where it lies beside or below it, so that the folder can be moved."""
    folder = output.absolute().parent
    return f"file:{Path(path).relative_to(folder)}" if Path(path).is_relative_to(folder) else path


def _columns(paths: list[str]) -> dict[str, Any]:
    """Guess which column is what, from names first and from values where names say nothing."""
    sample = _table(paths)
    if sample is None:
        return {"knobs": {}, "columns": {}, "notes": []}
    facts = {name: _facts(sample[name]) for name in sample.column_names}
    knobs: dict[str, Any] = {}
    notes: list[str] = []
    names = {name.lower(): name for name in facts}
    if "messages" not in names and not {"prompt", "completion"} <= set(names):
        words = {
            name: fact["words"]
            for name, fact in facts.items()
            if fact["strings"] and fact["words"] is not None
        }
        wanted = next(
            (
                names[known]
                for known in ("text", "content", "body", "review", "tweet", "sentence")
                if names.get(known) in words
            ),
            None,
        )
        chosen = wanted or max(words, key=lambda name: words[name], default=None)
        if chosen is None:
            raise UserError(f"no column of {paths[0]} holds text; it has {', '.join(facts)}")
        if chosen != "text":
            knobs["text"] = chosen
        notes.append(f"text is {chosen!r}: {facts[chosen]['words']:.0f} words a row")
    taken = {knobs.get("text", "text")}
    label = next(
        (
            names[known]
            for known in ("label", "class", "sentiment", "category", "rating", "target")
            if known in names and names[known] not in taken
        ),
        None,
    )
    label = label or next(
        (
            name
            for name, fact in facts.items()
            if name not in taken
            and 2 <= fact["distinct"] <= 20
            and fact["words"] is not None
            and fact["words"] <= 3
            and fact["rows"] >= 100
        ),
        None,
    )
    if label is not None and 2 <= facts[label]["distinct"] <= 200:
        if label != "label":
            knobs["label"] = label
        notes.append(
            f"label is {label!r}: {facts[label]['distinct']} classes in the first {facts[label]['rows']:,} rows"
        )
        taken.add(label)
    confidence = next(
        (
            names[known]
            for known in ("confidence", "agreement", "trust")
            if known in names and names[known] not in taken
        ),
        None,
    )
    if confidence is not None and facts[confidence]["numbers"]:
        if confidence != "confidence":
            knobs["confidence"] = confidence
        notes.append(f"confidence is {confidence!r}")
    key = next(
        (
            name
            for name, fact in facts.items()
            if name.lower().endswith("id") and fact["distinct"] == fact["rows"] and not fact["nulls"]
        ),
        None,
    )
    if key is not None and key not in taken:
        notes.append(
            f"{key!r} looks like a key; add `key: {key}` to the source if it names a record for ever"
        )
    return {"knobs": knobs, "columns": facts, "notes": notes}


def _table(paths: list[str]) -> pa.Table | None:
    """Return the columns of the first rows as strings; None for plain text and chats of one column."""
    probe = Source.model_validate({"name": "probe", "uri": paths})
    first = files_of(probe, Path.cwd(), Path)[0]
    columns = _raw(first)
    return (
        None
        if columns is None
        else pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    )


def _raw(first: Any) -> dict[str, list[str | None]] | None:
    from corpus.reading.readers import peek

    records = peek(first, 2_000)
    if records is None:
        return None
    names = list(dict.fromkeys(name for record in records for name in record))
    return {
        name: [
            None
            if record.get(name) is None
            else value
            if isinstance(value := record[name], str)
            else json.dumps(value, default=str)
            for record in records
        ]
        for name in names
    }


def _facts(column: pa.ChunkedArray) -> dict[str, Any]:
    held = column.drop_null().combine_chunks()
    filled = held.filter(pc.not_equal(held, ""))
    _, begins = text.word_hashes(filled, symbols=False)
    numbers = pc.match_substring_regex(filled, r"^\s*[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\s*$")
    all_numbers = bool(len(filled)) and bool(pc.all(numbers).as_py())
    return {
        "rows": len(column),
        "nulls": len(column) - len(filled),
        "distinct": len(filled.unique()),
        "numbers": all_numbers,
        "strings": not all_numbers,
        "words": float(np.diff(begins).mean()) if len(filled) else None,
    }


def _look(source: Source) -> dict[str, Any]:
    """Measure what decides which stages are drafted, and with which knobs."""
    words: list[np.ndarray] = []
    labelled = rows = 0
    batch: Batch
    for batch in read(source, files_of(source, Path.cwd(), Path)):
        rows += batch.rows.num_rows
        labelled += batch.rows.num_rows - batch.rows["label"].null_count
        words.append(text.count_words(batch.rows).to_numpy())
        if rows >= LOOKED_AT:
            break
    if not rows:
        raise UserError(
            "not one row could be read; `winnow apply normalise FILE --output out` writes each reject and its reason"
        )
    median = float(np.median(np.concatenate(words)))
    return {"rows": rows, "labelled": labelled, "median_words": median}


def _stages(looked: dict[str, Any]) -> list[dict[str, Any]]:
    """Choose among the stages that earned their place, with a shingle that suits the length of the rows."""
    drafted: list[dict[str, Any]] = [
        {"stage": "normalise"},
        {"stage": "exact_duplicates"},
        {
            "stage": "near_duplicates",
            "threshold": 0.8,
            "shingle_words": 2 if looked["median_words"] < 40 else 5,
        },
        *([{"stage": "label_conflicts"}] if looked["labelled"] else []),
        {"stage": "split", "train": 0.8, "validation": 0.1, "test": 0.1},
    ]
    return [stage for stage in drafted if stage["stage"] == "split" or _earned(stage["stage"])]


def _earned(stage: str) -> bool:
    """Say whether the evidence that ships with Winnow finds that a stage helps; "cannot tell" leaves it out."""
    held = json.loads((resources("data") / "evidence.json").read_text(encoding="utf-8"))
    return bool(held["stages"].get(stage, {}).get("verdict") == "helps")


def _name(first: str) -> str:
    kept = "".join(
        letter if letter.isalnum() and letter.isascii() else "-"
        for letter in Path(first).name.split(".")[0].lower()
    ).strip("-")
    return kept or "data"


def _written(recipe: dict[str, Any], looked: dict[str, Any], notes: list[str]) -> str:
    head = [
        "# Drafted by `winnow init`. Every stage here helped on real data (bench/evidence); change what you know better.",
        f"# It was made from {looked['rows']:,} rows of {looked['median_words']:.0f} words (median).",
        *(f"# {note}" for note in notes),
    ]
    return "\n".join(head) + "\n" + yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True, width=110)


def show(held: dict[str, Any]) -> None:
    """Print the draft and what it did to the rows of the trial."""
    from rich.console import Console

    from flows.scorecard import show_stages

    console = Console()
    for note in held["notes"]:
        console.print(f"- {note}")
    console.print(f"\nOn {held['trial']['rows']['in']:,} rows:\n")
    show_stages(console, held["trial"])
    console.print(
        f"\n{held['recipe']} is written. Next:\n  winnow apply {held['recipe']} --output out     kept and dropped files",
        soft_wrap=True,
    )
    console.print(
        f"  winnow run {held['recipe']}                    a published version with its audit", soft_wrap=True
    )
