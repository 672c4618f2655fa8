"""The gate of grown rows, with a growth that says what the test wants it to say."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from sacrebleu.metrics.chrf import CHRF

from augment.admission import Admission
from corpus.decide import NOT_ENTERED
from corpus.schema import grown_id
from corpus.text import contents
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import Outcome, make
from tests.embedding import tiny

PARENT = "the crew was wonderful and the food was rather good today"


@pytest.fixture(scope="module")
def embedding(tmp_path_factory) -> str:
    return tiny(tmp_path_factory.mktemp("model"))


def grown(
    answers: dict[str, str],
    embedding: str,
    others: tuple[str, ...] = (),
    *,
    masks_lost: bool = False,
    near: bool = False,
    **knobs,
) -> Outcome:
    rows = make([*answers, *others], splits=["train"] * len(answers) + ["test"] * len(others))
    return laws.sent(
        rows,
        [
            Says(answers=answers, masks_lost=masks_lost, near=near),
            Admission(embedding=embedding, **{**WIDE, **knobs}),
        ],
    )


@pytest.mark.parametrize(
    ("said", "knobs", "reason"),
    [
        ("", {}, "empty"),
        (" \n", {}, "empty"),
        (PARENT, {}, "copy_of_parent"),
        (PARENT.upper() + "!", {}, "copy_of_parent"),
        ("completely other words stand here", {"min_chrf": 40}, "meaning_drift"),
        (PARENT.replace("today", "now"), {"max_chrf": 80}, "too_close"),
        ("zzz 999 qqq", {"min_similarity": 0.999}, "embedding_drift"),
        (PARENT.replace("today", "now"), {"max_similarity": 0.5}, "embedding_too_close"),
        (PARENT.replace("today", "now"), {"near_duplicate": 0.7}, "near_duplicate"),
        (PARENT.replace("today", "now"), {}, None),
        (PARENT + " " + PARENT.replace("crew", "staff"), {"max_word_ratio": 1.9}, "length_changed"),
        ("the crew was good", {"max_word_ratio": 2}, "length_changed"),
        (PARENT.replace("was", "was not"), {"kept": ("negations",)}, "negation_changed"),
        (PARENT.replace("was", "was not"), {"kept": ("numbers", "names")}, None),
        (PARENT + " by 9", {"kept": ("numbers",)}, "number_changed"),
        (PARENT.replace("good", "bad"), {"kept": ("opposites",)}, "opposite_said"),
        (PARENT.replace("good", "bad"), {"kept": ("numbers",)}, None),
        (
            "la tripulación era maravillosa y la comida estaba bastante buena hoy",
            {"min_language_score": 0.7},
            "language_changed",
        ),
    ],
)
def test_each_reason_is_given_where_it_holds(said, knobs, reason, embedding):
    outcome = grown({PARENT: said}, embedding, **knobs)

    assert outcome.grown == 1
    assert outcome.ledger["reason"].to_pylist() == ([reason] if reason else [])
    assert PARENT in outcome.texts


def test_a_lost_mask_is_told(embedding):
    outcome = grown({PARENT: "the crew was splendid and the meal good"}, embedding, masks_lost=True)

    (line,) = outcome.ledger.to_pylist()
    assert (line["reason"], line["score"], line["threshold"]) == ("mask_lost", 1.0, 1.0)


@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize(
    ("piece", "came"),
    [
        ("http://t.co/aBcD", "/abcd"),
        ("bit.ly/house", "bit.Ly/house"),
        ("/home/old/house.txt", "house.Txt"),
        ("C:\\house\\big.txt", "big.Txt"),
        ("{user.name}", "{user.Name}"),
        ("example.com/the/house", "sample.Com/the/house/"),
        ("@ann", "@Anna"),
        ("%1$s", "% 1$s"),
        ("😂", "😡"),
    ],
)
def test_a_piece_that_came_back_otherwise_is_lost_whatever_its_maker_says(piece, came, near, embedding):
    parent, said = f"{PARENT} at {piece}", PARENT.replace("today", "now") + f" at {came}"

    assert grown({parent: said}, embedding, near=near).ledger["reason"].to_pylist() == ["mask_lost"]
    assert not grown({parent: said.replace(came, piece)}, embedding, near=near).ledger.num_rows


def test_the_score_is_that_of_sacrebleu_and_the_other_is_the_parent(embedding):
    said = "completely other words stand here"

    line = grown({PARENT: said}, embedding, min_chrf=90).ledger.to_pylist()[0]

    assert line["score"] == pytest.approx(CHRF().sentence_score(said, [PARENT]).score)
    assert (line["threshold"], line["other"]) == (90, make([PARENT], splits=["train"])["id"][0].as_py())


NEAR = {
    "near_duplicate": 0.7,
    "max_chrf": 80,
    "max_similarity": 0.5,
    "kept": ("numbers", "negations", "names", "opposites"),
}


@pytest.mark.parametrize(
    ("parent", "said", "far"),
    [
        (PARENT, PARENT.replace("today", "now"), "too_close"),
        (f"{PARENT} said Anna", f"{PARENT} said Berta", "name_lost"),
        (f"{PARENT} for old people", f"{PARENT} for young people", "opposite_said"),
    ],
)
def test_growth_that_means_to_stay_near_is_let_near_its_parent(parent, said, far, embedding):
    assert grown({parent: said}, embedding, **NEAR).ledger["reason"].to_pylist() == [far]

    assert grown({parent: said}, embedding, near=True, **NEAR).ledger.num_rows == 0


@pytest.mark.parametrize(
    ("said", "others", "reason"),
    [
        (PARENT.upper(), (), "copy_of_parent"),
        (PARENT.replace("was", "was not"), (), "negation_changed"),
        ("zzz 999 qqq", (), "number_changed"),
        (PARENT.replace("today", "now"), (PARENT.replace("today", "then"),), "near_duplicate"),
        (PARENT.replace("today", "now"), (PARENT.replace("today", "now"),), "near_duplicate"),
    ],
)
def test_near_its_parent_it_is_asked_all_else(said, others, reason, embedding):
    outcome = grown({PARENT: said}, embedding, others, near=True, **NEAR)

    assert outcome.ledger["reason"].to_pylist() == [reason]


def test_what_grew_near_one_row_is_like_another_that_grows_too(embedding):
    """Both are parents here; each candidate is the other's parent again, and goes."""
    other = PARENT.replace("today", "now")

    outcome = grown({PARENT: other, other: PARENT}, embedding, near=True, **NEAR)

    assert outcome.ledger["reason"].to_pylist() == ["near_duplicate"] * 2


LINKS = " @somebody_else http://t.co/abcdefghij http://t.co/klmnopqrst #LongHashtagOfTheDay"


@pytest.mark.parametrize(
    ("parent", "said", "reason"),
    [
        ("the news today are good", "good are the tidings now", None),
        ("the news today are good", "Xenon quivers", "meaning_drift"),
    ],
)
def test_links_that_come_back_hide_neither_a_change_nor_nonsense(parent, said, reason, embedding):
    assert CHRF().sentence_score(said + LINKS, [parent + LINKS]).score > 70

    outcome = grown({parent + LINKS: said + LINKS}, embedding, min_chrf=15, max_chrf=70)

    assert outcome.ledger["reason"].to_pylist() == ([reason] if reason else [])


def test_a_candidate_like_a_row_of_the_test_is_refused_and_names_it(embedding):
    said = "the staff were kind and dinner was quite tasty this evening"

    outcome = grown({PARENT: said}, embedding, others=(said + " indeed",), near_duplicate=0.8)

    assert outcome.ledger["reason"].to_pylist() == ["near_duplicate"]
    assert (
        outcome.ledger["other"].to_pylist()
        == make([PARENT, said + " indeed"], splits=["train", "test"])
        .filter(
            pa.array(
                [
                    content != PARENT
                    for content in contents(
                        make([PARENT, said + " indeed"], splits=["train", "test"])
                    ).to_pylist()
                ]
            )
        )["id"]
        .to_pylist()
    )


def test_of_two_candidates_that_are_alike_one_is_admitted(embedding):
    said = "the staff were kind and dinner was quite tasty this evening"

    outcome = grown(
        {PARENT: said, "another row of words altogether": said + " indeed"}, embedding, near_duplicate=0.8
    )

    assert outcome.grown == 2
    assert outcome.ledger["reason"].to_pylist() == ["near_duplicate"]


def test_rows_that_stood_before_are_never_dropped(embedding):
    outcome = grown(
        {PARENT: "the crew was splendid and the meal good"},
        embedding,
        others=(PARENT, PARENT),
        near_duplicate=0.5,
    )

    assert outcome.texts.count(PARENT) == 3


def test_only_candidates_are_asked(embedding):
    steps = grown({PARENT: "the crew was splendid and the meal good"}, embedding, others=("x y z",)).steps

    asked = {row_id for row_id, way in zip(*steps.to_pydict().values(), strict=True) if way != NOT_ENTERED}
    assert asked == {grown_id(make([PARENT], splits=["train"])["id"][0].as_py(), "says", (), 0)}


def test_rows_of_the_test_are_not_grown(embedding):
    rows = make([PARENT, PARENT], splits=["train", "test"])

    outcome = laws.sent(rows, [Says(answers={PARENT: "anew"}), Admission(embedding=embedding)])

    assert outcome.grown == 1


def test_growth_and_admission_obey_the_laws(embedding):
    stages = [
        Says(answers={PARENT: "the crew was splendid and the meal good", "x": ""}),
        Admission(embedding=embedding, min_similarity=-1, min_word_similarity=None),
    ]
    rows = make([PARENT, "x", "some other row", "", "😂"], splits=["train", "train", "test", "train", None])

    laws.conservation(stages, rows)
    laws.lineage(stages, rows)
    laws.parts(stages, rows)


def test_what_came_of_the_candidates_is_told_by_engine(embedding):
    said = "the crew was splendid and the meal good"
    answers = {PARENT: (said, "", PARENT), "x y z": "a wholly different row of words"}

    (line,) = grown(answers, embedding, min_chrf=20).stages[-1]["yields"]

    assert (line["operation"], line["engine"], line["made"], line["admitted"]) == ("says", "a test", 4, 1)
    assert line["refused"] == {"copy_of_parent": 1, "empty": 1, "meaning_drift": 1}
    chrf = [
        CHRF().sentence_score(one, [parent]).score
        for one, parent in ((said, PARENT), (answers["x y z"], "x y z"))
    ]
    assert line["chrf"]["all"] == np.histogram(chrf, 20, (0, 100))[0].tolist()
    assert line["chrf"]["admitted"] == np.histogram(chrf[:1], 20, (0, 100))[0].tolist()
    assert sum(line["cosine"]["all"]) == sum(line["cosine"]["admitted"]) == 1


def test_a_band_that_nothing_can_pass_is_told():
    with pytest.raises(ValidationError, match="no candidate could pass"):
        Admission(min_chrf=90, max_chrf=20)
