"""Groups are those of the recipe, no row is lost among them, and what is missing is a group."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from audit.groups import AuditSettings, Told, memberships, partition
from audit.lengths import lengths
from corpus.schema import GROUP


def rows(labels, sources, groups):
    return pa.table(
        {
            "label": pa.array(labels, pa.string()),
            "source": pa.array(sources, pa.string()),
            "groups": pa.array(groups, pa.list_(GROUP)),
        }
    )


def of(axis, value, origin="declared"):
    return {"axis": axis, "value": value, "origin": origin}


def told(found):
    return {(each.axis, each.group, each.origin): each.rows.tolist() for each in found}


CORPUS = rows(
    ["x", None, "x"],
    ["a", "a", None],
    [
        [of("region", "north"), of("region", "south")],
        None,
        [of("region", None), of("era", "old", "source-metadata")],
    ],
)
MENTIONS = pa.table({"gender=women": [True, False, True], "religion=hindu": [False, False, False]})


def test_a_row_may_have_several_groups_and_what_is_missing_is_one():
    found = memberships(CORPUS, MENTIONS, AuditSettings())

    assert told(found) == {
        ("gender", "women", "mention-lexicon"): [True, False, True],
        ("religion", "hindu", "mention-lexicon"): [False, False, False],
        ("era", "old", "source-metadata"): [False, False, True],
        ("era", "(missing)", "source-metadata"): [True, True, False],
        ("region", "north", "declared"): [True, False, False],
        ("region", "south", "declared"): [True, False, False],
        ("region", "(missing)", "declared"): [False, True, True],
        ("label", "x", "label"): [True, False, True],
        ("label", "(missing)", "label"): [False, True, False],
        ("source", "a", "source-metadata"): [True, True, False],
        ("source", "(missing)", "source-metadata"): [False, False, True],
    }


def test_the_recipe_chooses_axes_and_label_and_source_are_always_audited():
    found = memberships(CORPUS, MENTIONS, AuditSettings(axes=("gender", "region")))

    assert list(dict.fromkeys(each.axis for each in found)) == ["gender", "region", "label", "source"]


def test_what_is_told_of_every_row_is_a_group_unless_the_rows_declare_it():
    values = pa.array(["en", "es", None])
    told_of = [Told("language", "language-model", values), Told("era", "language-model", values)]

    found = told(memberships(CORPUS, None, AuditSettings(min_group=1), (), told_of))

    assert found["language", "es", "language-model"] == [False, True, False]
    assert found["language", "(missing)", "language-model"] == [False, False, True]
    assert [key for key in found if key[0] == "era"] == [
        ("era", "old", "source-metadata"),
        ("era", "(missing)", "source-metadata"),
    ]


def test_what_is_told_of_fewer_rows_than_can_be_judged_is_other():
    values = pa.array(["en"] * 3 + ["es"] * 2 + ["fr"])

    found = told(partition(values, "language", "language-model", 50, 2))

    assert list(found) == [("language", name, "language-model") for name in ("en", "es", "(other)")]
    assert found["language", "(other)", "language-model"] == [False] * 5 + [True]


def test_bands_of_length_hold_both_their_ends():
    words = np.array([0, 7, 8, 15, 16, 4095, 4096, 10**6])

    assert lengths(words).values.to_pylist() == [
        "under 8 words", "under 8 words", "8 to 15 words", "8 to 15 words", "16 to 31 words",
        "2,048 to 4,095 words", "4,096 words and more", "4,096 words and more",
    ]  # fmt: skip


def test_without_labels_and_mentions_there_are_no_such_groups():
    found = memberships(rows([None], ["a"], [[]]), None, AuditSettings())

    assert told(found) == {("source", "a", "source-metadata"): [True]}


def test_on_an_axis_that_no_row_says_anything_of_all_are_missing():
    found = told(memberships(CORPUS, MENTIONS, AuditSettings(axes=("region", "planet"))))

    assert found["planet", "(missing)", "declared"] == [True] * CORPUS.num_rows


@given(st.lists(st.sampled_from(["a", "b", "c", "d", None])), st.integers(1, 4))
def test_a_partition_has_each_row_once(values, max_groups):
    column = pa.array(values, pa.string())

    groups = partition(column, "label", "label", max_groups)

    assert sum((each.rows.astype(int) for each in groups), np.zeros(len(values), int)).tolist() == [1] * len(
        values
    )
    assert len(groups) <= max_groups + 2
    assert all(each.rows.any() for each in groups)


def test_rare_values_stand_together():
    groups = partition(pa.array(["a", "b", "a", "c", None]), "label", "label", max_groups=1)

    assert {each.group: each.rows.tolist() for each in groups} == {
        "a": [True, False, True, False, False],
        "(other)": [False, True, False, True, False],
        "(missing)": [False, False, False, False, True],
    }


def test_settings_refuse_what_they_do_not_know():
    with pytest.raises(ValidationError):
        AuditSettings(min_ratio=0.8)


def test_a_declared_group_and_the_lexicons_axis_of_its_name_are_two():
    corpus = rows(["x"] * 3, ["a"] * 3, [[of("gender", "women")], [of("gender", "men")], []])

    found = told(memberships(corpus, MENTIONS, AuditSettings(axes=("gender",))))

    assert found["gender", "women", "declared"] == [True, False, False]
    assert found["gender (mentions)", "women", "mention-lexicon"] == [True, False, True]
    elsewhere = memberships(rows(["x"], ["a"], [[]]), MENTIONS[:1], AuditSettings(), {"gender"})
    assert {each.axis for each in elsewhere if each.group == "women"} == {"gender (mentions)"}


def test_label_and_source_asked_for_as_axes_are_no_new_groups():
    plain = told(memberships(CORPUS, None, AuditSettings(axes=("region",))))

    assert told(memberships(CORPUS, None, AuditSettings(axes=("region", "label", "source")))) == plain


def test_a_value_that_reads_as_missing_is_not_what_is_missing():
    found = told(partition(pa.array(["(missing)", None, "(other)"]), "label", "label"))

    assert found == {
        ("label", "'(missing)'", "label"): [True, False, False],
        ("label", "'(other)'", "label"): [False, False, True],
        ("label", "(missing)", "label"): [False, True, False],
    }


def test_a_million_values_are_told_apart_in_seconds():
    count = 1_000_000
    values = pa.array(np.char.add("person ", np.arange(count).astype(str)))
    entries = pa.StructArray.from_arrays(
        [pa.repeat("who", count), values, pa.repeat("declared", count)], fields=list(GROUP)
    )
    lists = pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32)), entries)
    corpus = pa.table(
        {"label": pa.nulls(count, pa.string()), "source": pa.repeat("a", count), "groups": lists}
    )
    began = time.process_time()

    found = memberships(corpus, None, AuditSettings())

    assert time.process_time() - began < 30
    who = [each for each in found if each.axis == "who"]
    assert [len(who), who[-1].group, int(who[-1].rows.sum())] == [51, "(other)", count - 50]
