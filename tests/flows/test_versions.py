"""The commands on published versions: what they print, and their exit status."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.corpus.versions.shelves import library, published
from tests.flows.test_bad_input import COMMAND


@pytest.fixture
def store(tmp_path) -> tuple[Path, list[str]]:
    """A store with three versions that one name has meant."""
    held = library(tmp_path)
    versions = [published(held, [f"{word} {number}" for number in range(5)]).id for word in "abc"]
    for after, version in enumerate(versions):
        held.names.give("made", version, after, run=f"run-{after}")
    return tmp_path, versions


def call(*words: str, store: Path, status: int = 0) -> tuple[dict, str]:
    done = subprocess.run(
        [*COMMAND, *words, "--store", str(store), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stderr
    return (json.loads(done.stdout) if done.stdout else {}), done.stderr


def test_verify_says_ok_and_status_0(store):
    said, _ = call("verify", "made", "--deep", store=store[0])

    assert (said["version"], said["ok"], said["problems"]) == (store[1][2], True, [])


def test_verify_says_what_is_wrong_and_status_1(store):
    shard = library(store[0]).open("made").files("train")[0]
    shard.write_bytes(shard.read_bytes()[:-1])

    said, _ = call("verify", "made", store=store[0], status=1)

    assert not said["ok"]
    assert any(shard.name in problem for problem in said["problems"])


def test_verify_without_a_name_checks_all(store):
    said, _ = call("verify", store=store[0])

    assert sorted(one["version"] for one in said["versions"]) == sorted(store[1])


def test_verify_of_nothing_is_one_line_and_status_2(store, tmp_path):
    _, said = call("verify", "nothing", store=store[0], status=2)
    assert said.count("\n") == 1
    assert "no version or ref" in said
    _, said = call("verify", store=tmp_path / "empty", status=2)
    assert "no version" in said


def test_log_tells_the_newest_first(store):
    said, _ = call("log", "made", store=store[0])

    assert [(entry["n"], entry["version"]) for entry in said["log"]] == list(
        zip((3, 2, 1), store[1][::-1], strict=True)
    )
    assert said["log"][0]["rows"] == {"train": 5, "validation": 0, "test": 0}


def test_log_without_a_name_lists_names_and_what_has_none(store):
    lone = published(library(store[0]), ["alone"]).id

    said, _ = call("log", store=store[0])

    assert said["names"]["made"]["version"] == store[1][2]
    assert [entry["version"] for entry in said["unnamed"]] == [lone]


def test_log_of_an_unknown_name_is_status_2(store):
    _, said = call("log", "nothing", store=store[0], status=2)

    assert "there are: made" in said


def test_rollback_goes_back_version_by_version_and_keeps_the_log(store):
    root, versions = store

    said, _ = call("rollback", "made", store=root)
    assert (said["version"], said["before"], said["n"]) == (versions[1], versions[2], 4)
    said, _ = call("rollback", "made", store=root)
    assert said["version"] == versions[0]
    _, error = call("rollback", "made", store=root, status=2)
    assert "meant nothing before" in error
    said, _ = call("rollback", "made", "--to", versions[2][:9], store=root)
    assert said["version"] == versions[2]

    assert [entry.version for entry in library(root).names.log("made")] == [
        *versions,
        *versions[1::-1],
        versions[2],
    ]


def test_rollback_to_what_it_means_or_to_nothing_is_status_2(store):
    _, said = call("rollback", "made", "--to", "made", store=store[0], status=2)
    assert "already" in said
    _, said = call("rollback", "nothing", store=store[0], status=2)
    assert "no name" in said


@pytest.fixture
def read_only(store):
    """The store where nothing can be written: a read-only mount for root, whom modes do not stop."""
    root, _ = store
    if os.geteuid() != 0:
        folders = [root, *(folder for folder in root.rglob("*") if folder.is_dir())]
        for folder in folders:
            folder.chmod(0o555)
        yield store
        for folder in folders:
            folder.chmod(0o755)
        return
    bound = subprocess.run(["mount", "--bind", str(root), str(root)], check=False)
    if bound.returncode:
        pytest.skip("nothing may be mounted here")
    subprocess.run(["mount", "-o", "remount,ro,bind", str(root)], check=True)
    yield store
    subprocess.run(["umount", str(root)], check=True)


def test_a_read_only_store_can_be_read_and_says_that_it_cannot_be_written(read_only):
    root, versions = read_only

    assert call("verify", "made", store=root)[0]["ok"]
    assert call("log", "made", store=root)[0]["log"][0]["version"] == versions[2]
    _, said = call("rollback", "made", store=root, status=2)
    assert "cannot be written" in said
