"""Versions in a bucket, on a real server of the tests' own: what is promised of a disk holds there too."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import boto3
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from corpus import collect
from corpus.bucket import Bucket
from corpus.disk import Disk
from corpus.schema import UnreachableError, UserError
from corpus.store import Store
from corpus.versions.library import Library
from corpus.versions.training import Epoch, TrainingRows
from corpus.versions.verify import verify
from flows import biography
from flows.forget import forget
from flows.versions import log, roll_back
from tests.corpus.versions.shelves import published
from tests.flows import jobs


@pytest.fixture(scope="module")
def endpoint():
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def uri(endpoint, monkeypatch, tmp_path) -> str:
    """A bucket that nobody used before, and a cache of its own."""
    for name, value in (
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "tests"),
        ("AWS_SECRET_ACCESS_KEY", "tests"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("WINNOW_CACHE", str(tmp_path / "cache")),
    ):
        monkeypatch.setenv(name, value)
    name = f"bucket-{abs(hash(str(tmp_path))):x}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/some/where"


def library(uri: str, tmp_path: Path) -> Library:
    return Library(Bucket(uri), Disk(tmp_path / "desk"))


def put(uri: str, name: str, content: bytes) -> None:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    boto3.client("s3").put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=content)


def test_a_version_is_the_one_that_it_is_on_a_disk(uri, tmp_path):
    there = published(library(uri, tmp_path), ["one", "two", "three"], ["train", "test", "train"])
    here = published(
        Library(Disk(tmp_path / "here"), Disk(tmp_path / "here")),
        ["one", "two", "three"],
        ["train", "test", "train"],
    )

    assert there.id == here.id
    assert pq.read_table(there.files("train")[0]) == pq.read_table(here.files("train")[0])
    assert sorted(path.name for path in there.folder.rglob("*")) == sorted(
        path.name for path in here.folder.rglob("*")
    )


def test_it_is_loaded_and_read_by_torch(uri, tmp_path):
    from datasets import load_dataset

    version = published(library(uri, tmp_path), [f"row {number}" for number in range(20)])

    found = load_dataset(str(version.folder), cache_dir=str(tmp_path / "hf"))
    assert found["train"].num_rows == 20
    rows = TrainingRows(version, "train")
    assert sorted(row["id"] for row in Epoch(rows, seed=1, batch=4)) == sorted(found["train"]["id"])


def test_a_byte_that_changes_in_the_bucket_is_found_though_a_sound_copy_is_here(uri, tmp_path):
    held = library(uri, tmp_path)
    version = published(held, ["one", "two"])
    raw = bytearray(version.files("train")[0].read_bytes())
    assert verify(held, version.id, deep=True)["ok"]

    raw[len(raw) // 2] ^= 1
    put(uri, f"{version.where}/{version.shards[0].file}", bytes(raw))

    assert any("its bytes are not those" in problem for problem in verify(held, version.id)["problems"])


def test_a_bad_copy_of_a_shard_is_fetched_again(uri, tmp_path):
    version = published(library(uri, tmp_path), ["one", "two"])
    version.files("train")[0].write_bytes(b"not what was written")

    assert [row["messages"][0]["content"] for row in TrainingRows(version, "train")] == ["one", "two"]
    assert pq.read_table(version.files("train")[0]).num_rows == 2


@pytest.mark.parametrize("when", [1, 3, 4, 5, 6, 7, 9, 11])
def test_two_machines_that_publish_one_version_at_once_leave_it_whole(uri, tmp_path, monkeypatch, when):
    """The second does all of its work between two requests of the first."""
    splits = ["train", "test", "validation"]
    first, second = library(uri, tmp_path), library(uri, tmp_path / "second")
    calls = []

    def meanwhile(name):
        done = vars(Bucket)[name]

        def call(self, *args, **how):
            if self is first.shelf and (name == "hold" or "copy_object" in args):
                calls.append(name)
                if len(calls) == when:
                    published(second, ["one", "two", "three"], splits)
            return done(self, *args, **how)

        monkeypatch.setattr(Bucket, name, call)

    meanwhile("_ask")
    meanwhile("hold")
    version = published(first, ["one", "two", "three"], splits)

    assert len(calls) >= when
    assert verify(second, version.id, deep=True)["problems"] == []


def test_a_shard_that_is_gone_and_a_changed_manifest_are_found(uri, tmp_path):
    held = library(uri, tmp_path)
    version = published(held, ["one", "two"])
    held.shelf.remove(f"{version.where}/{version.shards[0].file}")
    assert verify(held, version.id)["problems"] == [f"{version.shards[0].file}: missing"]

    put(uri, f"{version.where}/manifest.json", b'{"version": "another"}')
    assert not verify(held, version.id)["ok"]


def test_of_many_who_name_a_version_at_once_one_wins(uri, tmp_path):
    held = library(uri, tmp_path)
    versions = [published(held, [f"row {number}"]).id for number in range(8)]

    def name(version: str) -> bool:
        try:
            library(uri, tmp_path).names.give("small", version, 0)
        except UserError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(name, versions))

    assert sum(won) == 1
    assert held.open("small").id == versions[won.index(True)]


def test_more_names_than_a_page_holds_are_all_listed(uri, tmp_path):
    bucket = Bucket(uri)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: bucket.write(f"many/{number:04d}", b""), range(1_050)))

    assert len(bucket.names("many")) == 1_050
    bucket.remove("many")
    assert bucket.names("many") == []


def test_what_is_removed_is_not_read_from_a_copy(uri):
    bucket = Bucket(uri)
    bucket.write("attestations/run.json", b"one")
    copy = bucket.local("attestations/run.json")
    bucket.write("attestations/run.json", b"two")
    assert bucket.local("attestations/run.json").read_bytes() == b"two"

    bucket.remove("attestations/run.json")

    assert not copy.exists()
    with pytest.raises(FileNotFoundError):
        bucket.read("attestations/run.json")
    with pytest.raises(FileNotFoundError):
        bucket.local("attestations/run.json")


def test_names_like_others_are_not_removed_with_them(uri):
    bucket = Bucket(uri)
    for name in ("versions/a", "versions/ab", "versions/a/inside"):
        bucket.write(name, b"")

    bucket.remove("versions/a")

    assert bucket.names("versions") == ["ab"]


def test_a_run_publishes_there_and_the_next_one_builds_on_it(uri, tmp_path):
    store = Store.at(uri)
    corpus = jobs.write(tmp_path / "corpus", jobs.records(120))
    first = jobs.publish(jobs.recipe(corpus), store.root, workers=1)
    jobs.write(corpus / "more", jobs.records(20, seed=9))
    second = jobs.publish(jobs.recipe(corpus), store.root, workers=1)
    on_disk = jobs.publish(
        jobs.recipe(jobs.write(tmp_path / "again", jobs.records(120))), tmp_path / "disk", workers=1
    )

    held = Store.at(uri).library
    assert first == on_disk
    assert not (store.root / "versions").exists()
    assert [entry["version"] for entry in log("small", store.root)["log"]] == [second, first]
    assert verify(held, "small", deep=True)["ok"]
    assert held.open("small").manifest["recipe"]["builds_on"] == first
    row_id = pq.read_table(held.open("small").files("train")[0])["id"][0].as_py()
    assert biography.explain("small", row_id, store.root)["events"][-1]["event"] == "published"
    roll_back("small", None, store.root)
    assert held.open("small").id == first


def test_rows_are_forgotten_and_versions_withdrawn_there(uri, tmp_path):
    from corpus.forgetting.find import Wanted

    store = Store.at(uri)
    corpus = jobs.write(
        tmp_path / "corpus", [*jobs.records(60), {"text": "some xylophone words", "label": "positive"}]
    )
    old = jobs.publish(jobs.recipe(corpus), store.root, workers=1)

    held = forget(Wanted(pattern="xylophone"), store.root, "asked to", withdraw=True, quiet=True)

    assert held["withdrawn"] == [old]
    assert verify(store.library, "small", deep=True)["ok"]
    with pytest.raises(UserError, match="was withdrawn"):
        store.library.open(old)
    kept = {f"{shard.sha256}.parquet" for shard in store.library.open("small").shards}
    assert kept <= set(store.library.shelf.names("objects"))
    bucket = Bucket(uri)
    for name in bucket.names("objects"):
        with bucket.lend(f"objects/{name}") as path:
            assert "xylophone" not in str(pq.read_table(path).to_pylist())


@pytest.mark.parametrize("uri", ["s3://", "s3://x", "s3://UPPER/a", "s3://bucket//a", "gs://bucket/a"])
def test_what_names_no_bucket_is_said(uri):
    with pytest.raises(UserError, match="names no bucket"):
        Store.at(uri)


@pytest.mark.parametrize("name", ["../other", "a/../../b", "/etc/passwd"])
def test_no_name_leads_out_of_the_prefix(uri, name):
    with pytest.raises(UserError, match="leads out of the store"):
        Bucket(uri).read(name)


def test_a_bucket_that_is_not_there_or_refuses_is_said(uri, monkeypatch):
    with pytest.raises(UnreachableError, match="NoSuchBucket"):
        Bucket("s3://nobody-made-this-one").write("a", b"")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(UnreachableError, match="cannot be reached"):
        Bucket(uri).read("a")


def test_young_objects_that_nobody_has_yet_are_left_to_who_is_publishing(uri, tmp_path):
    held = library(uri, tmp_path)
    version = published(held, ["one", "two"])
    put(uri, "objects/" + "0" * 64 + ".parquet", b"of a version that another machine is publishing")

    assert held.sweep() == []
    held.withdraw(version.id, "asked to")

    assert held.shelf.names("objects") == ["0" * 64 + ".parquet"]


def test_a_bucket_that_cannot_be_asked_loses_no_version(uri, tmp_path, monkeypatch):
    held = library(uri, tmp_path)
    version = published(held, ["one", "two"])
    version.attest("attestations/scores.json", b"{}")

    def refuse(*_: object) -> Path:
        raise UnreachableError("slow down")

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "_download", refuse)
        with pytest.raises(UnreachableError, match="slow down"):
            published(held, ["one", "two"])

    assert verify(held, version.id, deep=True)["ok"]
    assert published(held, ["one", "two"]).attested("attestations/scores.json") == {}


def test_an_upload_that_broke_off_is_collected_when_it_is_old(uri, tmp_path, monkeypatch):
    held = library(uri, tmp_path)
    version = published(held, ["one", "two"])
    held.names.give("small", version.id, 0)
    put(uri, f"versions/{'ab' * 32}/data/train-00000-00000000.parquet", b"half of a version")
    store = Store(tmp_path / "desk")
    store.disk.write("published", uri.encode())

    assert collect.find(store, 0).versions == []
    monkeypatch.setattr("corpus.versions.library._YOUNG", timedelta(0))
    found = collect.find(store, 0)
    assert found.versions == ["ab" * 32]
    collect.remove(store, found)
    assert held.versions() == [version.id]

    held.shelf.remove(f"{version.where}/manifest.json")
    assert collect.find(store, 0).versions == []  # a name means it: `verify` tells of it


def test_nothing_is_copied_from_a_base_that_changed_in_the_bucket(uri, tmp_path):
    from tests.corpus.versions.shelves import CARD, RECIPE, rows

    held = library(uri, tmp_path)
    base = published(held, ["one", "two"])
    base.prove()
    put(uri, f"{base.where}/{base.shards[0].file}", b"another thing")

    with pytest.raises(UserError, match="was changed since it was read"):
        held.publish([rows(["three"])], {**RECIPE, "builds_on": base.id}, CARD, base=base)
    assert [version.id for version in held.readable()] == [base.id]


def test_shards_that_an_upload_left_are_taken_away_by_the_one_that_ends(uri, tmp_path):
    held = library(uri, tmp_path)
    version = published(held, ["one", "two"])
    held.shelf.remove(f"{version.where}/manifest.json")
    put(uri, f"{version.where}/data/train-00000-00000000.parquet", b"as another pyarrow wrote it")

    assert published(held, ["one", "two"]).id == version.id
    assert verify(held, version.id, deep=True)["problems"] == []
