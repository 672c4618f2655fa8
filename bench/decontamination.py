"""What `decontaminate` finds of planted evaluation texts, and what it takes for one that is none, by run length and threshold.

    python -m bench.decontamination

The evaluation set are 1,000 sentences of BBC articles (8 to 40 words); the rows 5,000 film reviews, in 500 of which, for
each kind of edit, one of the sentences is planted. Whatever is found in reviews in which nothing was planted is false.
Writes bench/results/decontamination.json.
"""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench import machine
from bench.duplicates_corpora import NEWS, REVIEWS, SEED, documents
from corpus import evaluation_sets
from corpus.fetch import cache_folder
from corpus.models import Models
from corpus.sources import Source
from corpus.statistics import wilson

SENTENCES, ROWS, PLANTED = 1_000, 5_000, 500
RESULTS = Path(__file__).parent / "results" / "decontamination.json"
Edit = Callable[[list[str], np.random.Generator], list[str]]


def _changed(count: int) -> Edit:
    def edit(words: list[str], draw: np.random.Generator) -> list[str]:
        places = draw.choice(len(words), min(count, len(words)), replace=False)
        return [("otherwise" if at in places else word) for at, word in enumerate(words)]

    return edit


EDITS: dict[str, Edit] = {
    "none": lambda words, _: words,
    "capitals, no punctuation": lambda words, _: [re.sub(r"\W", "", word).upper() for word in words],
    "one word changed": _changed(1),
    "two words changed": _changed(2),
    "four words changed": _changed(4),
    "the first half": lambda words, _: words[: (len(words) + 1) // 2],
}


def _rate(found: np.ndarray) -> dict[str, Any]:
    low, high = wilson(int(found.sum()), len(found))
    return {
        "share": round(float(found.mean()), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "n": len(found),
    }


def _runs(said: str, size: int) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", said.casefold().replace("'", ""))
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def main() -> None:
    """Plant, look, and write what was found."""
    draw = np.random.default_rng(SEED)
    texts = documents()
    reviews = [texts[at] for at in draw.choice(25_000, ROWS, replace=False)]
    said = {
        " ".join(one.split())
        for article in texts[25_000:]
        for one in re.split(r"(?<=[.!?])\s+", article)
        if 8 <= len(one.split()) <= 40
    }
    exam = [str(one) for one in draw.choice(sorted(said), SENTENCES, replace=False)]
    rows, kinds = [*reviews], [""] * ROWS
    for kind, edit in EDITS.items():
        for at, host in zip(
            draw.choice(SENTENCES, PLANTED, replace=False),
            draw.choice(ROWS, PLANTED, replace=False),
            strict=True,
        ):
            words = reviews[host].split()
            place = int(draw.integers(0, len(words)))
            rows.append(" ".join([*words[:place], *edit(exam[at].split(), draw), *words[place:]]))
            kinds.append(kind)
    of = np.array(kinds)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "exam.jsonl"
        file.write_text("".join(json.dumps({"text": one}) + "\n" for one in exam))
        source = Source(name="exam", uri=f"file:{file}")
        for size in (4, 5, 6, 8, 10, 13):
            index = evaluation_sets.index((source,), Models(Path(), cache_folder()), size, min(size, 5))
            share, _ = index.shares(pa.array(rows))
            for threshold in (0.2, 0.3, 0.4, 0.5, 0.6, 0.8):
                met = share >= threshold
                found.append(
                    {
                        "run_words": size,
                        "threshold": threshold,
                        "false": _rate(met[of == ""]),
                        "found": {kind: _rate(met[of == kind]) for kind in EDITS},
                    }
                )
    for size in (8, 13):  # the field's practice, counted with plain sets
        wanted = {run for one in exam for run in _runs(one, size)}
        met = np.array([not wanted.isdisjoint(_runs(row, size)) for row in rows])
        found.append(
            {
                "run_words": size,
                "threshold": "one run",
                "false": _rate(met[of == ""]),
                "found": {kind: _rate(met[of == kind]) for kind in EDITS},
            }
        )
    held = {
        "corpora": [NEWS, REVIEWS],
        "evaluation_texts": SENTENCES,
        "rows": ROWS,
        "planted_of_each_kind": PLANTED,
        "results": found,
        "machine": machine.describe(),
    }
    RESULTS.write_text(json.dumps(held, indent=1) + "\n")


if __name__ == "__main__":
    main()
