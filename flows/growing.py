"""What the growths of a run did to the mix of its rows: who got rows, what became of pronouns, which labels go with whom now."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.groups import AuditSettings
from audit.growth import pronouns
from audit.growth.association_drift import association_drift
from audit.growth.label_drift import label_drift
from audit.growth.survival import settled
from audit.growth.yields import yields
from corpus import lexicon, text
from corpus.schema import of_splits
from flows.job import Job
from flows.subjects import Candidates, candidates_of, groups_of


def growth(job: Job, settings: AuditSettings) -> list[dict[str, Any]] | None:
    """Measure each growth of the run, beside the rows that it read; None where nothing was grown.

    Groups are what rows said as they were read, and what they say that grew of them.
    """
    grown = [_measured(candidates, settings, job.recipe.seed) for candidates in candidates_of(job)]
    return settled(grown) if grown else None


def _measured(candidates: Candidates, settings: AuditSettings, seed: int) -> dict[str, Any]:
    """Measure a growth over the rows that it read and the candidates of theirs that were admitted."""
    rows = candidates.among.narrow(["id", "parent", "label", "split"]).combine_chunks()
    admitted = pc.is_in(
        rows["id"], value_set=candidates.grown["id"].filter(pa.array(candidates.gate.kept)).combine_chunks()
    ).to_numpy()
    made = candidates.made
    read = of_splits(rows["split"], candidates.grower.splits) & ~made
    parents = rows["id"].filter(pa.array(read))
    of_parent = pc.index_in(rows["parent"].combine_chunks(), parents.combine_chunks())
    owner = pc.fill_null(of_parent, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    owner[read] = np.arange(len(parents))
    counts = [np.bincount(owner[some], minlength=len(parents)) for some in (made, admitted)]
    groups, _ = groups_of(candidates.among, settings)
    some = read | admitted
    labels = rows["label"].combine_chunks()
    return {
        "stage": candidates.grower.title,
        "parents": len(parents),
        "candidates": int(made.sum()),
        "grown": int(admitted.sum()),
        "yields": yields(counts[1], int(counts[0].max()), [group.at(read) for group in groups], seed),
        "pronouns": _pronouns(candidates, settings, owner[admitted]),
        "labels": label_drift(labels.filter(pa.array(read)), counts[1], seed),
        "associations": association_drift(
            [group.at(some) for group in groups],
            labels.filter(pa.array(some)),
            owner[some],
            admitted[some],
        ),
    }


def _pronouns(candidates: Candidates, settings: AuditSettings, owner: np.ndarray) -> dict[str, Any] | None:
    """Count turned pronouns among the candidates that were admitted; None where the lexicon has no pronouns."""
    known = lexicon.load(settings.lexicon).pronouns
    if known is None:
        return None
    before, after = (
        pronouns.kinds(text.contents(rows.filter(pa.array(candidates.gate.kept))), known)
        for rows in (candidates.parents, candidates.grown)
    )
    return pronouns.flips(before, after, owner)
