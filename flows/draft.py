"""Drafts a recipe from what the user's files hold: the stages that were measured to help, and a split."""

import json
import tempfile
import textwrap
from collections.abc import Sequence
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import yaml

from corpus.schema import UserError
from flows.apply import apply
from flows.look import Counted, Seen, look, shown


def init(inputs: Sequence[str], output: Path, rows: int) -> dict[str, Any]:
    """Write a recipe for `inputs` to `output`; return it with what it does to `rows` of their rows.

    Where anything fails no recipe is left behind.
    """
    seen = look(inputs)
    if output.exists():
        raise UserError(f"{output} is there already; name another file with --output, or remove it")
    name = _name(inputs[0])
    near = [_beside(path, output) for path in seen.source["uri"]]
    recipe = {
        "name": name,
        "seed": 7,
        "sources": [{**seen.source, "name": name, "uri": near[0] if len(near) == 1 else near}],
        "stages": _stages(seen.counted),
        "audit": {},
    }
    try:
        output.write_text(_written(recipe, seen), encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder:
            out, store = Path(folder) / "out", str(Path(folder) / "store")
            trial = apply(str(output), (), out, store=store, limit=rows, quiet=True)
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    return {
        "recipe": str(output),
        "draft": recipe,
        "columns": seen.columns,
        "notes": seen.notes,
        "rejects": {reason: count for reason, (count, _) in seen.counted.rejects.items()},
        "trial": {key: trial[key] for key in ("rows", "stages", "seconds")},
    }


def _beside(path: str, output: Path) -> str:
    """Name a file as seen from the recipe where it lies beside or below it, so that the folder can be moved."""
    folder = output.absolute().parent
    return f"file:{Path(path).relative_to(folder)}" if Path(path).is_relative_to(folder) else path


def _stages(counted: Counted) -> list[dict[str, Any]]:
    """Choose among the stages that earned their place, with a shingle that suits the length of the rows."""
    words = 2 if counted.median_words < 40 else 5
    drafted: list[dict[str, Any]] = [
        {"stage": "normalise", "replacement_character": "remove"},
        {"stage": "exact_duplicates"},
        {"stage": "near_duplicates", "threshold": 0.8, "shingle_words": words},
        *([{"stage": "label_conflicts"}] if counted.labelled else []),
        {"stage": "split", "train": 0.8, "validation": 0.1, "test": 0.1},
    ]
    return [stage for stage in drafted if stage["stage"] == "split" or _earned(stage["stage"])]


def _evidence() -> dict[str, Any]:
    """Return what ships with Winnow of `bench/evidence.py`: for each stage what it lowered, with which knobs."""
    held: dict[str, Any] = json.loads((resources("data") / "evidence.json").read_text(encoding="utf-8"))
    return held


def _earned(stage: str) -> bool:
    """Say whether the evidence finds that a stage helps; "cannot tell" leaves it out."""
    return bool(_evidence()["stages"].get(stage, {}).get("verdict") == "helps")


def _grounds(stages: list[dict[str, Any]], counted: Counted) -> list[str]:
    """Say what was measured of the stages, and where; which knobs differ from those, and what was not measured."""
    evidence = _evidence()
    measured = {
        stage["stage"]: evidence["stages"][stage["stage"]] for stage in stages if stage["stage"] != "split"
    }
    lowered = [
        f"  {name}: {held['lowers']}, {held['without']['value']:.1%} without it and {held['with']['value']:.1%} with it"
        for name, held in measured.items()
    ]
    differing = [
        f"{stage['stage']} was measured with {knob}: {value}; {stage.get(knob)} stands here, for rows of "
        f"{counted.median_words:.0f} words, and was not measured."
        for stage in stages
        for knob, value in measured.get(stage["stage"], {"knobs": {}})["knobs"].items()
        if stage.get(knob) != value
    ]
    return [
        f"What its cleaning stages lowered on {evidence['corpus']} (bench/evidence.py); on your rows nothing was measured:",
        *lowered,
        *differing,
        "split is no cleaning stage: it gives each row to train, validation or test.",
    ]


def _name(first: str) -> str:
    kept = "".join(
        letter if letter.isalnum() and letter.isascii() else "-"
        for letter in Path(first).name.split(".")[0].lower()
    ).strip("-")
    return kept or "data"


def _written(recipe: dict[str, Any], seen: Seen) -> str:
    head = [
        "Drafted by `winnow init`; change what you know better.",
        f"It was made from {seen.counted.rows:,} rows of {seen.counted.median_words:.0f} words (median).",
        *seen.notes,
        *_grounds(recipe["stages"], seen.counted),
    ]
    comments = [
        line
        for told in head
        for line in textwrap.wrap(
            told, 108, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    ]
    body = yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True, width=110)
    return "".join(f"# {line}\n" for line in comments) + body


def show(held: dict[str, Any]) -> None:
    """Print the draft and what it did to the rows of the trial."""
    from rich.console import Console

    from flows.scorecard import show_stages

    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    for note in held["notes"]:
        console.print(f"- {note}")
    console.print(f"\nOn {held['trial']['rows']['in']:,} of the rows that can be read:\n")
    untold = ["a trial counts none of the rejects that are told above"] if held["rejects"] else []
    show_stages(console, {**held["trial"], "warnings": untold})
    recipe = shown(held["recipe"])
    console.print(
        f"\n{recipe} is written. Next:\n  winnow apply {recipe} --output out     kept and dropped files"
    )
    console.print(f"  winnow run {recipe}                    a published version with its audit")
