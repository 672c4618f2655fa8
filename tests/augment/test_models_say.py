"""Rows are said anew by an instructed model: the same for a seed however they are cut, and what is no answer is refused as such."""

import json

import pyarrow as pa
import pytest
from pydantic import ValidationError

from augment.admission import Admission
from augment.asked import ours
from augment.back_translation import BackTranslation
from augment.paraphrase import Paraphrase
from corpus.asking import Ask
from corpus.memo import Replay
from corpus.models import Models
from corpus.sampled import Sampled
from corpus.schema import ROW, UserError, grown_id
from corpus.stage import Context, Stage
from tests import chat, embedding, laws
from tests.corpora import chats, make

TEXTS = [
    "I love the cat and you like dogs",
    "@ann I saw that 12 dogs like the big cat http://t.co/aB1",
    "that large house is not on a mat",
    "Thanks",
    "",
]


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return chat.tiny(tmp_path_factory.mktemp("chat") / "model", card="---\nlicense: apache-2.0\n---\n")


@pytest.fixture(scope="module")
def admission(tmp_path_factory):
    return Admission(embedding=embedding.tiny(tmp_path_factory.mktemp("embedding")), min_words=1)


@pytest.fixture
def context(tmp_path):
    return Context(7, "paraphrase", Models(tmp_path, tmp_path / "cache"), Replay(tmp_path / "replay"))


def paraphrase(uri: str, *deeds: str, **knobs) -> Paraphrase:
    templates = {deed: chat.instruction(deed) for deed in deeds or ("anew",)}
    return Paraphrase(engine=f"model+{uri}", **{"templates": templates, "temperatures": (0.2,), **knobs})


def grown(stage: Paraphrase | BackTranslation, texts: list[str], context: Context) -> list[dict]:
    rows = stage.grow(make(texts), context).to_pylist()
    return [{**row, **json.loads(row["extra"])["grown"]} for row in rows]


def test_a_candidate_is_what_the_model_says_and_tells_how_it_was_asked(context, uri):
    row = grown(paraphrase(uri), TEXTS[:1], context)[0]

    parent = make(TEXTS[:1])["id"][0].as_py()
    parameters = {"template": "anew", "instruction": chat.instruction("anew"), "temperature": 0.2, "seed": 7}
    assert row["messages"] == [{"role": "text", "content": "I like the cat and you adore dogs"}]
    assert json.loads(row["extra"])["grown"] == {
        "engine": f"model+{uri}",
        "revision": context.models.instructed(uri).revision,
        "parameters": parameters,
        "n": 0,
        "licence": f"made with {uri} (apache-2.0)",
        "masks_lost": False,
    }
    named = [f"{name}={value}" for name, value in parameters.items()]
    assert row["id"] == grown_id(parent, "paraphrase", (f"model+{uri}", *named), 0)


def test_masks_come_back_and_short_rows_are_left_alone(context, uri):
    rows = grown(paraphrase(uri), TEXTS, context)

    parents = {row["id"]: row["messages"][0]["content"] for row in make(TEXTS).to_pylist()}
    said = {parents[row["parent"]]: row["messages"][0]["content"] for row in rows}
    assert set(said) == set(TEXTS[:3])
    assert said[TEXTS[1]] == "@ann I saw that 12 dogs adore the large cat http://t.co/aB1"
    assert not any(row["masks_lost"] for row in rows)


def test_each_variant_has_an_instruction_and_a_temperature_and_more_leave_the_first_alone(context, uri):
    few = paraphrase(uri, "anew", "echo", temperatures=(0.2, 1.5), variants=3)
    more = few.model_copy(update={"variants": 6})

    first, longer = grown(few, TEXTS[:3], context), grown(more, TEXTS[:3], context)

    asked = [(row["parameters"]["template"], row["parameters"]["temperature"]) for row in longer]
    pairs = {(name, degree) for name in ("anew", "echo") for degree in (0.2, 1.5)}
    for start in (0, 6, 12):
        assert set(asked[start : start + 4]) == pairs
        assert asked[start + 4 : start + 6] == asked[start : start + 2]
    assert len({asked[0], asked[6], asked[12]}) > 1, "rows begin with pairs of their own"
    assert first == [row for row in longer if row["n"] < 3]


def test_what_was_said_once_is_replayed_and_another_seed_draws_anew(context, uri, tmp_path):
    stage = paraphrase(uri, "anew", "echo", temperatures=(2.0,), variants=2)
    once = stage.grow(make(TEXTS), context)
    files = set((tmp_path / "replay").rglob("*.parquet"))

    again = stage.grow(make(TEXTS), context)
    after = set((tmp_path / "replay").rglob("*.parquet"))
    other = stage.grow(make(TEXTS), Context(8, "paraphrase", context.models, context.replay))

    assert again.equals(once)
    assert after == files
    assert not {*once["id"].to_pylist()} & {*other["id"].to_pylist()}
    assert once["messages"].to_pylist() != other["messages"].to_pylist()


def test_candidates_do_not_depend_on_the_part_that_their_parents_lie_in(context, uri, tmp_path):
    stage = paraphrase(uri, "anew", "echo", "forever", temperatures=(0.2, 1.5), variants=3)
    rows = make([f"{text} and the cat sat on a mat" for text in TEXTS * 4])
    apart = [
        Context(7, "paraphrase", context.models, Replay(tmp_path / f"{start}"))
        for start in range(0, len(rows), 3)
    ]

    whole = stage.grow(rows, context)

    parts = [stage.grow(rows.slice(3 * number, 3), one) for number, one in enumerate(apart)]
    assert pa.concat_tables(parts).equals(whole)


def test_two_workers_and_small_parts_grow_the_same_rows(uri, admission):
    stages = [paraphrase(uri, "anew", "echo", temperatures=(1.0,), variants=2), admission]
    rows = make(
        [f"{text} and the cat saw {number}" for number, text in enumerate(TEXTS * 3)], splits=["train"] * 15
    )

    whole = laws.sent(rows, stages)
    cut = laws.sent(rows, stages, part_rows=3, workers=2)

    assert whole.grown == 30
    assert cut.fates() == whole.fates()
    assert cut.kept.equals(whole.kept)


def test_the_laws_of_conservation_and_lineage_hold(uri, admission):
    rows = laws.built(
        [*((text, "positive", 0.9) for text in (*TEXTS, *laws.ODD)), ("I love big dogs", None, None)], "train"
    )
    stages: list[Stage] = [paraphrase(uri, min_words=1), admission]

    laws.conservation(stages, rows)
    laws.lineage(stages, rows)


REASONS = {
    "nothing": "empty",
    "prompt": "prompt_repeated",
    "forever": "endless",
    "echo": "copy_of_parent",
    "quoted": "copy_of_parent",
}


@pytest.mark.parametrize(("deed", "reason"), REASONS.items())
def test_what_is_no_paraphrase_is_a_refusal_with_its_reason(uri, admission, deed, reason):
    rows = make(TEXTS[:3], splits=["train"] * 3)

    outcome = laws.sent(rows, [paraphrase(uri, deed), admission])

    assert outcome.grown == 3
    assert outcome.ledger["reason"].to_pylist() == [reason] * 3
    assert sorted(outcome.kept["id"].to_pylist()) == sorted(rows["id"].to_pylist())


def test_rows_that_say_nothing_or_too_much_are_refused_and_no_run_dies(uri, admission):
    reasons = {
        "http://t.co/a http://t.co/b": {"copy_of_parent"},
        "`x = 1` `y = 2`": {"copy_of_parent"},
        "cat": {"copy_of_parent"},
        "\n".join(["I love the cat and that dogs"] * 1_700): {"copy_of_parent"},
        "x" * 90 + " " + "y" * 300: {"empty", "mask_lost", "length_changed"},
    }
    rows = make([*reasons, "😂 😂 🎉", "", " "], splits=["train"] * 8)  # of which the last three have no word
    stages = [paraphrase(uri, "echo", min_words=1, max_words=20_000), admission]

    outcome = laws.sent(rows, stages)

    parents = {
        grown_id(row, "paraphrase", _named(uri, "echo"), 0): said[0]["content"]
        for row, said in zip(rows["id"].to_pylist(), rows["messages"].to_pylist(), strict=True)
    }
    refused = dict(zip(outcome.ledger["id"].to_pylist(), outcome.ledger["reason"].to_pylist(), strict=True))
    assert outcome.grown == len(refused) == len(reasons)
    assert all(reason in reasons[parents[row]] for row, reason in refused.items())
    assert sorted(outcome.kept["id"].to_pylist()) == sorted(rows["id"].to_pylist())


def test_a_row_of_more_words_than_the_recipe_allows_does_not_grow(context, uri):
    assert grown(paraphrase(uri), ["you love the cat and that dogs\n" * 1_700], context) == []


def test_of_a_chat_only_what_is_asked_is_said_anew(context, uri):
    rows = chats([("user", "I love the cat"), ("assistant", "you like the big dogs")])

    row = paraphrase(uri).grow(rows, context).to_pylist()[0]

    assert row["messages"] == [
        {"role": "user", "content": "I like the cat"},
        {"role": "assistant", "content": "you like the big dogs"},
    ]


def test_no_rows_grow_nothing(context, uri):
    assert paraphrase(uri).grow(make([]), context).equals(ROW.empty_table())


def test_a_language_model_translates_there_and_back(context, uri):
    row = grown(BackTranslation(engine=f"model+{uri}"), TEXTS[:1], context)[0]

    assert row["messages"] == [{"role": "text", "content": "I adore the cat and you love dogs"}]
    told = json.loads(row["extra"])["grown"]
    ways = [context.models.engine_revision(f"{pair}:model+{uri}") for pair in ("eng-spa", "spa-eng")]
    assert told == {
        "engine": f"model+{uri}",
        "revision": ", ".join(ways),
        "parameters": {"language": "eng", "pivot": "spa", "back": f"model+{uri}"},
        "n": 0,
        "pivot": "I like the cat and you adore dogs",
        "licence": f"made with {uri} (apache-2.0)",
        "masks_lost": False,
    }


def test_other_languages_are_other_candidates(context, uri):
    spanish = grown(BackTranslation(engine=f"model+{uri}"), TEXTS[:1], context)[0]
    german = grown(BackTranslation(engine=f"model+{uri}", pivot="de"), TEXTS[:1], context)[0]

    assert spanish["id"] != german["id"]
    assert "into German" in german["revision"]


def test_translations_drawn_by_a_language_model_come_again(context, uri, tmp_path):
    stage = BackTranslation(engine=f"model+{uri}", temperature=2.0, variants=3)

    rows = grown(stage, TEXTS[:2], context)
    again = grown(stage, TEXTS[:2], Context(7, "x", context.models, Replay(tmp_path / "other")))

    assert again == rows
    assert len({row["messages"][0]["content"] for row in rows}) > 2


def test_the_shipped_instructions_are_sound_and_known_to_the_identity(context, uri):
    stage = Paraphrase(engine=f"model+{uri}")

    known = stage.identity(context.models)

    assert known["templates"] == dict(ours())
    assert "share" not in known
    assert stage.models == (uri,)
    assert Paraphrase().models == ()
    assert not {"templates", "temperatures"} & set(Paraphrase().identity(context.models))


def test_an_ask_of_the_memo_holds_all_that_the_answer_depends_on(context, uri):
    ask = Ask(chat.instruction("anew"), TEXTS[0], Sampled(0.2, 7, 0))

    said = context.models.ask(uri, pa.array([ask.spelled()])).to_pylist()

    assert said == [{"text": "I like the cat and you adore dogs", "fault": None}]


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"engine": "wordnets"}, "needs wordnet, edits or the URI of an instructed language model"),
        ({"engine": "hf://a/b@main"}, "behind `model\\+`"),
        ({"engine": "model+a"}, "needs a URI"),
        ({"engine": "edits", "temperatures": (0.5,)}, "temperatures is of no use to the engine edits"),
        ({"templates": {"a": "say {text}"}}, "templates is of no use to the engine wordnet"),
        ({"engine": "model+hf://a/b@main", "share": 0.5}, "share is of no use"),
        ({"engine": "model+hf://a/b@main", "templates": {"a": "say it"}}, "needs {text} once"),
        ({"engine": "model+hf://a/b@main", "temperatures": (0,)}, "greater than 0"),
    ],
)
def test_knobs_that_do_not_go_together_are_errors(knobs, message):
    with pytest.raises(ValidationError, match=message):
        Paraphrase(**knobs)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"engine": "model+hf://a/b@main", "pivot": "xyz"}, "the code 'xyz' is not known"),
        ({"engine": "model+hf://a/b@main", "pivot": "eng"}, "needs a pivot other than"),
        ({"engine": "model+b"}, "back_translation.engine needs"),
    ],
)
def test_languages_that_no_model_can_be_asked_for_are_errors(knobs, message):
    with pytest.raises(ValidationError, match=message):
        BackTranslation(**knobs)


def test_a_model_that_cannot_be_asked_is_told_of_before_the_run(context, tmp_path):
    base = chat.tiny(tmp_path / "base", template=None)

    for stage in (Paraphrase(engine=f"model+{base}"), BackTranslation(engine=f"model+{base}")):
        with pytest.raises(UserError, match="its own chat template"):
            stage.ready(context.models)


def _named(uri: str, deed: str) -> tuple[str, ...]:
    asked = {"template": deed, "instruction": chat.instruction(deed), "temperature": 0.2, "seed": 7}
    return (f"model+{uri}", *(f"{name}={value}" for name, value in asked.items()))
