"""What readers found of the peers' sheet: of whose candidates meaning and label are kept.

    python -m bench.augmentation_peers_read ONE.csv OTHER.csv --by "who read them"

Each file answers the lines of bench/results/augmentation_peers_sheet.csv (`line`, `meaning_kept`, `label_kept`, the last two
`yes` or `no`), by a reader who knows nothing of the other or of whose a line is. They are kept beside the sheet, and shares
with Wilson intervals, by system and reader, go into bench/results/augmentation_peers.json, with the readers' agreement (Cohen's kappa).
"""

import argparse
import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.augmentation_losses import rate
from bench.augmentation_peers import RESULTS
from corpus.statistics import kappa

QUESTIONS = ("meaning_kept", "label_kept")
Answers = Mapping[str, tuple[bool, bool]]
"""Of each line whether meaning and label are kept."""


def answered(file: Path, lines: Sequence[str]) -> Answers:
    """Read what a reader answered; every line must be answered once, and with `yes` or `no`."""
    said = {"yes": True, "no": False}
    with file.open(newline="", encoding="utf-8") as opened:
        rows = list(csv.DictReader(opened))
    found = {row["line"]: (said[row[QUESTIONS[0]]], said[row[QUESTIONS[1]]]) for row in rows}
    if sorted(row["line"] for row in rows) != sorted(lines):
        raise SystemExit(
            f"{file} answers {len(rows)} lines, {len(found)} of them unlike; the sheet has {len(lines)}"
        )
    return found


def told(key: Sequence[tuple[str, str]], readers: Sequence[Answers]) -> dict[str, Any]:
    """Return shares by system and reader, and how far two readers agree; `key` has a line and a system each."""
    lines: dict[str, list[str]] = {}
    for line, system in key:
        lines.setdefault(system, []).append(line)
    systems = {
        system: {
            question: [rate([one[line][at] for line in held]) for one in readers]
            for at, question in enumerate(QUESTIONS)
        }
        for system, held in sorted(lines.items())
    }
    every = sorted({line for line, _ in key})
    agreement = {}
    for at, question in enumerate(QUESTIONS):
        one, other = ([answers[line][at] for line in every] for answers in readers)
        both = kappa(one, other)
        agreement[question] = both and dict(zip(("kappa", "low", "high"), both, strict=True)) | {
            "n": len(every)
        }
    return {"systems": systems, "agreement": agreement}


def main() -> None:
    """Read the answers, and write what they say."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("readers", type=Path, nargs=2)
    words.add_argument("--by", required=True)
    asked = words.parse_args()
    stem = RESULTS / "augmentation_peers"
    with Path(f"{stem}_key.csv").open(newline="", encoding="utf-8") as file:
        key = [(row["line"], row["system"]) for row in csv.DictReader(file)]
    lines = sorted({line for line, _ in key})
    readers = [answered(file, lines) for file in asked.readers]
    for at, file in enumerate(asked.readers):
        shutil.copyfile(file, f"{stem}_reader{at + 1}.csv")
    held = json.loads(stem.with_suffix(".json").read_text())
    held["read"] = {"by": asked.by, **told(key, readers)}
    stem.with_suffix(".json").write_text(json.dumps(held, indent=1) + "\n")
    for system, shares in held["read"]["systems"].items():
        print(system, *(f"{question} {[one['value'] for one in shares[question]]}" for question in QUESTIONS))


if __name__ == "__main__":
    main()
