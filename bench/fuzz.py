"""Random corpora through the duplicates stages for as long as asked (`tests.hostile` says what must hold of each).

    python -m bench.fuzz [--minutes 60] [--seed 0]

Writes bench/results/fuzz.json: how many corpora and rows, through which stages, and each that broke something.
"""

import argparse
import json
import random
import time
import traceback
from collections import Counter
from pathlib import Path

from bench import machine
from tests import hostile

RESULTS = Path(__file__).parent / "results" / "fuzz.json"
ROWS = (0, 1, 2, 10, 100, 400, 1500)


def main() -> None:
    """Try corpora until the time is over; tell each that breaks something."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--minutes", type=float, default=60)
    words.add_argument("--seed", type=int, default=0)
    asked = words.parse_args()
    began = time.monotonic()
    seed, broken, stages, rows = asked.seed, [], Counter[str](), Counter[str]()
    while time.monotonic() - began < 60 * asked.minutes:
        try:
            found = hostile.attempt(seed, random.Random(seed).choice(ROWS))
        except Exception:  # noqa: BLE001 - whatever it is, whoever reads the results decides
            broken.append({"seed": seed, "error": traceback.format_exc().splitlines()[-6:]})
            print(json.dumps(broken[-1], indent=1), flush=True)
        else:
            stages.update(found["stages"])
            rows.update(found["rows"])
        seed += 1
    held = {
        "corpora": seed - asked.seed,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "rows": dict(rows),
        "stages": dict(sorted(stages.items())),
        "broken": broken,
        "machine": machine.describe(),
    }
    RESULTS.write_text(json.dumps(held, indent=1) + "\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
