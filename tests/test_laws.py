"""The laws, a line a stage."""

import pytest

from augment.templates import Templates
from corpus.stage import Stage
from curation.answer_conflicts import AnswerConflicts
from curation.blocklist import Blocklist
from curation.exact_duplicates import ExactDuplicates
from curation.label_conflicts import LabelConflicts
from curation.language import Language
from curation.length import Length
from curation.near_duplicates import NearDuplicates
from curation.normalise import Normalise
from curation.paragraph_duplicates import ParagraphDuplicates
from curation.split import Split
from curation.substring_duplicates import SubstringDuplicates
from flows.stages import OURS
from tests import laws

STAGES: dict[str, list[Stage]] = {
    "normalise": [Normalise(replacement_character="remove")],
    "language": [Language()],
    "length": [Length()],
    "blocklist": [Blocklist(words=("bad", "the phone"))],
    "exact_duplicates": [ExactDuplicates()],
    "exact_duplicates by words": [ExactDuplicates(match="words")],
    "near_duplicates": [NearDuplicates(shingle_words=2)],
    "near_duplicates, longest": [NearDuplicates(shingle_words=5, threshold=0.5, prefer="longest")],
    "paragraph_duplicates": [ParagraphDuplicates(min_words=1, unit="line")],
    "paragraph_duplicates, marked": [ParagraphDuplicates(min_words=2, action="mark")],
    "substring_duplicates": [SubstringDuplicates(min_words=4)],
    "near_duplicates, three of each": [NearDuplicates(shingle_words=2, keep=3)],
    "answer_conflicts": [AnswerConflicts()],
    "label_conflicts": [LabelConflicts()],
    "label_conflicts, most confident": [LabelConflicts(keep="most_confident")],
    "split": [Split()],
    "templates": [Templates(roles=("text",), variants=2)],
    "duplicates, then split": [ExactDuplicates(), NearDuplicates(shingle_words=2), LabelConflicts(), Split()],
}
OF_THEIR_OWN = {
    "semantic_duplicates",
    "decontaminate",
    "diversity",
    "back_translation",
    "paraphrase",
    "counterfactual",
    "admission",
}  # with models: tests of their own hold them to the laws


def test_every_stage_of_ours_is_held_to_the_laws() -> None:
    held = {stage.stage for stages in STAGES.values() for stage in stages} | OF_THEIR_OWN

    assert {kind.model_fields["stage"].default for kind in OURS} == held


@pytest.mark.parametrize("stages", STAGES.values(), ids=STAGES.keys())
class TestLaws(laws.Suite):
    pass


def test_two_workers_answer_as_one():
    rows = laws.built([(f"row number {number} of {number % 5}", None, None) for number in range(40)])
    stages = STAGES["duplicates, then split"]

    assert laws.sent(rows, stages, part_rows=7, workers=2).fates() == laws.sent(rows, stages).fates()
