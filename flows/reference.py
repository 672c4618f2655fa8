"""Writes docs/stages.md and docs/recipe.md from the code: what a stage says of itself is its documentation."""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from corpus.sources import Source
from corpus.stage import CorpusJudge, Grow, Judge, Rewrite, Stage
from flows.recipe import Gate, Recipe
from flows.stages import known
from tuning.settings import Evaluation, Tuning

KINDS: tuple[tuple[type[Stage], str], ...] = (
    (Rewrite, "rewrites texts, part by part"),
    (Judge, "judges rows, part by part"),
    (CorpusJudge, "judges the whole corpus"),
    (Grow, "grows new rows"),
)
SHARED = ("stage", "name", "roles", "splits")


def stages() -> str:
    """Return docs/stages.md: every stage with its contract, its knobs and the laws that it cannot keep."""
    lines = [
        "# Stages",
        "",
        "Written by `make docs` from the code.",
        "",
        "Every stage also has `name` (tells two uses apart), `roles` (which messages it reads) and `splits` (whose rows it may touch).",
        "Knobs marked *threshold* are read when judging: another value needs no new measuring.",
        "",
    ]
    for name, kind in sorted(known().items()):
        what = next(told for base, told in KINDS if issubclass(kind, base))
        lines += [f"## {name}", "", f"*{what}*", "", _prose(kind), "", *_knobs(kind, kind.thresholds)]
        lines += [f"- Law that does not hold: {law}, because {why}" for law, why in kind.exempt.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def recipe() -> str:
    """Return docs/recipe.md: the sections of a recipe and their knobs."""
    sections: list[tuple[str, type[BaseModel], str]] = [
        ("recipe", Recipe, ""),
        ("sources", Source, ""),
        ("audit", _inner("audit"), ""),
        ("tuning", Tuning, ""),
        ("evaluation", Evaluation, ""),
        ("gates", Gate, ""),
    ]
    lines = [
        "# Recipes",
        "",
        "Written by `make docs` from the code; `data/recipes` holds three that run.",
        "",
    ]
    for name, model, more in sections:
        lines += [f"## {name}", "", _prose(model), *([more] if more else []), "", *_knobs(model), ""]
    return "\n".join(lines).rstrip() + "\n"


def _inner(field: str) -> type[BaseModel]:
    kinds: tuple[Any, ...] = getattr(Recipe.model_fields[field].annotation, "__args__", ())
    found: type[BaseModel] = next(
        kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)
    )
    return found


def _prose(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _knobs(model: type[BaseModel], thresholds: frozenset[str] = frozenset()) -> list[str]:
    own = {
        name: field
        for name, field in model.model_fields.items()
        if not (issubclass(model, Stage) and name in SHARED)
    }
    if not own:
        return []
    lines = ["| knob | default | what it is |", "| --- | --- | --- |"]
    for name, field in own.items():
        mark = " *threshold*" if name in thresholds else ""
        lines.append(f"| `{name}` | {_default(field)} | {_cell(field.description or '')}{mark} |")
    return [*lines, ""]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    held = field.get_default(call_default_factory=True)
    if held is None or held == ():
        return "none"
    shown = held.model_dump(mode="json") if isinstance(held, BaseModel) else held
    return f"`{_cell(json.dumps(shown))}`"


def _cell(told: str) -> str:
    return told.replace("|", "\\|")


def main(folder: Path) -> None:
    """Write both pages."""
    (folder / "stages.md").write_text(stages(), encoding="utf-8")
    (folder / "recipe.md").write_text(recipe(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
