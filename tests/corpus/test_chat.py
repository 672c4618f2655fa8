"""An instructed model says of a text the same in any company, leaves out nothing of it, and says why it has no answer."""

import json
import math
import random
import shutil
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import pytest

from corpus import translation
from corpus.answers import ANSWERED, Answer
from corpus.asking import Ask, check
from corpus.chat import Chat
from corpus.models import Models
from corpus.sampled import Sampled
from corpus.schema import UserError
from tests import chat

PLAIN = [word for word in chat.WORDS if not word.startswith("Xqz")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("chat")


@pytest.fixture(scope="module")
def uri(folder):
    return chat.tiny(folder / "model")


@pytest.fixture
def models(tmp_path):
    return Models(tmp_path, tmp_path / "cache")


def made_of_words(count: int) -> list[str]:
    draw = random.Random(7)
    return [" ".join(draw.sample(PLAIN, draw.randint(3, 14))) for _ in range(count)]


def answers(
    models: Models, uri: str, texts: list[str], deed: str = "anew", sampled: Sampled | None = None
) -> list[Answer | None]:
    return models.instructed(uri).answer([Ask(chat.instruction(deed), text, sampled) for text in texts])


def test_the_model_does_what_it_is_asked(models, uri):
    texts = made_of_words(60)

    right = [
        answer == Answer(chat.said_as(text))
        for answer, text in zip(answers(models, uri, texts), texts, strict=True)
    ]

    assert sum(right) > 55


def test_answers_are_those_of_the_library_asked_for_one_text_at_a_time(models, uri):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = uri.removeprefix("file:")
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path).eval()
    texts = made_of_words(20)
    expected = []
    for text in texts:
        turn = {"role": "user", "content": chat.instruction("anew").replace("{text}", text)}
        asked = tokenizer.apply_chat_template(
            [turn], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        said = model.generate(**asked, do_sample=False, max_new_tokens=50)[0, asked["input_ids"].shape[1] :]
        expected.append(Answer(tokenizer.decode(said, skip_special_tokens=True)))

    assert answers(models, uri, texts) == expected


@pytest.mark.parametrize("sampled", [None, Sampled(1.5, 7, 0)], ids=["likeliest", "drawn"])
def test_an_answer_is_the_same_in_any_order_and_company(models, uri, sampled):
    texts = made_of_words(70)
    order = random.Random(7).sample(range(70), 70)
    whole = answers(models, uri, texts, sampled=sampled)

    assert answers(models, uri, [texts[at] for at in order], sampled=sampled) == [whole[at] for at in order]
    assert answers(models, uri, texts[::7], sampled=sampled) == whole[::7]
    assert answers(models, uri, texts[3:4], sampled=sampled) == whole[3:4]


def test_asks_of_several_kinds_are_answered_together_as_they_are_alone(models, uri):
    texts = made_of_words(12)
    asks = [
        Ask(chat.instruction(deed), text, sampled)
        for text in texts
        for deed in ("anew", "echo", "forever")
        for sampled in (None, Sampled(0.5, 7, 0), Sampled(1.5, 7, 1))
    ]
    model = models.instructed(uri)

    together = model.answer(asks)

    assert [model.answer([ask])[0] for ask in asks[::5]] == together[::5]
    assert model.answer(asks[::-1]) == together[::-1]


def test_draws_differ_by_number_and_seed_and_come_again(models, uri):
    texts = made_of_words(12)
    first, second, other = (
        answers(models, uri, texts, sampled=sampled)
        for sampled in (Sampled(2, 7, 0), Sampled(2, 7, 1), Sampled(2, 8, 0))
    )

    assert first not in (second, other, answers(models, uri, texts))
    assert answers(models, uri, texts, sampled=Sampled(2, 7, 0)) == first
    assert answers(models, uri, texts, sampled=Sampled(0.01, 7, 0)) == answers(models, uri, texts)


def test_pieces_are_drawn_as_often_as_the_model_thinks_them_likely(models, uri):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path, temperature, draws = uri.removeprefix("file:"), 3.0, 100
    tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModelForCausalLM.from_pretrained(path)
    told = "<|user|> " + chat.instruction("anew").replace("{text}", "cat") + " <|model|> cat"
    asked = tokenizer(told, return_tensors="pt", add_special_tokens=False)
    with torch.inference_mode():
        likely = (model(**asked).logits[0, -2:].double() / temperature).softmax(1)
    expected = float(likely[0, tokenizer.convert_tokens_to_ids("cat")] * likely[1, 0])

    heard = Counter(
        answers(models, uri, ["cat"], sampled=Sampled(temperature, 7, n))[0] for n in range(draws)
    )

    assert 0.05 < expected < 0.95
    assert abs(heard[Answer("cat")] / draws - expected) < 4 * math.sqrt(expected * (1 - expected) / draws)


def test_a_long_text_is_asked_sentence_by_sentence_and_none_is_left_out(models, uri):
    sentence = "I love the cat and you like dogs because"
    text = "\n".join([sentence] * 1_200)

    answer = answers(models, uri, [text])[0]

    assert len(text.split()) == 10_800
    assert answer == Answer("\n".join([chat.said_as(sentence)] * 1_200))


@dataclass(frozen=True)
class Repeats:
    """A decoder that says each text again, and holds prompts to what a model of so many positions could read and say."""

    tokenizer: Any
    positions: int

    def decode(self, prompts):
        asked = [one.text.partition(" : ")[2] for one in prompts]
        for one, text in zip(prompts, asked, strict=True):
            assert one.most == 2 * len(text.split()) + 16
            assert math.ceil(len(one.pieces) / 32) * 32 + math.ceil(one.most / 32) * 32 <= self.positions
        return [(self.tokenizer(text)["input_ids"], False) for text in asked]


@pytest.mark.parametrize("positions", [120, 192, 4_096])
def test_a_text_is_asked_in_pieces_that_the_model_can_read_and_answer(models, uri, positions):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(uri.removeprefix("file:"))
    text = " ".join(["I love the cat and you like dogs because"] * 120)

    said = Chat(tokenizer, Repeats(tokenizer, positions), positions).answer(
        [Ask(chat.instruction("echo"), text, None), Ask(chat.instruction("echo"), text[:197], None)]
    )

    assert said == [Answer(text), Answer(text[:197])]


def test_a_model_that_could_not_read_a_word_beside_the_instruction_is_asked_nothing(models, uri):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(uri.removeprefix("file:"))

    asked = Chat(tokenizer, Repeats(tokenizer, 60), 60).answer([Ask(chat.instruction("echo"), "cat", None)])

    assert asked == [None]


def test_what_has_no_letter_is_not_asked(models, uri):
    texts = ["", " \n", "...", "😂 😂", "12 !"]

    assert answers(models, uri, texts) == [Answer(text) for text in texts]


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        ("nothing", Answer("")),
        ("prompt", Answer("prompt please say this : I saw that cat", "prompt_repeated")),
        ("echo", Answer("I saw that cat")),
        ("quoted", Answer("I saw that cat")),
    ],
)
def test_what_is_no_answer_says_so_and_quotes_are_taken_off(models, uri, deed, expected):
    assert answers(models, uri, ["I saw that cat"], deed) == [expected]


def test_a_model_that_comes_to_no_end_is_stopped_and_told_of(models, uri):
    answer = answers(models, uri, ["I saw that cat"], "forever")[0]

    assert answer == Answer(" ".join(["I"] * (2 * 4 + 16)), "endless")


def test_a_text_of_which_a_sentence_gets_no_answer_has_none(models, uri):
    assert answers(models, uri, ["I saw that cat\nyou like dogs"], "nothing") == [Answer("")]


def test_an_ask_is_spelled_and_read():
    for ask in (Ask("say {text}", "a\n😂", None), Ask("say {text}", "a", Sampled(0.7, 7, 3))):
        assert Ask.read(ask.spelled()) == ask


@pytest.mark.parametrize("instruction", ["say it", "{text}", " ... {text}", "{text} or {text}"])
def test_an_instruction_holds_the_text_once_and_words_round_it(instruction):
    with pytest.raises(UserError, match=r"needs \{text\} once"):
        check(instruction)


def test_a_language_model_translates_on_a_way_between_two_languages(models, uri):
    way = f"eng-spa:model+{uri}"

    said = models.translate(way, pa.array(["I love that big cat"]))

    assert said.type == ANSWERED
    assert said.to_pylist() == [{"text": "I like that large cat", "fault": None}]
    assert "from English into Spanish" in models.engine_revision(way)
    assert models.engine_revision(way) != models.engine_revision(f"spa-eng:model+{uri}")
    with pytest.raises(UserError, match="the code 'xyz' is not known"):
        models.engine_revision(f"eng-xyz:model+{uri}")


def test_revision_and_licence_are_told(models, uri, tmp_path):
    carded = chat.tiny(tmp_path / "carded", card="---\nlicense: apache-2.0\n---\n")

    for library in ("transformers", "tokenizers", "torch"):
        assert f"{library} {version(library)}" in models.instructed(uri).revision
    assert models.instructed(carded).revision != models.instructed(uri).revision
    assert models.instructed(uri).licence == f"made with {uri} (its card names no licence)"
    assert models.instructed(carded).licence == f"made with {carded} (apache-2.0)"


def test_a_model_without_a_chat_template_is_told_of(models, tmp_path):
    uri = chat.tiny(tmp_path / "base", template=None)

    with pytest.raises(UserError, match=r"its own chat template, and .*base has none: take a model"):
        models.instructed(uri).revision  # noqa: B018


def test_a_chat_template_that_leaves_out_the_user_is_told_of(models, tmp_path):
    uri = chat.tiny(tmp_path / "mute", template="<|model|>")

    with pytest.raises(UserError, match="changed or left out turn 0"):
        models.instructed(uri).revision  # noqa: B018


def test_what_goes_on_from_no_text_is_told_of(models, uri, tmp_path):
    shutil.copytree(uri.removeprefix("file:"), tmp_path / "seq2seq")
    (tmp_path / "seq2seq" / "config.json").write_text(json.dumps({"architectures": ["MarianMTModel"]}))
    (tmp_path / "empty").mkdir()
    shutil.copytree(uri.removeprefix("file:"), tmp_path / "odd")
    (tmp_path / "odd" / "config.json").write_text(json.dumps(["odd"]))
    (tmp_path / "notes.txt").write_text("good")

    with pytest.raises(UserError, match="is MarianMTModel: name another"):
        models.instructed(f"file:{tmp_path / 'seq2seq'}").revision  # noqa: B018
    for name in ("empty", "odd"):
        with pytest.raises(UserError, match="is none: name another"):
            models.instructed(f"file:{tmp_path / name}").revision  # noqa: B018
    with pytest.raises(UserError, match="is neither: name another"):
        models.instructed(f"file:{tmp_path / 'notes.txt'}").revision  # noqa: B018
    with pytest.raises(UserError, match="nothing at"):
        models.instructed("file:nowhere").revision  # noqa: B018


def test_a_way_is_found_by_its_uri(models, uri, tmp_path):
    with pytest.raises(UserError, match=r"needs a Marian model .* and .* is none"):
        translation.find(uri, tmp_path, tmp_path)
