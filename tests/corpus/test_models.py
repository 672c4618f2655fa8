"""What models answer depends on the text alone."""

import pickle
import random

import numpy as np
import pyarrow as pa
import pytest

from corpus.fetch import cache_folder
from corpus.memo import Replay
from corpus.models import EMBEDDING, EncodeTexts, EncodeWhole, EncodeWords, Models
from corpus.stage import Context
from tests.embedding import tiny

WORDS = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "that", "dogs", "12", "bark", "loudly"]


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("embedding"))


@pytest.fixture
def models(tmp_path):
    return Models(tmp_path, tmp_path / "cache")


def sentences(count: int) -> list[str]:
    draw = random.Random(7)
    return [" ".join(draw.choices(WORDS, k=draw.randint(0, 25))) for _ in range(count)]


def reference(uri: str, texts: list[str]) -> np.ndarray:
    """Compute the vectors one text at a time, without padding, by the library's own way."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(uri.removeprefix("file:"), device="cpu")
    return np.stack([model.encode([text], normalize_embeddings=True)[0] for text in texts])


def test_vectors_are_those_of_the_library_up_to_rounding(models, uri):
    texts = sentences(40)

    vectors = models.encode(uri, pa.array(texts))

    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, reference(uri, texts), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_vector_is_the_same_to_the_bit_in_any_order_and_company(models, uri):
    texts = sentences(150)
    order = np.random.default_rng(7).permutation(150)
    whole = models.encode(uri, pa.array(texts))

    shuffled = models.encode(uri, pa.array([texts[place] for place in order]))
    some = models.encode(uri, pa.array(texts[::7]))
    alone = models.encode(uri, pa.array(texts[3:4]))

    assert np.array_equal(shuffled, whole[order])
    assert np.array_equal(some, whole[::7])
    assert np.array_equal(alone, whole[3:4])


def test_the_demo_model_gives_the_same_bits_in_any_order_and_company(tmp_path):
    models = Models(tmp_path, cache_folder())
    texts = sentences(48)
    order = np.random.default_rng(7).permutation(48)

    whole = models.encode(EMBEDDING, pa.array(texts))
    shuffled = models.encode(EMBEDDING, pa.array([texts[place] for place in order]))
    some = models.encode(EMBEDDING, pa.array(texts[::5]))

    assert whole.shape == (48, 384)
    assert np.array_equal(shuffled, whole[order])
    assert np.array_equal(some, whole[::5])


def test_a_text_is_read_up_to_the_limit_of_the_model(models, uri):
    long = "cat " * 300

    one, other = models.encode(uri, pa.array([long, long + "dogs bark"]))

    assert np.array_equal(one, other)


def test_no_texts_have_no_vectors(models, uri):
    assert models.encode(uri, pa.array([], pa.string())).shape == (0, 48)


def test_encoding_gives_the_process_its_threads_back(models, uri):
    import torch

    torch.set_num_threads(2)

    models.encode(uri, pa.array(["a cat"]))

    assert torch.get_num_threads() == 2


def test_threads_side_by_side_make_the_same_bits_and_leave_the_process_its_threads(models, uri):
    import torch

    texts = pa.array(["a cat " * (number % 40 + 1) for number in range(200)])
    torch.set_num_threads(2)

    one, three = models.encode(uri, texts), models.encode(uri, texts, threads=3)

    assert np.array_equal(one, three)
    assert torch.get_num_threads() == 2


def test_models_travel_to_workers(models):
    assert pickle.loads(pickle.dumps(models)) == models  # noqa: S301 - what this test has just written


def test_what_was_encoded_once_is_replayed(models, uri, tmp_path):
    context = Context(7, "diversity", models, Replay(tmp_path / "replay"))
    encode = EncodeTexts(uri)
    once = encode(pa.array(["a cat", "a dog"]), context)
    files = set((tmp_path / "replay").rglob("*.parquet"))

    again = encode(pa.array(["a dog", "a cat", "a dog"]), context)

    assert again.to_pylist() == [once[place].as_py() for place in (1, 0, 1)]
    assert set((tmp_path / "replay").rglob("*.parquet")) == files


def test_the_revision_of_a_model_follows_its_files(models, uri, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "weights").write_text("1")
    before = models.revision("file:other")
    (tmp_path / "other" / "weights").write_text("23")

    after = models.revision("file:other")

    assert before != after
    assert models.revision(uri) == models.revision(uri)


def test_words_are_those_of_the_library_and_come_with_the_same_vectors(models, uri):
    from sentence_transformers import SentenceTransformer

    texts = ["the cat, sat!", "dogs bark 12", "...", ""]
    model = SentenceTransformer(uri.removeprefix("file:"), device="cpu")

    vectors, pieces = models.encode_words(uri, pa.array(texts))

    assert np.array_equal(vectors, models.encode(uri, pa.array(texts)))
    for text, held in zip(texts, pieces, strict=True):
        every = model.encode([text], output_value="token_embeddings")[0].numpy()
        named = model.tokenizer.convert_ids_to_tokens(model.tokenizer(text)["input_ids"])
        said = [place for place, name in enumerate(named) if name.strip("#").isalnum() and name[0] != "["]
        unit = every[said] / np.linalg.norm(every[said], axis=1, keepdims=True)
        assert held.dtype == np.int8
        np.testing.assert_allclose(held / 127, unit, atol=0.0045)
    assert [len(held) for held in pieces] == [9, 10, 0, 0]


def test_words_are_the_same_to_the_bit_in_any_order_and_company(models, uri):
    texts = sentences(60)
    order = np.random.default_rng(7).permutation(60)
    vectors, pieces = models.encode_words(uri, pa.array(texts))

    mixed, some = models.encode_words(uri, pa.array([texts[place] for place in order]))

    assert np.array_equal(mixed, vectors[order])
    assert all(np.array_equal(some[at], pieces[place]) for at, place in enumerate(order))


def test_words_that_were_encoded_once_are_replayed(models, uri, tmp_path):
    context = Context(7, "admission", models, Replay(tmp_path / "replay"))
    encode = EncodeWords(uri)
    once = encode(pa.array(["a cat", "a dog", "!"]), context)
    files = set((tmp_path / "replay").rglob("*.parquet"))

    again = encode(pa.array(["!", "a dog", "a cat"]), context)

    assert again.to_pylist() == once.to_pylist()[::-1]
    assert once.field("pieces")[2].as_py() == b""
    assert set((tmp_path / "replay").rglob("*.parquet")) == files


def by_hand(uri: str, text: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Read a long text in windows with the library's model, one at a time: its vector, and those of its pieces with a letter or digit."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(uri.removeprefix("file:"), device="cpu")
    cls, sep = model.tokenizer.convert_tokens_to_ids(["[CLS]", "[SEP]"])
    named = model.tokenizer.tokenize(text)
    ids = model.tokenizer.convert_tokens_to_ids(named)
    room, last = 62, len(ids) - 62
    steps = -(-last // 31)
    starts = [step * last // steps for step in range(steps + 1)]
    told = []
    for start in starts:
        pieces = torch.tensor([[cls, *ids[start : start + room], sep]])
        with torch.inference_mode():
            told.append(model({"input_ids": pieces, "attention_mask": torch.ones_like(pieces)}))
    mine = [  # the window in which the piece is farthest from an end, the later one of two
        max(range(len(starts)), key=lambda at: (min(place - starts[at], starts[at] + room - 1 - place), at))
        for place in range(len(ids))
    ]
    whole = np.zeros(48)
    for at, one in enumerate(told):
        vector = one["sentence_embedding"][0].numpy()
        whole += mine.count(at) * vector / np.linalg.norm(vector)
    words = []
    for place, name in enumerate(named):
        if name.strip("#").isalnum():
            vector = told[mine[place]]["token_embeddings"][0, 1 + place - starts[mine[place]]].numpy()
            words.append(vector / np.linalg.norm(vector))
    return whole / np.linalg.norm(whole), words


def test_a_text_longer_than_the_model_reads_is_read_whole_in_windows(models, uri):
    draw = random.Random(7)
    texts = [" ".join(draw.choices(WORDS, k=count)) + "!" for count in (30, 45, 90, 300)]

    vectors, pieces = models.encode_words(uri, pa.array(texts))

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.array_equal(models.encode_whole(uri, pa.array(texts)), vectors)
    for text, vector, held in zip(texts, vectors, pieces, strict=True):
        whole, words = by_hand(uri, text)
        np.testing.assert_allclose(vector, whole, atol=1e-5)
        np.testing.assert_allclose(held / 127, np.stack(words), atol=0.0045)


def test_short_and_long_texts_are_the_same_to_the_bit_in_any_order_and_company(models, uri):
    texts = [*sentences(30), *(" ".join(sentences(count)) for count in (5, 9, 20)), "a " * 62, "a " * 63]
    order = np.random.default_rng(7).permutation(len(texts))
    vectors, pieces = models.encode_words(uri, pa.array(texts))

    mixed, some = models.encode_words(uri, pa.array([texts[place] for place in order]))
    alone, words = models.encode_words(uri, pa.array(texts[31:32]))

    assert np.array_equal(mixed, vectors[order])
    assert all(np.array_equal(some[at], pieces[place]) for at, place in enumerate(order))
    assert np.array_equal(alone[0], vectors[31])
    assert np.array_equal(words[0], pieces[31])


def test_a_text_that_the_model_reads_at_once_has_the_bits_of_encode(models, uri):
    texts = [text for text in sentences(200) if len(text.replace(" ", "")) <= 62] + ["a " * 62]

    whole = models.encode_whole(uri, pa.array(texts))

    assert len(texts) > 100
    assert np.array_equal(whole, models.encode(uri, pa.array(texts)))
    assert np.array_equal(whole, models.encode_words(uri, pa.array(texts))[0])


def test_no_texts_have_no_words(models, uri):
    vectors, pieces = models.encode_words(uri, pa.array([], pa.string()))

    assert vectors.shape == models.encode_whole(uri, pa.array([], pa.string())).shape == (0, 48)
    assert pieces == []


def test_what_was_made_of_the_beginning_of_a_text_is_not_replayed_for_the_whole(models, uri, tmp_path):
    """Stores hold answers under the names that makers had when they read a text up to the model's limit."""
    from importlib.metadata import version

    context = Context(7, "admission", models, Replay(tmp_path / "replay"))
    texts = pa.array(["a cat sat " * 40])
    EncodeTexts(uri)(texts, context)
    before = f"encode words {models.revision(uri)} torch {version('torch')}"
    context.replay.recall(before, texts, lambda missing: pa.array([{"pieces": b""}] * len(missing)))

    whole = EncodeWhole(uri)(texts, context)
    words = EncodeWords(uri)(texts, context)

    assert len(words.field("pieces")[0].as_py()) == 280 * 48
    assert words.field("vector")[0].as_py() == whole[0].as_py()
    assert whole[0].as_py() != EncodeTexts(uri)(texts, context)[0].as_py()
