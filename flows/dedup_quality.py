"""How good a run's `near_duplicates` was on its own rows: a sample compared with all rows, without hashes in between.

Recall: of the sampled rows that a better row which stays is alike to, the share that went. Precision: of sampled removals,
the share that is as alike as the threshold to the row that they name, compared anew.
"""

import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import survival, text
from corpus.decide import MeasuredFeatures
from corpus.runner import Progress
from corpus.shingles import Bands, ShingleSets
from corpus.statistics import wilson
from corpus.store import Store
from curation.near_duplicates import NearDuplicates
from flows.brute_force import Pairs, alike, each, jaccard
from flows.difference import difference, told
from flows.job import Job
from flows.judged import Judged, judged
from flows.progress import shown
from flows.reading_sheet import write
from flows.what_if import found_run, only

SAMPLE, MARGIN, SHOWN = 2_000, 0.05, 5
_BINS = np.arange(0.3, 1.0001, 0.05)


def dedup_quality(
    run: str,
    root: Path,
    stage: str | None = None,
    sample: int = SAMPLE,
    sheet: Path | None = None,
    *,
    quiet: bool = True,
) -> dict[str, Any]:
    """Return precision, recall, the banding curve and pairs at the margin of a run's `near_duplicates`; write a sheet to read.

    Raises `UserError` where the run has no such stage, or several and none is named.
    """
    began = time.perf_counter()
    store = Store(root.resolve())
    with store.shared(), shown(quiet) as progress:
        job = found_run(store, run)
        number, near = only(job, NearDuplicates, stage)
        with job.runner() as work:
            given = judged(job, number, near, work)
            pairs = _compared(given, sample, progress)
            removals = _removals(job, number, given, sample)
            held = {
                "run": job.folder.name,
                "stage": near.title,
                "threshold": near.threshold,
                "rows": len(given.positions),
                "recall": _recall(given, pairs),
                "precision": _precision(given, removals),
                "banding": _banding(given, pairs),
                "margin": _margin(given, pairs),
                "sheet": None if sheet is None else write(removals, sheet),
            }
    return {**held, "seconds": round(time.perf_counter() - began, 3)}


def _compared(given: Judged, count: int, progress: Progress) -> Pairs:
    """Compare a sample of the rows that the stage judged with all that stood."""
    entered = np.flatnonzero(given.entered)
    sampled = entered[_sample(given.ids.take(pa.array(entered)), count)]
    least = min(float(_BINS[0]), given.stage.threshold - MARGIN)
    return alike(given, sampled, least, progress)


def _sample(ids: pa.StringArray, count: int) -> np.ndarray:
    """Return positions (ascending) of rows whose ids have the least digests: the same rows whenever they are asked."""
    from corpus.schema import digest

    keys = np.array([digest("dedup-quality", one)[:8] for one in ids.to_pylist()], "S8")
    return np.sort(np.argsort(keys, kind="stable")[:count])


def _recall(judged: Judged, pairs: Pairs) -> dict[str, Any]:
    """Of sampled rows that a better row which stays is alike to, the share that went; rows of unlike label or number aside."""
    order = survival.Survivors(
        judged.rows,
        MeasuredFeatures(judged.standing.parts, judged.stage, judged.positions)["words"].to_numpy(),
        judged.stage.prefer,
        judged.stage.priority,
    )
    near = pairs.alike >= judged.stage.threshold
    one, two = pairs.one[near], pairs.two[near]
    places, of = np.unique(np.r_[one, two], return_inverse=True)
    rank, label = order.rank(places)[of], order.classes(places)[of]
    count = len(one)
    may = (label[:count] == label[count:]) & judged.kept[two] & _meet(judged, one, two)
    better = may & (rank[count:] < rank[:count])
    rivals = np.bincount(one[better], minlength=len(judged.positions))
    missed = np.unique(one[better & judged.kept[one] & (rivals[one] >= judged.stage.keep)])
    fell = pairs.sampled[~judged.kept[pairs.sampled]]
    return {**_share(len(fell), len(fell) + len(missed)), "sampled_rows": len(pairs.sampled)} | {
        "missed": [judged.ids[int(at)].as_py() for at in missed[:SHOWN]]
    }


def _meet(judged: Judged, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Say which pairs the stage may compare: those whose numbers are the same where they matter."""
    places = np.unique(np.r_[one, two])
    if not len(places) or judged.stage.numbers == "none":
        return np.ones(len(one), bool)
    found = np.concatenate(
        [part.to_numpy() for part in judged.rows.stream(_Numbers(judged.stage.numbers), places)]
    )
    keys = found[np.searchsorted(places, np.r_[one, two])]
    same: np.ndarray = keys[: len(one)] == keys[len(one) :]
    return same


@dataclass(frozen=True)
class _Numbers:
    """The key of each row's numbers that matter."""

    numbers: text.Numbers

    def __call__(self, rows: pa.Table, context: object) -> pa.Array:
        return pa.array(text.numbers_apart(rows, self.numbers))


def _removals(job: Job, number: int, judged: Judged, count: int) -> list[dict[str, Any]]:
    """Return a sample of the stage's drops and marks, with what both rows say."""
    ledger = pq.read_table(job.segment(number) / "ledger.parquet")
    lines = ledger.filter(pc.equal(ledger["stage"], judged.stage.title))
    some: list[dict[str, Any]] = lines.take(
        pa.array(_sample(lines["id"].combine_chunks(), count))
    ).to_pylist()
    where = [
        pc.index_in(pa.array([line[name] for line in some], pa.string()), judged.ids)
        for name in ("id", "other")
    ]
    for line, said, other in zip(
        some,
        *(judged.texts(at.to_numpy(zero_copy_only=False)) if len(some) else [] for at in where),
        strict=True,
    ):
        line["text"], line["other_text"] = said, other
    return some


def _precision(judged: Judged, removals: list[dict[str, Any]]) -> dict[str, Any]:
    """Compare each sampled removal anew with the row that it names."""
    places = [
        pc.index_in(pa.array([line[name] for line in removals], pa.string()), judged.ids).to_numpy()
        for name in ("id", "other")
    ]
    wanted = np.unique(np.concatenate(places)) if removals else np.zeros(0, np.int64)
    size = ShingleSets(judged.stage.shingle_words)
    sets = (
        [one.values.to_numpy() for part in judged.rows.stream(size, wanted) for one in each(part)]
        if len(wanted)
        else []
    )
    found = (
        [
            jaccard(sets[one], sets[two])
            for one, two in np.searchsorted(wanted, np.stack(places, axis=1)).tolist()
        ]
        if removals
        else []
    )
    right = sum(alike >= judged.stage.threshold for alike in found)
    wrong = max(
        (abs(alike - line["score"]) for alike, line in zip(found, removals, strict=True)), default=0.0
    )
    return {**_share(right, len(found)), "largest_error_of_a_score": wrong}


def _share(successes: int, n: int) -> dict[str, Any]:
    low, high = wilson(successes, n)
    return {"value": successes / n if n else None, "low": low, "high": high, "n": n}


def _banding(judged: Judged, pairs: Pairs) -> list[dict[str, Any]]:
    """Return for each likeness the share of pairs that share a band, beside what the bands are made for."""
    shape = Bands.at(judged.stage.threshold)
    features = MeasuredFeatures(judged.standing.parts, judged.stage, judged.positions)
    met = np.zeros(len(pairs.one), bool)
    some = pairs.alike >= _BINS[0]
    for name in shape.names:
        keys = features[name].to_numpy()
        met[some] |= (keys[pairs.one[some]] == keys[pairs.two[some]]) & (keys[pairs.one[some]] != 0)
    found = []
    for low, high in pairwise(_BINS):
        inside = (pairs.alike >= low) & (pairs.alike < high if high < 0.999 else pairs.alike <= 1)
        count = int(inside.sum())
        made_for = [shape.proposes(float(one)) for one in pairs.alike[inside]]
        observed = _share(int(met[inside].sum()), count)
        found.append(
            {"from": round(float(low), 2), "to": round(float(high), 2), "proposed": observed}
            | {"made_for": float(np.mean(made_for)) if count else None}
        )
    return found


def _margin(judged: Judged, pairs: Pairs) -> dict[str, list[dict[str, Any]]]:
    """Return a few pairs on each side of the threshold, the nearest first, and how they differ."""
    limit = judged.stage.threshold
    told: dict[str, list[dict[str, Any]]] = {}
    for name, inside in (
        ("below", (pairs.alike < limit) & (pairs.alike >= limit - MARGIN)),
        ("above", (pairs.alike >= limit) & (pairs.alike <= limit + MARGIN)),
    ):
        places = np.flatnonzero(inside)
        near = places[np.argsort(np.abs(pairs.alike[places] - limit), kind="stable")]
        some: list[int] = []
        seen: set[frozenset[int]] = set()
        for at in near.tolist():
            pair = frozenset((int(pairs.one[at]), int(pairs.two[at])))
            if pair not in seen and len(some) < SHOWN:
                seen.add(pair)
                some.append(at)
        told[name] = [_pair(judged, pairs, at) for at in some]
    return told


def _pair(judged: Judged, pairs: Pairs, at: int) -> dict[str, Any]:
    one, two = int(pairs.one[at]), int(pairs.two[at])
    said = judged.texts([one, two]) if one != two else []
    return {
        "alike": float(pairs.alike[at]),
        "ids": [judged.ids[one].as_py(), judged.ids[two].as_py()],
        "kept": [bool(judged.kept[one]), bool(judged.kept[two])],
        "difference": told(difference(*said)),
    }


def show(held: dict[str, Any]) -> None:
    """Print the figures, the curve and the pairs at the margin."""
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)
    console.print(
        f"{held['stage']} of {held['run']}: {held['rows']:,} rows, Jaccard {held['threshold']:g} and more",
        soft_wrap=True,
    )
    for name, of in (
        ("recall", "of rows that a better one is alike to went"),
        ("precision", "of removals are as alike as that"),
    ):
        console.print(f"{name:<10} {_told(held[name])} {of}", soft_wrap=True)
    console.print("\npairs that share a band")
    table = Table(box=None, pad_edge=False)
    for name in ("likeness", "pairs", "proposed", "made for"):
        table.add_column(name, justify="right")
    for line in held["banding"]:
        n = line["proposed"]["n"]
        if n:
            table.add_row(
                f"{line['from']:.2f} to {line['to']:.2f}",
                f"{n:,}",
                f"{line['proposed']['value']:.3f}",
                f"{line['made_for']:.3f}",
            )
    console.print(table)
    for name, what in (("above", "just over the threshold"), ("below", "just under it, so both may stay")):
        console.print(f"\n{what}")
        for pair in held["margin"][name]:
            console.print(f"  {pair['alike']:.3f}  {pair['difference']}", soft_wrap=True)
    if held["sheet"] is not None:
        console.print(f"\n{held['sheet']}: removals to be read; write a verdict beside each")


def _told(share: dict[str, Any]) -> str:
    if share["value"] is None:
        return "cannot tell: there is none"
    return f"{share['value']:.3f} ({share['low']:.3f} to {share['high']:.3f}, n {share['n']:,})"
