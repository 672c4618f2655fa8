"""The audits of a run, over its folder: of the data stage by stage, of growth, of the model; and what stops it."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audit import association, findings
from audit.crossings import crossed, judged
from audit.groups import AuditSettings, Membership
from audit.growth.survival import admission, survival
from audit.index import index
from audit.models.accuracy import accuracy
from audit.models.classes import by_class
from audit.models.counterfactual import Say, counterfactual
from audit.remedies import remedies
from audit.representation import against_reference, representation
from audit.retention import retention
from audit.splits import splits
from corpus import lexicon
from corpus.runner import Progress, silent
from corpus.schema import UserError
from flows import approval, embedded, gates, growing, probing, staying, subjects, sweeps
from flows.counterfactuals import exchanges
from flows.curate import opened
from flows.job import Job
from flows.samples import Judged, samples


def audit_data(job: Job, progress: Progress = silent) -> None:
    """Measure what each stage did to whom, and who is in the data; what was measured is kept in the run's folder.

    Texts are kept apart (`samples.json`, `pairs.json`), where what quotes a row that is forgotten is found.
    """
    settings, snapshot = subjects.settings_of(job), subjects.came(job)
    ids = snapshot.narrow(["id"])["id"].combine_chunks()
    with embedded.beside(job, len(ids), settings) as by:
        groups, cut = subjects.groups_of(snapshot, settings)
        steps = list(subjects.steps_of(job, ids))
        published = staying.published(job, groups, settings)
        kept = published.kept
        progress("embedding", 0, 0)
        drawn = embedded.embed(job, snapshot, groups, kept, settings, by)
        measured = retention(steps, groups, settings, job.recipe.seed, cut)
        gated, of_growth = _gated(job, settings)
        shares = representation(groups, kept, published.by_group, published.others, settings)
        across = crossed(steps, groups, kept, settings, job.recipe.seed)
        measured += [*of_growth, *against_reference(shares, settings), *across.measured]
        probes, pairs = probing.probes(job, snapshot, groups, kept, settings)
        associated, growth = _associations(job, groups, kept), growing.growth(job, settings)
        seen = embedded.seen(job, drawn, snapshot, groups, kept, steps, settings)
    measured += seen.measured
    found = findings.settle(measured, settings)
    job.write(
        "audit-data.json",
        {
            "settings": settings.model_dump(mode="json"),
            "measured": measured,
            "representation": shares,
            "splits": splits(groups, published.split, published.beside, published.rows),
            "associations": associated,
            "probes": probes,
            "crossings": across.counts,
            "crossings_of_few": across.of_few,
            **seen.told,
            "growth": growth,
            "sweeps": sweeps.sweeps(job, measured, groups, steps, settings),
        },
    )
    job.write("pairs.json", pairs)
    job.write("clusters.json", seen.quotes)
    came = Judged(ids, steps, [*groups, *seen.clusters])
    job.write("samples.json", samples(job, found, [came, *gated], settings) if settings.show_text else [])


def _gated(job: Job, settings: AuditSettings) -> tuple[list[Judged], list[findings.Finding]]:
    """Measure by group what became of candidates; return them as their gates judged them, and what was found."""
    gated: list[Judged] = []
    measured: list[findings.Finding] = []
    for candidates in subjects.candidates_of(job):
        inherited = subjects.mentions(candidates.parents, settings)
        said = subjects.mentions(candidates.grown, settings)
        stayed = pa.array(candidates.gate.kept)
        of_parents = subjects.members(candidates.parents, settings)
        parents = candidates.parents["id"].combine_chunks()
        measured += admission(candidates.gate, of_parents, settings, job.recipe.seed, parents)
        gated.append(Judged(candidates.grown["id"].combine_chunks(), [candidates.gate], of_parents))
        measured += survival(
            inherited.filter(stayed),
            said.filter(stayed),
            settings,
            candidates.grower.title,
            parents.filter(stayed),
        )
    return gated, measured


def _associations(job: Job, groups: list[Membership], kept: np.ndarray) -> dict[str, Any]:
    """Measure which labels and which words go with each group, among the rows that stay."""
    settings, snapshot = subjects.settings_of(job), subjects.came(job)
    rows, texts = subjects.drawn(snapshot, kept, job.recipe.seed)
    staying = [group.at(kept) for group in groups]
    read = [group.at(rows) for group in groups if group.axis not in ("label", "source")]
    labels = snapshot.narrow(["label"])["label"].filter(pa.array(kept))
    own = {
        (axis, value): terms
        for axis, values in lexicon.load(settings.lexicon).axes.items()
        for value, terms in values.items()
    }
    return {
        "labels": association.with_labels(staying, labels),
        "words": association.with_words(read, texts, own) if settings.show_text else [],
        "read": len(rows),
        "of": int(kept.sum()),
    }


def audit_model(job: Job, say: Say) -> None:
    """Measure by group how often each model was right, and what `say` makes of rows that speak of another group.

    Needs the predictions that evaluation left.
    """
    file = job.folder / "predictions.parquet"
    if not file.exists():
        return
    settings = subjects.settings_of(job)
    said = pq.read_table(file)
    ids = said["id"].combine_chunks()
    kept = pa.concat_tables(
        [rows.filter(pc.is_in(rows["id"], ids)) for rows in map(pq.read_table, opened(job).files("test"))]
    ).combine_chunks()
    if not len(kept) == len(said) == len(ids.unique()):
        raise UserError(
            f"{file} holds {len(said):,} predictions, of which {len(kept):,} are of rows of the test; each must be of one, "
            "so run the evaluation again"
        )
    said = said.take(pc.index_in(kept["id"].combine_chunks(), said["id"].combine_chunks()))
    groups = subjects.members(kept, settings)
    crossing = judged(groups, settings)
    groups += [one.membership(kept.num_rows) for one in crossing]
    # Of rows of one class there is no F1 over classes.
    unlabelled = [group for group in groups if group.axis != "label"]
    sides = [None] * (len(groups) - len(crossing)) + [one.sides for one in crossing]
    labels = json.loads(said.schema.metadata[b"labels"])
    numbers = pa.array(labels, pa.string())
    truth = said["label"].combine_chunks()
    measured, classes = [], []
    known: dict[str, np.ndarray] = {}
    for name in ("base", "tuned"):
        if name not in said.column_names:
            continue
        answers = said[name].combine_chunks()
        known[name] = np.array(said[f"{name}_log_probabilities"].to_pylist()).reshape(-1, len(labels))
        told = accuracy(truth, answers, groups, settings, f"{name} model", baseline=name == "base")
        measured += [
            one if side is None else one | {"sides": side} for one, side in zip(told, sides, strict=True)
        ]
        classes += by_class(
            _numbered(truth, numbers),
            _numbered(answers, numbers),
            known[name],
            labels,
            unlabelled,
            f"{name} model",
            job.recipe.seed,
        )
    chosen, of = exchanges(kept, groups, settings, job.recipe.seed)
    gaps = counterfactual(chosen, of, known, say, _numbered(truth, numbers), labels)
    job.write("audit-model.json", {"measured": measured, "classes": classes, "counterfactual": gaps})


def _numbered(labels: pa.Array, numbers: pa.Array) -> np.ndarray:
    found: np.ndarray = pc.fill_null(pc.index_in(labels, numbers), -1).to_numpy(zero_copy_only=False)
    return found


def conclude(job: Job) -> dict[str, Any]:
    """Settle all that was measured together and apply the gates; return what `audit.json` holds."""
    settings, data = _measured(job)
    models = job.read("audit-model.json") or {"measured": [], "classes": [], "counterfactual": []}
    measured = [*data["measured"], *models["measured"]]
    found = findings.settle(measured, settings)
    record = findings.record(found, settings, lexicon.load(settings.lexicon))
    record["gates"] = gates.outcomes(job.recipe, data, settings)
    record["representation"], record["associations"] = data["representation"], data["associations"]
    record["probes"] = data["probes"]
    record["splits"] = data.get("splits", [])  # versions of earlier builds have none
    record["crossings"], record["diversity"] = data.get("crossings", []), data.get("diversity", [])
    record["embedded"], record["mitigation"] = data.get("embedded"), data.get("mitigation", [])
    record["classes"] = [*data.get("classes", []), *models["classes"]]
    record["growth"] = data.get("growth")  # versions of earlier builds have none
    record["counterfactual"] = models["counterfactual"]
    record["remedies"] = remedies(record, data.get("sweeps", []))
    record["index"] = index(record, published=job.read("version.json") is not None)
    job.write("audit.json", record)
    return record


def _measured(job: Job) -> tuple[AuditSettings, dict[str, Any]]:
    """Return what was measured of the data, and the settings then: where nothing new came they are those of the version."""
    data = job.read("audit-data.json")
    if data is None:
        return subjects.settings_of(job), {
            "measured": [],
            "representation": [],
            "associations": None,
            "probes": [],
            "growth": None,
        }
    return AuditSettings.model_validate(data["settings"]), data


def empty(job: Job) -> bool:
    """Say whether no row is left to be published."""
    return not job.unchanged and not job.standing.stands.any()


def stopping(job: Job) -> list[dict[str, Any]]:
    """Return the gates that stop the run: those that the recipe says must, that failed, and that nobody approved."""
    made = job.read("version.json") is not None
    return gates.unmet(
        job.recipe,
        job.read("audit-data.json"),
        approval.approvals(opened(job), job.recipe.name) if made else [],
    )
