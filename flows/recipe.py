"""A recipe: what is read, which stages it goes through, what is audited, published, tuned and evaluated."""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union

import yaml
from pydantic import (
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    NonNegativeInt,
    ValidationError,
    create_model,
    model_validator,
)

from audit.groups import AuditSettings
from augment.admission import Admission
from augment.cells import by_axis
from corpus.schema import UserError
from corpus.segment import cut
from corpus.sources import Source
from corpus.stage import Grow, Stage
from flows.stages import known, named
from tuning.settings import Evaluation, Tuning

AnyStage: Any = Annotated[Union[tuple(known().values())], Field(discriminator="stage")]  # noqa: UP007  # built from a list


class Gate(BaseModel):
    """A bound on an audit finding, and what happens where it is not met."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    axis: str = Field(
        description="lexicon axis, declared group, `label`, `source`, `cluster`, or two that cross: `gender & religion`"
    )
    min_impact_ratio: float = Field(
        0.8, gt=0, le=1, description="least ratio of a group's retention to the others'"
    )
    on_fail: Literal["report", "stop"] = Field(
        "report", description="a gate reports; it stops a run only if told to"
    )


class Shards(BaseModel):
    """What is said of the published dataset beside its numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    publish: bool = Field(True, description="whether the run writes a version")


class Recipe(BaseModel):
    """The whole of a run. Without `tuning` or `evaluation` there is none; the audit is always made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", description="the ref that a published version gets")
    seed: NonNegativeInt = Field(0, lt=2**53, description="of every random choice; keyed to the row")
    memory: ByteSize = Field(
        ByteSize(512 * 2**20),
        ge=2**20,
        description="bytes of rows and of what is measured that are held at a time; what is more waits on disk",
    )
    sources: tuple[Source, ...] = Field(min_length=1)
    stages: tuple[Stage, ...] = ()
    audit: AuditSettings | None = Field(None, title="Audit")
    shards: Shards = Shards()
    tuning: Tuning | None = Field(None, title="Tuning")
    evaluation: Evaluation | None = Field(None, title="Evaluation")
    gates: tuple[Gate, ...] = ()
    wait_minutes: float = Field(
        0,
        ge=0,
        le=1_440,
        description="minutes for which a run that a gate stops waits for approval in Prefect's pages; 0: it ends at once",
    )

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> "Recipe":
        for what, names in (
            ("sources", [s.name for s in self.sources]),
            ("stages", [s.title for s in self.stages]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise UserError(f"{what}: {twice[0]!r} is used twice; give one of them a `name` of its own")
        return self

    @model_validator(mode="after")
    def _sources_are_known(self) -> "Recipe":
        known = [source.name for source in self.sources]
        for stage in self.stages:
            for name in getattr(stage, "priority", ()):
                if name not in known:
                    raise UserError(
                        f"stages: {stage.title}.priority names {name!r}, which is no source; there are: {', '.join(known)}"
                    )
        return self

    @model_validator(mode="after")
    def _targets_are_of_axes(self) -> "Recipe":
        known = ["label", "source", *sorted({name for source in self.sources for name in source.groups})]
        for stage in self.stages:
            if isinstance(stage, Admission) and stage.targets is not None:
                for axis in by_axis(stage.targets):
                    if axis not in known:
                        raise UserError(
                            f"stages: {stage.title}.targets names {axis!r}, which no source declares; there are: {', '.join(known)}"
                        )
        return self

    @model_validator(mode="after")
    def _growth_is_gated(self) -> "Recipe":
        for number, stage in enumerate(self.stages):
            if not isinstance(stage, Grow):
                continue
            later = self.stages[number + 1 :]
            if not any(one.stage == "admission" for one in later):
                raise UserError(
                    f"stages: {stage.title} grows rows that no `admission` behind it judges; add - {{stage: admission}}"
                )
            if any(one.stage == "split" for one in later):
                raise UserError(
                    f"stages: {stage.title} grows training rows, and `split` behind it would send rows and what was "
                    "grown to the test; put `split` before it"
                )
        for segment in cut(self.stages):
            if segment.grow is not None and not any(one.candidates for one in segment.corpus_judges):
                raise UserError(
                    f"stages: candidates of {segment.grow.title} would go on before `admission` judges them; put it right behind, "
                    "with filters of single rows between them at most"
                )
            for gate in segment.corpus_judges:
                if gate.candidates and segment.grow is None:
                    raise UserError(
                        f"stages: {gate.title} judges what the growth before it made, and none stands in its pass: put it right "
                        "behind a growth (back_translation, paraphrase, counterfactual, templates), or leave it out"
                    )
        return self

    @model_validator(mode="after")
    def _sections_lean_on_others(self) -> "Recipe":
        if self.evaluation is not None and self.tuning is None:
            raise UserError(
                "evaluation judges what `tuning` made, and there is no tuning section: add one, or leave evaluation out"
            )
        if self.tuning is not None and not self.shards.publish:
            raise UserError(
                "tuning reads the published shards, and shards.publish is false: set it true, or leave tuning out"
            )
        if self.wait_minutes and not any(gate.on_fail == "stop" for gate in self.gates):
            raise UserError(
                "wait_minutes is for an approval, and no gate stops the run: give one on_fail: stop, or leave it out"
            )
        return self


Form: type[Recipe] = create_model(
    "Recipe", __base__=Recipe, __doc__=Recipe.__doc__, stages=(tuple[AnyStage, ...], ())
)
"""A recipe whose `stages` are a discriminated union of all known stages: what is read, and shown as a form."""


def load(path: Path, settings: Sequence[str] = (), seed: int | None = None) -> Recipe:
    """Read a recipe, change the knobs that `settings` (KEY=VALUE) name, and check it."""
    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"no recipe could be read at {path} ({error.strerror}); name a YAML file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(held, dict):
        raise UserError(
            f"{path} holds {type(held).__name__}, and a recipe is a mapping with name, sources and stages"
        )
    for setting in settings:
        change(held, setting)
    if seed is not None:
        held["seed"] = seed
    return parse(held, str(path))


def parse(held: dict[str, Any], where: str) -> Recipe:
    """Check a recipe that was read; what is wrong is said in one line."""
    for stage in _entries(held, "stages"):
        if isinstance(stage.get("stage"), str):
            build(named(stage["stage"]), stage, f"{where}: stages.{stage.get('name') or stage['stage']}")
    made: Recipe = build(Form, held, where)
    return made


def _entries(held: dict[str, Any], section: str) -> list[dict[str, Any]]:
    """Return the mappings that a section lists; what else it holds is for the check to refuse."""
    entries = held.get(section)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def build(model: type[BaseModel], held: dict[str, Any], where: str) -> Any:
    """Make a model of what was read; unknown keys are errors that name the nearest known one."""
    try:
        return model.model_validate(held)
    except ValidationError as error:
        raise UserError(f"{where}: {_told(model, error)}") from error


def _told(model: type[BaseModel], error: ValidationError) -> str:
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    place = ".".join(str(step) for step in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        unknown = str(first["loc"][-1])
        fields = _fields_at(model, first["loc"][:-1])
        near = difflib.get_close_matches(unknown, fields, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(fields))}"
        return f"unknown knob {place!r}; {hint}{more}"
    if first["type"] == "missing":
        return f"{place} is needed and was not given{more}"
    came = repr(first["input"])
    short = came if len(came) < 80 else came[:77] + "..."
    return (
        f"{place + ': ' if place else ''}{first['msg'].removeprefix('Value error, ')}"
        + (f", and {short} came" if place else "")
        + more
    )


def _fields_at(model: type[BaseModel], steps: Iterable[str | int]) -> list[str]:
    fields = model.model_fields
    for step in steps:
        if isinstance(step, str) and step in fields:
            kind = _model_in(fields[step].annotation)
            fields = kind.model_fields if kind is not None else fields
        elif isinstance(step, str) and step in known():
            fields = known()[step].model_fields
    return list(fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def change(held: dict[str, Any], setting: str) -> None:
    """Change one knob of a recipe that was read: `seed=3`, `tuning.epochs=2`, `near_duplicates.threshold=0.7`."""
    match = re.fullmatch(r"([\w.-]+)=(.*)", setting, re.DOTALL)
    if match is None:
        raise UserError(
            f"--set takes KEY=VALUE, and {setting!r} came; for example --set near_duplicates.threshold=0.7"
        )
    path = match[1].split(".")
    try:
        value = yaml.safe_load(match[2])
    except yaml.YAMLError as error:
        raise UserError(f"--set {setting}: the value is not YAML: {' '.join(str(error).split())}") from error
    target: Any = held
    if len(path) > 1:
        lists = [*_entries(held, "stages"), *_entries(held, "sources")]
        by_name = {entry.get("name") or entry.get("stage"): entry for entry in lists}
        if path[0] in by_name:
            target = by_name[path[0]]
        elif path[0] in Recipe.model_fields:
            target = held.setdefault(path[0], {})
        else:
            names = [*by_name, *Recipe.model_fields]
            near = difflib.get_close_matches(path[0], [str(name) for name in names], n=1, cutoff=0.5)
            raise UserError(
                f"--set {setting}: no stage, source or section is called {path[0]!r}"
                + (f"; did you mean {near[0]!r}?" if near else "")
            )
        path = path[1:]
    if len(path) != 1 or not isinstance(target, dict):
        raise UserError(
            f"--set {setting}: KEY is a section's or a stage's knob, like tuning.epochs or length.min_words"
        )
    target[path[0]] = value
