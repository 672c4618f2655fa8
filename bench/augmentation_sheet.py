"""Back-translation of the demo's training rows, read blind: how many candidates keep meaning and label, how many planted ones are seen.

    python -m bench.augmentation_sheet --store FOLDER --write bench/results/augmentation_sheet.csv
    python -m bench.augmentation_sheet --store FOLDER --read ONE.csv --read OTHER.csv --by "who read them"
    python -m bench.augmentation_sheet --store FOLDER --again

The first grows rows of all training rows through Esperanto and writes the sheet of `winnow tune-gates` with its key, the second
reads what two readers answered, who know nothing of each other or of where a line comes from. The third asks the gates as they
are now about all candidates, and adds which of those that were read they let pass.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from augment.admission import Admission
from bench.augmentation_losses import changed, masked_words
from bench.evidence import before_growth, curated
from bench.machine import describe
from corpus.statistics import wilson
from corpus.store import Store
from flows import curate, gate_sheet, tune_gates
from flows.gate_candidates import candidates
from flows.job import Job, stage_rows
from flows.what_if import found_run, only

RESULTS = Path(__file__).parent / "results"
GROWTH = ({"stage": "back_translation", "engine": "apertium:en-eo"}, {"stage": "admission"})


def words(job: Job) -> dict[str, Any]:
    """Return how many words of the admitted rows differ from their parents', and the share of rows with a fifth at least."""
    number, gate = only(job, Admission, None)
    admitted = [one for one in candidates(job, number, gate) if one.reason is None]
    shares = np.array([changed(one.parent, one.said, masked_words) for one in admitted])
    some = int((shares >= 0.2).sum())
    low, high = wilson(some, len(shares))
    return {
        "admitted": len(admitted),
        "changed_median": float(np.median(shares)),
        "changed_a_fifth": {"value": some / len(shares), "low": low, "high": high, "n": len(shares)},
    }


def again(store: Path) -> dict[str, Any]:
    """Return how many candidates are admitted now, and of the lines that were read how many and what readers said of these."""
    sheet = RESULTS / "augmentation_sheet.csv"
    job = curated([*before_growth(), *GROWTH], store)
    passed = {one.id for one in candidates(job, *only(job, Admission, None)) if one.reason is None}
    lines = json.loads(gate_sheet.key_of(sheet).read_text())["lines"]
    answers = [
        gate_sheet.read(RESULTS / f"augmentation_sheet.reader{reader}.csv", len(lines)) for reader in (1, 2)
    ]
    told: dict[str, Any] = {}
    for kind in ("admitted", "refused"):
        still = [at for at, line in enumerate(lines) if line["kind"] == kind and line["id"] in passed]
        said = [[bool(one[at][0]) for at in still] for one in answers]
        told[kind] = {
            "read": sum(line["kind"] == kind for line in lines),
            "admitted_now": len(still),
            "same_meaning": [_share(one) for one in said],
        }
    return {"machine": describe(), "all_admitted": len(passed), **told}


def _share(said: Sequence[bool]) -> dict[str, Any] | None:
    if not said:
        return None
    low, high = wilson(sum(said), len(said))
    return {"value": sum(said) / len(said), "low": low, "high": high, "n": len(said)}


def kept(read: Sequence[Path], folder: Path) -> list[Path]:
    """Copy what readers answered to where it is committed, under the names that the results give them."""
    names = [folder / f"augmentation_sheet.reader{at + 1}.csv" for at in range(len(read))]
    for file, name in zip(read, names, strict=True):
        if file.resolve() != name.resolve():
            shutil.copyfile(file, name)
    return names


def main() -> None:
    """Write the sheet, or read it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--read", type=Path, action="append", default=[])
    parser.add_argument("--by", default="")
    parser.add_argument("--again", action="store_true")
    asked = parser.parse_args()
    sheet = RESULTS / "augmentation_sheet.csv"
    if asked.write is not None:
        curate.account(curated([*before_growth(), *GROWTH], asked.store))
        print(tune_gates.write("latest", asked.store, asked.write))
        return
    if asked.again:
        held = json.loads((RESULTS / "augmentation_sheet.json").read_text()) | {"again": again(asked.store)}
        (RESULTS / "augmentation_sheet.json").write_text(json.dumps(held, indent=1) + "\n")
        return
    told = tune_gates.tune("latest", asked.store, kept(asked.read, RESULTS), gate_sheet.key_of(sheet))
    job = found_run(Store(asked.store.resolve()), "latest")
    held = {
        "machine": describe(),
        "read_by": asked.by,
        "stages": [
            {
                name: line[name]
                for name in ("stage", "in", "out", "grown", "dropped", "seconds")
                if name in line
            }
            for line in stage_rows(job)[-2:]
        ],
        "words": words(job),
        **{name: told[name] for name in ("candidates", "readers", "agreement", "gates", "best", "wanted")},
    }
    (RESULTS / "augmentation_sheet.json").write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main()
