"""How good `near_duplicates` is: against all true pairs, on planted edits, numbers and chains, and by reading; beside peers.

    python -m bench.duplicates_quality [--peer-python PYTHON] [--folder FOLDER]

Three corpora, fetched by digest: tweets, documents (film reviews and news), and manuals (a cloud's reference, whose
families of hundreds of templated texts are hard). What is true, `bench.duplicates_truth` counts apart from the stage:
Jaccard 0.8 of sets of n-grams of words. The stage runs as `winnow apply`, without labels, so that no row is spared as kin.
`--peer-python` is a Python in which rensa, text-dedup, datatrove and daft are installed; without it the peers are left out.
Writes bench/results/duplicates_quality.json, and bench/results/duplicates_reading.json: 100 removals of each corpus to
be read, no two of the same texts, and no copies of the same bytes while there are others: what could be wrong, not what
cannot. Verdicts that stand in that file are kept.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench import duplicates_peers, machine
from bench.duplicates_corpora import CORPORA, SEED, chains, crowd, planted, prompts
from bench.duplicates_truth import Truth, jaccard
from corpus.statistics import wilson

THRESHOLD = 0.8
READ = 100
RESULTS = Path(__file__).parent / "results"


# --- what the stage does


@dataclass(frozen=True)
class Sifted:
    """Which rows stay (bool), the row that each other one fell against (-1: none), and the score."""

    kept: np.ndarray
    other: np.ndarray
    score: np.ndarray


def sift(rows: Sequence[dict[str, Any]], folder: Path, size: int, numbers: str = "prompts") -> Sifted:
    """Run `winnow apply near_duplicates` on records; a row that another fell against must stay."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        source, output = Path(place) / "rows.jsonl", Path(place) / "out"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        command = [str(Path(sys.executable).parent / "winnow"), "apply", "near_duplicates", str(source)]
        command += ["--output", str(output), "--store", str(Path(place) / "store"), "--workers", "1"]
        for knob in (f"threshold={THRESHOLD}", f"shingle_words={size}", f"numbers={numbers}"):
            command += ["--set", f"near_duplicates.{knob}"]
        subprocess.run(command, check=True, capture_output=True)
        stays = pq.read_table(output / "kept", columns=["id", "row"])
        ledger = pq.read_table(output / "ledger.parquet")
    place_of = dict(zip(stays["id"].to_pylist(), stays["row"].to_pylist(), strict=True))
    dropped = ledger["row"].to_numpy()
    assert len(stays) + len(ledger) == len(rows), "no row is rejected"
    assert set(ledger["other"].to_pylist()) <= set(place_of), "what a row fell against stays"
    found = Sifted(np.ones(len(rows), bool), np.full(len(rows), -1), np.full(len(rows), np.nan))
    found.kept[dropped] = False
    found.other[dropped] = [place_of[other] for other in ledger["other"].to_pylist()]
    found.score[dropped] = ledger["score"].to_numpy()
    return found


def rate(successes: int, n: int) -> dict[str, Any]:
    """Return a share with its count and its Wilson interval."""
    low, high = wilson(int(successes), int(n))
    return {
        "share": round(successes / n, 5) if n else None,
        "of": int(n),
        "low": round(low, 5),
        "high": round(high, 5),
    }


def against(truth: Truth, kept: np.ndarray) -> dict[str, Any]:
    """Return what holds of anybody's removal: recall of pairs and of removals, and whether what went had a true partner."""
    one, two = truth.pairs.T
    gone = ~kept
    right = int((truth.partners(kept) & gone).sum())
    return {
        "removed": int(gone.sum()),
        "recall_of_pairs": rate(int((gone[one] | gone[two]).sum()), len(one)),
        "recall_of_removals": rate(right, right + truth.left(kept)),
        "removed_with_a_true_partner_that_stays": rate(right, int(gone.sum())),
        "removed_with_any_true_partner": rate(
            int((truth.partners(np.ones_like(kept)) & gone).sum()), int(gone.sum())
        ),
    }


def judged(truth: Truth, found: Sifted, texts: Sequence[str], size: int) -> dict[str, Any]:
    """Return `against`, and what only the stage tells: the row that each removed one fell against, and the score."""
    gone = np.flatnonzero(~found.kept)
    models = found.other[gone]
    pairs = [(texts[row], texts[model]) for row, model in zip(gone.tolist(), models.tolist(), strict=True)]
    own = [jaccard(*pair, size) for pair in pairs]
    return {
        "true_pairs": len(truth.pairs),
        **against(truth, found.kept),
        "precision": rate(int(truth.holds(gone, models).sum()), len(gone)),
        "largest_error_of_a_score": float(np.abs(found.score[gone] - own).max()),
        "removed_of_the_same_bytes": sum(one == two for one, two in pairs),
    }


def edits(truth: Truth, kept: np.ndarray, where: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return for each kind how many pairs are true, and how many were found: of the true ones and of all."""
    found = {}
    for kind, pairs in where.items():
        one, two = pairs.T
        met, true = ~(kept[one] & kept[two]), truth.holds(one, two)
        found[kind] = {
            "truly_alike": rate(int(true.sum()), len(true)),
            "found_of_truly_alike": rate(int((met & true).sum()), int(true.sum())),
            "found_of_all": rate(int(met.sum()), len(met)),
        }
    return found


# --- numbers, chains and crowds


def numbers(pairs: Sequence[tuple[str, str]], folder: Path) -> dict[str, Any]:
    """Return of how many pairs of prompts both are kept; to see that others go, also of copies in capitals."""
    like = sum(jaccard(*pair, 5) >= THRESHOLD for pair in pairs)
    found: dict[str, Any] = {"example": pairs[0], "truly_alike": rate(like, len(pairs))}
    for what, held, knob in (
        ("both_kept_by_default", pairs, "prompts"),
        ("both_kept_with_numbers_none", pairs, "none"),
        ("both_kept_of_copies_in_capitals", [(one, one.upper()) for one, _ in pairs], "prompts"),
    ):
        rows = [{"messages": [{"role": "user", "content": text}]} for pair in held for text in pair]
        stays = sift(rows, folder, 5, knob).kept.reshape(-1, 2)
        found[what] = rate(int(stays.all(axis=1).sum()), len(stays))
    return found


def linked(made: Sequence[tuple[str, ...]], size: int, folder: Path) -> dict[str, Any]:
    """Return what stays of chains A~B~C with A unlike C."""
    found = {}
    for order, trust in (("A before B before C", (0.9, 0.5, 0.1)), ("in any order", (None,) * 3)):
        rows = [
            {"text": text, "confidence": sure}
            for chain in made
            for text, sure in zip(chain, trust, strict=True)
        ]
        a, b, c = sift(rows, folder, size).kept.reshape(-1, 3).T
        found[order] = {
            "A_or_C_stays": rate(int((a | c).sum()), len(a)),
            "A_and_C_stay": rate(int((a & c).sum()), len(a)),
            "B_stays_for_both": rate(int((b & ~a & ~c).sum()), len(a)),
            "A_or_C_stays_where_B_goes": rate(int(((a | c) & ~b).sum()), int((~b).sum())),
        }
    return found


def crowded(shared: int, folder: Path) -> dict[str, Any]:
    """Return what is found of the near-copies in a family whose texts are all unlike by a little."""
    texts, pairs = crowd(shared)
    truth = Truth.of(texts, 5, THRESHOLD)
    kept = sift([{"text": text} for text in texts], folder, 5).kept
    like = round(jaccard(texts[0], texts[1], 5), 3)
    return {"jaccard_of_any_two": like, **against(truth, kept), **edits(truth, kept, {"near-copies": pairs})}


# --- all of it


def reading(
    name: str, texts: Sequence[str], found: Sifted, known: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return a sheet of removals to read, with the verdicts that are known of the same texts."""
    verdicts = {(line["dropped"], line["stays"]): line for line in known}
    gone = np.random.default_rng(SEED).permutation(np.flatnonzero(~found.kept)).tolist()
    fell = zip(gone, found.other[gone].tolist(), found.score[gone].tolist(), strict=True)
    pairs = {(texts[row], texts[model]): round(score, 4) for row, model, score in fell}
    drawn = sorted(pairs, key=lambda pair: pair[0] == pair[1])[:READ]
    lines = [{"corpus": name, "dropped": one, "stays": two, "score": pairs[one, two]} for one, two in drawn]
    for line in lines:
        said = verdicts.get((line["dropped"], line["stays"]), {})
        line |= {key: said[key] for key in ("verdict", "why") if key in said}
    return lines


def beside(name: str, source: Path, size: int, rows: int, folder: Path, python: str) -> np.ndarray:
    """Return which rows a peer keeps (bool)."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        command = [python, duplicates_peers.__file__, name, str(source), str(size), place]
        subprocess.run(command, check=True, capture_output=True, cwd=place)
        kept = np.zeros(rows, bool)
        kept[json.loads((Path(place) / "rows.json").read_text())] = True
    return kept


def measure(
    name: str, folder: Path, peer: str | None, known: Sequence[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the figures of a corpus, and its sheet to read."""
    size, origin, load = CORPORA[name]
    texts = load()
    truth = Truth.of(texts, size, THRESHOLD)
    found = sift([{"text": text} for text in texts], folder, size)
    sheet = reading(name, texts, found, known)
    alone = truth.alone()
    plants = planted(texts, alone)
    more, where = list(texts), {}
    for kind, copies in plants.items():
        where[kind] = np.column_stack([[row for row, _ in copies], len(more) + np.arange(len(copies))])
        more += [copy for _, copy in copies]
    all_true = Truth.of(more, size, THRESHOLD)
    source = folder / f"{name}.parquet"
    pq.write_table(pa.table({"row": range(len(more)), "text": more}), source)
    kept = {"winnow": sift([{"text": text} for text in more], folder, size).kept}
    for other in duplicates_peers.PEERS if peer else ():
        kept[other] = beside(other, source, size, len(more), folder, peer)  # type: ignore[arg-type]
    figures = {
        "origin": origin,
        "texts": len(texts),
        "shingle_words": size,
        "as_it_is": judged(truth, found, texts, size),
        "reading": read(sheet),
        "with_planted_edits": {
            "texts": len(more),
            "true_pairs": len(all_true.pairs),
            **{
                who: {**against(all_true, held), "edits": edits(all_true, held, where)}
                for who, held in kept.items()
            },
        },
        "chains": linked(chains(texts, alone, size, THRESHOLD), size, folder),
    }
    if name == "documents":
        figures["numbers"] = numbers(prompts(texts, alone), folder)
    return figures, sheet


def read(sheet: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the share of removals that the reader found wrong, or right but debatable, of those that have a verdict."""
    known = [line for line in sheet if "verdict" in line]
    wrong = sum(line["verdict"] == "wrong" for line in known)
    debatable = sum(line.get("why", "").startswith("debatable") for line in known)
    return {
        "wrong": rate(wrong, len(known)),
        "wrong_or_debatable": rate(wrong + debatable, len(known)),
        "of_different_bytes": sum(line["dropped"] != line["stays"] for line in sheet),
    }


def main() -> None:
    """Measure each corpus, and write the results and the sheets."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--peer-python")
    words.add_argument("--folder", type=Path)
    asked = words.parse_args()
    file = RESULTS / "duplicates_reading.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    held, sheets = {}, []
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        for name in CORPORA:
            held[name], sheet = measure(name, Path(folder), asked.peer_python, known)
            sheets += sheet
            print(name, json.dumps(held[name]["as_it_is"]), flush=True)
        crowds = {f"{shared} of 100 words shared": crowded(shared, Path(folder)) for shared in (75, 86)}
    settings = {
        "threshold": THRESHOLD,
        "seed": SEED,
        "labels": "none, so that no row is spared as kin",
        "peers": duplicates_peers.SETTINGS,
    }
    written = {"settings": settings, "corpora": held, "crowds": crowds, "machine": machine.describe()}
    (RESULTS / "duplicates_quality.json").write_text(json.dumps(written, indent=1) + "\n")
    file.write_text(json.dumps(sheets, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print((RESULTS / "duplicates_quality.json").read_text())


if __name__ == "__main__":
    main()
