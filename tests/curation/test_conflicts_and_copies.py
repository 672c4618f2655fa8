"""`exact_duplicates`, `label_conflicts` and `split`, against what a reader would say of a few rows."""

from collections import Counter

import pytest
from pydantic import ValidationError

from curation.exact_duplicates import ExactDuplicates
from curation.label_conflicts import LabelConflicts
from curation.length import Length
from curation.split import Split
from tests import laws
from tests.corpora import make


def test_of_equal_rows_the_most_confident_stays():
    rows = make(["same", "same", "same", "other"], ["a"] * 4, [None, 0.9, 0.3, 0.1])

    outcome = laws.sent(rows, [ExactDuplicates()])

    assert sorted(zip(outcome.texts, outcome.kept["confidence"].to_pylist(), strict=True)) == [
        ("other", 0.1),
        ("same", 0.9),
    ]
    assert [(line["reason"], line["score"]) for line in outcome.ledger.to_pylist()] == [
        ("exact_duplicate", 1.0)
    ] * 2
    assert len(set(outcome.ledger["other"].to_pylist())) == 1


def test_equal_texts_of_unlike_labels_are_kin_and_stay():
    outcome = laws.sent(make(["same", "same"], ["a", "b"]), [ExactDuplicates()])

    assert outcome.kept.num_rows == 2
    assert len(set(outcome.kept["family"].to_pylist())) == 1


def test_rows_that_differ_in_case_are_equal_by_words_alone():
    rows = make(["Don’t PANIC!", "don't panic"])

    assert laws.sent(rows, [ExactDuplicates()]).ledger.num_rows == 0
    assert laws.sent(rows, [ExactDuplicates(match="words")]).ledger.num_rows == 1


def test_all_sides_of_a_conflict_go():
    rows = make(["good phone", "Good phone!", "fine"], ["a", "b", "a"], [0.9, 0.2, 0.5])

    outcome = laws.sent(rows, [LabelConflicts()])

    assert outcome.texts == ["fine"]
    assert sorted(outcome.ledger["detail"].to_pylist()) == ["a against b", "b against a"]


@pytest.mark.parametrize(
    ("confidence", "kept"), [([0.9, 0.2], ["a"]), ([0.5, 0.5], []), ([None, 0.2], ["b"]), ([None, None], [])]
)
def test_the_side_that_is_surely_more_confident_stays_if_asked(confidence, kept):
    rows = make(["good phone", "Good phone!"], ["a", "b"], confidence)

    outcome = laws.sent(rows, [LabelConflicts(keep="most_confident")])

    assert outcome.kept["label"].to_pylist() == kept


def test_a_row_without_a_label_takes_no_side():
    outcome = laws.sent(make(["same", "same"], ["a", None]), [LabelConflicts()])

    assert outcome.ledger.num_rows == 0


def test_shares_of_the_splits_are_those_asked_for():
    outcome = laws.sent(
        make([f"row {number}" for number in range(4_000)]), [Split(train=0.7, validation=0.1, test=0.2)]
    )

    shares = {split: count / 4_000 for split, count in Counter(outcome.kept["split"].to_pylist()).items()}
    assert shares == {
        "train": pytest.approx(0.7, abs=0.03),
        "validation": pytest.approx(0.1, abs=0.02),
        "test": pytest.approx(0.2, abs=0.03),
    }


def test_a_family_is_never_parted():
    texts = [
        f"one{base} two{base} three{base} four{base} five{base} {number}"
        for base in range(60)
        for number in range(3)
    ]
    labels = [["a", "b", "c"][number % 3] for number in range(180)]

    from curation.near_duplicates import NearDuplicates

    outcome = laws.sent(
        make(texts, labels),
        [NearDuplicates(shingle_words=1, threshold=0.6), Split(train=0.4, validation=0.3, test=0.3)],
    )

    families: dict[str, set[str]] = {}
    for row in outcome.kept.to_pylist():
        families.setdefault(row["family"] or row["id"], set()).add(row["split"])
    assert max(len(splits) for splits in families.values()) == 1
    assert {split for splits in families.values() for split in splits} == {"train", "validation", "test"}


def test_a_split_that_the_source_states_wins_and_test_keeps_its_family():
    rows = make(["same", "same", "alone"], ["a", "b", None], splits=["train", "test", "validation"])

    outcome = laws.sent(rows, [ExactDuplicates(), Split()])

    assert sorted(zip(outcome.texts, outcome.kept["split"].to_pylist(), strict=True)) == [
        ("alone", "validation"),
        ("same", "test"),
    ]
    assert outcome.ledger["reason"].to_pylist() == ["family_in_test"]


def test_a_family_that_the_source_parts_is_told_as_what_it_lost_to():
    rows = make(["same", "same"], ["a", "b"], splits=["train", "validation"])

    outcome = laws.sent(rows, [ExactDuplicates(), Split()])

    assert outcome.ledger["reason"].to_pylist() == ["family_in_validation"]


@pytest.mark.parametrize(("words", "reason"), [(2, "too_short"), (3, None), (5, None), (6, "too_long")])
def test_both_ends_of_the_length_are_included(words, reason):
    outcome = laws.sent(make([" ".join(["word"] * words)]), [Length(min_words=3, max_words=5)])

    assert outcome.ledger["reason"].to_pylist() == ([reason] if reason else [])


def test_a_length_that_nothing_can_pass_is_told():
    with pytest.raises(ValidationError, match="no row could pass"):
        Length(min_words=5, max_words=3)


def test_a_new_row_that_is_kin_to_rows_of_two_sides_is_told_of_as_family_in_test():
    earlier = make(["same", "same", "same"], ["a", "b", "c"], splits=["train", "test", "train"])
    new = make(["same", "other"], ["d", "d"])

    outcome = laws.sent(new, [ExactDuplicates(), Split()], earlier=earlier)

    assert outcome.ledger["reason"].to_pylist() == ["family_in_test"]
    assert outcome.texts == ["other"]


def test_a_new_row_that_is_kin_to_earlier_rows_comes_to_their_side():
    for side in ("train", "validation", "test"):
        earlier = make(["same"], ["a"], splits=[side])
        new = make(["same"], ["b"])

        outcome = laws.sent(new, [ExactDuplicates(), Split()], earlier=earlier)

        assert outcome.kept["split"].to_pylist() == [side]
        assert outcome.kept["family"].to_pylist() == earlier["id"].to_pylist()
