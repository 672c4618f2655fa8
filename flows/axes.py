"""Checks that the audit measures what a recipe's `audit` and `gates` name: axes, and two that cross."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from itertools import combinations

from audit import clusters
from audit.crossings import BETWEEN, crossing
from audit.groups import MENTIONS, AuditSettings
from corpus import lexicon
from corpus.schema import UserError
from flows.metadata import AXES
from flows.recipe import Recipe

_ALWAYS = ("label", "source")
_OF_TEXTS = (*_ALWAYS, *AXES, clusters.AXIS)

_CROSS = re.compile(r"\s+(?:&|x|×|\*)\s+")
"""What people write between two axes."""


def check(recipe: Recipe) -> None:
    """Raise `UserError` where something is named that nothing would be found of."""
    settings = recipe.audit or AuditSettings()
    declared = {group for source in recipe.sources for group in source.groups}
    spoken = set(lexicon.load(settings.lexicon).axes)
    known = {*spoken, *declared, *_ALWAYS, *(axis for axis in AXES if axis in (settings.axes or ()))}
    for axis in settings.axes or ():
        _known(axis, known, "audit.axes")
    _reference(settings, known, declared)
    people = declared | {axis + MENTIONS if axis in declared else axis for axis in spoken}
    for gate in recipe.gates:
        _gate(gate.axis, known | people, _audited(people, settings), settings)


def _reference(settings: AuditSettings, known: Collection[str], declared: Collection[str]) -> None:
    for axis, groups in settings.reference.items():
        _known(axis.removesuffix(MENTIONS), known, "audit.reference")
        values = lexicon.load(settings.lexicon).axes.get(axis, {})
        for group in groups if axis not in declared else ():
            if values and group not in values:
                raise UserError(
                    f"audit.reference: {group!r} is no group of {axis}; there are: {', '.join(values)}"
                )


def _gate(axis: str, known: Collection[str], people: Collection[str], settings: AuditSettings) -> None:
    """Check one gate; `people` are the axes of groups of people that are audited."""
    if axis in known:
        if axis not in _audited(known, settings):
            raise UserError(
                f"gates: {axis!r} is not among audit.axes, so nothing would be found; add it there"
            )
    elif axis == clusters.AXIS:
        if settings.embedding is None:
            raise UserError(
                f"gates: {axis!r} is of clusters, which are found where audit.embedding names a model; name one, or "
                "leave the gate out"
            )
    elif len(_CROSS.split(axis)) > 1:
        _crosses(axis, people)
    else:
        _known(axis, known, "gates")


def _audited(axes: Collection[str], settings: AuditSettings) -> set[str]:
    """Return those of some axes that the audit looks at."""
    if settings.axes is None:
        return {*axes}
    return {axis for axis in axes if axis.removesuffix(MENTIONS) in {*settings.axes, *_ALWAYS}}


def _known(axis: str, known: Collection[str], where: str) -> None:
    if axis not in known:
        near = get_close_matches(axis, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
        raise UserError(
            f"{where}: {axis!r} is neither an axis of the lexicon nor a group that a source declares nor metadata; {hint}"
        )


def _crosses(axis: str, people: Collection[str]) -> None:
    """Raise `UserError` where no crossing is called so; `people` are the audited axes of groups of people."""
    crossings = [crossing(one, other) for one, other in combinations(sorted(people), 2)]
    if axis in crossings:
        return
    sides = {*_CROSS.split(axis)}
    texts = sorted(sides & {*_OF_TEXTS} - {*people})
    if texts:
        raise UserError(
            f"gates: {axis!r} is no crossing that is measured, since {texts[0]} is of texts and not of people; "
            "gate it by itself, or cross two lexicon axes or declared groups"
        )
    same = [one for one in crossings if {*one.split(BETWEEN)} == sides]
    near = same or get_close_matches(axis, crossings, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(crossings) or 'none'}"
    raise UserError(
        f"gates: {axis!r} is no crossing that is measured: two lexicon axes or declared groups among audit.axes, "
        f"in the order of their names; {hint}"
    )
