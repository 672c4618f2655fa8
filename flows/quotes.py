"""Reports, samples and ledgers of runs and versions, rid of what they quote of forgotten rows."""

import json
from contextlib import suppress
from typing import Any

from audit.page.report import render
from corpus.forgetting.erase import clean, redact
from corpus.forgetting.find import Found
from corpus.schema import UserError
from corpus.store import Store
from corpus.versions.version import LEDGER_FILE, Version
from flows.approval import APPROVALS, approvals
from flows.curate import RUN
from flows.finish import CURATION, SCORES, TRAINING, facts
from flows.job import Job

_AUDIT = "audit.json"


def can_be_told(version: Version) -> bool:
    """Say whether all that may quote a row can be read."""
    try:
        for file in (LEDGER_FILE, CURATION, _AUDIT, RUN, SCORES, APPROVALS):
            if version.has(file):
                version.said(file)
    except UserError:
        return False
    return True


def told_of(version: Version) -> dict[str, Any]:
    """Return what the run said of itself that published a version (`run.json`); nothing where that cannot be read."""
    with suppress(UserError):
        return dict(version.attested(RUN))
    return {}


def title(version: Version) -> str:
    """Return what the recipe was called that made a version."""
    return str(told_of(version).get("recipe", {}).get("name", version.id[:12]))


def attest_report(version: Version, curation: dict[str, Any]) -> None:
    """Lay the report of what curation told beside a version, and then what it told."""
    scores = version.attested(SCORES) if version.has(SCORES) else {}
    reproduce = {"version": version.id, "builds on": version.builds_on or "none"}
    approved = approvals(version)
    training = version.attested(TRAINING) if version.has(TRAINING) else None
    audit = version.attested(_AUDIT)
    page = render(facts(title(version), audit, curation, scores, reproduce, approved, training))
    version.attest("report.html", page.encode())
    version.attest(CURATION, json.dumps(curation, indent=1).encode())


def clean_versions(store: Store, found: Found) -> int:
    """Write the reports of versions anew that quote one of the rows; return how many they were.

    A version whose reports cannot be read is left to be withdrawn.
    """
    count = 0
    for version in filter(can_be_told, store.library.readable()):
        ledger = version.ledger
        left = None if ledger is None else redact(ledger, found)
        if left is not None:
            version.attest_ledger(left)
        if version.has(CURATION):
            curation = version.attested(CURATION)
            if clean(curation, found):
                attest_report(version, curation)
                count += 1
    return count


def clean_runs(store: Store, found: Found) -> int:
    """Rid the runs' folders of what quotes the rows; return how many they were."""
    count = 0
    for folder in sorted((store.root / "runs").glob("*")):
        job = Job.open(folder)
        curation = job.read("curation.json")
        texts = {name: job.read(f"{name}.json") for name in ("samples", "pairs", "clusters")}
        told = curation or {**texts, "growth": None}
        if clean(told, found):
            (folder / "report.html").unlink(missing_ok=True)
            for name in texts:
                job.write(f"{name}.json", told.get(name))
            if curation is not None:
                job.write("curation.json", told)
            count += 1
    return count
