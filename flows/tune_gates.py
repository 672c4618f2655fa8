"""How good the gates of admission are on a user's own candidates, as people read them, and what other thresholds would trade."""

import json
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from augment.admission import Admission
from augment.choice import ENOUGH
from corpus.schema import UserError, digest
from corpus.store import Store
from flows import gate_candidates, gate_sheet, gate_trade
from flows.gate_candidates import Candidate
from flows.gate_readers import agreement, judged, reader
from flows.gate_sheet import ASKED, QUESTIONS
from flows.gate_trade import CAPS, KNOBS, Scored
from flows.job import Job
from flows.progress import shown
from flows.what_if import again, found_run, only

WANTED = 0.9
SOUGHT = 2_000
"""Originals among which those are sought that can be made bad; the candidates' own first."""


def write(run: str, root: Path, sheet: Path, stage: str | None = None) -> dict[str, Any]:
    """Write a blind sheet of a run's candidates, and its key beside it.

    Raises `UserError` where the run has no gate, or several and none is named, and where the sheet is there already.
    """
    store = Store(root.resolve())
    with store.shared():
        job = found_run(store, run)
        number, gate = only(job, Admission, stage)
        some = gate_candidates.candidates(job, number, gate)
        if not some:
            raise UserError(f"the run {job.folder.name} made no candidates: there is nothing to read")
        seed = str(job.recipe.seed)
        parents = {one.parent_id for one in some}
        ids = sorted(
            gate_candidates.originals(job, number),
            key=lambda one: (one not in parents, digest(seed, "planted", one)),
        )
        others = gate_candidates.as_candidates(job, number, ids[:SOUGHT])
        told = gate_sheet.write(some, others, job.recipe.seed, sheet)
    command = ["winnow", "tune-gates", job.folder.name, "--read", str(sheet)]
    command += [] if stage is None else ["--stage", stage]
    return {"run": job.folder.name, "stage": gate.title, **told, "next": shlex.join(command)}


def tune(
    run: str,
    root: Path,
    sheets: Sequence[Path],
    key: Path | None = None,
    stage: str | None = None,
    wanted: float = WANTED,
    *,
    quiet: bool = True,
) -> dict[str, Any]:
    """Return what readers found, how far they agree, and for each threshold how many candidates pass and how many of these are right.

    A candidate is right where no reader said no to either question and one at least said yes to both. Caps are left out
    (`caps` names them): they choose among good candidates, and would choose others where a threshold moves. `key` lies beside
    the first sheet where it is not named. Raises `UserError` where the sheets are not of this run.
    """
    began = time.perf_counter()
    store = Store(root.resolve())
    with store.shared(), shown(quiet) as progress:
        job = found_run(store, run)
        number, gate = only(job, Admission, stage)
        held = _key(key or gate_sheet.key_of(sheets[0]))
        read = [gate_sheet.read(sheet, len(held["lines"])) for sheet in sheets]
        some = {one.id: one for one in gate_candidates.candidates(job, number, gate)}
        known = {*some, *gate_candidates.originals(job, number)}
        unknown = [line["id"] for line in held["lines"] if line["id"] not in known]
        if unknown:
            raise UserError(
                f"the sheet is of another run: {unknown[0]} is no row of {job.folder.name}; name the run that it was written of"
            )
        settings = [f"{gate.title}.{knob}={bound.widest:g}" for knob, bound in gate_trade.moved(gate).items()]
        caps = [name for name in CAPS if getattr(gate, name) is not None]
        with again(job, settings, progress) as (_, after):
            scored = _scored(after, number, gate, some, held, read)
    return {
        "run": job.folder.name,
        "stage": gate.title,
        "candidates": held["of"],
        "readers": [reader(sheet, held, answers) for sheet, answers in zip(sheets, read, strict=True)],
        "agreement": agreement(read) if len(read) == 2 else None,
        "caps": caps,
        "gates": gate_trade.trades(scored, gate),
        "best": gate_trade.best(scored, gate, wanted),
        "wanted": wanted,
        "seconds": round(time.perf_counter() - began, 3),
    }


def _key(file: Path) -> dict[str, Any]:
    try:
        held: dict[str, Any] = json.loads(file.read_text())
        if {"line", "id", "kind"} <= set(held["lines"][0]) and {"admitted", "refused"} <= set(held["of"]):
            return held
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        pass  # told below, as what lacks a name is
    raise UserError(
        f"needed the key that tune-gates wrote beside the sheet, and {file} is none; name it with --key"
    )


def _scored(
    after: Job,
    number: int,
    gate: Admission,
    some: dict[str, Candidate],
    key: dict[str, Any],
    read: Sequence[Sequence[tuple[bool | None, ...]]],
) -> Scored:
    """Put scores and verdicts of the candidates together that pass all gates but those whose thresholds are moved.

    A near-duplicate of one that passes under wider thresholds alone is not among them: the trade counts it as gone. What caps
    left out passed all gates before; caps are not turned off, since by its targets the run grew from some rows alone.
    """
    told = pq.read_table(after.segment(number) / "scores.parquet")
    scores: dict[str, dict[str, float]] = {bound.score: {} for bound in KNOBS.values()}
    for line in told.filter(pc.equal(told["stage"], gate.title)).to_pylist():
        scores.setdefault(line["name"], {})[line["id"]] = line["score"]
    ledger = pq.read_table(after.segment(number) / "ledger.parquet", columns=["id", "stage", "reason"])
    refused = pc.and_(pc.equal(ledger["stage"], gate.title), pc.not_equal(ledger["reason"], ENOUGH))
    gone = {*ledger.filter(refused)["id"].to_pylist()}
    ids = [row_id for row_id in some if row_id not in gone]
    verdicts = {}
    for line in key["lines"]:
        answers = [answer for of_reader in read for answer in judged(of_reader[line["line"]])]
        answers = [answer for answer in answers if answer is not None]
        if line["kind"] in ("admitted", "refused") and answers:
            verdicts[line["id"]] = all(answers)
    counts = {
        kind: sum(line["kind"] == kind and line["id"] in verdicts for line in key["lines"])
        for kind in ("admitted", "refused")
    }
    kinds = {row_id: "admitted" if one.reason is None else "refused" for row_id, one in some.items()}
    return Scored(
        {
            name: np.array([of_name.get(one, np.nan) for one in ids], float)
            for name, of_name in scores.items()
        },
        np.array(
            [key["of"][kinds[one]] / counts[kinds[one]] if one in verdicts else 0.0 for one in ids], float
        ),
        np.array([verdicts.get(one, False) for one in ids], bool),
    )


def show_written(held: dict[str, Any]) -> None:
    """Say what stands on the sheet, and what a reader is to do."""
    planted = held["planted"]
    count = sum(planted["kinds"].values())
    kinds = ", ".join(f"{kind} {number}" for kind, number in planted["kinds"].items() if number)
    told = [
        f"{held['lines']} lines in {held['sheet']}: {held['admitted']} admitted, {held['refused']} refused, "
        f"{count} planted" + (f" ({kinds})" if kinds else "")
    ]
    if planted["of_originals"]:
        told.append(
            f"{planted['of_originals']} of the planted are made of originals, for too few admitted candidates are left: many differ "
            "from them in one word, which is easier to see than in a candidate"
        )
    if held["left_out"]:
        told.append(f"{held['left_out']} refused are left out, so that their originals could be taken")
    if count < planted["asked"]:
        told.append(
            f"{planted['asked']} were to be planted: no other training row is left that the sheet does not show"
        )
    told.append(
        f"answer yes or no under {' and '.join(QUESTIONS)}, and if you like under {ASKED[-1]} (would a fluent person write this?), "
        f"without opening {held['key']}; then {held['next']}"
    )
    print("\n".join(told))  # noqa: T201 - what the command says


def show(held: dict[str, Any]) -> None:
    """Print what readers found, the trade of each knob, and the thresholds that would be best."""
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)
    counts = (
        f"{held['candidates']['admitted']:,} admitted, {held['candidates']['refused']:,} refused"
        + f"; what passes below is counted without {' and '.join(held['caps'])}" * bool(held["caps"])
    )
    console.print(f"{held['run']}, {held['stage']}: {counts}\n", soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    kinds = ("admitted", "refused", "planted")
    fluent = [one[kind][ASKED[-1]] for one in held["readers"] for kind in kinds]
    asked = ASKED if any(fluent) else QUESTIONS
    for name in ("reader", "lines", *asked, "planted seen"):
        table.add_column(name)
    for one in held["readers"]:
        for kind in kinds[:2]:
            table.add_row(one["sheet"], kind, *(_told(one[kind][name]) for name in asked))
        seen = "none is planted" if not one["planted"]["lines"] else _told(one["planted_caught"]["all"])
        shares = [_told(one["planted"][name]) if name in one["planted"] else "" for name in asked]
        table.add_row(one["sheet"], "planted", *shares, seen)
    console.print(table)
    for question, told in (held["agreement"] or {}).items():
        if told:
            console.print(
                f"agreement on {question}: kappa {told['kappa']:.2f} ({told['low']:.2f} to {told['high']:.2f})"
            )
    for trade in held["gates"]:
        console.print(f"\n{trade['knob']}, now {trade['now']}", soft_wrap=True)
        table = Table(box=None, pad_edge=False)
        for name in ("value", "would pass", "of these right"):
            table.add_column(name, justify="right" if name != "of these right" else "left")
        for point in trade["points"]:
            here = "*" if point["value"] == trade["now"] else ""
            table.add_row(f"{here}{point['value']:g}", f"{point['admitted']:,}", _told(point["precision"]))
        console.print(table)
    best = held["best"]
    if best is None:
        console.print(
            f"\nno thresholds that were tried are right at least {held['wanted']:.0%} of the time for sure; read more lines"
        )
    else:
        knobs = " ".join(f"--set {held['stage']}.{knob}={value:g}" for knob, value in best["knobs"].items())
        console.print(
            f"\nmost with at least {held['wanted']:.0%} right: {best['admitted']:,} pass, {_told(best['precision'])}"
        )
        console.print(f"winnow what-if {held['run']} {knobs}", soft_wrap=True)


def _told(share: dict[str, Any] | None) -> str:
    if share is None:
        return "nobody read one"
    return f"{share['value']:.2f} ({share['low']:.2f} to {share['high']:.2f}, n {share['n']})"
