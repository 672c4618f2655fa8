"""What a version can say of evaluation sets: which were compared with its rows, how, and what was found."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import evaluation_sets
from corpus.arrays import whole
from corpus.decide import KEPT, NOT_ENTERED
from corpus.standing import Standing
from curation.decontaminate import Decontaminate
from flows.job import Job

FILE = "attestations/decontamination.json"


def certificate(job: Job) -> list[dict[str, Any]]:
    """Return what each stage that decontaminates compared in this run, and what came of it; the earlier rows have their own."""
    found = []
    for number, segment in enumerate(job.segments):
        stages = [stage for stage in segment.row_stages if isinstance(stage, Decontaminate)]
        if not stages:
            continue
        standing = Standing.load(job.segment(number))
        steps = pq.read_table(job.segment(number) / "steps.parquet")
        for stage in stages:
            way = steps[stage.title].to_numpy()[standing.earlier :]
            measured = pa.concat_tables([part.read(stage) for part in standing.fresh_parts])
            found.append(_told(job, stage, measured, way))
    return found


def _told(job: Job, stage: Decontaminate, measured: pa.Table, way: np.ndarray) -> dict[str, Any]:
    share = whole(measured["share"]).to_numpy()
    kept, entered = way == KEPT, way != NOT_ENTERED
    met = whole(measured["place"]).filter(pa.array(entered & (share >= stage.threshold)))
    by_set = pc.value_counts(pc.list_element(pc.split_pattern(met, "/", max_splits=1), 0)).to_pylist()
    told = {
        "stage": stage.title,
        "knobs": stage.model_dump(mode="json", exclude={"against"}),
        "sets": [_set(job, stage, number) for number in range(len(stage.against))],
        "judged": int(entered.sum()),
        "dropped": int((entered & ~kept).sum()),
        "rows_at_or_over_the_threshold_by_set": {one["values"]: one["counts"] for one in by_set},
        "kept_rows_that_share_a_run": int((kept & (share > 0)).sum()),
        "largest_share_of_a_kept_row": float(share[kept].max(initial=0.0)),
    }
    if stage.min_cosine is not None:
        cosine = whole(measured["cosine"]).to_numpy()
        told["largest_cosine_of_a_kept_row"] = float(cosine[kept].max(initial=-1.0))
    return told


def _set(job: Job, stage: Decontaminate, number: int) -> dict[str, Any]:
    source = stage.against[number]
    held = evaluation_sets.load(source, job.models)
    one = evaluation_sets.index((source,), job.models, stage.run_words, stage.min_words)
    return {
        "name": source.name,
        "digest": evaluation_sets.revision(source, job.models),
        "files": sorted(file.name for file in evaluation_sets.files(source, job.models)),
        "rows": held.rows,
        "texts": len(held.texts),
        "texts_not_compared": int((one.runs == 0).sum()),
    }
