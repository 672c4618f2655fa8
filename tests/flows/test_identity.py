"""Same inputs, recipe and seed: the same version id, whatever the order, the cut, the workers, the crashes."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.store import Store
from corpus.versions.verify import verify
from tests.flows import jobs


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> tuple[Path, str]:
    """A folder of records, and the version that they are."""
    folder = jobs.write(tmp_path_factory.mktemp("corpus"), jobs.records())
    return folder, jobs.publish(jobs.recipe(folder), tmp_path_factory.mktemp("store"))


def test_the_cut_into_parts_does_not_matter(reference, tmp_path):
    folder, version = reference

    assert jobs.publish(jobs.recipe(folder), tmp_path / "7", part_rows=7) == version
    assert jobs.publish(jobs.recipe(folder), tmp_path / "50", part_rows=50) == version


@pytest.mark.parametrize("workers", [2, 4])
def test_many_workers_make_the_version_of_one(reference, tmp_path, workers):
    folder, version = reference

    assert jobs.publish(jobs.recipe(folder), tmp_path, workers=workers, part_rows=50) == version


@pytest.mark.slow
def test_parts_of_7_500_and_10000_rows_and_1_2_and_4_workers_make_one_version(tmp_path):
    folder = jobs.write(tmp_path / "corpus", jobs.records(11_000))
    made = {
        jobs.publish(jobs.recipe(folder), tmp_path / f"{rows}-{workers}", part_rows=rows, workers=workers)
        for rows in (7, 500, 10_000)
        for workers in (1, 2, 4)
    }

    assert len(made) == 1


def test_a_checkout_in_another_folder_makes_the_same_version(reference, tmp_path):
    folder, version = reference
    root = Path(__file__).parents[2]
    for name in ("corpus", "curation", "augment", "audit", "tuning", "flows", "data", "tests"):
        shutil.copytree(
            root / name, tmp_path / "elsewhere" / name, ignore=shutil.ignore_patterns("__pycache__")
        )

    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, str(folder), str(tmp_path / "store")],
        cwd=tmp_path / "elsewhere",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "elsewhere")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == [str(tmp_path / "elsewhere" / "corpus" / "__init__.py"), version]


_ELSEWHERE = """
import sys
from pathlib import Path
import corpus
from tests.flows import jobs
if __name__ == "__main__":
    print(corpus.__file__, jobs.publish(jobs.recipe(Path(sys.argv[1])), Path(sys.argv[2]), workers=1))
"""


def test_shuffled_records_in_other_files_elsewhere_are_the_same_version(reference, tmp_path):
    _, version = reference
    shuffled = jobs.records()
    random.Random(1).shuffle(shuffled)
    folder = jobs.write(tmp_path / "elsewhere", shuffled, files=4)

    assert jobs.publish(jobs.recipe(folder), tmp_path / "store") == version


def test_a_second_run_in_the_same_store_is_the_same_version(reference, tmp_path):
    folder, version = reference

    assert [jobs.publish(jobs.recipe(folder), tmp_path) for _ in range(2)] == [version, version]


@pytest.mark.parametrize("what", ["seed", "stage", "record"])
def test_another_seed_knob_or_record_is_another_version(what, reference, tmp_path):
    folder, version = reference
    if what == "record":
        held = jobs.records()
        held[5]["number"] = 100
        folder = jobs.write(tmp_path / "corpus", held)
    stages = (
        [*jobs.STAGES[:-1], {"stage": "split", "train": 0.7, "validation": 0.1, "test": 0.2}]
        if what == "stage"
        else None
    )
    held = jobs.recipe(folder, stages, **({"seed": 8} if what == "seed" else {}))

    assert jobs.publish(held, tmp_path / "store") != version


def test_a_run_that_was_killed_leaves_no_harm_and_the_next_makes_the_same_version(reference, tmp_path):
    folder, version = reference

    _killed(folder, tmp_path / "store", after=random.Random().uniform(0.3, 3.0))

    assert jobs.publish(jobs.recipe(folder), tmp_path / "store", part_rows=20) == version


@pytest.mark.slow
def test_fifty_kills_at_random_moments_leave_no_harm(reference, tmp_path):
    folder, version = reference
    began = time.monotonic()
    _started(folder, tmp_path / "first").wait()
    whole = time.monotonic() - began
    generator = random.Random(2)

    for _ in range(50):
        store = tmp_path / "store"
        _killed(folder, store, after=generator.uniform(0.1, whole))
        for made in Store(store).root.glob("versions/*"):
            assert made.name == version
            assert sum(pq.read_metadata(file).num_rows for file in made.glob("data/*.parquet")) > 0
        assert {entry.version for entry in Store(store).library.names.log("small")} <= {version}
        assert jobs.publish(jobs.recipe(folder), store, part_rows=20) == version
        shutil.rmtree(store)


@pytest.mark.slow
def test_thirty_kills_of_an_increment_leave_the_last_version_whole(reference, tmp_path):
    _, version = reference
    folder = jobs.write(tmp_path / "corpus", jobs.records())
    assert jobs.publish(jobs.recipe(folder), tmp_path / "base") == version
    jobs.write(folder / "more", jobs.records(60, seed=9))
    shutil.copytree(tmp_path / "base", tmp_path / "whole")
    began = time.monotonic()
    _started(folder, tmp_path / "whole").wait()
    whole = time.monotonic() - began
    grown = Store(tmp_path / "whole").library.find("small")
    generator = random.Random(3)
    assert grown != version

    for _ in range(30):
        store = tmp_path / "store"
        shutil.copytree(tmp_path / "base", store)
        _killed(folder, store, after=generator.uniform(0.1, whole))
        library = Store(store).library
        assert library.find("small") in (version, grown)
        for made in library.versions():
            assert verify(library, made, deep=True)["ok"]
        assert jobs.publish(jobs.recipe(folder), store, part_rows=20) == grown
        shutil.rmtree(store)


def _started(folder: Path, store: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.flows.jobs", str(folder), str(store)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.DEVNULL,
    )


def _killed(folder: Path, store: Path, after: float) -> None:
    with _started(folder, store) as process:
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.wait()
