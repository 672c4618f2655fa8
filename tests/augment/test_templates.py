"""A prompt is asked in other ways, its words and its answer as they were."""

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.admission import Admission
from augment.kept import lost
from augment.request import revision
from augment.templates import Templates, ours
from corpus.memo import Replay
from corpus.models import Models
from corpus.schema import ROW
from corpus.stage import Context
from tests import laws
from tests.corpora import chats, make
from tests.embedding import tiny

CHAT = [
    ("system", "Be kind."),
    ("user", "What is {text} in {0}?"),
    ("assistant", "A placeholder."),
    ("user", "And why?"),
]


AROUND = [one for one in ours() if "{text}" in one]
"""Templates that any prompt can be given; the others are for requests."""


@pytest.fixture
def context(tmp_path):
    return Context(7, "templates", Models(tmp_path, tmp_path / "cache"), Replay(tmp_path / "replay"))


def contents(rows: pa.Table) -> list[list[str]]:
    return [[one["content"] for one in row["messages"]] for row in rows.to_pylist()]


def test_the_first_prompt_is_asked_otherwise_and_all_else_is_copied(context):
    rows = chats(CHAT)

    grown = Templates(variants=20).grow(rows, context)

    assert grown.schema == ROW
    assert [[one["role"] for one in row["messages"]] for row in grown.to_pylist()] == [
        [role for role, _ in CHAT]
    ] * 12
    expected = [one.replace("{text}", CHAT[1][1], 1) for one in AROUND]
    assert sorted(contents(grown)) == sorted(
        ["Be kind.", said, "A placeholder.", "And why?"] for said in expected
    )
    told = [json.loads(extra)["grown"] for extra in grown["extra"].to_pylist()]
    assert {one["parameters"]["template"] for one in told} == {*AROUND}
    assert all(one["near"] for one in told)
    assert len({*grown["id"].to_pylist()}) == 12


def test_which_templates_a_row_gets_depends_on_it_and_the_seed_alone(context):
    rows = chats(*([("user", f"What is {number}?"), ("assistant", "It is.")] for number in range(40)))
    stage = Templates(variants=2)

    whole = stage.grow(rows, context)
    apart = [stage.grow(rows.slice(at, 3), context) for at in range(0, 40, 3)]
    other = stage.grow(rows, Context(8, "templates", context.models, context.replay))

    assert pa.concat_tables(apart).equals(whole)
    assert contents(other) != contents(whole)
    drawn = {json.loads(extra)["grown"]["parameters"]["template"] for extra in whole["extra"].to_pylist()}
    assert drawn == {*AROUND}


def test_a_candidate_keeps_its_id_where_the_list_of_templates_grows(context):
    rows = chats([("user", "What is it?"), ("assistant", "That.")])

    few = Templates(templates=("Frage: {text}",)).grow(rows, context)
    more = Templates(templates=("Bitte: {text}", "Frage: {text}"), variants=2).grow(rows, context)

    assert few["id"].to_pylist()[0] in more["id"].to_pylist()
    assert contents(few) == [["Frage: What is it?", "That."]]
    assert json.loads(few["extra"].to_pylist()[0])["grown"]["licence"] == "the recipe's own templates"


def test_a_request_is_said_in_a_templates_words_and_what_it_introduces_stays(context):
    rows = chats(
        [
            ("user", "Please translate this to French: I am not here. Are you?"),
            ("assistant", "Je ne suis pas ici."),
        ]
    )
    ways = ("{request}.", "Please {request}.", "Could you {request}?", "I need you to {request}.")

    grown = Templates(templates=ways, variants=4).grow(rows, context)

    assert sorted(contents(grown)) == [
        ["Could you translate this to French: I am not here. Are you?", "Je ne suis pas ici."],
        ["I need you to translate this to French: I am not here. Are you?", "Je ne suis pas ici."],
        ["Translate this to French: I am not here. Are you?", "Je ne suis pas ici."],
    ]  # and not as it is asked already


def test_a_prompt_without_a_request_gets_the_other_templates_alone(context):
    rows = chats([("user", "What is a poem?")], [("user", "Write a poem.")])
    stage = Templates(templates=("Could you {request}?", "Frage: {text}"), variants=2)

    grown = stage.grow(rows, context)

    assert sorted(contents(grown)) == [
        ["Could you write a poem?"],
        ["Frage: What is a poem?"],
        ["Frage: Write a poem."],
    ]


def test_an_example_is_shown_in_a_request_where_it_is_one(context):
    rows = chats([("user", "Write a poem."), ("assistant", "Roses.")])
    examples = tuple(
        {"asked": asked, "answered": "Yes."} for asked in ("Name the sea.", "Is it blue?", "Explain tides.")
    )
    ways = ("Could you {request}?",)

    ((asked, _),) = contents(Templates(templates=ways, examples=examples, shots=2).grow(rows, context))

    assert asked.endswith("\n\nCould you write a poem?")
    assert {"Could you name the sea?\nYes.", "Could you explain tides?\nYes."} == {*asked.split("\n\n")[:-1]}
    assert Templates(templates=ways, examples=examples, shots=3).grow(rows, context).num_rows == 0


def test_rows_without_a_prompt_do_not_grow(context):
    rows = chats(
        [("text", "a tweet")], [("user", "")], [("user", " \n")], [("assistant", "hello there")],
        [("user", ""), ("user", "but this")],
    )  # fmt: skip

    assert Templates(min_words=0).grow(rows, context).equals(ROW.empty_table())
    assert Templates().grow(make([]), context).equals(ROW.empty_table())


hostile = st.text(st.sampled_from("ab{}text0\\1%s\n\t <>&\x00\u202e\u2069😂ſhe`é"), min_size=1, max_size=40)


@settings(deadline=None)
@given(hostile, st.sampled_from(AROUND))
def test_what_was_asked_stands_in_it_to_the_character(tmp_path_factory, text, template):
    folder = tmp_path_factory.mktemp("templates")
    context = Context(7, "t", Models(folder, folder), Replay(folder))
    rows = chats([("user", f"word {text}"), ("assistant", text)])

    ((asked, answered),) = contents(Templates(templates=(template,)).grow(rows, context))

    before, after = template.split("{text}")
    assert asked == f"{before}word {text}{after}"
    assert answered == text


def test_ten_thousand_words_are_not_cut(context):
    rows = chats([("user", "word " * 10_000), ("assistant", "yes")])

    ((asked, _),) = contents(Templates(max_words=20_000).grow(rows, context))

    assert asked.count("word ") == 10_000
    assert Templates().grow(rows, context).num_rows == 0


def test_our_templates_say_nothing_that_admission_asks_about():
    said, wish = "Ann did not pay 40 to Bob", "tell Ann that 40 are not enough for Bob"
    filled = [
        (one.replace("{text}", said).replace("{request}", wish), said if "{text}" in one else wish)
        for one in ours()
    ]

    assert (len(AROUND), len(ours())) == (12, 20)
    assert [lost(asked, was, ("numbers", "negations", "names")) for asked, was in filled] == [None] * 20


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"templates": ("Answer:",)}, "needs {text} or {request} once"),
        ({"templates": ("{text} and {text}",)}, "needs {text} or {request} once"),
        ({"templates": (" {text}\n",)}, "words around it"),
        ({"templates": ("a {text}", "a {text}")}, "the same"),
        ({"templates": ()}, "at least 1"),
        ({"templates": ("a {text}",), "variants": 2}, "variants is 2"),
        ({"templates": ("{text}: {request}",)}, "needs {text} or {request} once"),
        ({"templates": ("{request}",)}, "words around it"),
        ({"templates": ("{request}. Thank you.",)}, "behind {request}"),
        ({"variants": 21}, "variants is 21"),
    ],
)
def test_what_is_no_template_is_refused_before_anything_runs(knobs, told):
    with pytest.raises(ValidationError) as error:
        Templates(**knobs)

    assert told in str(error.value)


def test_a_version_knows_the_templates(tmp_path):
    models = Models(tmp_path, tmp_path)

    assert Templates().identity(models)["templates"] == [*ours()]
    assert Templates().identity(models)["requests"] == revision()
    assert "requests" not in Templates(templates=AROUND).identity(models)


def test_several_of_one_row_are_admitted_beside_it(tmp_path):
    chat = "What is the capital of the land where the lemons grow and all the trees are green?"
    rows = make([chat, chat.replace("capital", "name")], splits=["train", "test"])
    stages = [
        Templates(roles=("text",), variants=12, templates=AROUND),
        Admission(embedding=tiny(tmp_path), min_similarity=-1, min_word_similarity=None, near_duplicate=0.9),
    ]

    outcome = laws.sent(rows, stages)

    assert outcome.grown == 12
    assert outcome.ledger["reason"].to_pylist() == []
