"""Whether the audit's outcomes are as sure as they say, and whether it names the stage that removes a group.

    python -m bench.audit_calibration [--seeds 200]

Made corpora: 50 groups of 400 rows among 4,400, two labels, one stage, and outcomes by `audit.findings.settle`, as in a run. With no
bias the false discovery rate is the share of seeds in which anything fails; with an impact ratio of 0.7 planted into one
group it is the mean share of failures that are of others. Then real ones: 38,158 tweets go through `winnow run` (length
alone, and with exact and near-duplicates), and a stage `blocklist` is laid between that removes a share of a
group's rows, drawn anew by each of 50 seeds; told is how often the first finding, or one of the first five, is of that
group and says that it is owed to the stage `blocklist` and its rule `blocked_word`.
Writes bench/results/audit_calibration.json.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from audit.findings import Finding, settle, worst
from audit.groups import AuditSettings, Membership, partition
from audit.page.words import cause
from audit.retention import retention
from audit.steps import Step
from bench import machine
from bench.duplicates_corpora import TWEETS
from corpus.statistics import wilson
from flows import subjects
from flows.job import Job

RESULTS = Path(__file__).parent / "results" / "audit_calibration.json"
SETTINGS = AuditSettings()
OTHERS, GROUP, TESTS, RATIO = 4_000, 400, 50, 0.7
REMOVED = (0.05, 0.1, 0.2, 1.0)
PLANTED = (("gender", "women"), ("age", "young"), ("religion", "muslim"))
SEEDS_OF_REAL = 50


# --- made corpora


def outcomes(seed: int, kept: float, ratio: float) -> list[Finding]:
    """Judge 50 groups of 400 rows among 4,400 of which a share is kept, the first of them `ratio` times as often."""
    generator = np.random.default_rng([seed, int(1000 * kept), int(1000 * ratio)])
    rows = GROUP + OTHERS
    at = np.arange(rows)
    planted = at < GROUP
    rest = kept * rows / (GROUP * ratio + OTHERS)
    stays = generator.random(rows) < np.where(planted, rest * ratio, rest)
    groups = [Membership("made", "0", "declared", planted)]
    for number in range(1, TESTS):
        mine = np.zeros(rows, bool)
        mine[generator.choice(rows if ratio == 1 else at[GROUP:], GROUP, replace=False)] = True
        groups.append(Membership("made", str(number), "declared", mine))
    labels = pa.array(generator.choice(["yes", "no"], rows))
    groups += partition(labels, "label", "label")
    step = Step("stage", np.ones(rows, bool), stays)
    measured = [each for each in retention([step], groups, SETTINGS, seed) if each["stage"] == "stage"]
    return settle(measured, SETTINGS)


def null(seeds: int, kept: float) -> dict[str, Any]:
    """Return how often anything fails where nothing is planted."""
    failed = [any(each["verdict"] == "FAIL" for each in outcomes(seed, kept, 1.0)) for seed in range(seeds)]
    return {"kept": kept, "seeds": seeds, "false_discovery_rate": share(sum(failed), seeds)}


def planted(seeds: int, kept: float) -> dict[str, Any]:
    """Return the planted group's outcomes, and the mean share of failures that are of other groups."""
    told: Counter[str] = Counter()
    false = []
    for seed in range(seeds):
        found = outcomes(seed, kept, RATIO)
        told[next(each["verdict"] for each in found if each["group"] == "0")] += 1
        failed = [each["group"] for each in found if each["verdict"] == "FAIL"]
        false.append(np.mean([group != "0" for group in failed]) if failed else 0.0)
    return {
        "kept": kept,
        "impact_ratio": RATIO,
        "seeds": seeds,
        "outcomes": {outcome: share(count, seeds) for outcome, count in sorted(told.items())},
        "false_discovery_rate": round(float(np.mean(false)), 4),
    }


# --- tweets


def run(stages: Sequence[dict[str, Any]], folder: Path) -> Job:
    """Take the tweets through `winnow run` and return the run."""
    recipe = folder / "recipe.yaml"
    source = {
        "name": "tweets",
        "uri": TWEETS,
        "text": "text",
        "label": "sentiment",
        "encoding_errors": "replace",
    }
    recipe.write_text(yaml.safe_dump({"name": "calibration", "sources": [source], "stages": list(stages)}))
    command = [str(Path(sys.executable).parent / "winnow"), "run", str(recipe), "--json"]
    done = subprocess.run([*command, "--store", str(folder / "store")], check=True, capture_output=True)
    return Job.open(folder / "store" / "runs" / json.loads(done.stdout)["run"])


def named(found: Sequence[Finding], axis: str, group: str) -> tuple[bool, bool, bool]:
    """Say whether the first finding, and whether one of the first five, names the group and what was planted, and as a FAIL."""
    told = worst(found)
    hits = [
        (each["axis"], each["group"]) == (axis, group)
        and (cause(each) or "").startswith("the stage blocklist by its rule blocked word,")
        for each in told
    ]
    failed = any(hit and each["verdict"] == "FAIL" for hit, each in zip(hits, told, strict=True))
    return bool(hits) and hits[0], any(hits), failed


def real(stages: Sequence[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Plant removals into a run's steps, and count how often they are named."""
    folder.mkdir()
    job = run(stages, folder)
    snapshot = subjects.came(job)
    groups, cut = subjects.groups_of(snapshot, SETTINGS)
    steps = list(subjects.steps_of(job, snapshot.narrow(["id"])["id"].combine_chunks()))
    without = settle(retention(steps, groups, SETTINGS, 0, cut), SETTINGS)
    told: dict[str, Any] = {
        "stages": [stage["stage"] for stage in stages],
        "without_it": {
            "names_blocklist": any(
                (cause(each) or "").startswith("the stage blocklist ") for each in without
            ),
            "fail": [
                [each["stage"], each["axis"], each["group"], each["rule"]]
                for each in without
                if each["verdict"] == "FAIL"
            ],
        },
        "planted": [],
    }
    for axis, group in PLANTED:
        rows = next(each.rows for each in groups if (each.axis, each.group) == (axis, group))
        here = np.flatnonzero(rows & steps[0].entered & steps[0].kept)
        for removed in REMOVED:
            first = five = failed = 0
            for seed in range(SEEDS_OF_REAL):
                gone = np.zeros(len(rows), bool)
                drawn = np.random.default_rng([seed, int(1000 * removed)])
                gone[drawn.choice(here, max(1, round(removed * len(here))), replace=False)] = True
                found = settle(retention(between(steps, gone), groups, SETTINGS, seed, cut), SETTINGS)
                is_first, is_among, is_failed = named(found, axis, group)
                first += is_first
                five += is_among
                failed += is_failed
            told["planted"].append(
                {
                    "axis": axis,
                    "group": group,
                    "rows": len(here),
                    "removed": removed,
                    "named_first": share(first, SEEDS_OF_REAL),
                    "named_among_five": share(five, SEEDS_OF_REAL),
                    "named_as_failed": share(failed, SEEDS_OF_REAL),
                }
            )
            print(told["planted"][-1], flush=True)
    return told


def between(steps: Sequence[Step], gone: np.ndarray) -> list[Step]:
    """Lay a stage behind the first that removes `gone`; no later one meets these rows."""
    entered = steps[0].entered & steps[0].kept
    reason = pa.array(np.where(gone, "blocked_word", None), pa.string())
    later = [replace(step, entered=step.entered & ~gone) for step in steps[1:]]
    return [steps[0], Step("blocklist", entered, ~gone, reason), *later]


def share(count: int, of: int) -> dict[str, Any]:
    """Return a share with its count and its Wilson interval."""
    low, high = wilson(count, of)
    return {"share": round(count / of, 4), "of": of, "low": round(low, 4), "high": round(high, 4)}


def main() -> None:
    """Measure, and write the results."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seeds", type=int, default=200)
    asked = words.parse_args()
    made = {
        "groups": TESTS,
        "group_rows": GROUP,
        "other_rows": OTHERS,
        "no_bias": [null(asked.seeds, kept) for kept in (0.1, 0.5, 0.9, 0.99)],
        "planted": [planted(asked.seeds, kept) for kept in (0.1, 0.5, 0.9)],
    }
    print(json.dumps(made, indent=1), flush=True)
    first = [{"stage": "length", "min_words": 3}, {"stage": "exact_duplicates"}]
    near = {"stage": "near_duplicates", "threshold": 0.8, "shingle_words": 2}
    with tempfile.TemporaryDirectory() as folder:
        tweets = [
            real(stages, Path(folder) / str(number))
            for number, stages in enumerate((first[:1], [*first, near]))
        ]
    written = {
        "made": made,
        "tweets": tweets,
        "settings": SETTINGS.model_dump(mode="json"),
        "machine": machine.describe(),
    }
    RESULTS.write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    main()
