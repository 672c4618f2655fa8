"""A run over files that are as they were has nothing to show: where nobody watches, no server is started for it."""

from functools import partial
from pathlib import Path
from typing import Any

from corpus.fetch import cache_folder
from corpus.models import Models
from corpus.schema import UserError
from corpus.store import Store
from flows import curate, finish, increment
from flows.job import Job, Options, files
from flows.memory import watched
from flows.prepare import prepare
from flows.recipe import Recipe


def standstill(recipe: Recipe, options: Options) -> dict[str, Any] | None:
    """Do a run that changes nothing, and return its summary; None where there may be something to do."""
    store = Store(Path(options.store).resolve())
    models = Models(Path(options.base), cache_folder())
    with store.shared():
        began = increment.begin(
            recipe, store.library, models, alone=increment.alone(recipe, options.fresh, options.limit)
        )
        if began["builds_on"] is None:
            return None
        version = store.library.open(began["builds_on"])
        try:
            idle = finish.asks_nothing(recipe, version) and increment.untouched(
                version, recipe.sources, partial(files, here=Path(options.base))
            )
        except UserError:
            return None  # the run itself will say it
        if not idle:
            return None
        job = Job.begin(recipe, options)
        with watched(job):
            prepare(job)
            curate.ingest(job)
            if not job.unchanged:  # a file changed just now
                store.disk.remove(f"runs/{job.folder.name}")
                return None
            curate.stay(job)
            finish.stay(job)
        return finish.unchanged(job)
