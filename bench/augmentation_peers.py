"""What nlpaug and TextAttack make of the rows that we grow, beside what we make: speed, copies, what is lost, determinism.

    python -m bench.augmentation_peers --peer-python PYTHON --stopwords FILE [--rows 500]

The same rows of the demo for all, drawn by a seed; one candidate of each. `PYTHON` is one in which nlpaug and textattack are
installed; FILE is NLTK's list of English stop words, whose data cannot be downloaded here (`bench.augmentation_nltk` says
what stands for the rest). Each system runs in a process of its own, one after another, text by text or, ours, through its
stage in one process (Apertium's own processes beside it); start-up and twenty texts to get warm are apart. Of ours
`admitted` is what admission lets pass, beside the demo's held-out rows. Each runs again with the same seed, the peers in a
process of another hash seed (Python draws one), and once more with the rows in another order.

What is lost is counted twice: by what admission asks (`augment.kept`, `augment.masks`) and by plain expressions
(`bench.augmentation_losses`), which know nothing of it. Of numbers admission wants the same, so a digit that comes into a word
is a change; the plain count is of those that are gone. Writes bench/results/augmentation_peers.json, ..._rows.jsonl (every candidate), and a
sheet for readers: 40 changed rows a system, mixed, without names (..._sheet.csv); whose they are is in ..._key.csv.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from augment.admission import Admission
from augment.back_translation import BackTranslation
from augment.paraphrase import Paraphrase
from bench import augmentation_nltk, machine
from bench.augmentation import PART_ROWS, SEED, Bed, drawn, standing
from bench.augmentation_losses import Made, losses
from bench.augmentation_peers_sheet import write_sheet
from bench.augmentation_systems import SYSTEMS
from corpus import text
from corpus.engine import Local
from corpus.memo import Replay
from corpus.schema import of_splits
from corpus.segment import Segment
from corpus.stage import Context, Grow

RESULTS = Path(__file__).parent / "results"
WARM, TAUGHT = 20, 3_000
OURS: dict[str, Grow] = {
    "Winnow back_translation eng-spa": BackTranslation(engine="apertium:eng-spa"),
    "Winnow back_translation en-eo": BackTranslation(engine="apertium:en-eo"),
    "Winnow paraphrase wordnet": Paraphrase(engine="wordnet"),
    "Winnow paraphrase edits": Paraphrase(engine="edits"),
}


@dataclass(frozen=True)
class Rows:
    """The rows that all are given, those to get warm with, those that stand beside them, and texts for NLTK's tagger."""

    asked: pa.Table
    warm: pa.Table
    held: pa.Table
    taught: list[str]

    @classmethod
    def of_demo(cls, count: int, folder: Path) -> "Rows":
        """Draw them, no row twice."""
        found = standing(folder)
        order = random.Random(SEED).sample(
            drawn(found, count + WARM + TAUGHT).tolist(), count + WARM + TAUGHT
        )
        asked, warm, taught = (
            found.take(pa.array(sorted(some)))
            for some in (order[:count], order[count : count + WARM], order[count + WARM :])
        )
        held = found.filter(pa.array(~of_splits(found["split"], ["train"])))
        return cls(asked, warm, held, text.contents(taught).to_pylist())

    @property
    def texts(self) -> list[str]:
        """What the rows say."""
        said: list[str] = text.contents(self.asked).to_pylist()
        return said


# --- ours


def ours(name: str, rows: Rows, order: Sequence[int], folder: Path) -> Made:
    """Grow from the rows in an order, in a replay that nobody used before."""
    stage = OURS[name]
    with tempfile.TemporaryDirectory(dir=folder) as place, Local(1) as engine:
        models = Bed.made(Path(place), rows.warm, engine, PART_ROWS).runner.models
        context = Context(SEED, stage.title, models, Replay(Path(place) / "replay"))
        began = time.perf_counter()
        stage.grow(rows.warm, context)
        start = time.perf_counter() - began
        began = time.perf_counter()
        grown = stage.grow(rows.asked.take(pa.array(order)), context)
        seconds = time.perf_counter() - began
    said: dict[str, list[str]] = {}
    for parent, one in zip(grown["parent"].to_pylist(), text.contents(grown).to_pylist(), strict=True):
        said.setdefault(parent, []).append(one)
    return Made([said.get(one, []) for one in rows.asked["id"].to_pylist()], [], start, seconds)


def admitted(name: str, rows: Rows, folder: Path) -> tuple[Made, dict[str, int]]:
    """Grow and judge, through the runner; return what passes, with the seconds of both, and why others went."""
    table = pa.concat_tables([rows.asked, rows.held]).sort_by("id")
    with tempfile.TemporaryDirectory(dir=folder) as place, Local(1) as engine:
        bed = Bed.made(Path(place), table, engine, PART_ROWS)
        after, ids, seconds = bed.grown(OURS[name])
        decided = bed.runner.run(Segment(None, (), (Admission(),)), after, ids)
        left = pa.concat_tables(decided.standing.tables())
        told = decided.stages[-1]
    grown = left.filter(pa.array([parent is not None for parent in left["parent"].to_pylist()]))
    said = dict(zip(grown["parent"].to_pylist(), text.contents(grown).to_pylist(), strict=True))
    made = [[said[one]] if one in said else None for one in rows.asked["id"].to_pylist()]
    return Made(made, [], 0.0, seconds + told["seconds"]), told["dropped"]


# --- the peers


@dataclass(frozen=True)
class Peers:
    """The Python of the peers, NLTK's data, and what each may see of the world: nothing of a hub."""

    python: str
    data: Path
    folder: Path

    def made(self, name: str, rows: Rows, order: Sequence[int], hash_seed: str = "0") -> Made | str:
        """Run a system over the texts in an order; return what it made in the rows' order, or why it does not run."""
        texts = rows.texts
        asked = {"warm": text.contents(rows.warm).to_pylist(), "texts": [texts[at] for at in order]}
        file = self.folder / "texts.json"
        file.write_text(json.dumps(asked), encoding="utf-8")
        answer = subprocess.run(
            [
                self.python,
                str(Path(__file__).with_name("augmentation_systems.py")),
                name,
                str(file),
                str(SEED),
            ],
            env={
                **{key: os.environ[key] for key in ("PATH", "HOME")},
                "NLTK_DATA": str(self.data),
                "HF_HUB_OFFLINE": "1",
                "PYTHONHASHSEED": hash_seed,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode:
            said = " ".join(line.strip() for line in answer.stderr.strip().splitlines()[-2:])
            return said.replace(str(Path.home()), "~")[:300]
        told = json.loads(answer.stdout.splitlines()[-1])
        made: list[list[str] | None] = [None] * len(order)
        for at, one in zip(order, told["made"], strict=True):
            made[at] = one
        return Made(made, told["errors"], told["start_seconds"], told["seconds"], told["versions"])


def told_of(parents: Sequence[str], one: Made, again: Made, shuffled: Made, pace: float) -> dict[str, Any]:
    """Return what is told of a system that ran three times; the same row's candidate is the same, or it is not."""
    seconds = [run.seconds for run in (one, again, shuffled)]
    return {
        **losses(parents, one),
        "pace": pace,
        "seconds": [round(each, 3) for each in seconds],
        "rows_per_second": round(len(parents) / statistics.median(seconds), 1),
        "determinism": {
            "of": len(one.made),
            "same_again": sum(a == b for a, b in zip(one.made, again.made, strict=True)),
            "same_in_another_order": sum(a == b for a, b in zip(one.made, shuffled.made, strict=True)),
        },
    }


def measure(rows: Rows, peers: Peers, folder: Path) -> tuple[dict[str, Any], dict[str, Made]]:
    """Run everybody; return what is told of each, and what each made."""
    count = len(rows.asked)
    order, other = list(range(count)), random.Random(SEED).sample(range(count), count)
    found: dict[str, Any] = {}
    made: dict[str, Made] = {}
    for name in OURS:
        pace = machine.pace()
        runs = [ours(name, rows, one, folder) for one in (order, order, other)]
        made[name] = runs[0]
        found[name] = told_of(rows.texts, *runs, pace)
        print(name, round(runs[0].seconds, 2), flush=True)
        made[f"{name}, admitted"], refused = admitted(name, rows, folder)
        found[f"{name}, admitted"] = {**losses(rows.texts, made[f"{name}, admitted"]), "refused": refused}
    for name in SYSTEMS:
        pace = machine.pace()
        first = peers.made(name, rows, order)
        print(name, first if isinstance(first, str) else round(first.seconds, 2), flush=True)
        if isinstance(first, str):
            found[name] = {"does_not_run": first}
            continue
        others = [peers.made(name, rows, one, hash_seed) for one, hash_seed in ((order, "1"), (other, "0"))]
        made[name] = first
        again, shuffled = others
        assert isinstance(again, Made), "what ran once runs again"
        assert isinstance(shuffled, Made), "what ran once runs again"
        found[name] = told_of(rows.texts, first, again, shuffled, pace)
    return found, made


def main() -> None:
    """Measure, and write the results files."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=500)
    words.add_argument("--peer-python", required=True)
    words.add_argument("--stopwords", type=Path, required=True)
    words.add_argument("--output", type=Path, default=RESULTS)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rows = Rows.of_demo(asked.rows, folder / "demo")
        data = augmentation_nltk.make(folder / "nltk", asked.stopwords.resolve(), rows.taught)
        found, made = measure(rows, Peers(asked.peer_python, data, folder), folder)
    versions = next(one.versions for one in made.values() if one.versions)
    told = {
        "what": f"one candidate of each of {asked.rows} of the demo's training rows, each system in one process",
        "settings": {name: (system.__doc__ or "").strip() for name, system in SYSTEMS.items()},
        "data": (augmentation_nltk.__doc__ or "").strip(),
        "versions": versions,
        "systems": found,
        "machine": machine.describe(),
    }
    stem = asked.output / "augmentation_peers"
    stem.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")
    with Path(f"{stem}_rows.jsonl").open("w", encoding="utf-8") as file:
        for at, row in enumerate(rows.asked.select(["id", "label"]).to_pylist()):
            candidates = {name: one.made[at] for name, one in made.items()}
            file.write(json.dumps({**row, "text": rows.texts[at], "made": candidates}) + "\n")
    write_sheet(
        rows.asked["id"].to_pylist(),
        rows.texts,
        rows.asked["label"].to_pylist(),
        made,
        Path(f"{stem}_sheet.csv"),
        Path(f"{stem}_key.csv"),
    )
    sys.stdout.write(stem.with_suffix(".json").read_text())


if __name__ == "__main__":
    main()
