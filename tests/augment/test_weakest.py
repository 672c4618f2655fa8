"""The weakest word of two texts is the one that nothing in the other is like."""

import random

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


def long(words: int) -> list[str]:
    """Draw a text of which the model, which reads 64 letters, sees the first 15 words or so."""
    return random.Random(7).choices(
        ["the", "crew", "was", "kind", "and", "we", "saw", "a", "sea", "from", "our", "old", "town"], k=words
    )


TAIL = ["9177", "2086", "5543", "0912", "7764", "3108"]


def asked_long(embedding: str, at: int, **knobs) -> tuple[list[dict[str, float]], list[str | None]]:
    """Return what is measured, and the reasons, of a long candidate that means its parent, and of one that turns at a word."""
    parent = long(120)
    good = ["the", *parent[1:]]
    bad = [*good[:at], *TAIL, *good[at + len(TAIL) :]]
    rows = make([" ".join(parent)], splits=["train"])
    says = Says(answers={" ".join(parent): (" ".join(good), " ".join(bad))})
    outcome = laws.sent(rows, [says, Admission(embedding=embedding, **{**WIDE, **knobs})])
    ids = [grown_id(rows["id"][0].as_py(), "says", (), number) for number in (0, 1)]
    told = outcome.scores.to_pylist()
    fell = {line["id"]: line["reason"] for line in outcome.ledger.to_pylist()}
    scores_of = [{line["name"]: line["score"] for line in told if line["id"] == one} for one in ids]
    return scores_of, [fell.get(one) for one in ids]


@pytest.mark.parametrize("at", [30, 90, 114])
def test_a_word_that_turned_beyond_what_the_model_reads_at_once_is_found(embedding, at):
    (good, bad), _ = asked_long(embedding, at, min_word_similarity=-1)
    least = (good["weakest_word"] + bad["weakest_word"]) / 2

    _, reasons = asked_long(embedding, at, min_word_similarity=least)

    assert bad["weakest_word"] < good["weakest_word"] - 0.02
    assert reasons == [None, "word_drift"]


@pytest.mark.parametrize("at", [30, 90, 114])
def test_a_text_that_turned_beyond_it_drifts_where_words_are_not_asked(embedding, at):
    (good, bad), _ = asked_long(embedding, at)
    least = (good["cosine"] + bad["cosine"]) / 2

    _, reasons = asked_long(embedding, at, min_similarity=least)

    assert bad["cosine"] < good["cosine"]
    assert reasons == [None, "embedding_drift"]


def test_long_texts_are_compared_a_part_at_a_time(embedding, monkeypatch):
    whole, _ = asked_long(embedding, 90, min_word_similarity=-1)
    monkeypatch.setattr(weakest, "_SIDE", 7)

    parts, _ = asked_long(embedding, 90, min_word_similarity=-1)

    assert [one["weakest_word"] for one in parts] == pytest.approx([one["weakest_word"] for one in whole])


def test_no_candidate_is_embedded_twice(embedding, monkeypatch):
    """Words and texts come from one pass; the label probe asks for originals that are no parent alone."""
    from corpus.encoder import Encoder

    asked: list[str] = []
    for name in ("encode", "encode_whole", "encode_words"):
        monkeypatch.setattr(Encoder, name, _noted(getattr(Encoder, name), asked))

    admitted(embedding, ANSWERS, min_word_similarity=-1)

    assert sorted(asked) == sorted({*ANSWERS, *ANSWERS.values()})


def _noted(method, asked):
    def noted(self, texts, *rest):
        asked.extend(texts)
        return method(self, texts, *rest)

    return noted
