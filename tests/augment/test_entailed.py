"""Where a model of entailment is named, candidate and parent must follow from one another."""

import numpy as np
import pytest

from augment.admission import Admission
from corpus.models import Models
from corpus.schema import UserError, grown_id
from corpus.text import contents
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import make
from tests.embedding import infers, tiny

ANSWERS = {f"the crew of flight {name} was kind": f"{name} had kind people" for name in "abcdefgh"}


@pytest.fixture(scope="module")
def uris(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {"embedding": tiny(folder), "entailment": infers(folder)}


def sent(uris, *, near=False, **knobs):
    rows = make([*ANSWERS], splits=["train"] * len(ANSWERS))
    gate = Admission(**uris, **{**WIDE, **knobs})
    return rows, laws.sent(rows, [Says(answers=ANSWERS, near=near), gate])


def expected(uris, folder):
    """Ask both ways, and take the lesser."""
    models = Models(folder, folder)
    mine, theirs = [*ANSWERS.values()], [*ANSWERS]
    both = [models.entails(uris["entailment"], one, other) for one, other in ((mine, theirs), (theirs, mine))]
    return dict(zip(mine, np.minimum(*both).tolist(), strict=True))


def test_who_does_not_follow_from_the_other_goes_by_the_lesser_of_both_ways(uris, tmp_path):
    told = expected(uris, tmp_path)
    cut = sorted(told.values())[3]

    rows, outcome = sent(uris, min_entailment=cut)

    said = {
        grown_id(row_id, "says", (), 0): ANSWERS[text]
        for row_id, text in zip(rows["id"].to_pylist(), contents(rows).to_pylist(), strict=True)
    }
    fell = {said[line["id"]]: line for line in outcome.ledger.to_pylist()}
    assert {one for one, score in told.items() if score < cut} == set(fell)
    for one, line in fell.items():
        assert (line["reason"], line["score"]) == ("not_entailed", pytest.approx(told[one]))
    scores = {
        said[row["id"]]: row["score"] for row in outcome.scores.to_pylist() if row["name"] == "entailment"
    }
    assert scores == pytest.approx(told)


def test_what_means_to_stay_near_its_parent_is_not_asked(uris):
    _, outcome = sent(uris, near=True, min_entailment=1)

    assert outcome.ledger.num_rows == 0
    assert "entailment" not in outcome.scores["name"].to_pylist()


def test_a_model_that_does_not_infer_is_told_before_anything_runs(uris, tmp_path):
    gate = Admission(embedding=uris["embedding"], entailment=uris["embedding"])

    with pytest.raises(UserError, match="entailment is asked of a model"):
        gate.ready(Models(tmp_path, tmp_path))
