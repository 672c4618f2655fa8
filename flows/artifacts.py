"""What Prefect's pages show of a run: the stage table, the audit with its plot, the scorecard, where to look."""

import base64
import re
from collections.abc import Sequence
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from audit.findings import worst
from audit.page.figures import alone
from audit.page.sections import fate, shares
from audit.page.spelt import visible
from audit.page.words import cause, sentence
from flows import gates
from flows.job import Job, stage_rows
from flows.markdown import unlinked
from flows.server import REPORTS_PORT


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
            "ungrown": stage.get("ungrown", ""),
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


def stopped(job: Job, stopping: Sequence[dict[str, Any]]) -> None:
    """Say which gates stop the run, where to read what they found, and how a person approves."""
    told = question(job, stopping)
    if _can_be_approved(job):
        told += (
            f"\n\nTo approve it: `winnow release {job.folder.name} --store {job.store.root} --reason TEXT`."
        )
    create_markdown_artifact(told, key="gates", description="What stops the run")


def question(job: Job, stopping: Sequence[dict[str, Any]]) -> str:
    """Return what a person is asked of a run that gates stop; Prefect's form has little room for it."""
    lines = ["What this run made does not meet its recipe:", ""]
    lines += [f"- {_plain(gates.sentence(gate))}" for gate in stopping]
    if _can_be_approved(job):
        version = job.read("version.json")["version"]
        lines += ["", f"**May `{job.recipe.name}` mean version `{version[:12]}` all the same?**"]
        lines += [
            f"Read its report first: {_served(job)}, or `runs/{job.folder.name}/report.html` in the store."
        ]
    return "\n".join(lines)


def _can_be_approved(job: Job) -> bool:
    return job.read("version.json") is not None and job.options.limit is None


def summary(job: Job, held: dict[str, Any]) -> None:
    """Show the audit with its figures, the scorecard and links."""
    audit = job.read("audit.json")
    counts = ", ".join(f"{count} {verdict}" for verdict, count in audit["counts"].items())
    lines = [f"# Audit: {audit['verdict']}", "", counts, ""]
    for finding in worst(audit["findings"]):
        owed = cause(finding)
        lines.append(f"- {_plain(sentence(finding))}" + (f" Owed most to {_plain(owed)}." if owed else ""))
    for title, drawn in (
        ("which stage set whom back", fate(audit["findings"], audit["settings"])),
        ("who is in the data", shares(audit["representation"])),
    ):
        if drawn is not None:
            held_in = base64.b64encode(alone(drawn).encode()).decode()
            lines += ["", f"![{title}](data:image/svg+xml;base64,{held_in})"]
    create_markdown_artifact("\n".join(lines), key="audit", description="Retention by group, stage by stage")
    if held["scores"]:
        create_markdown_artifact(_scorecard(held), key="scorecard", description="Scores on held-out rows")
    links = [
        f"- report: {_served(job)}, while `winnow serve` runs; the file is `{held['report']}`",
        f"- run: `{job.folder}`",
        f"- version: `{held['version']}`",
    ]
    create_markdown_artifact("\n".join(links), key="links", description="Where to look")


def _served(job: Job) -> str:
    served = f"http://127.0.0.1:{REPORTS_PORT}/runs/{job.folder.name}/report.html"
    return f"[{served}]({served})"


def _plain(words: str) -> str:
    """Return words in which nothing is markup, whatever a group is named."""
    return unlinked(re.sub(r"([\\`*_{}\[\]()<>#+!|&~$-])", r"\\\1", visible(words)))


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
