"""`near_duplicates` against a plain computation over Python sets."""

import random
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import set_kernels, shingle_kernels, shingles, similarity, spill, text
from corpus.schema import MESSAGE
from curation.exact_duplicates import ExactDuplicates
from curation.near_duplicates import NearDuplicates
from tests import laws
from tests.corpora import make, send


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


@settings(max_examples=40, deadline=None)
@given(
    contents=st.lists(st.lists(st.sampled_from("abcdef"), min_size=3, max_size=6).map(" ".join), max_size=14),
    keep=st.integers(1, 4),
)
def test_so_many_alike_rows_stay_as_are_asked_for(contents, keep):
    rows = make(contents, confidence=[1 - number / 20 for number in range(len(contents))])
    by_words: dict[tuple[str, ...], list[str]] = {}
    sets, stays = {}, []
    for row in sorted(rows.to_pylist(), key=lambda row: -row["confidence"]):
        said = tuple(row["messages"][0]["content"].split())
        by_words.setdefault(said, []).append(row["id"])
        sets[row["id"]] = shingle_set(" ".join(said), 1)
    for same in by_words.values():
        alike = sum(jaccard(sets[same[0]], sets[other]) >= 0.6 for other in stays)
        stays += [same[0]] if alike < keep else []

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=1, threshold=0.6, keep=keep)])

    assert set(outcome.kept["id"].to_pylist()) <= set(stays)
    missed = set(stays) - set(outcome.kept["id"].to_pylist())
    assert not missed


def test_a_template_keeps_as_many_rows_as_are_asked_for():
    texts = [
        f"Dear {name}, thank you for the order that you placed with us on {day}"
        for name, day in zip(NAMES, DAYS, strict=True)
    ]

    kept = [
        laws.sent(make(texts), [NearDuplicates(shingle_words=1, threshold=0.7, keep=keep)]).kept.num_rows
        for keep in (1, 3, 20)
    ]

    assert kept == [1, 3, 12]


def test_a_template_may_keep_more_rows_than_a_bucket_usually_holds():
    texts = [
        f"Dear x{number}, thank you for the order that you placed with us on y{number}"
        for number in range(120)
    ]

    outcome = laws.sent(make(texts), [NearDuplicates(shingle_words=1, threshold=0.7, keep=50)])

    assert outcome.kept.num_rows == 50


NAMES = ("Ann", "Bob", "Cem", "Dua", "Eva", "Fay", "Gil", "Hua", "Ivo", "Jan", "Kim", "Lea")
DAYS = (
    "Monday",
    "Tuesday",
    "Friday",
    "Sunday",
    "Easter",
    "Xmas",
    "May",
    "June",
    "July",
    "August",
    "March",
    "April",
)


def pairs_at(threshold: float, count: int, generator: random.Random) -> list[str]:
    """Pairs of rows of sixty words, of which so many are the same that their words are just as alike as `threshold`."""
    total = 60
    common = next(more for more in range(total) if more / (2 * total - more) >= threshold)
    made = []
    for number in range(count):
        same = [f"c{number}x{word}" for word in range(common)]
        for side in "ab":
            own = [f"{side}{number}x{word}" for word in range(total - common)]
            made.append(" ".join(generator.sample(same + own, total)))
    return made


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_the_bands_follow_the_threshold(threshold):
    rows = make(pairs_at(threshold, 300, random.Random(11)))

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=1, threshold=threshold)])

    assert outcome.ledger.num_rows >= 295


@pytest.mark.parametrize("threshold", [number / 40 for number in range(1, 41)])
def test_bands_propose_what_they_say(threshold):
    shape = shingles.Bands.at(threshold)

    assert shape.proposes(threshold) >= shingles.RECALL or threshold < 0.05
    assert shape.count * shape.rows <= 200


def test_rows_that_differ_in_a_number_are_compared_with_the_number():
    rows = make(["What is 12 plus 7? Answer 19.", "What is 3 plus 4? Answer 7."])

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=2)])

    assert outcome.ledger.num_rows == 0


LONG = " ".join(f"word{chr(97 + number // 10)}{chr(97 + number % 10)}" for number in range(60))


def chats(rows: Iterable[Sequence[tuple[str, str]]]) -> pa.Array:
    """Return messages of roles and contents."""
    held = [[{"role": role, "content": content} for role, content in turns] for turns in rows]
    return pa.array(held, pa.list_(MESSAGE))


def asked(texts: list[str]) -> pa.Table:
    """Make rows in which a user says these texts."""
    rows = make(texts)
    said = [[("user", held[0]["content"])] for held in rows["messages"].to_pylist()]
    return rows.set_column(rows.schema.get_field_index("messages"), "messages", chats(said))


def answered(pairs: list[tuple[str, str]]) -> pa.Table:
    """Make rows of a question and an answer."""
    rows = make([f"{question}\0{answer}" for question, answer in pairs])
    said = [held[0]["content"].split("\0") for held in rows["messages"].to_pylist()]
    turns = chats([("user", question), ("assistant", answer)] for question, answer in said)
    return rows.set_column(rows.schema.get_field_index("messages"), "messages", turns)


@pytest.mark.parametrize(
    ("one", "two", "kept"),
    [
        ((LONG, "yes"), (LONG, "no"), 2),
        ((LONG, "yes"), (LONG, ""), 2),
        ((LONG, "yes it is"), (f"{LONG} please", "Yes, it is!"), 1),
        ((LONG, "yes"), (LONG, "YES"), 1),
        (("what is it", LONG), ("who was she", LONG), 2),
        (("", LONG), ("", LONG.upper()), 1),
    ],
)
def test_the_same_question_with_another_answer_is_no_duplicate(one, two, kept):
    outcome = laws.sent(answered([one, two]), [NearDuplicates(shingle_words=2)])

    assert outcome.kept.num_rows == kept


def test_chats_are_as_alike_as_the_lesser_of_question_and_answer():
    halves = [(content.split()[:30], content.split()[30:]) for content in planted(random.Random(13), 400)]
    rows = answered([(" ".join(question), " ".join(answer)) for question, answer in halves])
    contents = {row["id"]: [message["content"] for message in row["messages"]] for row in rows.to_pylist()}

    outcome = laws.sent(rows, [NearDuplicates(shingle_words=1, threshold=0.5, numbers="none")])

    assert outcome.ledger.num_rows > 30
    for line in outcome.ledger.to_pylist():
        met = zip(contents[line["id"]], contents[line["other"]], strict=True)
        alike = [jaccard(shingle_set(one, 1), shingle_set(two, 1)) for one, two in met]
        assert line["score"] == pytest.approx(min(alike))


@pytest.mark.parametrize(
    ("rows", "knobs", "kept"),
    [
        (asked, {}, 2),
        (asked, {"numbers": "none"}, 1),
        (make, {}, 1),
        (make, {"numbers": "all"}, 2),
    ],
)
@pytest.mark.parametrize(
    ("one", "two"),
    [
        (f"{LONG} what is 12+7? {LONG[:-2]}", f"{LONG} what is 12+8? {LONG[:-2]}"),
        (f"{LONG} what is 12+7?", f"{LONG} what is 12-7?"),
        (f"{LONG} what is 5?", f"{LONG} What is -5 ?"),
    ],
)
def test_rows_that_differ_in_a_number_stay_where_numbers_matter(rows, knobs, kept, one, two):
    outcome = laws.sent(rows([one, two]), [NearDuplicates(shingle_words=2, **knobs)])

    assert outcome.kept.num_rows == kept
    if kept == 2:
        assert outcome.kept["family"].null_count == 2


def test_a_template_with_other_numbers_stays_and_its_copies_go():
    texts = [f"{LONG} what is {number} plus {number * 7}? {LONG}" for number in range(150)]
    edited = [text.replace("wordda", "another").upper() for text in texts]

    outcome = laws.sent(asked([*texts, *edited]), [NearDuplicates(shingle_words=2)])

    assert outcome.kept.num_rows == 150
    numbers = {re.findall(r"IS (\d+) PLUS", text.upper())[0] for text in outcome.texts}
    assert len(numbers) == 150


@pytest.mark.parametrize("batch", [1, 40])
def test_neither_memory_nor_batches_change_a_verdict(tmp_path, monkeypatch, batch):
    rows = make([*planted(random.Random(9), 400), *["the same words again"] * 90])
    stages = [NearDuplicates(shingle_words=2, threshold=0.5)]
    whole = send(rows, stages, tmp_path / "one", part_rows=50)
    spilled = []
    write = spill.Spill.write
    monkeypatch.setattr(spill.Spill, "write", lambda held: (spilled.append(1), write(held)))
    monkeypatch.setattr(similarity, "BATCH_ROWS", batch)

    cut = send(rows, stages, tmp_path / "two", part_rows=50, memory=2_000)

    assert spilled
    assert cut.fates() == whole.fates()
    assert whole.ledger.num_rows > 150


def test_large_components_of_unlike_numbers_never_meet():
    words = [f"{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(300)]
    generator = random.Random(2)
    texts = []
    for number in (5, 6):
        for _ in range(80):
            edited = list(words)
            edited[generator.randrange(300)] = "".join(generator.choices("xyz", k=9))
            texts.append(f"{' '.join(edited)} take {number} away")

    outcome = laws.sent(asked(texts), [NearDuplicates(shingle_words=2)])

    assert sorted(text[-6] for text in outcome.texts) == ["5", "6"]
    number = {row["id"]: row["messages"][0]["content"][-6] for row in asked(texts).to_pylist()}
    assert all(number[line["id"]] == number[line["other"]] for line in outcome.ledger.to_pylist())


def test_pairs_at_the_threshold_to_the_digit_go_where_they_are_proposed():
    words = [[f"{chr(97 + pair)}x{number}" for number in range(25)] for pair in range(26)]

    outcome = laws.sent(
        make([" ".join(own[:count]) for own in words for count in (25, 14)]),
        [NearDuplicates(shingle_words=1, threshold=0.56)],
    )

    assert outcome.ledger.num_rows > 5  # about half of them share a band
    assert {*outcome.ledger["score"].to_pylist()} == {14 / 25}


def test_in_a_large_component_too_each_goes_against_one_that_stays():
    words = [f"w{number}" for number in range(300)]
    chain = [" ".join(words[start : start + 40]) for start in range(0, 240, 2)]

    outcome = laws.sent(make(chain), [NearDuplicates(shingle_words=1, threshold=0.8)])

    sets = {content: shingle_set(content, 1) for content in chain}
    kept = [sets[content] for content in outcome.texts]
    assert len(chain) > similarity.SMALL
    assert max(jaccard(a, b) for at, a in enumerate(kept) for b in kept[:at]) < 0.8
    assert all(max(jaccard(held, other) for other in kept) >= 0.8 for held in sets.values())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 7), max_size=60), st.lists(st.booleans(), min_size=60, max_size=60))
def test_rows_whose_keys_meet_are_found_and_hardly_others(keys, chosen):
    held = np.array(keys, np.uint64) * np.uint64(0x1F3D5B7997B5D3F1)
    fresh = np.array(chosen[: len(keys)], bool)

    found = set(set_kernels.may_meet(held, fresh, 10).tolist())

    for row, key in enumerate(keys):
        others = [other for other in range(len(keys)) if other != row and keys[other] == key != 0]
        assert (row in found) == any(fresh[row] or fresh[other] for other in others)


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


@pytest.mark.parametrize("stage", [NearDuplicates, ExactDuplicates])
@pytest.mark.parametrize(
    ("priority", "stays"),
    [((), "web"), (("book",), "book"), (("news", "book"), "news"), (("book", "web", "news"), "book")],
)
def test_rows_of_sources_that_are_named_first_stay_whatever_their_confidence(stage, priority, stays):
    sources = {"web": 0.9, "book": 0.5, "news": None}
    rows = pa.concat_tables(
        [make(["the same words here"], confidence=[sure], source=name) for name, sure in sources.items()]
    ).sort_by("id")

    outcome = laws.sent(rows, [stage(priority=priority)])

    assert outcome.kept["source"].to_pylist() == [stays]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet="abcDE 1 ' é", max_size=30), max_size=8), st.integers(1, 5))
def test_the_compiled_shingles_are_as_many_as_the_plain_ones(contents, size):
    words = text.word_hashes(pa.array(contents, pa.string()), signs=False, marks=False)
    found, starts = set_kernels.sets(*shingle_kernels.shingles(*words, size, False))

    assert np.diff(starts).tolist() == [len(shingle_set(content, size)) for content in contents]
    assert len(found) == starts[-1]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8])
def test_bands_propose_a_pair_as_often_as_the_formula_says(threshold):
    shape = shingles.Bands.at(threshold)
    generator = random.Random(11)
    sides: list[list[str]] = [[], []]
    for _ in range(1_500):
        words = [f"v{generator.randrange(10**6)}" for _ in range(40)]
        sides[0].append(" ".join(words[:30]))
        sides[1].append(" ".join(words[10:40]))

    one, two = (
        np.stack([measured[name] for name in shape.names], axis=1)
        for measured in (
            shingles.measured(
                pa.table({"messages": chats([("text", content)] for content in side)}), 1, shape
            )
            for side in sides
        )
    )

    share = (one == two).any(axis=1).mean()
    assert share == pytest.approx(1 - (1 - 0.5**shape.rows) ** shape.count, abs=0.04)
