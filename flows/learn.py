"""Tuning and evaluation of a run, on the shards that it published."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from audit.models.counterfactual import Say
from corpus.arrays import matrix
from corpus.fetch import cache_folder
from corpus.memo import Replay
from corpus.models import EncodeTexts
from corpus.runner import Progress, silent
from corpus.schema import SPLITS
from corpus.stage import Context
from flows.curate import opened
from flows.job import Job


def tune(job: Job, progress: Progress = silent) -> dict[str, Any]:
    """Fine-tune on the version's training rows; write the adapter and `training.json` to the run's folder."""
    from tuning import run
    from tuning.rows import label_set

    assert job.recipe.tuning is not None
    version = opened(job)
    shards = _shards(job)
    return run.tune(
        shards,
        job.recipe.tuning,
        label_set(shards),
        job.folder,
        version=version.id,
        seed=job.recipe.seed,
        base=job.here,
        cache=cache_folder(),
        progress=lambda done, total: progress("training", done, total),
    )


def evaluate(job: Job, progress: Progress = silent) -> dict[str, Any]:
    """Judge what was tuned on the version's test rows; write `scores.json`, predictions and model card."""
    from tuning import run

    assert job.recipe.evaluation is not None
    progress("evaluating", 0, 0)
    probe = job.recipe.evaluation.probe

    context = Context(job.recipe.seed, "evaluation", job.models, Replay(job.store.replay))

    def encode(texts: Sequence[str]) -> np.ndarray:
        assert probe is not None
        found = EncodeTexts(probe, threads=os.cpu_count() or 1)(pa.array(list(texts), pa.string()), context)
        return matrix(found)

    return run.evaluate(
        _shards(job),
        job.recipe.evaluation,
        job.folder,
        base=job.here,
        cache=cache_folder(),
        sources={source.name: source.licence for source in job.recipe.sources},
        encode=encode if probe is not None else None,
    )


def say(job: Job, progress: Progress = silent) -> Say:
    """Return what tells how likely the run's models find each class of texts; they are loaded when they are asked."""

    def said(texts: Sequence[str]) -> dict[str, np.ndarray]:
        from tuning.ask import ask

        progress("asking the models", 0, 0)
        return ask(job.folder, texts, base=job.here, cache=cache_folder())

    return said


def _shards(job: Job) -> dict[Any, list[Path]]:
    version = opened(job)
    version.prove()
    return {split: version.files(split) for split in SPLITS}
