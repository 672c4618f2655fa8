"""The end of a run: report, attestations, refs, and the summary that the command prints."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from audit.page.report import ReportFacts, render
from corpus.schema import UserError, digest
from corpus.store import Store
from corpus.versions.forgotten import Forgotten
from corpus.versions.names import Ref
from corpus.versions.scores import attest_scores
from corpus.versions.version import LEDGER_FILE, Version
from flows import alarms, approval, assess, gates, reproduce
from flows.cautions import warnings
from flows.curate import RUN, opened
from flows.grown import grown, in_short
from flows.increment import SOURCES
from flows.job import Job, stage_rows, totals
from flows.recipe import Recipe

SCORES, TRAINING, CURATION = (f"attestations/{name}.json" for name in ("scores", "training", "curation"))


def candidate(job: Job) -> None:
    """Let the candidate ref mean the new version, before any model was judged. A limited run moves no ref."""
    if job.options.limit is None:
        version = job.read("version.json")["version"]
        _name(job, f"{job.recipe.name}@candidate", version, job.read("began.json")["candidate"])


def _name(job: Job, name: str, version: str, after: int) -> Ref:
    """Let a name mean a version, if nobody gave it and no row was forgotten since the run began."""
    library = job.store.library
    if Forgotten.entries(library.shelf) != job.read("began.json")["forgotten"]:
        raise UserError(
            f"rows were forgotten while this run was in progress, and version {version[:12]} may hold one; run again"
        )
    return library.names.give(name, version, after, run=job.folder.name)


def finish(job: Job) -> dict[str, Any]:
    """Write audit, report and attestations; let the recipe's name mean the version; return the summary."""
    record = assess.conclude(job)
    rendered = page(job, record)
    summary = summary_of(job, record)
    job.store.write_file(job.folder / "report.html", rendered)
    summary["report"] = str(job.folder / "report.html")
    if summary["version"] is not None:
        attest(job, rendered)
        if job.options.limit is None and not job.unchanged:
            summary["ref"] = {"name": job.recipe.name, "n": _released(job, summary["version"]).n}
    job.write("summary.json", summary)
    return summary


def _released(job: Job, version: str) -> Ref:
    """Let the recipe's name mean the version, unless somebody released it while the run waited."""
    last = job.store.library.names.last(job.recipe.name)
    if last.version == version and "released_by" in last.held:
        return last
    return _name(job, job.recipe.name, version, job.read("began.json")["ref"])


def asks_nothing(recipe: Recipe, version: Version) -> bool:
    """Say whether a version has all that the recipe asks for beside its rows.

    What tuning, evaluation and gates ask may have changed since, though no row has; a version that was released by
    hand was never tuned. The audit of the steps is that of the run that took them.
    """
    before = version.attested(RUN)["recipe"]
    asked = recipe.model_dump(mode="json")
    needed = ((recipe.tuning, TRAINING), (recipe.evaluation, SCORES))
    if any(section is not None and not version.has(file) for section, file in needed):
        return False
    stops = any(gate.on_fail == "stop" for gate in recipe.gates)
    if stops and gates.unmet(
        recipe, version.attested(CURATION).get("audit"), approval.approvals(version, recipe.name)
    ):
        return False
    return all(before[section] == asked[section] for section in ("gates", "tuning", "evaluation"))


def stay(job: Job) -> bool:
    """Take up what was found when the version that stays was curated; say whether the recipe asks for nothing more."""
    version = opened(job)
    told = version.attested(CURATION)
    if "audit" not in told:
        raise UserError(
            f"version {version.id[:12]} was audited by an earlier build, whose measurements are not read; run with --fresh"
        )
    job.write("curation.json", told)
    job.write("samples.json", told["samples"])
    for name in ("pairs", "clusters"):
        job.write(f"{name}.json", told.get(name))  # versions of earlier builds have none
    job.write("audit-data.json", told["audit"])
    return asks_nothing(job.recipe, version)


def unchanged(job: Job) -> dict[str, Any]:
    """End a run over sources that hold nothing new; the version, its report and its scores are those that were."""
    version = opened(job)
    if version.has(SCORES):
        job.write("scores.json", version.attested(SCORES))
    summary = summary_of(job, version.attested("audit.json"))
    summary["report"] = version.shelf.url(f"{version.where}/report.html")
    job.write("summary.json", summary)
    return summary


def summary_of(job: Job, record: dict[str, Any]) -> dict[str, Any]:
    """Return what `winnow run --json` prints, but for the report's place; `record` is what `audit.json` holds."""
    scores = job.read("scores.json") or {}
    watched = job.read("watched.json") or {}
    version = job.read("version.json")
    raised = alarms.alarms(job)
    stages, curated = stage_rows(job), job.read("curation.json") or {}
    return {
        "run": job.folder.name,
        "name": job.recipe.name,
        "version": version["version"] if version else None,
        "builds_on": _builds_on(job),
        "unchanged": job.unchanged,
        "rows": totals(job),
        "stages": stages,
        "growth": None if job.unchanged else in_short(curated.get("growth"), stages),
        "audit": {
            "verdict": record["verdict"],
            "counts": record["counts"],
            "findings": record["findings"],
            "gates": record["gates"],
        },
        "scores": overall(scores),
        "per_class": {
            name: found.get("per_class", {}) for name, found in scores.get("classifiers", {}).items()
        },
        "comparison": scores.get("comparisons", []),
        "report": None,
        "limit": job.options.limit,
        "seconds": watched.get("seconds"),
        "peak_rss_mb": watched.get("peak_rss_mb"),
        "alarms": raised,
        "warnings": [*alarms.sentences(raised), *warnings(job)],
    }


def overall(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return each classifier's scores over all classes."""
    return {
        name: {metric: value for metric, value in found.items() if metric != "per_class"}
        for name, found in scores.get("classifiers", {}).items()
    }


def _builds_on(job: Job) -> dict[str, Any]:
    """Say which version the run built on, how many rows it has and how many of them went, or why it is none."""
    began, base = job.read("began.json"), job.base
    return {
        "version": began["builds_on"],
        "because": began["because"],
        "rows": 0 if base is None else sum(shard.rows for shard in base.shards),
        "replaced": len(job.read("ingest.json")["without"]),
    }


def page(job: Job, record: dict[str, Any]) -> str:
    """Return the report of a run, over its folder."""
    version = job.read("version.json")
    recipe = job.recipe.model_dump(mode="json")
    builds_on = job.read("began.json")["builds_on"]
    needed = reproduce.reproduce(
        version["version"] if version else "none was published",
        job.folder.name,
        recipe,
        job.store,
        job.read("ingest.json")["files"],
        reproduce.again(job.folder.name, recipe, job.store, builds_on, job.options.limit),
    )
    if builds_on is not None:
        needed["audited"] = f"what came since version {builds_on[:12]}, which has a report of its own"
    told = job.read("curation.json") or _curated(job)
    approved = approval.approvals(opened(job)) if version else []
    scores, training = job.read("scores.json") or {}, job.read("training.json")
    return render(facts(job.recipe.name, record, told, scores, needed, approved, training))


def page_of(version: Version, store: Store) -> str:
    """Return the report of a version, over what is attested of it."""
    told, scores = version.attested(RUN), version.attested(SCORES) if version.has(SCORES) else {}
    recipe, curation = told["recipe"], version.attested(CURATION)
    files = version.attested(SOURCES) if version.has(SOURCES) else {}
    held = version.manifest["recipe"]
    repeated = reproduce.again(told["run"], recipe, store, version.builds_on, held.get("limit"))
    needed = reproduce.reproduce(version.id, told["run"], recipe, store, files, repeated)
    audit, approved = version.attested("audit.json"), approval.approvals(version)
    training = version.attested(TRAINING) if version.has(TRAINING) else None
    return render(facts(recipe["name"], audit, curation, scores, needed, approved, training))


def facts(
    title: str,
    audit: Mapping[str, Any],
    told: Mapping[str, Any],
    scores: Mapping[str, Any],
    reproduce: Mapping[str, Any],
    approved: Sequence[Mapping[str, Any]],
    training: Mapping[str, Any] | None,
) -> ReportFacts:
    """Return what a report says: the audit, what curation told (`curation.json`), scores and training if there are any, approvals."""
    return ReportFacts(
        title=title,
        audit=audit,
        rows=told["rows"],
        stages=told["stages"],
        samples=told["samples"],
        pairs=told.get("pairs"),
        clusters=told.get("clusters"),
        growth=told["growth"],
        scores=overall(scores) or None,
        comparison=scores.get("comparisons") or None,
        base_model=None if training is None else training["base"]["uri"],
        reproduce=reproduce,
        approvals=approved,
        shows_text=audit["settings"]["show_text"],
    )


def _curated(job: Job) -> dict[str, Any]:
    """Write down what curation did, as a later run over unchanged sources will tell it again."""
    told = {
        "rows": totals(job),
        "stages": stage_rows(job),
        "samples": job.read("samples.json"),
        "pairs": job.read("pairs.json"),
        "clusters": job.read("clusters.json"),
        "growth": grown(job),
        "audit": job.read("audit-data.json"),
    }
    job.write("curation.json", told)
    return told


def code_digest() -> str:
    """Return a digest of the source files of all packages: which code made a version."""
    root = Path(__file__).parents[1]
    packages = ("corpus", "curation", "augment", "audit", "tuning", "flows")
    files = sorted(file for package in packages for file in (root / package).rglob("*.py"))
    return digest(
        *(part for file in files for part in (str(file.relative_to(root)), file.read_bytes()))
    ).hex()


def attest(job: Job, page: str) -> None:
    """Lay beside the version what may grow without changing its id."""
    version = opened(job)
    version.attest("report.html", page.encode())
    for name in ("audit.json", "scores.json", "training.json"):
        if (job.folder / name).exists():
            version.attest(
                "audit.json" if name == "audit.json" else f"attestations/{name}",
                (job.folder / name).read_bytes(),
            )
    version.attest(CURATION, (job.folder / "curation.json").read_bytes())
    environment = {found.metadata["Name"]: found.version for found in distributions()}
    tools = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "code": code_digest(),
        "packages": dict(sorted(environment.items())),
    }
    version.attest("attestations/environment.json", json.dumps(tools, indent=1).encode())
    recipe = job.recipe.model_dump(mode="json")
    if job.unchanged:
        recipe["audit"] = version.attested(RUN)["recipe"]["audit"]
    run = {
        "run": job.folder.name,
        "recipe": recipe,
        "models": job.read("models.json"),
    }
    version.attest(RUN, json.dumps(run, indent=1).encode())
    if not job.unchanged:
        version.attest(LEDGER_FILE, (job.folder / "ledger.parquet").read_bytes())
        attest_scores(version, job.base, pq.read_table(job.folder / "scores.parquet"))
