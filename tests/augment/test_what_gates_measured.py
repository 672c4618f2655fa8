"""Each gate that measures leaves its score of all that it asked, refused or not, as other code computes it."""

import pytest
import sacrebleu

from augment.admission import Admission
from corpus.language_id import ask
from corpus.schema import grown_id
from corpus.text import contents
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import make
from tests.embedding import tiny

HELD = "we waited for two hours at the gate and nobody told us why"
ANSWERS = {
    "they waited at some gate for a long time": "they waited there at the gate and nobody told us",
    "the crew was wonderful and the food was good": "crew and food were good and wonderful",
    "my flight from the coast is late again today": "mi vuelo de la costa llega tarde otra vez hoy",
    "nobody answers the phone at your desk": "at your desk nobody answers the phone today",
}


@pytest.fixture(scope="module")
def embedding(tmp_path_factory) -> str:
    return tiny(tmp_path_factory.mktemp("model"))


def measured(embedding: str, **knobs) -> tuple[dict[str, dict[str, float]], dict[str, dict]]:
    """Return what was measured of each answer, and the ledger's line of those that fell."""
    rows = make([*ANSWERS, HELD], splits=["train"] * len(ANSWERS) + ["test"])
    outcome = laws.sent(
        rows, [Says(answers=ANSWERS), Admission(embedding=embedding, **{**WIDE, "overlap": 1, **knobs})]
    )
    ids = {
        grown_id(row_id, "says", (), 0): ANSWERS[said]
        for row_id, said in zip(rows["id"].to_pylist(), contents(rows).to_pylist(), strict=True)
        if said in ANSWERS
    }
    found: dict[str, dict[str, float]] = {answer: {} for answer in ANSWERS.values()}
    for line in outcome.scores.to_pylist():
        found[ids[line["id"]]][line["name"]] = line["score"]
    return found, {ids[line["id"]]: line for line in outcome.ledger.to_pylist()}


def runs(text: str, size: int) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def jaccard(one: str, other: str) -> float:
    mine, theirs = runs(one, 2), runs(other, 2)
    return len(mine & theirs) / len(mine | theirs)


def test_all_that_is_asked_has_its_scores(embedding):
    found, fell = measured(embedding)

    assert not fell
    for parent, answer in ANSWERS.items():
        one = found[answer]
        assert one["word_ratio"] == len(answer.split()) / len(parent.split())
        assert one["chrf"] == pytest.approx(sacrebleu.sentence_chrf(answer, [parent]).score, abs=1e-6)
        further = runs(answer, 5) & runs(HELD, 5)
        assert one["held_out"] == pytest.approx(len(further) / len(runs(HELD, 5)))
        assert -1 <= one["cosine"] <= 1
        assert "weakest_word" not in one
        assert "label_margin" not in one
        assert "other_language" in one


def test_another_language_is_as_sure_as_the_less_sure_of_both(embedding):
    found, fell = measured(embedding, min_language_score=0.6)

    answer = ANSWERS[parent := "my flight from the coast is late again today"]
    ((english, of),), ((spanish, said),) = ask(parent, 1), ask(answer, 1)
    assert (of, said) == ("__label__en", "__label__es")
    assert found[answer]["other_language"] == pytest.approx(min(english, spanish))
    assert (fell[answer]["reason"], fell[answer]["threshold"]) == ("language_changed", 0.6)
    assert fell[answer]["score"] == found[answer]["other_language"]
    assert "chrf" not in found[answer]  # it was refused before
    assert [one["other_language"] for text, one in found.items() if text != answer] == [0, 0, 0]


def test_the_most_alike_row_is_measured_where_there_is_one(embedding):
    answer = "at your desk nobody answers the phone today"
    found, fell = measured(embedding, near_duplicate=0.5)

    most = jaccard(answer, "nobody answers the phone at your desk")
    assert (fell[answer]["reason"], fell[answer]["score"]) == ("near_duplicate", pytest.approx(most))
    assert found[answer]["jaccard"] == pytest.approx(most)
    assert all(one.get("jaccard", 0) < 0.5 for text, one in found.items() if text != answer)


def test_what_is_counted_stands_in_the_ledger(embedding):
    _, fell = measured(embedding, kept=("persons",))

    line = fell["they waited there at the gate and nobody told us"]
    assert (line["reason"], line["score"], line["threshold"]) == ("person_changed", 1, 1)
