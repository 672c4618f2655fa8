"""What can be found wrong before anything heavy runs: files, models, engines, axes."""

from difflib import get_close_matches

from audit.groups import MENTIONS, AuditSettings
from corpus import lexicon
from corpus.schema import UserError
from flows.job import Job
from flows.metadata import AXES


def prepare(job: Job) -> dict[str, str]:
    """Fetch every model that the recipe names, find every source's files and axes; return each model's digest."""
    _axes(job)
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


def _axes(job: Job) -> None:
    settings = job.recipe.audit or AuditSettings()
    declared = {group for source in job.recipe.sources for group in source.groups}
    spoken = set(lexicon.load(settings.lexicon).axes)
    known = {*spoken, *declared, *(axis for axis in AXES if axis in (settings.axes or ()))}
    asked = [("audit.axes", axis) for axis in settings.axes or ()] + [
        (
            "gates",
            gate.axis.removesuffix(MENTIONS)
            if gate.axis.removesuffix(MENTIONS) in spoken & declared
            else gate.axis,
        )
        for gate in job.recipe.gates
    ]
    asked += [("audit.reference", axis.removesuffix(MENTIONS)) for axis in settings.reference]
    for axis, groups in settings.reference.items():
        values = lexicon.load(settings.lexicon).axes.get(axis, {})
        for group in groups if axis not in declared else ():
            if values and group not in values:
                raise UserError(
                    f"audit.reference: {group!r} is no group of {axis}; there are: {', '.join(values)}"
                )
    for gate in job.recipe.gates:
        if settings.axes is not None and gate.axis not in {*settings.axes, "label", "source"}:
            raise UserError(
                f"gates: {gate.axis!r} is not among audit.axes, so nothing would be found; add it there"
            )
    for where, axis in asked:
        if axis not in known | {"label", "source"}:
            near = get_close_matches(axis, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
            raise UserError(
                f"{where}: {axis!r} is neither an axis of the lexicon nor a group that a source declares nor metadata; {hint}"
            )
