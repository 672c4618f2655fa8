"""Names: the highest number wins, all of them are the log, and of two writers one is told."""

import json
import multiprocessing
from pathlib import Path

import pytest

from corpus.schema import UserError
from tests.corpus.versions.shelves import library, published


def test_the_highest_number_of_a_ref_wins_and_all_of_them_are_the_log(tmp_path):
    held = library(tmp_path)
    versions = [published(held, [word]).id for word in "abc"]

    for after, version in enumerate(versions):
        held.names.give("made", version, after)

    assert held.open("made").id == versions[2]
    assert [held.open(f"made~{back}").id for back in range(3)] == versions[::-1]
    assert [(entry.n, entry.version) for entry in held.names.log("made")] == list(enumerate(versions, 1))
    assert held.open(versions[0][:10]).id == versions[0]


def test_ten_versions_and_more_are_in_order(tmp_path):
    held = library(tmp_path)
    version = published(held, ["a"]).id

    for after in range(12):
        held.names.give("made", version, after)

    assert [entry.n for entry in held.names.log("made")] == list(range(1, 13))


def _move(root: str, barrier) -> str:
    barrier.wait()
    try:
        library(Path(root)).names.give("made", "0" * 64, 0)
    except UserError as error:
        return str(error)
    return "won"


def test_of_writers_that_meet_one_wins_and_the_others_are_told(tmp_path):
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        barrier = manager.Barrier(4)
        with context.Pool(4) as pool:
            answers = pool.starmap(_move, [(str(tmp_path), barrier)] * 4)

    assert sorted("won" if answer == "won" else "told" for answer in answers) == ["told"] * 3 + ["won"]
    assert all("meanwhile" in answer for answer in answers if answer != "won")
    assert [entry.n for entry in library(tmp_path).names.log("made")] == [1]


def test_a_writer_who_began_before_another_ended_is_told(tmp_path):
    held = library(tmp_path)
    one, two = published(held, ["a"]).id, published(held, ["b"]).id
    held.names.give("made", one, 0)

    with pytest.raises(UserError, match="meanwhile"):
        held.names.give("made", two, 0)

    assert held.open("made").id == one


@pytest.mark.parametrize("name", ["../up", "a/b", "", "UP", "made@", "a b", ".hidden"])
def test_a_name_that_is_none_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="is no name"):
        library(tmp_path).names.give(name, "0" * 64, 0)


@pytest.mark.parametrize("name", ["nothing", "../../etc", "", "made~1", "made~x", "*"])
def test_an_unknown_version_is_a_clear_error(name, tmp_path):
    held = library(tmp_path)
    held.names.give("made", published(held, ["a"]).id, 0)

    with pytest.raises(UserError, match=r"no version or ref|there is no"):
        held.open(name)


def test_a_ref_to_nothing_is_a_clear_error(tmp_path):
    held = library(tmp_path)
    held.names.give("made", "0" * 64, 0)

    with pytest.raises(UserError, match="which is not in the store"):
        held.open("made")


def test_an_entry_that_is_broken_harms_no_later_one(tmp_path):
    held = library(tmp_path)
    versions = [published(held, [f"row {number}"]).id for number in range(3)]
    for number, version in enumerate(versions):
        held.names.give("name", version, number)
    (tmp_path / "refs" / "name" / "1").write_text("{")

    assert held.find("name") == versions[2]
    assert held.find("name~1") == versions[1]
    assert held.names.give("name", versions[0], 3).n == 4
    first, *later = held.names.log("name")
    assert (first.version, [entry.problem for entry in later]) == (None, [None] * 3)
    assert "refs/name/1 is not a ref" in str(first.problem)


def test_rolling_back_passes_over_what_meant_nothing(tmp_path):
    held = library(tmp_path)
    versions = [published(held, [f"row {number}"]).id for number in range(2)]
    for number, version in enumerate([versions[0], None, versions[1]]):
        held.names.give("name", version, number)

    assert held.roll_back("name").version == versions[0]


@pytest.mark.parametrize("entry", [b"", b"{", b"[]", json.dumps({"n": 1, "version": "../x"}).encode()])
def test_a_ref_that_is_none_is_a_clear_error(entry, tmp_path):
    held = library(tmp_path)
    held.names.give("made", published(held, ["a"]).id, 0)
    (tmp_path / "refs" / "made" / "1").write_bytes(entry)

    with pytest.raises(UserError, match="refs/made/1 is not a ref"):
        held.open("made")
