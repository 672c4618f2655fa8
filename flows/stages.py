"""The stages that a recipe may name: ours, and those that other packages bring by the entry point `winnow.stages`."""

import difflib
import functools
from importlib.metadata import entry_points
from typing import Any

from augment.admission import Admission
from augment.back_translation import BackTranslation
from augment.counterfactual import Counterfactual
from augment.paraphrase import Paraphrase
from augment.templates import Templates
from corpus.schema import UserError
from corpus.stage import Stage
from curation.answer_conflicts import AnswerConflicts
from curation.blocklist import Blocklist
from curation.decontaminate import Decontaminate
from curation.diversity import Diversity
from curation.exact_duplicates import ExactDuplicates
from curation.label_conflicts import LabelConflicts
from curation.language import Language
from curation.length import Length
from curation.near_duplicates import NearDuplicates
from curation.normalise import Normalise
from curation.paragraph_duplicates import ParagraphDuplicates
from curation.semantic_duplicates import SemanticDuplicates
from curation.split import Split
from curation.substring_duplicates import SubstringDuplicates

OURS: tuple[type[Stage], ...] = (
    ExactDuplicates,
    Normalise,
    Language,
    Length,
    Blocklist,
    NearDuplicates,
    SemanticDuplicates,
    ParagraphDuplicates,
    SubstringDuplicates,
    Decontaminate,
    LabelConflicts,
    AnswerConflicts,
    Split,
    Diversity,
    BackTranslation,
    Paraphrase,
    Counterfactual,
    Templates,
    Admission,
)


@functools.cache
def known() -> dict[str, type[Stage]]:
    """Return each stage by the name that selects it."""
    stages = {_literal(kind): kind for kind in OURS}
    for point in entry_points(group="winnow.stages"):
        kind = point.load()
        if not (isinstance(kind, type) and issubclass(kind, Stage)):
            raise UserError(
                f"the entry point {point.name} ({point.value}) is not a stage; it must be a class derived from corpus.stage.Stage"
            )
        name = _literal(kind)
        if name in stages:
            raise UserError(f"the stage {name!r} of {point.value} has the name of another; rename one")
        stages[name] = kind
    return stages


def named(name: str) -> type[Stage]:
    """Return the stage of a name, or say which names come near."""
    stages = known()
    if name not in stages:
        near = difflib.get_close_matches(name, stages, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(stages))}"
        raise UserError(f"unknown stage {name!r}; {hint}")
    return stages[name]


def _literal(kind: type[Stage]) -> str:
    default: Any = kind.model_fields["stage"].default
    if not isinstance(default, str):
        raise UserError(f"{kind.__name__} has no literal field `stage` with a default")
    return default
