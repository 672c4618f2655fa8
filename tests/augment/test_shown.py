"""Few-shot prompts: examples before a prompt are the recipe's, and gates judge what stands behind them."""

import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.admission import Admission
from augment.paraphrase import Paraphrase
from augment.shown import unshown
from augment.templates import Templates
from corpus.memo import Replay
from corpus.models import Models
from corpus.stage import Context
from corpus.text import contents
from tests import laws
from tests.augment.wide import WIDE
from tests.corpora import chats, make
from tests.embedding import tiny

EXAMPLES = (
    {"asked": "What is 12 + 7?", "answered": "It is 19, not 20."},
    {"asked": "Who never wrote to Bob?", "answered": "Ann did not."},
    {"asked": "Which trees are green?", "answered": "All of them."},
)
ROWS = [
    ("the crew was wonderful and the food was rather good today", "train"),
    ("my bags were left behind and nobody told us why we waited", "train"),
    ("a small house stands alone by the river under old trees", "train"),
    ("which trees are green at the end of a long dry summer here", "test"),
]
LONG = [
    {"asked": f"Where is {place}?", "answered": " ".join(f"not {n} {place}{n} of it" for n in range(40))}
    for place in ("Rome", "Oslo", "Bonn", "Turin", "Delhi", "Lima")
]


@pytest.fixture
def context(tmp_path):
    return Context(7, "templates", Models(tmp_path, tmp_path / "cache"), Replay(tmp_path / "replay"))


@pytest.fixture(scope="module")
def embedding(tmp_path_factory) -> str:
    return tiny(tmp_path_factory.mktemp("model"))


def asked(rows: pa.Table) -> list[str]:
    return [row["messages"][0]["content"] for row in rows.to_pylist()]


def told(rows: pa.Table) -> list[dict]:
    return [json.loads(extra)["grown"] for extra in rows["extra"].to_pylist()]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Q: {text}\nA:", "Q: 3 + 4?\nA: 7\n\nQ: Why is it?\nA:"),
        ("Tell me: {text}", "Tell me: 3 + 4?\n7\n\nTell me: Why is it?"),
    ],
)
def test_an_example_is_asked_as_the_prompt_is_and_answered(template, expected, context):
    rows = chats([("system", "Q:"), ("user", "Why is it?"), ("assistant", "So.")])
    stage = Templates(templates=(template,), examples=[{"asked": "3 + 4?", "answered": "7"}], shots=1)

    (row,) = stage.grow(rows, context).to_pylist()

    assert [one["content"] for one in row["messages"]] == ["Q:", expected, "So."]
    grown = json.loads(row["extra"])["grown"]
    assert grown["shown"] == {"role": "user", "characters": expected.rindex("\n\n") + 2}
    assert (grown["parameters"]["shots"], grown["near"]) == (1, True)
    assert grown["licence"] == "the recipe's own templates, the recipe's own examples"


def test_what_is_shown_depends_on_the_row_the_template_and_the_seed_alone(context):
    rows = chats(*([("user", f"What is {number}?"), ("assistant", "It is.")] for number in range(40)))
    stage = Templates(examples=EXAMPLES, shots=2, variants=2)

    whole = stage.grow(rows, context)
    apart = [stage.grow(rows.slice(at, 3), context) for at in range(0, 40, 3)]
    other = stage.grow(rows, Context(8, "templates", context.models, context.replay))

    assert pa.concat_tables(apart).equals(whole)
    assert len({*whole["id"].to_pylist()}) == 80
    assert asked(other) != asked(whole)
    orders = {tuple(sorted(range(3), key=lambda n: said.find(EXAMPLES[n]["asked"]))) for said in asked(whole)}
    assert len(orders) == 6  # each pair, in each order


def test_another_example_makes_another_candidate(context):
    rows = chats([("user", "Why is it?")])
    ids = [
        Templates(examples=[{"asked": "3 + 4?", "answered": answer}], shots=1).grow(rows, context)["id"]
        for answer in ("7", "8")
    ]

    assert ids[0] != ids[1]


def test_no_row_is_shown_its_own_prompt_and_where_too_few_are_left_it_does_not_grow(context):
    rows = chats([("user", " which trees  are green? ")], [("user", "What else?")])

    two = Templates(examples=EXAMPLES, shots=2).grow(rows, context)
    three = Templates(examples=EXAMPLES, shots=3).grow(rows, context)

    own = next(said for said in asked(two) if "which trees" in said)
    assert "All of them." not in own
    assert {"12 + 7", "Bob"} == {one for one in ("12 + 7", "Bob") if one in own}
    assert len(two) == 2
    assert ["What else?" in said for said in asked(three)] == [True]


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"shots": 1}, "there are 0 examples"),
        ({"shots": 4, "examples": EXAMPLES}, "shots is 4 and there are 3 examples"),
        ({"examples": EXAMPLES}, "none would be shown"),
        ({"shots": 1, "examples": [{"asked": " ", "answered": "a"}]}, "asked"),
        ({"shots": 1, "examples": [{"asked": "a"}]}, "answered"),
        ({"shots": 1, "examples": [EXAMPLES[0], {"asked": "what is  12 + 7?", "answered": "19"}]}, "ask the same"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_before_anything_runs(knobs, said):
    with pytest.raises(ValidationError) as error:
        Templates(**knobs)

    assert said in str(error.value)


hostile = st.text(st.sampled_from('ab{}text0\\1%s\n\t <>&\x00\u202e\u2069😂ſhe`é"'), min_size=1, max_size=40)


@settings(deadline=None)
@given(hostile, hostile, hostile)
def test_without_its_examples_a_candidate_is_what_it_is_without_shots(tmp_path_factory, said, one, other):
    folder = tmp_path_factory.mktemp("shown")
    context = Context(7, "t", Models(folder, folder), Replay(folder))
    rows = chats(
        [("system", other), ("user", f"word {said}"), ("assistant", one), ("user", other)],
        [("user", f"last {other}"), ("assistant", one)],
    )
    examples = [{"asked": f"x{one}", "answered": f"y{other}"}]

    few = Templates(examples=examples, shots=1, variants=12).grow(rows, context)
    none = Templates(variants=12).grow(rows, context)

    assert unshown(few)["messages"].equals(none["messages"])
    assert unshown(few).drop_columns(["messages"]).equals(few.drop_columns(["messages"]))
    assert unshown(few.slice(5, 9))["messages"].equals(none["messages"].slice(5, 9))
    assert unshown(pa.concat_tables([rows, few]))["messages"][:2].to_pylist() == rows["messages"].to_pylist()


def test_where_other_roles_are_read_nothing_is_taken_away(context):
    grown = Templates(examples=EXAMPLES, shots=2).grow(
        chats([("user", "Why is it?"), ("assistant", "So.")]), context
    )
    answers = grown.set_column(
        grown.column_names.index("messages"),
        "messages",
        pa.array([[{"role": "assistant", "content": "So."}]], grown.schema.field("messages").type),
    )

    assert unshown(answers).equals(answers)


def test_a_record_that_says_shown_of_itself_is_read_whole():
    rows = make(["one two three"])
    extra = '{"grown":{"shown":{"role":"text","characters":4}}}'
    said = rows.set_column(rows.column_names.index("extra"), "extra", pa.array([extra]))

    assert contents(unshown(said)).to_pylist() == ["one two three"]


def test_a_row_that_shows_examples_does_not_grow_again(context):
    rows = chats([("user", "Why is it so?"), ("assistant", "So.")])
    few = Templates(examples=EXAMPLES, shots=2).grow(rows, context)

    again = [
        Templates(variants=2).grow(pa.concat_tables([rows, few]).sort_by("id"), context),
        Paraphrase(engine="edits", roles=("user",), min_words=1).grow(few, context),
    ]

    assert [{*one["parent"].to_pylist()} for one in again] == [{*rows["id"].to_pylist()}, set()]


def judged(embedding: str, *, examples=(), shots=2, also=(), **knobs):
    rows = make(
        [*(text for text, _ in ROWS), *also], splits=[*(split for _, split in ROWS), *["train"] * len(also)]
    )
    stages = [
        Templates(roles=("text",), variants=3, examples=examples, shots=min(len(examples), shots)),
        Admission(embedding=embedding, **knobs),
    ]
    return laws.sent(rows, stages)


@pytest.mark.parametrize("knobs", [{"min_word_similarity": None, "min_similarity": -1}, {"max_word_ratio": 1.2}, {"min_similarity": 0.95}])  # fmt: skip
def test_gates_find_of_a_few_shot_prompt_what_they_find_of_the_prompt_alone(knobs, embedding):
    few, none = (judged(embedding, examples=one, **knobs) for one in (LONG[:2], ()))

    def found(outcome) -> dict:
        """Scores by parent, template and name."""
        made = {
            row["id"]: (row["parent"], json.loads(row["extra"])["grown"]["parameters"]["template"])
            for row in outcome.kept.to_pylist()
            if row["parent"] is not None
        }
        return {
            (*made[one["id"]], one["name"]): one["score"]
            for one in outcome.scores.to_pylist()
            if one["id"] in made
        }

    mine, theirs = found(few), found(none)
    assert few.grown == none.grown == 9
    assert sorted(few.ledger["reason"].to_pylist()) == sorted(none.ledger["reason"].to_pylist())
    assert len(mine) >= 12
    assert mine == pytest.approx(theirs, nan_ok=True)


@pytest.mark.parametrize(("examples", "shots"), [((), 0), (LONG, 1), (LONG[:1], 1)])
def test_prompts_that_are_near_duplicates_are_so_behind_other_examples_and_others_not_behind_the_same(
    examples, shots, embedding
):
    also = [f"{ROWS[0][0]} again"]
    knobs = {**WIDE, "near_duplicate": 0.6}

    outcome = judged(embedding, examples=examples, shots=shots, also=also, **knobs)

    lines = outcome.ledger.to_pylist()
    assert {line["reason"] for line in lines} == {"near_duplicate"}
    texts = {row["id"]: row["messages"][0]["content"] for row in outcome.kept.to_pylist()}
    assert {texts[line["other"]] for line in lines} <= {ROWS[0][0], also[0]}
    assert (outcome.grown, len(lines)) == (12, 5)  # the sixth template has many words of its own


def test_an_example_of_the_test_set_has_what_shows_it_refused(embedding):
    leak = {"asked": ROWS[3][0], "answered": "Those by the river."}

    outcome = judged(embedding, examples=(leak, EXAMPLES[0]), **{**WIDE, "overlap": 0.3})

    lines = [line for line in outcome.ledger.to_pylist() if line["action"] == "drop"]
    assert [line["reason"] for line in lines] == ["test_overlap"] * 9
    assert {line["other"] for line in lines} == {make([ROWS[3][0]], splits=["test"])["id"][0].as_py()}
    assert judged(embedding, examples=EXAMPLES, **{**WIDE, "overlap": 0.3}).ledger.num_rows == 0
