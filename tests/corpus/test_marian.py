"""A Marian model says of a sentence the same whatever stands beside it, and leaves out nothing of a text."""

import math
import random
from collections import Counter
from importlib.metadata import PackageNotFoundError

import pyarrow as pa
import pytest

from corpus import marian_int8
from corpus.fetching.cache import Cache, digest_of
from corpus.models import Models
from corpus.sampled import Sampled
from corpus.schema import UserError
from tests.marian import SAID_AS, WORDS, said_as, tiny

PLAIN = [word for word in WORDS if word not in {".", "?", "Xqza", "Xqzb", "Xqzc"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("marian")


@pytest.fixture(scope="module")
def uri(folder):
    return tiny(folder / "sound")


@pytest.fixture(scope="module")
def endless(folder):
    return tiny(folder / "endless", ends=False)


@pytest.fixture
def models(tmp_path):
    return Models(tmp_path, tmp_path / "cache")


def made_of_words(count: int, most: int = 15) -> list[str]:
    draw = random.Random(7)
    return [" ".join(draw.choices(PLAIN, k=draw.randint(1, most))) for _ in range(count)]


def said(models: Models, uri: str, texts: list[str], sampled: Sampled | None = None) -> list[str | None]:
    answers = models.translate(uri, pa.array(texts, pa.string()), sampled).to_pylist()
    assert not any(answer["fault"] for answer in answers if answer is not None)
    return [None if answer is None else answer["text"] for answer in answers]


def test_the_model_says_what_it_was_taught(models, uri):
    texts = made_of_words(60)

    right = [one == said_as(text) for one, text in zip(said(models, uri, texts), texts, strict=True)]

    assert sum(right) > 55


def test_answers_are_those_of_the_library_asked_for_one_text_at_a_time(models, uri):
    from transformers import AutoTokenizer, MarianMTModel

    path = uri.removeprefix("file:")
    tokenizer, model = AutoTokenizer.from_pretrained(path), MarianMTModel.from_pretrained(path).eval()
    texts = made_of_words(30)
    expected = [
        tokenizer.decode(
            model.generate(**tokenizer([text], return_tensors="pt"), num_beams=1)[0],
            skip_special_tokens=True,
        )
        for text in texts
    ]

    assert said(models, uri, texts) == expected


@pytest.mark.parametrize("sampled", [None, Sampled(1.5, 7, 0)], ids=["likeliest", "drawn"])
def test_an_answer_is_the_same_in_any_order_and_company(models, uri, sampled):
    texts = made_of_words(70)
    order = random.Random(7).sample(range(70), 70)
    whole = said(models, uri, texts, sampled)

    assert said(models, uri, [texts[place] for place in order], sampled) == [whole[place] for place in order]
    assert said(models, uri, texts[::7], sampled) == whole[::7]
    assert said(models, uri, texts[3:4], sampled) == whole[3:4]


def test_draws_differ_by_number_and_seed_and_come_again(models, uri):
    texts = made_of_words(10)
    first, second, other = (
        said(models, uri, texts, sampled)
        for sampled in (Sampled(2, 7, 0), Sampled(2, 7, 1), Sampled(2, 8, 0))
    )

    assert first not in (second, other, said(models, uri, texts))
    assert said(models, uri, texts, Sampled(2, 7, 0)) == first
    assert said(models, uri, texts, Sampled(0.01, 7, 0)) == said(models, uri, texts)


def test_what_is_drawn_for_one_text_says_nothing_of_what_is_drawn_for_another():
    one, other, again = (Sampled(1, 7, 0).generator(text).random(4).tolist() for text in ("a", "b", "a"))

    assert one == again
    assert not set(one) & set(other)


def test_pieces_are_drawn_as_often_as_the_model_thinks_them_likely(models, uri):
    import torch
    from transformers import AutoTokenizer, MarianMTModel

    path, temperature, draws = uri.removeprefix("file:"), 4.0, 200
    tokenizer, model = AutoTokenizer.from_pretrained(path), MarianMTModel.from_pretrained(path).eval()
    asked = tokenizer(["cat"], return_tensors="pt")
    cat, pad = int(asked["input_ids"][0, 0]), model.config.pad_token_id
    with torch.inference_mode():
        logits = model(**asked, decoder_input_ids=torch.tensor([[pad, cat]])).logits[0].double()
    likely = (logits[:, :pad] / temperature).softmax(1)  # the padding, the last piece, is never drawn
    expected = float(likely[0, cat] * likely[1, 0])

    heard = Counter(
        models.translate(uri, pa.array(["cat"]), Sampled(temperature, 7, n)).field("text")[0].as_py()
        for n in range(draws)
    )

    assert 0.05 < expected < 0.95
    assert abs(heard["cat"] / draws - expected) < 4 * math.sqrt(expected * (1 - expected) / draws)


def test_white_space_and_breaks_stay_where_they_were(models, uri):
    text = "  I love the cat .\n\nI sat on a mat ?  I like dogs .\n"

    assert said(models, uri, [text, "", " \n", "..."]) == [
        "  I like the cat .\n\nI sat on a mat ?  I adore dogs .\n",
        "",
        " \n",
        "...",
    ]


def test_a_sentence_that_the_model_cannot_read_at_once_is_cut_between_words_and_none_is_left_out(models, uri):
    text = " ".join(["I love the cat and you love the dogs because the mat is large"] * 770)

    answer = said(models, uri, [text])[0]

    assert len(text.split()) == 10_780
    assert answer is not None
    assert len(answer.split()) == 10_780
    wrong = sum(
        one != SAID_AS.get(word, word) for one, word in zip(answer.split(), text.split(), strict=True)
    )
    assert wrong < 100


def test_a_word_that_the_model_cannot_read_at_once_makes_its_text_impossible_and_no_other(models, uri):
    texts = ["I love you", "I love " + "".join(random.Random(7).choices("tabcdhks", k=200)), "the cat sat"]

    assert said(models, uri, texts) == ["I like you", None, "the cat sat"]


def test_text_that_spells_a_special_piece_is_text(models, uri):
    assert said(models, uri, ["I love " + "<pad>" * 10]) == [None]  # ten pieces if it were ten paddings


def test_a_model_that_comes_to_no_end_is_stopped_and_told_of(models, endless):
    answers = models.translate(
        endless, pa.array(["I love you", "...", "the cat sat . I love you"])
    ).to_pylist()

    assert [answer["fault"] for answer in answers] == ["endless", None, "endless"]
    assert all(len(answer["text"]) < 1_000 for answer in answers)


def test_the_revision_names_the_model_and_the_libraries(models, uri, endless):
    from importlib.metadata import version

    one, other = models.engine_revision(uri), models.engine_revision(endless)

    assert one != other
    for name in ("transformers", "sentencepiece", "torch"):
        assert f"{name} {version(name)}" in one


def test_a_model_of_the_hub_is_read_from_the_cache_under_the_licence_of_its_kind(models, folder, uri):
    named = "hf://Helsinki-NLP/opus-mt-en-de@main"
    cache = Cache(models.cache)
    with cache.aside() as aside:
        tiny(aside / "opus-mt-en-de")
        found = digest_of(aside / "opus-mt-en-de")
        cache.keep(aside, aside / "opus-mt-en-de", found)
    cache.settle(named, found)

    assert said(models, named, ["I love you"]) == ["I like you"]
    assert models.engine_licence(named) == f"made with {named} (CC-BY-4.0)"


def test_the_licence_is_that_of_the_card(models, tmp_path):
    uri = tiny(
        tmp_path / "opus-mt-a-b", card="---\nlanguage: [en, de]\nlicense: apache-2.0\n---\n# A model\n"
    )

    assert models.engine_licence(uri) == f"made with {uri} (apache-2.0)"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"config.json": None}, "and .* is none"),
        ({"config.json": '{"model_type": "t5"}'}, "is of the type 't5'"),
        ({"config.json": "[]"}, "is none"),
        ({"vocab.json": '{">>fra<<": 0, ">>spa<<": 1}'}, "one of 2 \\(>>fra<<, >>spa<<\\)"),
    ],
)
def test_what_is_no_model_of_one_pair_says_so(models, tmp_path, change, message):
    uri = tiny(tmp_path / "model")
    for name, content in change.items():
        if content is None:
            (tmp_path / "model" / name).unlink()
        else:
            (tmp_path / "model" / name).write_text(content)

    with pytest.raises(UserError, match=message):
        models.engine_revision(uri)


class TestInt8:
    """CTranslate2 with weights of 8 bits."""

    def test_it_says_what_the_model_was_taught(self, models, uri):
        texts = made_of_words(60)

        answers = said(models, f"ctranslate2+{uri}", texts)

        assert sum(one == said_as(text) for one, text in zip(answers, texts, strict=True)) > 50
        assert said(models, f"ctranslate2+{uri}", texts[::-1]) == answers[::-1]

    def test_it_stops_what_comes_to_no_end(self, models, endless):
        answers = models.translate(f"ctranslate2+{endless}", pa.array(["I love you", "..."])).to_pylist()

        assert [answer["fault"] for answer in answers] == ["endless", None]

    def test_a_model_is_converted_once(self, models, uri):
        said(models, f"ctranslate2+{uri}", ["I love you"])

        assert [len(list(kept.iterdir())) > 1 for kept in (models.cache / "ctranslate2").iterdir()] == [True]


def test_without_ctranslate2_its_uris_say_what_to_install(models, uri, monkeypatch):
    assert "ctranslate2" in models.engine_revision(f"ctranslate2+{uri}")

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(marian_int8, "version", missing)
    with pytest.raises(UserError, match=r"pip install 'winnow\[ctranslate2\]'"):
        models.engine_revision(f"ctranslate2+{uri}")
