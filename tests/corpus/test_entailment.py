"""What follows from what is said as the library says it, and the same for a pair in any company."""

import random

import numpy as np
import pytest

from corpus.models import Models
from corpus.schema import UserError
from tests.embedding import infers, tiny


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return infers(tmp_path_factory.mktemp("nli"))


@pytest.fixture
def models(tmp_path):
    return Models(tmp_path, tmp_path / "cache")


def pairs(count):
    """Draw pairs; asked with an empty second text alone, the library takes the first for all that there is."""
    draw = random.Random(7)
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "dogs", "bark"]
    return [
        tuple(" ".join(draw.choices(words, k=draw.randint(least, 6))) for least in (0, 1))
        for _ in range(count)
    ]


def test_it_is_the_probability_of_the_library(models, uri):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = uri.removeprefix("file:")
    model, tokenizer = (
        AutoModelForSequenceClassification.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    some = pairs(40)

    told = models.entails(uri, [one for one, _ in some], [other for _, other in some])

    for (one, other), said in zip(some, told, strict=True):
        with torch.no_grad():
            logits = model(**tokenizer(one, other, return_tensors="pt")).logits
        assert said == pytest.approx(float(logits.softmax(dim=-1)[0, 2]), abs=1e-5)
    assert np.ptp(told) > 0.1


def test_a_pair_is_told_the_same_to_the_bit_in_any_order_and_company(models, uri):
    some = pairs(60)
    order = np.random.default_rng(7).permutation(60)
    whole = models.entails(uri, *map(list, zip(*some, strict=True)))

    mixed = models.entails(uri, *map(list, zip(*[some[at] for at in order], strict=True)))
    alone = models.entails(uri, [some[3][0]], [some[3][1]])

    assert np.array_equal(mixed, whole[order])
    assert np.array_equal(alone, whole[3:4])


def test_what_is_longer_than_the_model_reads_is_not_judged(models, uri):
    told = models.entails(uri, ["a cat", "cat " * 100], ["a mat", "a mat"])

    assert np.isnan(told).tolist() == [False, True]


def test_nothing_asked_is_nothing_told(models, uri):
    assert models.entails(uri, [], []).shape == (0,)


def test_a_model_that_infers_nothing_is_told(models, tmp_path):
    with pytest.raises(UserError, match="has yes, no: name another"):
        models.infers(infers(tmp_path / "two", ("yes", "no")))
    with pytest.raises(UserError, match="has label_0, label_1: name another"):
        models.infers(tiny(tmp_path))


def test_a_folder_of_anything_is_told(models, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "config.json").write_text("[")

    with pytest.raises(UserError, match="is no model of transformers"):
        models.infers(f"file:{tmp_path / 'empty'}")
