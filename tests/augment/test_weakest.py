"""The weakest word of two texts is the one that nothing in the other is like."""

import numpy as np
import pytest

from augment import weakest
from augment.admission import Admission
from corpus.schema import grown_id
from corpus.text import contents
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import make
from tests.embedding import tiny

ANSWERS = {
    "the crew was wonderful and the food was good": "the staff was wonderful and the food was good",
    "we paid for three nights": "we paid for three knights, x",
    "my flight is late again": "again my flight is late",
    "!!! ???": "... !!!",
}


@pytest.fixture(scope="module")
def embedding(tmp_path_factory) -> str:
    return tiny(tmp_path_factory.mktemp("model"))


def by_hand(uri: str, one: str, other: str) -> float:
    """Compare every piece with every other in plain Python, by the library's own vectors."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(uri.removeprefix("file:"), device="cpu")

    def pieces(text: str) -> list[np.ndarray]:
        names = model.tokenizer.convert_ids_to_tokens(model.tokenizer(text)["input_ids"])
        vectors = model.encode([text], output_value="token_embeddings")[0].numpy()
        return [
            vector / np.linalg.norm(vector)
            for name, vector in zip(names, vectors, strict=True)
            if name.strip("#").isalnum() and not name.startswith("[")
        ]

    mine, theirs = pieces(one), pieces(other)
    best = [max(float(a @ b) for b in theirs) for a in mine] + [
        max(float(a @ b) for a in mine) for b in theirs
    ]
    return min(best)


def admitted(embedding: str, answers: dict[str, str], *, near: bool = False, **knobs):
    rows = make([*answers], splits=["train"] * len(answers))
    gate = Admission(embedding=embedding, **{**WIDE, **knobs})
    return laws.sent(rows, [Says(answers=answers, near=near), gate])


def scores(outcome) -> dict[str, float]:
    """Return the score of each answer that was asked."""
    rows = make([*ANSWERS], splits=["train"] * len(ANSWERS))
    ids = zip(rows["id"].to_pylist(), contents(rows).to_pylist(), strict=True)
    said = {grown_id(row_id, "says", (), 0): ANSWERS[parent] for row_id, parent in ids}
    return {
        said[row["id"]]: row["score"] for row in outcome.scores.to_pylist() if row["name"] == "weakest_word"
    }


def test_it_is_the_least_of_the_best_cosines_of_either_side(embedding):
    found = scores(admitted(embedding, ANSWERS, min_word_similarity=-1))

    parents = {said: parent for parent, said in ANSWERS.items()}
    assert set(found) == set(ANSWERS.values()) - {"... !!!"}  # which has no word
    for said, score in found.items():
        assert score == pytest.approx(by_hand(embedding, said, parents[said]), abs=0.02)


def test_pairs_are_the_same_in_blocks(embedding, monkeypatch):
    whole = scores(admitted(embedding, ANSWERS, min_word_similarity=-1))
    monkeypatch.setattr(weakest, "_BLOCK", 1)

    assert scores(admitted(embedding, ANSWERS, min_word_similarity=-1)) == whole


def test_a_candidate_with_a_word_too_weak_goes_and_one_that_means_to_stay_near_does_not(embedding):
    least = min(scores(admitted(embedding, ANSWERS, min_word_similarity=-1)).values())

    reasons = [
        line["reason"]
        for line in admitted(embedding, ANSWERS, min_word_similarity=least + 1e-6).ledger.to_pylist()
    ]

    assert reasons == ["word_drift"]
    assert admitted(embedding, ANSWERS, near=True, min_word_similarity=1).ledger.num_rows == 0


def test_no_candidate_is_embedded_twice(embedding, monkeypatch):
    """Words and texts come from one pass; the label probe asks for originals that are no parent alone."""
    from corpus.encoder import Encoder

    asked: list[str] = []
    for name in ("encode", "encode_words"):
        monkeypatch.setattr(Encoder, name, _noted(getattr(Encoder, name), asked))

    admitted(embedding, ANSWERS, min_word_similarity=-1)

    assert sorted(asked) == sorted({*ANSWERS, *ANSWERS.values()})


def _noted(method, asked):
    def noted(self, texts, *rest):
        asked.extend(texts)
        return method(self, texts, *rest)

    return noted
