"""`near_duplicates` against a plain computation over Python sets."""

import random
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import kernels, similarity, text
from curation.near_duplicates import NearDuplicates
from tests import laws
from tests.corpora import make


def shingle_set(content: str, size: int) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", content.casefold().replace("'", ""))
    return (
        frozenset(tuple(words[at : at + size]) for at in range(max(len(words) - size, 0) + 1))
        if words
        else frozenset()
    )


def jaccard(one: frozenset, two: frozenset) -> float:
    return len(one & two) / len(one | two) if one | two else 0.0


def planted(generator: random.Random, count: int) -> list[str]:
    """Documents of 60 words, half of them again with one to twelve words changed."""
    vocabulary = [f"w{number}" for number in range(2_000)]
    made: list[str] = []
    while len(made) < count:
        words = generator.choices(vocabulary, k=60)
        made.append(" ".join(words))
        if generator.random() < 0.5:
            for _ in range(generator.randint(1, 12)):
                words[generator.randrange(60)] = generator.choice(vocabulary)
            made.append(" ".join(words))
    return made


@pytest.mark.parametrize("size", [1, 2, 5])
def test_each_drop_is_as_alike_as_it_says_to_a_row_that_stays(size):
    rows = make(planted(random.Random(3), 600))
    contents = {row["id"]: row["messages"][0]["content"] for row in rows.to_pylist()}

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=size, threshold=0.5)])

    kept = set(outcome.kept["id"].to_pylist())
    assert outcome.ledger.num_rows > 50
    for line in outcome.ledger.to_pylist():
        alike = jaccard(shingle_set(contents[line["id"]], size), shingle_set(contents[line["other"]], size))
        assert line["other"] in kept
        assert line["score"] == pytest.approx(alike)
        assert alike >= line["threshold"] == 0.5


def test_hardly_a_pair_at_the_threshold_is_missed():
    contents = planted(random.Random(5), 900)
    threshold = 0.8

    outcome = laws.sent(make(contents), [NearDuplicates(shingle_words=2, threshold=threshold)])

    sets = [shingle_set(content, 2) for content in contents]
    near = sum(jaccard(sets[one], sets[one + 1]) >= threshold for one in range(len(sets) - 1))
    assert near > 30
    assert outcome.ledger.num_rows >= 0.99 * near


def test_rows_that_differ_in_a_number_are_compared_with_the_number():
    rows = make(["What is 12 plus 7? Answer 19.", "What is 3 plus 4? Answer 7."])

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=2)])

    assert outcome.ledger.num_rows == 0


def test_rows_shorter_than_a_shingle_are_compared_too():
    rows = make(["thank you", "Thank you!", "thank them"])

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=5)])

    assert outcome.ledger["reason"].to_pylist() == ["near_duplicate"]
    assert "thank them" in outcome.texts


def test_rows_alike_with_unlike_labels_are_kin_and_stay():
    rows = make(["one two three four five", "one two three four five!"], ["positive", "negative"])

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=2)])

    assert outcome.kept.num_rows == 2
    assert outcome.kept["family"].null_count == 0
    assert len(set(outcome.kept["family"].to_pylist())) == 1


def test_a_chain_of_likeness_does_not_remove_its_far_end():
    words = [f"w{number}" for number in range(40)]
    chain = [" ".join(words[start : start + 20]) for start in (0, 2, 4, 6, 8, 10)]
    rows = make(chain, confidence=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4])

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=1, threshold=0.8)])

    assert sorted(outcome.texts) == sorted([chain[0], chain[2], chain[4]])


def test_the_more_confident_row_stays_and_a_missing_confidence_comes_last():
    rows = make(
        ["same words here now", "Same words here, now", "SAME words here now!"], confidence=[None, 0.4, 0.9]
    )

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=2)])

    assert outcome.texts == ["SAME words here now!"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="abcDE 1 ' é", max_size=30), max_size=8), st.integers(1, 5))
def test_the_compiled_shingles_are_as_many_as_the_plain_ones(contents, size):
    words = text.word_hashes(pa.array(contents, pa.string()), symbols=False)
    found, starts = kernels.sets(*kernels.shingles(*words, size))

    assert np.diff(starts).tolist() == [len(shingle_set(content, size)) for content in contents]
    assert len(found) == starts[-1]


def test_bands_propose_a_pair_as_often_as_the_formula_says():
    generator = random.Random(11)
    sides: list[list[str]] = [[], []]
    for _ in range(1_500):
        words = [f"v{generator.randrange(10**6)}" for _ in range(40)]
        sides[0].append(" ".join(words[:30]))
        sides[1].append(" ".join(words[10:40]))

    one, two = (
        np.stack([similarity.measured(pa.array(side), 1)[f"band{band:02d}"] for band in range(20)], axis=1)
        for side in sides
    )

    share = (one == two).any(axis=1).mean()
    assert share == pytest.approx(1 - (1 - 0.5**6) ** 20, abs=0.04)
