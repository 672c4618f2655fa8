"""Rows that are forgotten: nothing on disk says them any more but what people still have to withdraw."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import ingest
from corpus.disk import Disk
from corpus.forgetting.find import Wanted
from corpus.schema import SPLITS, UserError
from corpus.store import Store
from corpus.versions.library import Library
from corpus.versions.training import TrainingRows
from corpus.versions.verify import verify
from corpus.versions.version import Version
from flows import assess, biography, curate, finish
from flows.collect import collect
from flows.forget import forget, show
from flows.job import Job
from tests.flows import jobs

TOLD = "the secret word is xylophone"
STAGES = [
    {"stage": "normalise"},
    {"stage": "length", "min_words": 2},
    {"stage": "exact_duplicates"},
    {"stage": "split"},
]


AT_REST = pytest.mark.parametrize("store", ["gathered", "merged"], indirect=True)
"""How the rows of a snapshot lie: in its parts, or in pieces that these name."""


def corpus(folder: Path) -> Path:
    """Write rows of two sources; some of the first say the secret, and some of these are dropped."""
    said = [{"text": f"row {number} of many words", "label": "a"} for number in range(40)]
    told = [{"text": f"{TOLD}  and {number}", "label": "a"} for number in (1, 2, 2)]
    jobs.write(folder / "first", [*said, *told, {"text": "xylophone", "label": "a"}])
    jobs.write(
        folder / "second", [{"text": f"another {number} of them", "label": "b"} for number in range(20)]
    )
    return folder


def recipe(folder: Path, **more: Any) -> Any:
    sources = [{"name": name, "uri": f"file:{folder / name}"} for name in ("first", "second")]
    return jobs.recipe(folder, STAGES, sources=sources, audit={"axes": ["label"]}, **more)


def run(held: Any, store: Path, **options: Any) -> Job:
    """Take a recipe to a version, with its audit and report, as the flow does."""
    done = jobs.job(held, store, **options)
    if done.unchanged:
        curate.stay(done)
        finish.stay(done)
        return done
    assess.audit_data(done)
    curate.publish(done)
    finish.candidate(done)
    finish.finish(done)
    return done


@pytest.fixture
def store(request, tmp_path, monkeypatch) -> Path:
    """A store with a version, and a cache of its own; a test may ask that rows lie in pieces, as those of large sources do."""
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))
    pieces = getattr(request, "param", "gathered") == "merged"
    if pieces:
        monkeypatch.setattr(ingest, "PACKED", 2**40)  # so that nothing fits in memory
    run(recipe(corpus(tmp_path / "corpus")), tmp_path / "store", workers=1)
    assert bool([*(tmp_path / "store").glob("snapshots/*/piece-*")]) == pieces
    return tmp_path / "store"


def texts(version: Version) -> list[str]:
    files = [file for split in SPLITS for file in version.files(split)]
    return [row["messages"][0]["content"] for file in files for row in pq.read_table(file).to_pylist()]


def saying(folder: Path, word: str = "xylophone") -> list[str]:
    """Return the files in which a word can be read, Parquet and Arrow decoded."""
    found = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        raw = file.read_bytes()
        if file.suffix == ".parquet":
            raw = "\n".join(map(str, pq.read_table(file).to_pylist())).encode()
        if word.encode() in raw:
            found.append(str(file.relative_to(folder)))
    return found


@AT_REST
def test_what_matches_a_pattern_is_gone_from_all_but_the_old_version(store):
    old = Store(store).library.open("small")
    assert len([said for said in texts(old) if "xylophone" in said]) == 2

    held = forget(Wanted(pattern="xylo"), store, "asked to", quiet=True)

    new = Store(store).library.open("small")
    assert held["rows"] == 4
    assert held["names"] == {"small": new.id, "small@candidate": new.id}
    assert sorted(texts(new)) == sorted(said for said in texts(old) if "xylophone" not in said)
    assert new.manifest["recipe"]["builds_on"] == old.id
    assert {file.split("/")[0] for file in saying(store)} == {"versions", "objects"}
    assert {file.split("/")[1] for file in saying(store) if file.startswith("versions")} == {old.id}
    assert [one["version"] for one in held["versions"]] == [old.id]
    assert sum(shard["rows"] for shard in held["versions"][0]["shards"]) == 2
    assert not verify(Store(store).library, new.id, deep=True)["problems"]


@AT_REST
def test_with_withdraw_nothing_in_the_store_says_it(store):
    old = Store(store).library.open("small").id

    held = forget(Wanted(pattern="xylophone"), store, "asked to", withdraw=True, quiet=True)

    assert held["withdrawn"] == [old]
    assert saying(store) == []
    with pytest.raises(UserError, match=r"was withdrawn on \S+: asked to"):
        Store(store).library.open(old)
    assert "withdrawn" in verify(Store(store).library, old)["problems"][0]
    assert not verify(Store(store).library, Store(store).library.find("small"), deep=True)["problems"]


@pytest.mark.parametrize("fresh", [False, True])
def test_no_later_run_takes_them_in_again(store, tmp_path, fresh):
    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    before = Store(store).library.open("small")
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])

    done = run(recipe(tmp_path / "corpus"), store, workers=1, fresh=fresh)

    after = Store(store).library.open("small")
    assert sorted(texts(after)) == sorted([*texts(before), "one more of these rows"])
    rejects = pq.read_table(done.folder / "rejects.parquet").to_pylist()
    assert [line["reason"] for line in rejects] == ["forgotten"] * (4 if fresh else 0)
    assert all("asked to" in line["detail"] for line in rejects)


def test_unchanged_sources_publish_nothing_after_rows_were_forgotten(store, tmp_path):
    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    meant = Store(store).library.find("small")

    assert run(recipe(tmp_path / "corpus"), store, workers=1).unchanged
    assert Store(store).library.find("small") == meant


def test_a_source_goes_with_all_its_rows_and_none_of_it_comes_back(store, tmp_path):
    held = forget(Wanted(source="second"), store, "the licence ended", quiet=True)
    jobs.write(tmp_path / "corpus" / "second" / "more", [{"text": "later of the second", "label": "b"}])
    run(recipe(tmp_path / "corpus"), store, workers=1)

    assert held["rows"] == 20
    assert not [
        said for said in texts(Store(store).library.open("small")) if "another" in said or "later" in said
    ]


def test_a_row_goes_by_id_and_its_life_ends_with_why(store):
    old = Store(store).library.open("small")
    row_id = pq.read_table(old.files("train")[0], columns=["id"])["id"][0].as_py()

    forget(Wanted(row=row_id), store, "a person asked", quiet=True)

    events = biography.explain("small", row_id, store)["events"]
    assert (events[-1]["event"], events[-1]["detail"]) == ("forgotten", "a person asked")
    assert len(texts(Store(store).library.open("small"))) == len(texts(old)) - 1


def test_what_grew_of_a_row_is_forgotten_with_it(store):
    library = Store(store).library
    old = library.open("small")
    rows = pa.concat_tables([pq.read_table(file) for split in SPLITS for file in old.files(split)])
    parent = rows.filter(pa.compute.equal(rows["split"], "train")).slice(0, 1).to_pylist()[0]
    child = {**parent, "id": "c" * 32, "parent": parent["id"], "operation": "made"}
    grandchild = {**parent, "id": "d" * 32, "parent": "c" * 32, "operation": "made"}
    table = pa.concat_tables([rows, pa.Table.from_pylist([child, grandchild], schema=rows.schema)])
    from corpus.versions.card import Card

    grown = library.publish([table.sort_by("id")], {"seed": 1, "stages": []}, Card("grown", {}))
    library.names.give("grown", grown.id, 0)

    held = forget(Wanted(row=parent["id"]), store, "asked to", quiet=True)

    assert held["rows"] == 3
    assert len(texts(library.open("grown"))) == len(rows) - 1
    assert set(held["names"]) == {"grown", "small", "small@candidate"}


def test_reports_and_samples_that_quote_them_are_written_anew(store):
    job = Job.open(next((store / "runs").iterdir()))
    line = next(line for line in job.ledger().to_pylist() if line["stage"] == "length")
    sample = {
        "stage": "length",
        "axis": "label",
        "group": "a",
        "id": line["id"],
        "text": "xylophone",
        "reason": "too_short",
    }
    version = Store(store).library.open("small")
    curation = version.attested(finish.CURATION)
    curation["samples"] = [sample]
    job.write("curation.json", curation)
    job.write("samples.json", [sample])
    version.attest(finish.CURATION, json.dumps(curation).encode())
    version.attest("report.html", b"<p>xylophone</p>")

    held = forget(Wanted(row=line["id"]), store, "asked to", quiet=True)

    assert held["erased"]["reports"] == 2
    assert "xylophone" not in (version.folder / "report.html").read_text()
    assert "length" in (version.folder / "report.html").read_text()
    assert not saying(job.folder, line["id"] + '"')
    assert not verify(Store(store).library, version.id)["problems"]


def test_decoded_shards_of_this_machine_are_erased(store, tmp_path):
    rows = TrainingRows(Store(store).library.open("small"), "train")
    assert any("xylophone" in str(rows[number]) for number in range(len(rows)))
    del rows

    held = forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)

    assert held["erased"]["decoded"] >= 1
    assert not [file for file in saying(tmp_path / "cache") if file.startswith("decoded")]


def test_other_rows_are_still_told_of(store):
    row = "first:3"
    before = biography.explain("small", row, store)

    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)

    after = biography.explain("small", before["id"], store)["events"]
    assert after[-1]["event"] == "published"
    assert after[-1]["version"] == Store(store).library.find("small")


def test_a_dry_run_tells_and_changes_nothing(store, capsys):
    def state() -> dict[str, bytes]:
        return {
            str(file): file.read_bytes()
            for file in store.rglob("*")
            if file.is_file() and file.name != "lock"
        }

    before = state()
    held = forget(Wanted(pattern="xylophone"), store, "asked to", dry_run=True, quiet=True)
    show(held)

    assert state() == before
    assert held["rows"] == 4
    assert "nothing was changed" in capsys.readouterr().out


def test_models_that_had_seen_them_are_told(store):
    folder = next((store / "runs").iterdir())
    (folder / "adapter").mkdir()

    held = forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)

    assert [one["adapter"] for one in held["models"]] == [str(folder / "adapter")]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(pattern="no such text"), "holds no row of pattern 'no such text'; none was erased"),
        (Wanted(row="ffffffffffff"), "holds no row of row 'ffffffffffff'"),
        (Wanted(source="third"), "holds no row of source 'third'"),
        (Wanted(pattern="("), "is no regular expression"),
        (Wanted(), "one of --source, --row and --pattern"),
        (Wanted(source="first", pattern="a"), "one of --source, --row and --pattern"),
        (Wanted(row=""), "rows are called ''; give a whole id"),
        (Wanted(row="99"), "no row of row '99'"),
    ],
)
def test_what_cannot_be_forgotten_is_said_and_nothing_changes(store, wanted, said):
    meant = Store(store).library.find("small")

    with pytest.raises(UserError, match=said.replace("(", r"\(")):
        forget(wanted, store, "asked to", quiet=True)
    assert Store(store).library.find("small") == meant
    assert not (store / "forgotten").exists()


def test_while_a_run_is_in_progress_nothing_is_forgotten(store):
    with Store(store).shared(), pytest.raises(UserError, match="a run is in progress"):
        forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)


def test_the_command_tells_as_json(store):
    command = [
        str(Path(sys.executable).parent / "winnow"),
        "forget",
        "--pattern",
        "xylophone",
        "--why",
        "asked to",
    ]
    done = subprocess.run(
        [*command, "--store", str(store), "--json"], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout)["rows"] == 4


def test_a_version_that_a_name_means_is_not_withdrawn(store):
    library = Store(store).library
    with pytest.raises(UserError, match="'small' means version"):
        library.withdraw("small", "asked to")
    assert library.open("small")


def test_shards_that_another_version_has_outlive_a_withdrawn_one(store, tmp_path):
    library = Store(store).library
    old = library.open("small")
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    run(recipe(tmp_path / "corpus"), store, workers=1)

    shared = {shard.sha256 for shard in old.shards}

    library.withdraw(old.id, "no longer needed")

    new = library.open("small")
    assert shared < {shard.sha256 for shard in new.shards}
    assert not verify(library, new.id, deep=True)["problems"]


def test_a_name_that_goes_back_brings_no_forgotten_row_into_the_next_version(store, tmp_path):
    library = Store(store).library
    old = library.find("small")
    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    library.names.give("small", old, library.names.last("small").n)
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])

    run(recipe(tmp_path / "corpus"), store, workers=1)

    assert not [said for said in texts(library.open("small")) if "xylophone" in said]
    assert "one more of these rows" in texts(library.open("small"))


def test_a_name_that_goes_back_over_unchanged_sources_brings_none_either(store, tmp_path):
    library = Store(store).library
    old = library.find("small")
    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    library.names.give("small", old, library.names.last("small").n)

    assert not run(recipe(tmp_path / "corpus"), store, workers=1).unchanged
    assert not [said for said in texts(library.open("small")) if "xylophone" in said]


def test_another_copy_of_a_forgotten_record_is_not_taken_in(store, tmp_path):
    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    before = sorted(texts(Store(store).library.open("small")))
    copies = [{"text": f"{TOLD}  and {number}", "label": "a"} for number in (1, 1, 2)]
    jobs.write(tmp_path / "corpus" / "first" / "more", copies)

    run(recipe(tmp_path / "corpus"), store, workers=1)

    assert sorted(texts(Store(store).library.open("small"))) == before


def test_a_name_does_not_go_back_to_a_version_with_forgotten_rows(store):
    from flows.versions import roll_back

    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)

    with pytest.raises(UserError, match="holds rows that were forgotten since"):
        roll_back("small", None, store)


def test_after_forgetting_and_withdrawing_every_row_can_still_be_explained(store, tmp_path):
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    run(recipe(tmp_path / "corpus"), store, workers=1)
    version = Store(store).library.open("small")
    ids = [
        row["id"]
        for split in SPLITS
        for file in version.files(split)
        for row in pq.read_table(file).to_pylist()
    ]

    forget(Wanted(pattern="xylophone"), store, "asked to", withdraw=True, quiet=True)

    left = Store(store).library.open("small")
    for row_id in ids:
        events = biography.explain("small", row_id, store)["events"]
        assert events[-1]["event"] in ("published", "forgotten")
    assert len(texts(left)) == len(ids) - 2


def test_a_row_is_forgotten_by_its_id_beside_grown_rows(store):
    library = Store(store).library
    old = library.open("small")
    rows = pa.concat_tables([pq.read_table(file) for split in SPLITS for file in old.files(split)])
    first = rows.slice(0, 1).to_pylist()[0]
    child = {
        **first,
        "id": "c" * 32,
        "parent": first["id"],
        "operation": "made",
        "source": None,
        "file": None,
        "row": None,
    }
    from corpus.versions.card import Card

    table = pa.concat_tables([rows, pa.Table.from_pylist([child], schema=rows.schema)]).sort_by("id")
    grown = library.publish([table], {"seed": 1, "stages": []}, Card("grown", {}))
    library.names.give("grown", grown.id, 0)

    assert forget(Wanted(row=rows["id"][5].as_py()), store, "asked to", quiet=True)["rows"] == 1


def test_what_killed_runs_left_is_searched_or_removed(store):
    (store / "runs" / "20200101T000000Z-aaaaaa").mkdir()
    done = next(run for run in (store / "runs").iterdir() if (run / "dropped").exists())
    (done / "dropped" / "part-00007.parquet").write_bytes(b"PAR1 half of a file that says xylophone")
    (done / "segments" / "7").mkdir()
    (done / "segments" / "7" / "parts.parquet").write_bytes(b"PAR1")
    (store / "tmp" / "left").mkdir(parents=True)
    (store / "tmp" / "left" / "spool").write_text("xylophone")
    loose = store / "memo" / "ab" / ("ab" * 16)
    loose.mkdir(parents=True)
    pq.write_table(pa.table({"messages": ["xylophone"]}), loose / "messages.parquet")

    forget(Wanted(pattern="xylophone"), store, "asked to", withdraw=True, quiet=True)

    assert saying(store) == []


def test_a_version_that_cannot_be_read_is_told_of_and_can_be_withdrawn(store, tmp_path):
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    old = Store(store).library.find("small")
    run(recipe(tmp_path / "corpus"), store, workers=1)
    (store / "versions" / old / "manifest.json").write_text("{")

    held = forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    assert held["unreadable"] == [old]
    Store(store).library.withdraw(old, "cannot be read")
    for version in held["versions"]:
        Store(store).library.withdraw(version["version"], "asked to")

    assert saying(store) == []
    with pytest.raises(UserError, match="was withdrawn"):
        Store(store).library.open(old)


def test_an_attestation_that_a_crash_left_half_written_stops_nothing(store, monkeypatch):
    version = Store(store).library.open("small")
    digests = json.loads((version.folder / "digests.json").read_text())
    digests[finish.CURATION] = [None, "0" * 64]
    (version.folder / "digests.json").write_text(json.dumps(digests))
    (version.folder / finish.CURATION).unlink()

    assert forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)["rows"] == 4


@pytest.mark.parametrize("name", ["attestations/records.json", "withdrawn.json"])
@pytest.mark.parametrize("content", [b"{", b"[1]", b'[{"file": "../../x", "sha256": "00000000"}]'])
def test_a_broken_file_beside_a_version_is_a_clear_error(store, tmp_path, name, content):
    version = Store(store).library.open("small")
    (version.folder / name).write_bytes(content)

    assert not verify(Store(store).library, version.id)["ok"]
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    with pytest.raises(UserError):
        run(recipe(tmp_path / "corpus"), store, workers=1)


def test_a_list_of_forgotten_rows_that_cannot_be_read_stops_every_run(store, tmp_path):
    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    (store / "forgotten" / "1").write_text("{")

    with pytest.raises(UserError, match="forgotten/1 cannot be read"):
        run(recipe(tmp_path / "corpus"), store, workers=1)


def test_a_name_of_which_nothing_is_left_means_nothing_and_the_next_run_takes_in_what_may_be(store, tmp_path):
    held = forget(Wanted(pattern="."), store, "asked to", withdraw=True, quiet=True)

    assert held["names"] == {"small": None, "small@candidate": None}
    with pytest.raises(UserError, match="'small' means nothing since"):
        Store(store).library.open("small")
    assert saying(store) == saying(store, "row 1 of") == []
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    run(recipe(tmp_path / "corpus"), store, workers=1)
    assert texts(Store(store).library.open("small")) == ["one more of these rows"]


@pytest.fixture
def publish(store, tmp_path) -> Callable[..., Version]:
    """Publish keyed rows, twenty of them unless more are asked for, of which the third says what it is told to."""
    folder = tmp_path / "people"
    sources = [{"name": "people", "uri": f"file:{folder}", "key": "key"}]

    def published(said: str, count: int = 20, **options: Any) -> Version:
        held = [{"key": f"k{number}", "text": f"person {number} says little"} for number in range(count)]
        held[3]["text"] = said
        jobs.write(folder, held)
        run(jobs.recipe(folder, STAGES, sources=sources, name="people"), store, workers=1, **options)
        return Store(store).library.open("people")

    return published


def test_a_text_that_was_corrected_goes_and_the_correction_stays(store, publish):
    old = publish("the xylophone of person 3")
    current = publish("person 3 says other things")
    before = texts(current)

    held = forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)

    assert old.id in [one["version"] for one in held["versions"]]
    assert current.id not in [one["version"] for one in held["versions"]]
    assert texts(Store(store).library.open("people")) == before
    assert "person 3 says it again" in texts(publish("person 3 says it again"))
    Store(store).library.withdraw(old.id, "asked to")
    assert not [file for file in saying(store, "xylophone of person") if not file.startswith("refs")]


@pytest.mark.parametrize(
    ("said", "pattern"),
    [
        pytest.param("the xyl&#111;phone of person 3", "xylophone", id="as published"),
        pytest.param("the xyl&#111;phone of person 3", "xyl&#111;phone", id="as it came"),
        pytest.param("xyl&#111;phone", "xylophone", id="as it fell"),
    ],
)
@pytest.mark.parametrize("corrected", [False, True])
def test_a_text_goes_in_all_its_forms(store, publish, said, pattern, corrected):
    publish(said)
    if corrected:
        publish("person 3 says other things")

    held = forget(Wanted(pattern=pattern), store, "asked to", withdraw=True, quiet=True)

    assert held["rows"] == (1 if "&" in pattern else 5)
    assert saying(store, "xyl&#111;phone") == []
    assert saying(store, "xylophone of person") == []
    assert len(texts(Store(store).library.open("people"))) == (20 if corrected else 19)


def test_forgetting_a_corrected_text_twice_takes_no_more_than_once(store, publish):
    publish("the xylophone of person 3")
    publish("person 3 says other things")

    first = forget(Wanted(pattern="xylophone of"), store, "asked to", quiet=True)
    before = texts(Store(store).library.open("people"))
    second = forget(Wanted(pattern="xylophone of"), store, "asked to", quiet=True)

    assert first["names"] == second["names"] == {}
    assert len(first["snapshots"]) == 1
    assert second["snapshots"] == []
    assert texts(Store(store).library.open("people")) == before


@pytest.mark.parametrize("fresh", [False, True])
def test_a_source_that_goes_back_to_a_forgotten_text_brings_it_back_nowhere(store, publish, fresh):
    publish("person 3 said this first")
    publish("the xylophone of person 3")
    publish("person 3 says other things")
    forget(Wanted(pattern="xylophone of"), store, "asked to", withdraw=True, quiet=True)

    after = publish("the xylophone of person 3", fresh=fresh)
    assert len(texts(after)) == 19
    assert saying(store, "xylophone of person") == []
    assert "person 3 said this first" in texts(publish("person 3 said this first", fresh=fresh))
    assert "person 3 says it again" in texts(publish("person 3 says it again", fresh=fresh))


def test_a_forgotten_record_takes_no_key_from_another(store, publish, tmp_path):
    """Which of two records of a key comes first is settled by digest: several pairs, so that it falls both ways."""
    publish("the xylophone of person 3")
    publish("person 3 says other things")
    forget(Wanted(pattern="xylophone of"), store, "asked to", withdraw=True, quiet=True)

    for said in ("it again", "it once more", "it for the third time", "it at last", "nothing more"):
        beside = [{"key": "k3", "text": "the xylophone of person 3"}]
        jobs.write(tmp_path / "people" / "beside", beside)
        assert f"person 3 says {said}" in texts(publish(f"person 3 says {said}", fresh=True))
    assert saying(store, "xylophone of person") == []


def test_a_name_that_goes_back_to_a_text_that_was_corrected_and_forgotten_does_not_keep_it(store, publish):
    old = publish("the xylophone of person 3")
    publish("person 3 says other things")
    forget(Wanted(pattern="xylophone of"), store, "asked to", quiet=True)
    library = Store(store).library

    with pytest.raises(UserError, match="holds rows that were forgotten"):
        library.roll_back("people", old.id)
    library.names.give("people", old.id, library.names.last("people").n)

    assert not [said for said in texts(publish("person 3 says other things")) if "xylophone" in said]


def test_a_version_takes_over_what_the_one_it_builds_on_was_meant_for(store, tmp_path):
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    run(recipe(tmp_path / "corpus"), store, workers=1)

    held = forget(Wanted(pattern="xylophone  and"), store, "asked to", withdraw=True, quiet=True)

    assert held["rows"] == 3
    assert len(held["versions"]) == 2  # two spaces are in the records alone, one in the rows
    assert not [said for said in texts(Store(store).library.open("small")) if "xylophone" in said]


def test_versions_between_a_text_and_its_correction_are_told_of(store, publish):
    first = publish("the  xylophone of person 3")
    second = publish("the  xylophone of person 3", 21)
    publish("person 3 says other things", 21)

    held = forget(Wanted(pattern="the  xylophone"), store, "asked to", withdraw=True, quiet=True)

    assert sorted(held["withdrawn"]) == sorted([first.id, second.id])
    assert len(texts(Store(store).library.open("people"))) == 21


def test_a_run_that_began_before_rows_were_forgotten_names_nothing(store, tmp_path):
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    late = jobs.job(recipe(tmp_path / "corpus"), store, workers=1)
    assess.audit_data(late)
    curate.publish(late)
    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    meant = {name: Store(store).library.find(name) for name in ("small", "small@candidate")}

    for end in (finish.candidate, finish.finish):
        with pytest.raises(UserError, match="rows were forgotten while this run was in progress"):
            end(late)
    assert {name: Store(store).library.find(name) for name in meant} == meant


def test_ledgers_keep_no_key_of_a_forgotten_row(store, tmp_path):
    folder = tmp_path / "people"
    held = [{"key": f"p{number}@example.com", "text": f"person {number} says little"} for number in range(20)]
    jobs.write(folder, [*held, {**held[3], "text": "person 3 says another thing"}])
    sources = [{"name": "people", "uri": f"file:{folder}", "key": "key"}]
    run(jobs.recipe(folder, STAGES, sources=sources, name="people"), store, workers=1)
    assert saying(store, "p3@example.com")

    forget(Wanted(row="p3@example.com"), store, "asked to", withdraw=True, quiet=True)

    assert saying(store, "p3@example.com") == []
    assert not verify(Store(store).library, Store(store).library.find("people"), deep=True)["problems"]


def test_samples_that_match_go_whoever_their_row_was(store):
    version = Store(store).library.open("small")
    curation = version.attested(finish.CURATION)
    curation["samples"] = [
        {
            "stage": "length",
            "axis": "label",
            "group": "a",
            "id": "e" * 32,
            "text": "xylophone",
            "reason": "too_short",
        }
    ]
    version.attest(finish.CURATION, json.dumps(curation).encode())

    forget(Wanted(pattern="xylo"), store, "asked to", quiet=True)

    assert version.attested(finish.CURATION)["samples"] == []


def test_copies_of_a_record_go_with_it(tmp_path):
    held = [
        {"text": said, "label": "a"} for said in ("the same xylophone", "the same xylophone", "another row")
    ]
    folder = jobs.write(tmp_path / "copies", held)
    stages = [{"stage": "normalise"}, {"stage": "split"}]
    run(jobs.recipe(folder, stages, audit={"axes": ["label"]}), tmp_path / "store", workers=1)
    library = Store(tmp_path / "store").library
    rows = pa.concat_tables(
        [pq.read_table(file) for split in SPLITS for file in library.open("small").files(split)]
    )
    row_id = next(row["id"] for row in rows.to_pylist() if "xylophone" in str(row))

    assert forget(Wanted(row=row_id), tmp_path / "store", "asked to", withdraw=True, quiet=True)["rows"] == 2

    assert saying(tmp_path / "store") == []
    assert not library.open("small").holds(library.forgotten)


BREAKS = ("remove", "write", "create", "place")


@pytest.mark.parametrize("after", [0, 1, 2, 4, 6, 9, 12, 16, 20, 25, 30, 36, 42])
def test_who_is_broken_off_as_they_forget_can_begin_anew(store, monkeypatch, after):
    job = Job.open(next((store / "runs").iterdir()))
    job.write("samples.json", [{"id": "e" * 32, "text": "xylophone"}])
    left = [after]

    def breaking(name: str) -> None:
        done = vars(Disk)[name]

        def call(self: Any, *args: Any, **how: Any) -> Any:
            left[0] -= 1
            if left[0] == -1:
                raise KeyboardInterrupt
            return done(self, *args, **how)

        patched.setattr(Disk, name, call)

    with monkeypatch.context() as patched:
        for name in BREAKS:
            breaking(name)
        with pytest.raises(KeyboardInterrupt):
            forget(Wanted(pattern="xylophone"), store, "asked to", withdraw=True, quiet=True)

    with suppress(UserError):  # no such row is left, which is to be true then
        forget(Wanted(pattern="xylophone"), store, "asked to", withdraw=True, quiet=True)
    assert saying(store) == []
    version = Store(store).library.find("small")
    assert not verify(Store(store).library, version, deep=True)["problems"]


@pytest.mark.parametrize(
    "broken", ["shard", "no shard", "attestations/ledger.parquet", "attestations/curation.json", "audit.json"]
)
def test_a_version_that_is_damaged_is_told_of_and_stops_no_other(store, tmp_path, broken):
    old = Store(store).library.open("small")
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    run(recipe(tmp_path / "corpus"), store, workers=1, fresh=True)
    file = old.files("train")[0] if "shard" in broken else old.folder / broken
    file.unlink()
    if broken != "no shard":
        file.write_bytes(b"nothing that anybody wrote")

    held = forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)

    assert held["unreadable"] == [old.id]
    assert not [said for said in texts(Store(store).library.open("small")) if "xylophone" in said]
    Store(store).library.withdraw(old.id, "it is damaged")
    assert not [file for file in saying(store / "versions") if file.startswith(old.id)]


@pytest.fixture
def numbered(tmp_path, monkeypatch) -> Path:
    """A store with rows whose keys are numbers, which may look like the beginnings of ids."""
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))
    held = [
        {"key": number, "text": f"row {number} says this", "mail": f"user{number}@example.com"}
        for number in range(300)
    ]
    folder = jobs.write(
        tmp_path / "numbered",
        [*held, {**held[1], "text": "another text"}, {**held[10], "text": "and another"}],
    )
    sources = [{"name": "numbered", "uri": f"file:{folder}", "key": "key"}]
    run(jobs.recipe(folder, STAGES, sources=sources, name="numbered"), tmp_path / "store", workers=1)
    return tmp_path / "store"


def test_a_key_goes_before_the_beginning_of_an_id(numbered):
    told = biography.explain("numbered", "7", numbered)["id"]

    forget(Wanted(row="7"), numbered, "asked to", quiet=True)

    left = texts(Store(numbered).library.open("numbered"))
    assert len(left) == 299
    assert "row 7 says this" not in left
    assert biography.explain("numbered", "7", numbered)["id"] == told
    told = pq.read_table(Store(numbered).library.open("numbered").files("train")[0])["id"][0].as_py()
    with pytest.raises(UserError, match="the beginning of an id needs 8 digits"):
        forget(Wanted(row=told[:7]), numbered, "asked to", quiet=True)
    assert len(texts(Store(numbered).library.open("numbered"))) == 299


def test_a_pattern_is_looked_for_in_all_that_a_row_says(numbered):
    assert (
        forget(Wanted(pattern="user17@example"), numbered, "asked to", withdraw=True, quiet=True)["rows"] == 1
    )

    assert saying(numbered, "user17@example") == []


def test_only_the_key_of_the_row_is_redacted(numbered):
    forget(Wanted(row="1"), numbered, "asked to", withdraw=True, quiet=True)

    assert not saying(numbered, "has the key '1'")
    assert saying(numbered, "has the key '10'")


def test_a_source_leaves_no_key_in_a_ledger(numbered):
    forget(Wanted(source="numbered"), numbered, "asked to", withdraw=True, quiet=True)

    assert saying(numbered, "has the key") == []


def test_a_withdrawal_that_broke_off_is_brought_to_its_end(store, tmp_path, monkeypatch):
    jobs.write(tmp_path / "corpus" / "first" / "more", [{"text": "one more of these rows", "label": "a"}])
    library = Store(store).library
    old = library.find("small")
    cached = TrainingRows(library.open("small"), "train")
    assert any("xylophone" in str(cached[number]) for number in range(len(cached)))
    forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)
    removed, done = [], Disk.remove

    def remove(self: Any, name: str) -> None:
        removed.append(name)
        if len(removed) == 3:
            raise KeyboardInterrupt
        done(self, name)

    monkeypatch.setattr(Disk, "remove", remove)
    with pytest.raises(KeyboardInterrupt):
        library.withdraw(old, "asked to")
    monkeypatch.setattr(Disk, "remove", done)

    assert [problem for problem in verify(library, old)["problems"] if "broke off" in problem]
    library.withdraw(old, "asked to")

    assert saying(store) == []
    assert library.left_of(old) == []
    assert not [file for file in saying(tmp_path / "cache") if file.startswith("decoded")]


@pytest.mark.parametrize(
    "pattern",
    [
        "snapshots/*/snapshot.json",
        "snapshots/*/part-*",
        "memo/??/*/features.arrow",
        "runs/*/ledger.parquet",
        "runs/*/dropped/*",
    ],
)
@AT_REST
def test_damage_in_the_work_area_stops_no_forgetting(store, pattern):
    damaged = sorted(store.glob(pattern))
    assert damaged
    for file in damaged:
        raw = file.read_bytes()
        file.write_bytes(raw[: len(raw) // 3] + b"?" * (len(raw) // 3) + raw[2 * (len(raw) // 3) :])

    forget(Wanted(pattern="xylophone"), store, "asked to", withdraw=True, quiet=True)

    assert [file for file in saying(store) if file.startswith(pattern.partition("/")[0])] == []
    assert not verify(Store(store).library, Store(store).library.find("small"), deep=True)["problems"]


def test_a_broken_entry_of_a_name_stops_no_forgetting_and_stops_collecting(store):
    meant = Store(store).library.names.last("small")
    Store(store).library.names.give("small", meant.version, meant.n)
    (store / "refs" / "small" / "1").write_text("{")

    assert forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)["rows"] == 4

    before = sorted(store.rglob("*"))
    with pytest.raises(UserError, match="refs/small/1 is not a ref"):
        collect(store, 0, None, dry_run=False)
    assert sorted(store.rglob("*")) == before


def test_a_version_that_is_a_link_that_leads_out_is_told_of_and_left(store, tmp_path):
    (tmp_path / "outside" / "data").mkdir(parents=True)
    (tmp_path / "outside" / "data" / "train-00000-00000000.parquet").write_bytes(b"of somebody else")
    (store / "versions" / ("ab" * 32)).symlink_to(tmp_path / "outside")

    held = forget(Wanted(pattern="xylophone"), store, "asked to", quiet=True)

    assert held["unreadable"] == ["ab" * 32]
    with pytest.raises(UserError, match="is a link that leads out of the store"):
        Store(store).library.withdraw(held["versions"][0]["version"], "asked to")
    (store / "versions" / ("ab" * 32)).unlink()
    Store(store).library.withdraw(held["versions"][0]["version"], "asked to")
    assert saying(store) == []
    assert len(list((tmp_path / "outside").rglob("*.parquet"))) == 1


def test_what_broke_off_is_ended_though_a_version_is_gone_since(store, monkeypatch):
    def broken(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    old = Store(store).library.find("small")
    with monkeypatch.context() as patched:
        patched.setattr(Library, "withdraw", broken)
        with pytest.raises(KeyboardInterrupt):
            forget(Wanted(pattern="xylophone"), store, "asked to", withdraw=True, quiet=True)
    Store(store).disk.remove(f"versions/{old}")

    collect(store, 365, None, dry_run=False)

    assert saying(store) == []


def test_a_damaged_shard_in_the_line_of_a_correction_stops_nothing(store, publish):
    old = publish("the xylophone of person 3")
    publish("person 3 says other things")
    old.files("train")[0].write_bytes(b"nothing that anybody wrote")

    held = forget(Wanted(pattern="xylophone of"), store, "asked to", quiet=True)

    assert held["unreadable"] == [old.id]


def test_what_broke_off_is_brought_to_its_end_by_whoever_erases_next(store, publish, monkeypatch):

    publish("the xyl&#111;phone of person 3")

    def broken(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Library, "withdraw", broken)
        with pytest.raises(KeyboardInterrupt):
            forget(Wanted(pattern="xyl&#111;phone"), store, "asked to", withdraw=True, quiet=True)
    assert saying(store / "versions", "xylophone of person")

    collect(store, 365, None, dry_run=False)

    assert saying(store, "xylophone of person") == saying(store, "xyl&#111;phone") == []


@pytest.fixture
def probed(tmp_path, monkeypatch) -> tuple[Path, list[dict[str, Any]]]:
    """A store with a version whose probes changed fates: rows that say a word are dropped, and pairs quote them."""
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))
    words = ("xylophone", "zither", "cello", "viola")
    said = [{"text": f"the mosque has a {word} and {n} more", "label": "a"} for n, word in enumerate(words)]
    plain = [{"text": f"row {number} of many words", "label": "a"} for number in range(20)]
    folder = jobs.write(tmp_path / "corpus", [*said, *plain])
    stages = [{"stage": "blocklist", "words": ["mosque"]}, {"stage": "split"}]
    done = run(jobs.recipe(folder, stages, audit={}), tmp_path / "store", workers=1)
    pairs = done.read("pairs.json")
    assert {pair["text"] for pair in pairs} == {row["text"] for row in said}
    assert all(pair["before"] == "blocklist: blocked_word" and pair["after"] is None for pair in pairs)
    return tmp_path / "store", pairs


def test_pairs_of_probes_are_told_where_they_can_be_forgotten_and_nowhere_else(probed):
    store, pairs = probed
    version = Store(store).library.open("small")

    assert version.attested(finish.CURATION)["pairs"] == pairs
    assert "<mark>mosque</mark> has a xylophone" in (version.folder / "report.html").read_text()
    assert not [file for file in saying(store) if Path(file).name in ("audit.json", "audit-data.json")]


@pytest.mark.parametrize("by", ["row", "pattern", "source"])
def test_pairs_of_a_forgotten_row_are_gone_from_runs_attestations_and_reports(probed, by):
    store, pairs = probed
    row_id = next(pair["id"] for pair in pairs if "xylophone" in pair["text"])
    wanted = {"row": row_id, "pattern": "has a xylo", "source": "small"}[by]
    version = Store(store).library.open("small")
    job = Job.open(next((store / "runs").iterdir()))

    forget(Wanted(**{by: wanted}), store, "asked to", quiet=True)

    left = [] if by == "source" else [pair for pair in pairs if pair["id"] != row_id]
    assert job.read("pairs.json") == job.read("curation.json")["pairs"] == left
    assert version.attested(finish.CURATION)["pairs"] == left
    report = (version.folder / "report.html").read_text()
    assert "xylophone" not in report
    assert ("<mark>mosque</mark> has a zither" in report) == bool(left)
    assert saying(job.folder) == []
    assert {file.split("/")[0] for file in saying(store)} <= {"objects", "versions"}
    assert not verify(Store(store).library, version.id)["problems"]


def test_a_pair_goes_by_what_its_row_would_say_too(probed):
    """What was exchanged stands in the report as well: "the church has a cello"."""
    store, _ = probed

    forget(Wanted(pattern="xylophone|church has a cello"), store, "asked to", quiet=True)

    version = Store(store).library.open("small")
    assert len(version.attested(finish.CURATION)["pairs"]) == 2
    assert "<mark>church</mark> has a cello" not in (version.folder / "report.html").read_text()


def test_where_no_text_is_to_be_shown_there_are_no_pairs(tmp_path):
    folder = jobs.write(tmp_path / "corpus", [{"text": f"a mosque of {n}", "label": "a"} for n in range(4)])
    stages = [{"stage": "blocklist", "words": ["mosque of 1", "mosque of 2"]}]

    done = run(jobs.recipe(folder, stages, audit={"show_text": False}), tmp_path / "store", workers=1)

    assert any(one["won"] for one in done.read("audit.json")["probes"])
    assert done.read("pairs.json") == done.read("curation.json")["pairs"] == []


def test_a_version_of_an_earlier_build_that_tells_of_no_pairs_is_read(probed):
    store, _ = probed
    version = Store(store).library.open("small")
    job = Job.open(next((store / "runs").iterdir()))
    curation = version.attested(finish.CURATION)
    del curation["pairs"]
    audit = version.attested("audit.json")
    del audit["growth"]
    version.attest(finish.CURATION, json.dumps(curation).encode())
    version.attest("audit.json", json.dumps(audit).encode())

    again = run(job.recipe, store, workers=1)
    forget(Wanted(pattern="row 3"), store, "asked to", quiet=True)

    assert again.unchanged
    assert again.read("pairs.json") is None
    assert "row 3" not in str(texts(Store(store).library.open("small")))
