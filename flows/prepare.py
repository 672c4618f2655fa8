"""What can be found wrong before anything heavy runs: files, models, engines, axes."""

from flows import axes
from flows.job import Job


def prepare(job: Job) -> dict[str, str]:
    """Fetch every model that the recipe names, find every source's files and axes; return each model's digest."""
    axes.check(job.recipe)
    for source in job.recipe.sources:
        job.files(source)
    for stage in job.recipe.stages:
        stage.ready(job.models)
    named = [uri for stage in job.recipe.stages for uri in stage.models]
    if job.recipe.tuning is not None:
        named.append(job.recipe.tuning.model)
    if job.recipe.evaluation is not None and job.recipe.evaluation.probe is not None:
        named.append(job.recipe.evaluation.probe)
    if job.recipe.audit is not None and job.recipe.audit.embedding is not None:
        named.append(job.recipe.audit.embedding)
    digests = {uri: job.models.revision(uri) for uri in dict.fromkeys(named)}
    job.write("models.json", digests)
    return digests
