"""What changed in the audit between two versions: read beside them, compared, and said in a few lines of a review."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from audit.change import change, nothing
from audit.findings import TOTAL
from audit.legible import legible
from audit.page.spelt import named
from corpus.schema import UserError
from corpus.versions.version import Version
from flows.markdown import escaped, table

_LINES = 20
"""Changes, and shares, that the page tells; `--json` has all."""
_FAILED = 5
"""Failed findings that only one side has which are named."""
_TOLD = ("worse", "better", "more", "less")

Facts = Mapping[str, Any]


def changed(a: Version, b: Version) -> dict[str, Any]:
    """Compare the audits beside two versions; where one has none that can be read, `because` says so, and nothing is told.

    `new` are those of the two that build on another version: the stages of their audits saw what came since alone.
    """
    said = [_audit(version) for version in (a, b)]
    because = "; ".join(one for one in said if isinstance(one, str))
    audits = [one for one in said if not isinstance(one, str)]
    return {
        **(nothing(because) if because else change(*audits)),
        "new": [version.id for version in (a, b) if version.builds_on is not None],
    }


def _audit(version: Version) -> Facts | str:
    """Return the audit of a version, or why there is none to compare."""
    if not version.has("audit.json"):
        return f"version {version.id[:12]} has no audit.json"
    try:
        held: Facts = version.attested("audit.json")
    except UserError as error:
        return str(error)
    if not legible(held):
        return f"the audit.json of version {version.id[:12]} was written by an earlier build; run its recipe again with --fresh"
    return held


def page(held: Facts) -> Iterator[str]:
    """Yield the lines of a review: verdict, what changed by more than noise, the worst first, and how much did not."""
    yield "## Audit\n"
    if held["because"] is not None:
        yield f"Not compared: {escaped(held['because'])}.\n"
        return
    yield f"**{_said(held['verdict']['a'])} → {_said(held['verdict']['b'])}.**\n"
    yield from (f"{line}\n" for line in _cautions(held))
    for name, head, line in (("changes", "finding", _change), ("shares", "share of the rows", _share)):
        sure = [one for one in held[name] if one["verdict"] in _TOLD]
        if sure:
            yield from table(
                ("", head, "before", "after", "change", "q"), [line(one) for one in sure[:_LINES]]
            )
        if len(sure) > _LINES:
            yield f"{len(sure) - _LINES} more are in `--json`.\n"
    yield f"{_rest(held)}\n"
    yield from _outcomes(held)


def _cautions(held: Facts) -> Iterator[str]:
    for version in held["new"]:
        yield f"Version {version[:12]} builds on another: its stages were audited over the rows that came since."
    for one in held["unlike"]:
        was = f"{escaped(one['what'])} was {escaped(one['a'])} and is {escaped(one['b'])}"
        match one["spoils"]:
            case "mentions":
                yield "The lexicon is another, so mentions are others too: their numbers are not compared."
            case "outcomes":
                yield f"{was}: outcomes are by other limits."
            case "probe":
                yield f"{was}: the embedding probe is another model."
            case _:
                yield f"{was}: groups {one['spoils']} are not compared."


def _rest(held: Facts) -> str:
    """Count what is not told line by line."""
    counts = Counter(one["verdict"] for name in ("changes", "shares") for one in held[name])
    told = sum(counts[verdict] for verdict in _TOLD)
    return (
        f"Of {held['compared']:,} numbers that were tested {told:,} changed by more than noise. Of {counts['cannot tell']:,} it cannot be "
        f"told: that may be noise, or rows are too few. {counts['same']:,} rest on the same counts. The two versions' rows are taken for "
        "independent samples; where they share rows the intervals are too wide: changes may be missed, and no more are made up for it."
    )


def _outcomes(held: Facts) -> Iterator[str]:
    moves = Counter((one["a"], one["b"]) for one in held["outcomes"])
    told = [f"{count:,} {_said(a)} → {_said(b)}" for (a, b), count in sorted(moves.items())]
    for name in ("appeared", "vanished"):
        failed = [_finding(one) for one in held[name] if one["verdict"] == "FAIL"]
        who = f" ({'; '.join(failed[:_FAILED])}{'; …' * (len(failed) > _FAILED)})" if failed else ""
        told += [f"{len(held[name]):,} {name}, {len(failed):,} of them FAIL{who}"] if held[name] else []
    if told:
        yield f"Findings: {'; '.join(told)}.\n"
    for gate in held["gates"]:
        yield f"Gate {escaped(named(gate['axis']))}: {_gate(gate['a'])} → {_gate(gate['b'])}.\n"


def _gate(gate: Facts | None) -> str:
    return (
        "none"
        if gate is None
        else f"{_said(gate['verdict'])} at {gate['min_impact_ratio']:g}, {gate['on_fail']}"
    )


def _said(verdict: str) -> str:
    return escaped(verdict.replace("_", " "))


def _name(one: Facts) -> str:
    return f"{escaped(named(one['group']))} ({escaped(named(one['axis']))})"


def _finding(one: Facts) -> str:
    where = "the whole pipeline" if one["stage"] == TOTAL else escaped(one["stage"])
    return f"{_name(one)}, {where}, {escaped(one['rule'].replace('_', ' '))}"


def _change(one: Facts) -> tuple[str, ...]:
    moved = [one[key] for key in ("change", "low", "high")]
    if one["scale"] == "log":
        value, low, high = (math.exp(each) for each in moved)
        before, after, by = f"{one['a']:.2f}", f"{one['b']:.2f}", f"× {value:.2f} ({low:.2f} to {high:.2f})"
    else:
        sign = "+" if one["scale"] == "difference" else ""
        before, after = (f"{100 * one[key]:{sign}.1f}%" for key in ("a", "b"))
        by = _points(moved)
    return one["verdict"], _finding(one), before, after, by, _q(one["q"])


def _share(one: Facts) -> tuple[str, ...]:
    before, after = (f"{one[key]['share']:.1%} of {one[key]['of']:,}" for key in ("a", "b"))
    by = _points([one[key] for key in ("change", "low", "high")])
    return one["verdict"], _name(one), before, after, by, _q(one["q"])


def _points(moved: list[float]) -> str:
    value, low, high = (100 * each for each in moved)
    return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"


def _q(value: float) -> str:
    return "under 0.001" if value < 0.001 else f"{value:.3f}"
