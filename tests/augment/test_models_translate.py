"""Rows are said anew by models: several ways each, the same for a seed however they are cut, and faults are told of."""

import json

import pyarrow as pa
import pytest
from pydantic import ValidationError

from augment.admission import Admission
from augment.back_translation import BackTranslation
from corpus.memo import Replay
from corpus.models import Models
from corpus.schema import ROW, UserError, grown_id
from corpus.stage import Context
from tests import embedding, laws, marian
from tests.corpora import make

TEXTS = [
    "I love the cat and you love the dogs",
    "@ann the big house is 7 not 12 , I like it http://t.co/aB1",
    "dogs bark loudly in my house . I saw that\n\nI love the big cat",
    "Thanks",
    "",
]


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return marian.tiny(tmp_path_factory.mktemp("marian") / "opus-mt-en-en")


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    return marian.tiny(tmp_path_factory.mktemp("marian") / "endless", ends=False)


@pytest.fixture
def context(tmp_path):
    return Context(7, "back_translation", Models(tmp_path, tmp_path / "cache"), Replay(tmp_path / "replay"))


def grown(stage: BackTranslation, texts: list[str], context: Context) -> list[dict]:
    rows = stage.grow(make(texts), context).to_pylist()
    return [{**row, **json.loads(row["extra"])["grown"]} for row in rows]


def test_a_candidate_is_its_parent_through_both_models(context, uri):
    rows = grown(BackTranslation(engine=uri, back=uri), TEXTS[:1], context)

    parent = make(TEXTS[:1])["id"][0].as_py()
    assert [row["messages"] for row in rows] == [
        [{"role": "text", "content": "I adore the cat and you adore the dogs"}]
    ]
    assert json.loads(rows[0]["extra"])["grown"] == {
        "engine": uri,
        "revision": f"{context.models.engine_revision(uri)}, {context.models.engine_revision(uri)}",
        "parameters": {"back": uri},
        "n": 0,
        "pivot": "I like the cat and you like the dogs",
        "licence": f"made with {uri} (CC-BY-4.0)",
        "masks_lost": False,
    }
    assert rows[0]["id"] == grown_id(parent, "back_translation", (uri, f"back={uri}"), 0)


def test_sentences_masks_and_breaks_come_back(context, uri):
    said = {row["parent"]: row for row in grown(BackTranslation(engine=uri, back=uri), TEXTS, context)}
    by_text = {row["messages"][0]["content"]: said.get(row["id"]) for row in make(TEXTS).to_pylist()}

    assert by_text[TEXTS[1]]["messages"][0]["content"] == (
        "@ann the huge house is 7 not 12 , I love it http://t.co/aB1"
    )
    assert by_text[TEXTS[1]]["masks_lost"] is False
    assert by_text[TEXTS[2]]["messages"][0]["content"] == (
        "dogs bark loudly in my house . I saw that\n\nI adore the huge cat"
    )
    assert by_text["Thanks"] is by_text[""] is None


def test_a_temperature_makes_variants_that_differ_and_come_again(context, uri, tmp_path):
    stage = BackTranslation(engine=uri, back=uri, temperature=2.0, variants=4)

    rows = grown(stage, TEXTS[:1], context)
    again = grown(stage, TEXTS[:1], Context(7, "x", context.models, Replay(tmp_path / "other")))
    other_seed = grown(stage, TEXTS[:1], Context(8, "x", context.models, Replay(tmp_path / "seed")))

    assert [row["n"] for row in rows] == [0, 1, 2, 3]
    assert len({row["id"] for row in rows}) == 4
    assert len({row["messages"][0]["content"] for row in rows}) > 2
    assert rows[0]["parameters"] == {"back": uri, "temperature": 2.0, "seed": 7}
    assert again == rows
    assert not {row["id"] for row in rows} & {row["id"] for row in other_seed}


def test_more_variants_replay_the_first_ones(context, uri, tmp_path):
    few = BackTranslation(engine=uri, back=uri, temperature=2.0, variants=2)
    rows = few.grow(make(TEXTS), context)
    written = {file: file.stat().st_mtime_ns for file in (tmp_path / "replay").rglob("*.parquet")}

    again = few.grow(make(TEXTS), context)
    more = few.model_copy(update={"variants": 3}).grow(make(TEXTS), context)

    assert again.equals(rows)
    files = set((tmp_path / "replay").rglob("*.parquet"))
    assert len(files) == len(written) + 2  # of the third variant, there and back
    known = dict(zip(more["id"].to_pylist(), more["messages"].to_pylist(), strict=True))
    assert all(
        known[row] == said
        for row, said in zip(rows["id"].to_pylist(), rows["messages"].to_pylist(), strict=True)
    )


@pytest.mark.parametrize("knobs", [{}, {"temperature": 1.5, "variants": 3}], ids=["likeliest", "drawn"])
def test_candidates_do_not_depend_on_the_part_that_their_parents_lie_in(context, uri, tmp_path, knobs):
    stage = BackTranslation(engine=uri, back=uri, min_words=1, **knobs)
    rows = make([f"{text} and the cat sat on a mat" for text in TEXTS * 4])
    apart = [
        Context(7, "back_translation", context.models, Replay(tmp_path / f"{start}"))
        for start in range(0, len(rows), 3)
    ]

    whole = stage.grow(rows, context)

    parts = [stage.grow(rows.slice(3 * number, 3), one) for number, one in enumerate(apart)]
    assert pa.concat_tables(parts).equals(whole)


def test_two_workers_and_small_parts_grow_the_same_rows(uri, tmp_path_factory):
    stages = [
        BackTranslation(engine=uri, back=uri, temperature=1.0, variants=2),
        Admission(embedding=embedding.tiny(tmp_path_factory.mktemp("embedding"))),
    ]
    rows = make(
        [f"{text} and the cat saw {number}" for number, text in enumerate(TEXTS * 3)], splits=["train"] * 15
    )

    whole = laws.sent(rows, stages)
    cut = laws.sent(rows, stages, part_rows=3, workers=2)

    assert whole.grown == 30
    assert cut.fates() == whole.fates()
    assert cut.kept.equals(whole.kept)


def test_what_comes_to_no_end_or_could_not_be_made_is_refused_as_such(uri, endless, tmp_path_factory):
    impossible = "I love " + "a1b2" * 20  # masked: nobody reads a word of 80 letters
    unreadable = "I love the " + "thcad" * 14
    rows = make([TEXTS[0], impossible, unreadable, "... ? - 7 12 !"], splits=["train"] * 4)
    admission = Admission(embedding=embedding.tiny(tmp_path_factory.mktemp("embedding")))

    def reasons(there: str, back: str) -> dict[str, str]:
        outcome = laws.sent(rows, [BackTranslation(engine=there, back=back, min_words=2), admission])
        assert outcome.grown == 4
        of = dict(zip(outcome.ledger["id"].to_pylist(), outcome.ledger["reason"].to_pylist(), strict=True))
        names = dict(zip(rows["id"].to_pylist(), rows["messages"].to_pylist(), strict=True))
        maker = {grown_id(row, "back_translation", (there, f"back={back}"), 0): row for row in names}
        return {names[maker[row]][0]["content"]: reason for row, reason in of.items()}

    for there, back in ((endless, uri), (uri, endless)):
        assert reasons(there, back) == {
            TEXTS[0]: "endless",
            impossible: "endless",
            unreadable: "not_made",
            "... ? - 7 12 !": "copy_of_parent",
        }


def test_a_fault_is_told_in_the_row(context, uri, endless):
    row = grown(BackTranslation(engine=uri, back=endless), TEXTS[:1], context)[0]

    assert row["fault"] == "endless"
    assert row["pivot"] == "I like the cat and you like the dogs"


def test_no_rows_grow_nothing(context, uri):
    assert BackTranslation(engine=uri, back=uri).grow(make([]), context).equals(ROW.empty_table())


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"engine": "hf://a/b@main"}, "`back` is missing"),
        ({"engine": "apertum"}, "needs apertium, a pair as in apertium:eng-spa, or a model"),
        ({"engine": "hf://a/b@main", "back": "b"}, "back_translation.back needs"),
        ({"engine": "hf://a/b@main", "back": "hf://a/c@main", "variants": 2}, "without a temperature"),
        (
            {"engine": "ctranslate2+hf://a/b@main", "back": "hf://a/c@main", "temperature": 1},
            "engine decodes with CTranslate2",
        ),
        (
            {"engine": "hf://a/b@main", "back": "ctranslate2+hf://a/c@main", "temperature": 1},
            "back decodes with CTranslate2",
        ),
        ({"variants": 2}, "variants is for models"),
        ({"temperature": 1}, "temperature is for models"),
        ({"engine": "apertium", "back": "hf://a/b@main"}, "back is for models"),
        ({"engine": "apertium:engspa"}, "needs a pair as in apertium:eng-spa"),
        ({"engine": "apertium:eng-spa", "pivot": "cat"}, "and pivot 'cat': leave one of the two away"),
        ({"engine": "apertium:eng-eng"}, "needs a pivot other than"),
    ],
)
def test_knobs_that_do_not_go_together_are_errors(knobs, message):
    with pytest.raises(ValidationError, match=message):
        BackTranslation(**knobs)


def test_the_models_of_a_stage_are_those_that_are_fetched(uri):
    assert BackTranslation(engine="ctranslate2+hf://a/b@main", back="hf://a/c@main").models == (
        "hf://a/b@main",
        "hf://a/c@main",
    )
    assert BackTranslation().models == ()


def test_a_model_that_is_not_there_is_told_of_before_the_run(context, uri):
    with pytest.raises(UserError, match="nothing at"):
        BackTranslation(engine=uri, back="file:nowhere").ready(context.models)
    with pytest.raises(UserError, match="apt-cache search apertium-"):
        BackTranslation(engine="apertium:eng-xyz").ready(context.models)
