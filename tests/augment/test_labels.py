"""Whether a candidate keeps its parent's label is answered by fits that never saw the parent's family."""

import random

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from augment.admission import Admission
from corpus.models import Models
from corpus.schema import grown_id
from corpus.statistics import wilson
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import make, send
from tests.embedding import tiny

ASKED = {**WIDE, "min_label_margin": 1.0}


@pytest.fixture(scope="module")
def embedding(tmp_path_factory) -> str:
    return tiny(tmp_path_factory.mktemp("model"))


def said(letters: str, draw: random.Random) -> str:
    return " ".join("".join(draw.choices(letters, k=5)) for _ in range(6))


def corpus(count=60, seed=5):
    """Texts and their labels: of a to d where it is early in the alphabet, of w to z where it is late."""
    draw = random.Random(seed)
    labels = ["early" if number % 2 else "late" for number in range(count)]
    return [said("abcd" if label == "early" else "wxyz", draw) for label in labels], labels


def admitted(texts, labels, answers, embedding, splits=None, **knobs):
    rows = make(texts, labels, splits=splits or ["train"] * len(texts))
    return laws.sent(rows, [Says(answers=answers), Admission(embedding=embedding, **{**ASKED, **knobs})])


def test_a_candidate_that_reads_like_another_label_is_refused_and_one_that_does_not_stays(embedding):
    texts, labels = corpus(200)
    draw = random.Random(9)
    early = [text for text, label in zip(texts, labels, strict=True) if label == "early"]
    answers = {early[0]: said("wxyz", draw), early[1]: said("abcd", draw)}

    outcome = admitted(texts, labels, answers, embedding)

    (line,) = outcome.ledger.to_pylist()
    rows = make(texts, labels, splits=["train"] * 200).to_pylist()
    parent = next(row["id"] for row in rows if row["messages"][0]["content"] == early[0])
    assert (line["id"], line["reason"], line["other"], line["threshold"]) == (
        grown_id(parent, "says", (), 0), "label_changed", parent, 1.0,
    )  # fmt: skip
    assert line["score"] > 1


def test_the_score_is_that_of_scikit_learns_fits_over_the_other_families(embedding, tmp_path):
    """The originals in id order, in float64, each fold's candidates by the fit that left their parents out."""
    texts, labels = corpus(80)
    labels[4], labels[7] = labels[7], labels[4]  # two parents that any fit misjudges
    draw = random.Random(9)
    answers = {text: said("abcd" if number % 3 else "wxyz", draw) for number, text in enumerate(texts[:12])}
    rows = make(texts, labels, splits=["train"] * len(texts))
    ids = rows["id"].to_pylist()
    family = [ids[at - at % 2] for at in range(len(ids))]  # two and two are kin
    rows = rows.set_column(rows.schema.get_field_index("family"), "family", pa.array(family))

    outcome = send(
        rows,
        [Says(answers=answers), Admission(embedding=embedding, **{**WIDE, "min_label_margin": 1e-9})],
        tmp_path,
    )

    held = rows.to_pylist()  # in id order
    model = Models(tmp_path, tmp_path)
    words = [row["messages"][0]["content"] for row in held]
    vectors = model.encode(embedding, pa.array(words)).astype(float)
    truth = np.array([row["label"] for row in held])
    kin = np.array(family, object)
    expected = {}
    for learned, asked in StratifiedGroupKFold(5, shuffle=True, random_state=7).split(vectors, truth, kin):
        fit = LogisticRegression(max_iter=1_000).fit(vectors[learned], truth[learned])
        for at in asked:
            if words[at] in answers:
                child = model.encode(embedding, pa.array([answers[words[at]]])).astype(float)
                mine = list(fit.classes_).index(truth[at])
                margins = [
                    told[1 - mine] - told[mine]
                    for told in fit.predict_log_proba(np.stack([child[0], vectors[at]]))
                ]
                expected[grown_id(ids[at], "says", (), 0)] = margins[0] - max(0, margins[1])
    found = {line["id"]: line["score"] for line in outcome.ledger.to_pylist()}
    assert len(expected) == 12
    assert found == pytest.approx({row: score for row, score in expected.items() if score >= 1e-9}, abs=1e-5)
    assert 2 < len(found) < 10


def test_of_a_parent_that_is_misjudged_anyway_only_what_is_doubted_more_counts(embedding):
    texts, labels = corpus()
    labels[1] = "late"  # and reads like an early one, as its candidate does
    answers = {texts[1]: said("abcd", random.Random(2))}

    assert admitted(texts, labels, answers, embedding).ledger.num_rows == 0


@pytest.mark.parametrize("word", [-1, None])
def test_what_stands_beyond_what_the_model_reads_at_once_is_asked_too(word, embedding):
    """The model reads 64 letters; both candidates begin alike."""
    texts, labels = corpus(200)
    draw = random.Random(9)
    begin = " ".join(said("abcd", draw) for _ in range(3))
    others = [" ".join(said(letters, draw) for _ in range(9)) for letters in ("abcd", "wxyz")]
    answers = {texts[1]: tuple(f"{begin} {other}" for other in others)}

    outcome = admitted(texts, labels, answers, embedding, min_word_similarity=word, min_label_margin=0.5)

    rows = make(texts, labels, splits=["train"] * len(texts)).to_pylist()
    parent = next(row["id"] for row in rows if row["messages"][0]["content"] == texts[1])
    child = grown_id(parent, "says", (), 1)
    assert [(line["id"], line["reason"]) for line in outcome.ledger.to_pylist()] == [(child, "label_changed")]


@pytest.mark.parametrize(
    ("labels", "knobs"),
    [
        (lambda labels: [None] * len(labels), {}),
        (lambda labels: ["early"] * len(labels), {}),
        (lambda labels: ["early"] * (len(labels) - 9) + ["late"] * 9, {}),
        (lambda labels: labels, {"min_label_margin": None}),
    ],
)
def test_where_labels_tell_nothing_apart_nobody_is_asked(labels, knobs, embedding):
    texts, known = corpus()
    answers = {texts[1]: said("wxyz", random.Random(2))}

    assert admitted(texts, labels(known), answers, embedding, **knobs).ledger.num_rows == 0


def test_rows_of_the_test_teach_nothing(embedding):
    texts, labels = corpus()
    answers = {texts[1]: said("wxyz", random.Random(2))}
    splits = ["train" if number < 12 else "test" for number in range(len(texts))]

    assert admitted(texts, labels, answers, embedding, splits=splits).ledger.num_rows == 0


def test_the_same_rows_are_refused_whatever_the_size_of_a_part(embedding):
    texts, labels = corpus()
    draw = random.Random(9)
    answers = {text: said("abcd" if number % 3 else "wxyz", draw) for number, text in enumerate(texts[:20])}
    stages = [Says(answers=answers), Admission(embedding=embedding, **{**WIDE, "min_label_margin": 0.1})]

    laws.parts(stages, make(texts, labels, splits=["train"] * len(texts)))


def test_what_the_probe_is_worth_is_told(embedding):
    texts, labels = corpus(80)
    labels[4], labels[7], labels[9] = labels[7], labels[4], labels[4]  # three that no fit can know

    outcome = admitted(texts, labels, {texts[1]: said("abcd", random.Random(2))}, embedding)

    told = outcome.stages[-1]["label_probe"]
    low, high = wilson(77, 80)
    assert told == {
        "rows": 80, "classes": ["early", "late"], "right": {"value": 77 / 80, "low": low, "high": high, "n": 80},
    }  # fmt: skip
