"""What Prefect's pages show of a run: the stage table, the audit with its plot, the scorecard, where to look."""

import base64
from html import escape
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from audit.findings import worst
from audit.words import sentence
from flows.job import Job, stage_rows


def stages(job: Job) -> None:
    """Show the stage table."""
    table = [
        {
            "stage": stage["stage"],
            "in": stage["in"],
            "out": stage["out"],
            "dropped": ", ".join(f"{reason} {count}" for reason, count in stage["dropped"].items()),
            "marked": ", ".join(f"{reason} {count}" for reason, count in stage.get("marked", {}).items()),
            "grown": stage.get("grown", ""),
            "changed": stage.get("changed", ""),
            "seconds": stage["seconds"],
        }
        for stage in stage_rows(job)
    ]
    create_table_artifact(table, key="stages", description="What each stage was given, dropped and left")


def unchanged(job: Job) -> None:
    """Say that nothing new came, and which version stays."""
    version = job.read("version.json")["version"]
    told = f"The sources hold nothing that version `{version}` has not; it stays, and none was published."
    create_markdown_artifact(told, key="unchanged", description="Nothing new came")


def summary(job: Job, held: dict[str, Any]) -> None:
    """Show the audit, the scorecard and links."""
    counts = held["audit"]["counts"]
    lines = [
        f"# Audit: {held['audit']['verdict']}",
        "",
        ", ".join(f"{count} {verdict}" for verdict, count in counts.items()),
        "",
    ]
    lines += [f"- {sentence(finding)}" for finding in worst(held["audit"]["findings"])]
    drawn = base64.b64encode(_picture(held["stages"]).encode()).decode()
    lines += ["", f"![rows by stage](data:image/svg+xml;base64,{drawn})"]
    create_markdown_artifact("\n".join(lines), key="audit", description="Retention by group, stage by stage")
    if held["scores"]:
        create_markdown_artifact(_scorecard(held), key="scorecard", description="Scores on held-out rows")
    links = [f"- report: `{held['report']}`", f"- run: `{job.folder}`", f"- version: `{held['version']}`"]
    create_markdown_artifact("\n".join(links), key="links", description="Where to look")


def _scorecard(held: dict[str, Any]) -> str:
    metrics = list(next(iter(held["scores"].values())))
    lines = ["| model | " + " | ".join(metrics) + " |", "| --- |" + " ---: |" * len(metrics)]
    for name, scores in held["scores"].items():
        cells = [
            f"{scores[metric]['value']:.3f} ({scores[metric]['low']:.3f} to {scores[metric]['high']:.3f})"
            for metric in metrics
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += [""] + [
        f"- {told['metric']}: {told['of']} against {told['against']}: {told['difference']:+.3f} ({told['low']:+.3f} to {told['high']:+.3f}): **{told['verdict']}**"
        for told in held["comparison"]
    ]
    return "\n".join(lines)


def _picture(table: list[dict[str, Any]]) -> str:
    """Draw how many rows stood after each stage, as an SVG that stands alone on any background."""
    most = max([stage["in"] for stage in table] + [stage["out"] for stage in table] + [1])
    bars = []
    for number, stage in enumerate(table):
        y = 12 + 26 * number
        width = 420 * stage["out"] / most
        bars.append(
            f'<text x="170" y="{y + 13}" text-anchor="end">{escape(stage["stage"])}</text>'
            f'<rect x="180" y="{y}" width="{420 * stage["in"] / most:.1f}" height="18" fill="#e3e0d8"/>'
            f'<rect x="180" y="{y}" width="{width:.1f}" height="18" fill="#2f6f8f"/>'
            f'<text x="{186 + 420 * max(stage["in"], stage["out"]) / most:.1f}" y="{y + 13}">{stage["out"]:,}</text>'
        )
    height = 24 + 26 * len(table)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 {height}" width="680" height="{height}" font-family="sans-serif" font-size="12">'
        f'<rect width="680" height="{height}" fill="#ffffff"/>{"".join(bars)}</svg>'
    )
