"""Each row that is long enough grows one candidate, which names how it was made."""

import json
import shutil

import pyarrow as pa
import pytest
from pydantic import ValidationError

from augment.back_translation import BackTranslation
from corpus import apertium
from corpus.memo import Replay
from corpus.models import Models
from corpus.schema import ROW, UserError, conform, grown_id
from corpus.stage import Context
from tests.corpora import make

pytestmark = pytest.mark.skipif(
    shutil.which("apertium") is None, reason="needs apt-get install apertium apertium-eng-spa"
)

TWEETS = [
    "@united the flight was late again, I paid $400 http://t.co/aB1",
    "The crew was wonderful and the food good",
    "Thanks",
    "",
]


@pytest.fixture
def context(tmp_path):
    return Context(7, "back_translation", Models(tmp_path, tmp_path / "cache"), Replay(tmp_path / "replay"))


def said(rows: pa.Table) -> dict[str, str]:
    return {row["parent"]: row["messages"][0]["content"] for row in rows.to_pylist()}


def test_each_row_of_enough_words_has_one_candidate(context):
    rows = make(TWEETS)
    long = [row["id"] for row in rows.to_pylist() if len(row["messages"][0]["content"].split()) >= 4]

    grown = BackTranslation().grow(rows, context)

    assert grown.schema == ROW
    assert grown["parent"].to_pylist() == long
    assert grown["operation"].to_pylist() == ["back_translation"] * 2
    parameters = ("apertium", "language=eng", "pivot=spa")
    assert grown["id"].to_pylist() == [grown_id(row, "back_translation", parameters, 0) for row in long]


def test_a_candidate_is_its_parent_through_the_pivot_and_back(context):
    rows = make(TWEETS[1:2])
    spanish = apertium.translate("eng", "spa", pa.array(TWEETS[1:2]))
    english = apertium.translate("spa", "eng", spanish)

    grown = BackTranslation().grow(rows, context).to_pylist()[0]

    assert grown["messages"] == [{"role": "text", "content": english[0].as_py()}]
    assert json.loads(grown["extra"]) == {
        "grown": {
            "engine": "apertium",
            "revision": f"{apertium.revision('eng', 'spa')}, {apertium.revision('spa', 'eng')}",
            "parameters": {"language": "eng", "pivot": "spa"},
            "n": 0,
            "pivot": spanish[0].as_py(),
            "licence": "made with Apertium and its language data (GPL-2.0)",
            "masks_lost": False,
        }
    }


def test_links_handles_and_numbers_come_back_in_the_candidate_and_its_pivot(context):
    grown = BackTranslation().grow(make(TWEETS[:1]), context).to_pylist()[0]
    pivot = json.loads(grown["extra"])["grown"]["pivot"]

    for text in (grown["messages"][0]["content"], pivot):
        assert text.startswith("@united ")
        assert "$400" in text
        assert text.endswith(" http://t.co/aB1")


def test_of_a_conversation_only_the_prompt_is_said_anew(context):
    messages = [
        {"role": "system", "content": "You are a very helpful assistant"},
        {"role": "user", "content": "How was the food in the house?"},
        {"role": "assistant", "content": "The food in the house was good"},
        {"role": "user", "content": "And the crew that you have seen?"},
    ]
    rows = conform({"id": pa.array(["a"]), "messages": pa.array([messages], ROW.field("messages").type)})

    grown = BackTranslation().grow(rows, context)["messages"].to_pylist()[0]
    whole = BackTranslation(roles=None).grow(rows, context)["messages"].to_pylist()[0]

    assert [message["role"] for message in grown] == [message["role"] for message in messages]
    assert [new == old for new, old in zip(grown, messages, strict=True)] == [True, False, True, False]
    assert [new == old for new, old in zip(whole, messages, strict=True)] == [False] * 4


def test_a_candidate_that_is_its_parent_again_is_returned(context):
    rows = make(["Xyzzy plugh frobozz grue"])

    assert list(said(BackTranslation().grow(rows, context)).values()) == ["Xyzzy plugh frobozz grue"]


def test_a_candidate_does_not_depend_on_the_part_that_its_parent_lies_in(context, tmp_path):
    rows = make([f"{text} and {number} more" for number, text in enumerate(TWEETS)])
    apart = [
        Context(7, "back_translation", context.models, Replay(tmp_path / f"{place}"))
        for place in range(len(rows))
    ]

    whole = BackTranslation().grow(rows, context)

    assert pa.concat_tables(
        [BackTranslation().grow(rows.slice(place, 1), one) for place, one in enumerate(apart)]
    ).equals(whole)


def test_what_was_translated_once_is_replayed(context, tmp_path):
    once = BackTranslation().grow(make(TWEETS), context)
    files = set((tmp_path / "replay").rglob("*.parquet"))

    again = BackTranslation(min_words=2).grow(make(TWEETS), context)

    assert again.equals(once)
    assert set((tmp_path / "replay").rglob("*.parquet")) == files


def test_rows_too_short_or_too_long_grow_nothing(context):
    assert BackTranslation().grow(make(["Thanks", "", "word " * 1_001]), context).equals(ROW.empty_table())
    assert BackTranslation().grow(make([]), context).equals(ROW.empty_table())


def test_a_language_that_is_not_installed_says_what_is(context):
    with pytest.raises(UserError, match=r"eng-xyz.*write one that is installed \(.*eng-spa"):
        BackTranslation(pivot="xyz").grow(make(TWEETS), context)


def test_a_pivot_that_is_the_language_itself_is_an_error():
    with pytest.raises(ValidationError, match="needs a pivot other than"):
        BackTranslation(pivot="eng")


def test_a_pair_by_uri_is_engine_language_and_pivot(context):
    assert BackTranslation(engine="apertium:en-gl") == BackTranslation(language="en", pivot="gl")
    assert BackTranslation(engine="apertium:eng-spa") == BackTranslation()


def test_a_versions_id_knows_of_apertium_what_it_knew_before_there_were_models(context):
    known = BackTranslation(engine="apertium:eng-spa").identity(context.models)

    assert known == {
        "name": None,
        "roles": ["text", "user"],
        "splits": ["train"],
        "stage": "back_translation",
        "engine": "apertium",
        "language": "eng",
        "pivot": "spa",
        "min_words": 4,
        "max_words": 1_000,
    }


@pytest.mark.parametrize("pair", ["eng-cat", "en-gl", "en-eo"])
def test_other_pairs_grow_rows_too(context, pair):
    stage = BackTranslation(engine=f"apertium:{pair}")
    try:
        stage.ready(context.models)
    except UserError as error:
        pytest.skip(str(error))

    grown = stage.grow(make(TWEETS[:2]), context).to_pylist()

    assert len(grown) == 2
    for row in grown:
        told = json.loads(row["extra"])["grown"]
        assert (told["masks_lost"], told.get("fault")) == (False, None)
        assert told["parameters"] == dict(zip(("language", "pivot"), pair.split("-"), strict=True))
        assert told["pivot"] not in {row["messages"][0]["content"], *TWEETS, ""}
