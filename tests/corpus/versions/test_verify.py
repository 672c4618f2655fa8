"""Verify: whatever is changed on disk is told, and nothing else is."""

import hashlib
import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pyarrow.parquet as pq
import pytest

from corpus.known import RECORDS
from corpus.schema import UserError
from corpus.versions import blocks
from corpus.versions.shards import read_back
from corpus.versions.verify import verify
from tests.corpus.versions.shelves import CARD, RECIPE, library, published, rows


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 400)
    held = library(tmp_path)
    texts = [f"row number {number} of the corpus" for number in range(60)]
    made = published(held, texts, ["train", "train", "test"] * 20)
    made.attest("audit.json", b'{"verdict": "PASS"}')
    held.names.give("made", made.id, 0)
    return held, made


def told(store, **how) -> list[str]:
    found = verify(store[0], "made", **how)
    assert found["ok"] == (found["problems"] == [])
    return found["problems"]


@pytest.mark.parametrize("deep", [False, True])
def test_what_was_published_is_sound(store, deep):
    assert told(store, deep=deep) == []


def test_a_flipped_bit_anywhere_is_told(store):
    generator = random.Random(1)
    files = sorted(file for file in store[1].folder.rglob("*") if file.is_file())
    assert len(files) >= 7
    for file in files:
        whole = file.read_bytes()
        for at in {0, len(whole) - 1, *generator.sample(range(len(whole)), min(12, len(whole)))}:
            changed = bytearray(whole)
            changed[at] ^= 1 << generator.randrange(8)
            file.write_bytes(changed)
            found = told(store)
            assert found, (file.name, at)
        file.write_bytes(whole)
    assert told(store) == []


def test_a_cut_missing_or_empty_file_is_told(store):
    for file in sorted(file for file in store[1].folder.rglob("*") if file.is_file()):
        whole = file.read_bytes()
        for less in (b"", whole[:-1], None):
            file.unlink()
            if less is not None:
                file.write_bytes(less)
            assert told(store), (file.name, less)
            file.write_bytes(whole)
    assert told(store) == []


def test_a_shard_swapped_for_another_valid_one_is_told(store):
    held, made = store
    other = published(held, [f"another row number {number}" for number in range(60)])
    shard = made.files("train")[0]
    shard.unlink()
    shard.write_bytes(other.files("train")[0].read_bytes())

    assert any("bytes are not those" in problem for problem in told(store))


def test_two_shards_in_each_others_place_are_told(store):
    _, made = store
    train, test = made.files("train")[0], made.files("test")[0]
    one, two = train.read_bytes(), test.read_bytes()
    train.unlink()
    test.unlink()
    train.write_bytes(two)
    test.write_bytes(one)

    assert len([problem for problem in told(store) if "bytes are not those" in problem]) == 2


def test_a_file_that_readers_would_take_for_a_shard_is_told(store):
    _, made = store
    (made.folder / "data" / "train-00009-00000000.parquet").write_bytes(made.files("train")[0].read_bytes())

    assert [problem for problem in told(store) if "not a shard" in problem]


def test_a_link_that_leads_out_is_told(store, tmp_path):
    shard = store[1].files("train")[0]
    (tmp_path / "outside").write_bytes(shard.read_bytes())
    shard.unlink()
    shard.symlink_to(tmp_path / "outside")

    assert any("leads out" in problem for problem in told(store))


@pytest.mark.parametrize("level", ["", "data", "attestations", "README.md", "attestations/shards.json"])
def test_links_that_lead_out_are_told_and_nothing_behind_them_is_touched(store, tmp_path, level):
    held = store[0]
    other = published(held, ["another"], seed=8)
    inside = other.folder / level if level else other.folder
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    inside.rename(outside)
    inside.symlink_to(outside, target_is_directory=outside.is_dir())
    before = sorted(path for path in [outside, *outside.rglob("*")])

    assert any("leads out of the store" in problem for problem in verify(held, other.id)["problems"])
    with suppress(UserError):  # the link itself may go, what it leads to stays
        held.withdraw(other.id, "it leads out")
    assert sorted(path for path in [outside, *outside.rglob("*")]) == before
    assert told(store) == []


@pytest.mark.parametrize(
    "name", ["extra.bin", "attestations/evil.json", "more/file.txt", "data/part.parquet"]
)
def test_a_file_that_nothing_lists_is_told(store, name):
    file = store[1].folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"nothing that anybody wrote")

    assert len(told(store)) == 1
    assert told(store)[0].startswith(f"{name.partition('/')[0]}")


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"{}", b'{"README.md": null}', b'{"README.md": [1]}', b'{"data": ["x"], "../x": ["y"]}'],
)
def test_a_list_of_digests_that_is_none_is_told(store, content):
    (store[1].folder / "digests.json").write_bytes(content)
    assert told(store)

    file = store[1].files("train")[0]
    file.write_bytes(file.read_bytes()[:-1])
    assert any("its bytes are not those" in problem for problem in told(store))


def test_a_forged_list_of_records_is_told_and_stops_nothing(store):
    held, _ = store
    made = held.publish([rows(["a row"])], {**RECIPE, "seed": 9}, CARD, records=RECORDS.empty_table())
    junk = b"nothing that anybody wrote"
    digest = hashlib.sha256(junk).hexdigest()
    forged = f"attestations/records-00000-{digest[:8]}.parquet"
    (made.folder / forged).write_bytes(junk)
    layers = [{"file": forged, "sha256": digest}]
    made.attest("attestations/records.json", json.dumps(layers).encode())

    assert any("not readable as Parquet" in problem for problem in verify(held, made.id)["problems"])


def test_a_manifest_that_says_the_same_otherwise_is_told(store):
    file = store[1].folder / "manifest.json"
    file.write_bytes(b'{"version": "0000",' + file.read_bytes()[1:])

    assert told(store) == [
        f"versions/{store[1].id}/manifest.json was changed: it is not canonical JSON; publish the version anew"
    ]


def test_a_stray_file_beside_versions_stops_nothing(store, tmp_path):
    (tmp_path / "versions" / ".DS_Store").write_bytes(b"")
    (tmp_path / "forgotten").mkdir()
    (tmp_path / "forgotten" / ".DS_Store").write_bytes(b"")

    assert store[0].versions() == [store[1].id]
    assert not store[0].forgotten
    assert told(store) == []


def test_a_forged_attestation_is_told_when_rows_are_hashed(store):
    """Whoever changes a row, and the digest with it, is found by the manifest, whose digest is the id."""
    _, made = store
    shard = made.shards[0]
    path = made.folder / shard.file
    with pq.ParquetFile(path) as file:
        groups = [file.read_row_group(number) for number in range(file.metadata.num_row_groups)]
    label = groups[0].schema.get_field_index("label")
    groups[0] = groups[0].set_column(label, groups[0].schema.field(label), [["forged"] * groups[0].num_rows])
    path.unlink()
    with pq.ParquetWriter(path, groups[0].schema) as writer:
        for group in groups:
            writer.write_table(group, row_group_size=group.num_rows)
    sha256, size, _ = read_back(path)
    forged = f"data/train-00000-{sha256[:8]}.parquet"
    path.rename(made.folder / forged)
    attested = [{**entry.attested()} for entry in made.shards]
    attested[0] |= {"file": forged, "sha256": sha256, "bytes": size}
    made.attest("attestations/shards.json", json.dumps(attested).encode())

    assert told(store) == []
    assert told(store, deep=True) == [f"{forged}: the rows of block 0 are not those of the manifest"]


def test_an_attestation_that_a_crash_left_half_replaced_is_sound(store, monkeypatch):
    _, made = store
    write = type(made.shelf).write

    def crash(after: int):
        left = [after]

        def writes(self, name, content):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            write(self, name, content)

        return writes

    for name in ("audit.json", "attestations/new.json"):
        for after in range(3):
            monkeypatch.setattr(type(made.shelf), "write", crash(after))
            with pytest.raises(KeyboardInterrupt):
                made.attest(name, f"{after} {name}".encode())
            monkeypatch.setattr(type(made.shelf), "write", write)
            assert told(store) == [], (name, after)
    made.attest("audit.json", b"done")
    assert told(store) == []


def test_what_many_attest_at_once_is_all_there(store):
    made = store[1]
    names = [f"attestations/said-{number}.json" for number in range(8)] * 3

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: made.attest(names[at], b"%d" % at), range(len(names))))

    assert {*names} < {*made.digests}


def test_what_many_append_at_once_is_all_there(store):
    held, made = store

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: made.append("attestations/said.json", {"at": at}), range(24)))

    assert sorted(one["at"] for one in made.attested("attestations/said.json")) == [*range(24)]
    assert verify(held, made.id)["ok"]
    assert all(len(digests) == 1 for digests in made.digests.values())
    assert told(store) == []


def test_a_withdrawn_version_is_told(store):
    held, made = store
    (made.folder / "withdrawn.json").write_text(json.dumps({"at": "2026-01-01", "why": "a person asked"}))

    why = "withdrawn.json: withdrawn on 2026-01-01: a person asked"
    assert told(store)[0] == why
    assert "data: left by a withdrawal that broke off; withdraw the version again" in told(store)
    held.finish()
    assert told(store) == [why]


def test_progress_is_told_in_bytes(store):
    seen = []

    verify(store[0], "made", progress=lambda done, total: seen.append((done, total)))

    total = sum(file.stat().st_size for split in ("train", "test") for file in store[1].files(split))
    assert seen[-1] == (total, total)
    assert len(seen) == len(store[1].shards)
