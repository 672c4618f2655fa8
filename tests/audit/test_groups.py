"""Groups are those of the recipe, no row is lost among them, and what is missing is a group."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from audit.groups import AuditSettings, memberships, partition
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
