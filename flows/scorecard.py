"""What a run prints at its end: where the rows went, what the audit says, the scores, and where to look next."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.alarms import sentences


def show(held: dict[str, Any]) -> None:
    """Print the whole scorecard of a run."""
    console = _console()
    if held.get("unchanged"):
        _show_unchanged(console, held)
    else:
        show_stages(console, held)
    console.print()
    counts = ", ".join(f"{count} {verdict}" for verdict, count in held["audit"]["counts"].items() if count)
    console.print(f"audit    {held['audit']['verdict']}: {counts}")
    for gate in held["audit"]["gates"]:
        console.print(f"gate     {gate['axis']}, impact ratio {gate['min_impact_ratio']:g}: {_told(gate)}")
    if held["scores"]:
        _scores(console, held)
    stopped = held.get("stopped")
    console.print(f"version  {held['version'] or 'none: ' + (stopped or 'the recipe publishes nothing')}")
    if held["version"] and stopped:
        console.print(f"stopped  {stopped}", soft_wrap=True)
    console.print(
        f"took     {held['seconds'] / 60:.1f} minutes, {held['peak_rss_mb'] / 1024:.1f} GiB at most"
    )
    console.print(f"report   {_near(held['report'])}", soft_wrap=True)
    console.print(
        f"next     winnow explain {held['run']} ROW   tells any row's way; winnow serve shows runs and reports",
        soft_wrap=True,
    )


def show_rows(held: dict[str, Any]) -> None:
    """Print where the rows went, and where they are now."""
    console = _console()
    show_stages(console, held)
    for said in sentences(held["alarms"]):
        console.print(f"\nalarm    {said}", soft_wrap=True)
    console.print(
        f"\n{held['output']}: kept/, dropped/ (each row whole, with its reason), ledger.parquet, scores.parquet; "
        f"{held['seconds']:.1f} s",
        soft_wrap=True,
    )
    console.print(f"next     winnow explain {held['run']} ROW   tells any row's way", soft_wrap=True)


def show_stages(console: Console, held: dict[str, Any]) -> None:
    """Print the stage table and the account of rows."""
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "in", "out"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    table.add_column("what it did")
    table.add_column("s", justify="right")
    for stage in held["stages"]:
        told = [f"{reason} {count:,}" for reason, count in stage["dropped"].items()]
        told += [f"marked {reason} {count:,}" for reason, count in stage.get("marked", {}).items()]
        told += [
            f"{what} {stage[what]:,}"
            for what in ("changed", "grown", "ungrown", "unasked")
            if stage.get(what)
        ]
        told += [f"recall {recalled(stage['recall'])}"] if "recall" in stage else []
        table.add_row(
            stage["stage"],
            f"{stage['in']:,}",
            f"{stage['out']:,}",
            ", ".join(told) or "nothing",
            f"{stage['seconds']:.1f}",
        )
    console.print(table)
    rows = held["rows"]
    console.print(
        f"\nrows     {rows['in']:,} in + {rows['grown']:,} grown = {rows['rejected']:,} rejected + {rows['kept']:,} kept + {rows['dropped']:,} dropped"
    )
    if held.get("builds_on") and held["builds_on"]["version"]:
        earlier, gone = held["builds_on"]["rows"], held["builds_on"]["replaced"]
        console.print(
            f"built    on the {earlier:,} rows of version {held['builds_on']['version'][:12]}, of which {gone:,} were replaced: "
            f"{earlier - gone + rows['kept']:,} rows",
            soft_wrap=True,
        )
    _show_warnings(console, held)


def recalled(recall: dict[str, Any]) -> str:
    """Say what share of the duplicates a stage found that did not compare all."""
    if recall["share"] is None:
        return "unknown: no checked row is alike another"
    return f"{recall['share']:.3f} ({recall['low']:.3f} to {recall['high']:.3f}, n {recall['of']:,})"


def _show_unchanged(console: Console, held: dict[str, Any]) -> None:
    console.print(
        f"nothing new came: the {held['builds_on']['rows']:,} rows of the last version stay, and none was published"
    )
    _show_warnings(console, held)


def _show_warnings(console: Console, held: dict[str, Any]) -> None:
    for warning in held.get("warnings", ()):
        console.print(f"note     {warning}", soft_wrap=True)


def _near(path: str) -> str:
    """Name a path as seen from here where it lies below."""
    return str(Path(path).relative_to(Path.cwd())) if Path(path).is_relative_to(Path.cwd()) else path


def _console() -> Console:
    """Return a console that prints users' names and paths as they are."""
    return Console(markup=False, emoji=False)


def _scores(console: Console, held: dict[str, Any]) -> None:
    metrics = list(next(iter(held["scores"].values())))
    table = Table(box=None, pad_edge=False)
    table.add_column("scores ")
    for metric in metrics:
        table.add_column(f"{metric} (95% interval)", justify="right")
    for name, scores in held["scores"].items():
        table.add_row(
            name,
            *(
                f"{scores[metric]['value']:.3f} ({scores[metric]['low']:.3f} to {scores[metric]['high']:.3f})"
                for metric in metrics
            ),
        )
    console.print(table)
    for told in held["comparison"]:
        console.print(
            f"         {told['metric']}: {told['of']} against {told['against']} {told['difference']:+.3f} ({told['low']:+.3f} to {told['high']:+.3f}): {told['verdict']}"
        )


def _told(gate: Mapping[str, Any]) -> str:
    """Say whether a gate was met, and by whom not."""
    match gate["verdict"]:
        case "FAIL":
            return "not met by " + ", ".join(
                sorted({f"{one['group']} at {one['stage']}" for one in gate["failed"]})
            )
        case "INSUFFICIENT_DATA":
            return "cannot tell for " + ", ".join(map(_undecided, gate["undecided"]))
        case "NOT_APPLICABLE":
            return "nothing to compare"
    return "met"


def _undecided(one: Mapping[str, Any]) -> str:
    if one["n"] is None:
        return str(one["group"])
    rows = f"{one['group']} ({one['n']:,} row{'' if one['n'] == 1 else 's'}"
    return f"{rows}; {one['needed']:,} more would tell)" if one["needed"] else f"{rows})"
