"""What a store no longer needs goes; what a name, a reader or a run in progress needs stays."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.schema import SPLITS, UserError
from corpus.store import Store
from corpus.versions import diff
from corpus.versions.library import Library
from corpus.versions.verify import verify
from flows import biography, curate
from flows.collect import collect, show
from flows.compare import compare
from tests.flows import jobs

DAY = 86_400


def age(folder: Path, days: float) -> None:
    """Make all of a folder look as if it was written so many days ago."""
    then = time.time() - days * DAY
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (then, then))


def state(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name != "lock" and "tmp" not in path.parts
    }


@pytest.fixture
def store(tmp_path) -> Path:
    """A store with a version that a name means, one that it meant, one that no name ever meant, and a run that made none."""
    corpus = jobs.write(tmp_path / "corpus", jobs.records(60))
    held = tmp_path / "store"
    jobs.publish(jobs.recipe(corpus), held, workers=1)
    jobs.write(corpus / "more", jobs.records(20, seed=9))
    jobs.publish(jobs.recipe(corpus), held, workers=1)
    other = jobs.recipe(corpus, [{"stage": "length", "min_words": 9}], name="other")
    curate.publish(jobs.job(other, held, workers=1))
    later = jobs.write(tmp_path / "later", jobs.records(10, seed=4))
    jobs.job(jobs.recipe(later, name="other"), held, workers=1)
    return held


def test_what_no_name_means_goes_with_its_run_and_what_that_left(store):
    library = Store(store).library
    meant = [entry.version for entry in library.names.log("small")]
    age(store, 40)

    held = collect(store, 30, None, dry_run=False)

    assert library.versions() == sorted(meant)
    assert len(held["versions"]) == 1
    assert held["runs"] == 1
    assert held["snapshots"] >= 1
    assert held["measured"] >= 1
    for version in meant:
        assert not verify(library, version, deep=True)["problems"]
        row_id = pq.read_table(library.open(version).files("train")[0])["id"][0].as_py()
        assert biography.explain(version, row_id, store)["events"]
    objects = {f"{shard.sha256}.parquet" for version in meant for shard in library.open(version).shards}
    layers = {
        f"{layer['sha256']}.parquet" for version in meant for layer in library.open(version).record_layers
    }
    assert set(library.shelf.names("objects")) == objects | layers


def test_a_second_time_nothing_is_left_to_go(store):
    age(store, 40)
    collect(store, 30, None, dry_run=False)
    before = state(store)
    age(store, 40)

    held = collect(store, 30, None, dry_run=False)

    assert state(store) == before
    assert (held["versions"], held["runs"], held["snapshots"], held["measured"], held["objects"]) == (
        [],
        0,
        0,
        0,
        0,
    )


def test_what_is_young_stays(store):
    before = state(store)

    held = collect(store, 30, None, dry_run=False)

    assert state(store) == before
    assert held["bytes"] == 0


def test_a_dry_run_tells_and_removes_nothing(store, capsys):
    age(store, 40)
    before = state(store)

    held = collect(store, 30, None, dry_run=True)
    show(held)

    assert state(store) == before
    assert held["bytes"] > 0
    assert "would go" in capsys.readouterr().out


def test_of_each_name_the_last_entries_can_be_all_that_is_kept(store):
    library = Store(store).library
    last = library.find("small")
    age(store, 40)

    collect(store, 30, 1, dry_run=False)

    assert library.versions() == [last]
    assert not verify(library, last, deep=True)["problems"]


def test_the_next_run_measures_nothing_again(store, tmp_path, monkeypatch):
    from corpus import runner

    age(store, 40)
    collect(store, 50, None, dry_run=False)
    run_pass, measured = runner.run_pass, []
    monkeypatch.setattr(runner, "run_pass", lambda task: measured.append(task.part.group) or run_pass(task))
    jobs.write(tmp_path / "corpus" / "later", jobs.records(20, seed=10))

    jobs.publish(jobs.recipe(tmp_path / "corpus"), store, workers=1)

    assert measured
    assert set(measured) == {None}


def nameless(library: Library) -> str:
    """Return a version that the name never meant."""
    named = {entry.version for entry in library.names.log("small")}
    return next(version for version in library.versions() if version not in named)


def test_a_version_that_somebody_reads_stays(store):
    library = Store(store).library
    age(store, 40)
    loose = nameless(library)
    code = (
        "import sys; from corpus.store import Store; from pathlib import Path\n"
        f"with Store(Path({str(store)!r})).library.open({loose!r}).reading():\n    print('reading', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdout.readline() == b"reading\n"
        held = collect(store, 30, None, dry_run=False)
        assert (held["versions"], held["in_use"]) == ([], [loose])
        assert not verify(library, loose, deep=True)["problems"]
        reader.kill()

    assert collect(store, 30, None, dry_run=False)["versions"] == [loose]


def test_who_verifies_or_compares_is_a_reader(store, monkeypatch):
    library = Store(store).library
    age(store, 40)
    loose = nameless(library)
    found, done = [], diff.diff

    def meanwhile(*args, **how):
        found.append(collect(store, 30, None, dry_run=False))
        return done(*args, **how)

    def verified(done: int, total: int) -> None:
        found.append(collect(store, 30, None, dry_run=False))

    assert verify(library, loose, deep=True, progress=verified)["ok"]
    monkeypatch.setattr(diff, "diff", meanwhile)
    assert compare(loose, "small", store, None)["rows"]["a"]

    assert len(found) >= 2
    assert all((held["versions"], held["in_use"]) == ([], [loose]) for held in found)


def test_a_run_whose_version_was_collected_is_still_explained(store, tmp_path):
    limited = jobs.job(jobs.recipe(tmp_path / "corpus"), store, workers=1, limit=50)
    version = curate.publish(limited)
    row = next(
        row
        for split in SPLITS
        for file in Store(store).library.open(version).files(split)
        for row in pq.read_table(file)["id"].to_pylist()
    )
    age(store, 40)

    assert version in collect(store, 30, None, dry_run=False)["versions"]

    events = biography.explain("latest", row, store)["events"]
    assert events[0]["event"] == "read"


def test_a_store_that_was_moved_is_the_same_store(store, tmp_path):
    last = max((store / "runs").iterdir()).name
    row = pq.read_table(next((store / "runs" / last / "segments").glob("*/steps.parquet")))["id"][0].as_py()
    age(store, 40)
    before = biography.explain(last, row, store)["events"], collect(store, 30, None, dry_run=True)
    moved = tmp_path / "moved"
    store.rename(moved)

    after = biography.explain(last, row, moved)["events"], collect(moved, 30, None, dry_run=True)
    assert after == before


def test_while_a_run_is_in_progress_nothing_goes(store):
    age(store, 40)
    code = (
        "import sys; from corpus.store import Store; from pathlib import Path\n"
        f"with Store(Path({str(store)!r})).shared():\n    print('running', flush=True); sys.stdin.read()"
    )
    before = state(store)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout.readline() == b"running\n"
        with pytest.raises(UserError, match="a run is in progress"):
            collect(store, 30, None, dry_run=False)
        run.kill()
    assert state(store) == before

    collect(store, 30, None, dry_run=False)  # a killed run holds nothing


def test_what_a_crash_left_aside_goes(store):
    (store / "tmp" / "left").mkdir(parents=True)
    (store / "tmp" / "left" / "half").write_bytes(b"half of something")
    age(store, 40)

    assert collect(store, 30, None, dry_run=False)["leftovers"] == 1
    assert not (store / "tmp" / "left").exists()


def test_a_version_that_cannot_be_read_is_left_for_verify_to_tell(store):
    library = Store(store).library
    loose = nameless(library)
    (store / "versions" / loose / "manifest.json").write_text("{")
    age(store, 40)

    assert loose not in collect(store, 30, None, dry_run=False)["versions"]
    assert loose in library.versions()


def test_a_tombstone_stays(store):
    library = Store(store).library
    loose = nameless(library)
    library.withdraw(loose, "asked to")
    age(store, 40)

    collect(store, 30, None, dry_run=False)

    with pytest.raises(UserError, match="was withdrawn"):
        library.open(loose)
