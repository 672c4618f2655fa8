"""Recipes over small files, and the shortest way from one to a published version: no server, no models."""

import json
import random
import sys
from pathlib import Path
from typing import Any

from flows import curate
from flows.job import Job, Options
from flows.recipe import parse

STAGES: list[dict[str, Any]] = [
    {"stage": "normalise"},
    {"stage": "length", "min_words": 2},
    {"stage": "blocklist", "words": ["forbidden"]},
    {"stage": "exact_duplicates"},
    {"stage": "near_duplicates", "shingle_words": 2},
    {"stage": "label_conflicts"},
    {"stage": "split"},
]


def records(count: int = 300, seed: int = 3) -> list[dict[str, Any]]:
    """Make records with copies, near-copies, contradictions, short rows and stray characters."""
    generator = random.Random(seed)
    words = [f"w{number}" for number in range(400)]
    made: list[dict[str, Any]] = []
    for number in range(count):
        body = generator.choices(words, k=generator.randint(1, 30))
        if made and generator.random() < 0.3:
            body = generator.choice(made)["text"].split()
            if generator.random() < 0.7:
                body[generator.randrange(len(body))] = generator.choice([*words, "forbidden"])
        label = generator.choice(["positive", "negative"])
        made.append(
            {
                "text": generator.choice([" ", "  ", "\u200b "]).join(body),
                "label": label,
                "confidence": round(generator.random(), 3),
                "number": number % 7,
            }
        )
    return made


def write(folder: Path, held: list[dict[str, Any]], files: int = 1) -> Path:
    """Write records as JSON lines, dealt to so many files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        lines = [json.dumps(record) for record in held[number::files]]
        (folder / f"part-{number}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def recipe(folder: Path, stages: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    """Return a recipe over a folder."""
    held = {
        "name": "small",
        "seed": 7,
        "sources": [{"name": "small", "uri": f"file:{folder}"}],
        "stages": STAGES if stages is None else stages,
        **more,
    }
    return parse(held, "test")


def job(held: Any, store: Path, **options: Any) -> Job:
    """Take a recipe to what stands at its end, and its ledger."""
    begun = Job.begin(held, Options(store=str(store), **options))
    curate.ingest(begun)
    if begun.unchanged:
        return begun
    for number in range(len(begun.segments)):
        curate.curate(begun, number)
    curate.account(begun)
    return begun


def publish(held: Any, store: Path, **options: Any) -> str:
    """Take a recipe to a published version; return its id."""
    done = job(held, store, **options)
    if done.unchanged:
        return curate.stay(done)
    version = curate.publish(done)
    done.store.library.names.give(held.name, version, done.read("began.json")["ref"], run=done.folder.name)
    return version


if __name__ == "__main__":
    sys.stdout.write(publish(recipe(Path(sys.argv[1])), Path(sys.argv[2]), part_rows=20) + "\n")
