"""Sources that grew: a version is built on the last one, whose rows stay as they are."""

import json
import random
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus import measures, runner
from corpus.earlier import Earlier
from corpus.schema import SPLITS, UserError
from corpus.segment import Segment, memo_key, pass_over, remembered, run_pass
from corpus.store import Store
from corpus.versions.card import Card
from corpus.versions.diff import diff
from corpus.versions.verify import verify
from corpus.versions.version import Version
from flows import assess, biography, curate, finish
from flows.job import Job
from tests.flows import jobs

KINDS = ("added", "removed", "changed", "moved")
KEPT = ["id", "family", "split", "label", "parent", "source"]


def rows(version: Version) -> dict[str, dict[str, Any]]:
    """Return the rows of a version by id."""
    files = [file for split in SPLITS for file in version.files(split)]
    return {row["id"]: row for file in files for row in pq.read_table(file).to_pylist()}


def opened(store: Path, version: str) -> Version:
    return Store(store).library.open(version)


def near(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Say whether two rows share 0.8 of their pairs of words, or where they have none are equal."""
    one, two = (row["messages"][0]["content"].split() for row in (a, b))
    pairs = [set(pairwise(words)) or set(words) for words in (one, two)]
    return len(pairs[0] & pairs[1]) >= 0.8 * len(pairs[0] | pairs[1])


@pytest.fixture(scope="module")
def grown(tmp_path_factory) -> tuple[Path, Path, str, str]:
    """A corpus that grew by a file, the store, and the versions before and after."""
    root = tmp_path_factory.mktemp("grown")
    held = jobs.records()
    folder = jobs.write(root / "corpus", held[:220])
    before = jobs.publish(jobs.recipe(folder), root / "store")
    (folder / "tomorrow.jsonl").write_text("".join(json.dumps(record) + "\n" for record in held[220:]))
    return folder, root / "store", before, jobs.publish(jobs.recipe(folder), root / "store")


def test_every_earlier_row_keeps_its_id_its_family_and_its_split(grown):
    _, store, before, after = grown
    old, new = rows(opened(store, before)), rows(opened(store, after))

    assert old
    assert {name: {key: new[name][key] for key in KEPT} for name in old} == {
        name: {key: row[key] for key in KEPT} for name, row in old.items()
    }
    assert {name: new[name]["messages"] for name in old} == {
        name: row["messages"] for name, row in old.items()
    }


def test_new_rows_are_unlike_every_earlier_row_and_their_families_lie_in_one_split(grown):
    _, store, before, after = grown
    old, new = rows(opened(store, before)), rows(opened(store, after))
    came = [row for name, row in new.items() if name not in old]
    families: dict[str, set[str]] = {}
    for row in new.values():
        families.setdefault(row["family"] or row["id"], set()).add(row["split"])

    assert len(came) > 10
    assert not [
        one["id"]
        for one in came
        for other in old.values()
        if one["label"] == other["label"] and near(one, other)
    ]
    assert all(len(splits) == 1 for splits in families.values())


def test_what_fell_against_an_earlier_row_joined_its_family_and_is_told_of(grown):
    _, store, before, after = grown
    old = rows(opened(store, before))
    job = latest(store, after)
    lines = [line for line in job.ledger().to_pylist() if line["other"] in old]

    assert {line["stage"] for line in lines} >= {"exact_duplicates", "near_duplicates"}
    line = lines[0]
    told = biography.explain(after, line["other"], store)["events"]
    assert ("displaced", line["id"]) in [(event["event"], event.get("other")) for event in told]
    assert told[0]["event"] == "read"
    assert [event["event"] for event in told[-2:]] == ["stands", "published"]
    assert told[-1]["version"] == after


def latest(store: Path, version: str) -> Job:
    """Return the run that made a version."""
    return next(
        job
        for folder in (store / "runs").iterdir()
        if (job := Job.open(folder)).read("version.json") is not None
        and job.read("version.json")["version"] == version
        and not job.unchanged
    )


def test_its_diff_to_the_last_version_is_what_was_added_and_why(grown):
    _, store, before, after = grown
    told = diff(opened(store, before), opened(store, after))

    added = latest(store, after).standing.fresh.sum()
    assert {kind: told[kind]["rows"] for kind in KINDS} == {
        "added": added,
        "removed": 0,
        "changed": 0,
        "moved": 0,
    }


def test_every_new_record_is_accounted_for(grown):
    _, store, _, after = grown
    job = latest(store, after)
    fallen = job.ledger()["id"].to_pylist()

    assert job.read("ingest.json")["rows"] == 80
    assert len(fallen) == len(set(fallen)) == 80 - job.standing.fresh.sum()
    assert opened(store, after).records.num_rows == 300


def test_its_earlier_shards_are_the_same_files(grown):
    _, store, before, after = grown
    old, new = opened(store, before), opened(store, after)

    assert {shard.sha256 for shard in old.shards} < {shard.sha256 for shard in new.shards}
    assert not verify(Store(store).library, new.id, deep=True)["problems"]


@pytest.mark.parametrize(
    "how", [{"part_rows": 7}, {"part_rows": 50, "workers": 2}, {"shuffled": True}, {"appended": True}]
)
def test_the_same_growth_is_the_same_version_whatever_the_order_and_the_cut(grown, tmp_path, how):
    _, _, before, after = grown
    held, options = jobs.records(), {key: how[key] for key in ("part_rows", "workers") if key in how}
    first, second = held[:220], held[220:]
    if how.get("shuffled"):
        random.Random(1).shuffle(first)
        random.Random(2).shuffle(second)
    folder = jobs.write(tmp_path / "elsewhere", first, files=3)

    assert jobs.publish(jobs.recipe(folder), tmp_path / "store", **options) == before
    if how.get("appended"):
        with (folder / "part-1.jsonl").open("a") as file:
            file.writelines(json.dumps(record) + "\n" for record in second)
    else:
        jobs.write(folder / "more", second, files=2)
    assert jobs.publish(jobs.recipe(folder), tmp_path / "store", **options) == after


def test_unchanged_sources_publish_nothing(grown):
    folder, store, _, after = grown
    held = Store(store).library
    before = held.versions()

    assert jobs.publish(jobs.recipe(folder), store) == after
    assert held.versions() == before


def test_records_that_only_moved_to_other_files_publish_nothing(grown, tmp_path):
    _, store, _, after = grown
    folder = jobs.write(tmp_path / "dealt", jobs.records(), files=5)
    shutil.copytree(store, tmp_path / "store")

    assert jobs.publish(jobs.recipe(folder), tmp_path / "store") == after
    assert jobs.publish(jobs.recipe(folder), tmp_path / "store") == after


def test_a_record_that_leaves_its_source_leaves_its_row(grown, tmp_path):
    _, store, _, after = grown
    folder = jobs.write(tmp_path / "fewer", jobs.records()[:100])
    shutil.copytree(store, tmp_path / "store")

    assert jobs.publish(jobs.recipe(folder), tmp_path / "store") == after


def test_another_recipe_builds_on_nothing_and_says_which_knob(grown):
    folder, store, _, _ = grown
    other = jobs.recipe(
        folder, [{**stage, "min_words": 3} if stage["stage"] == "length" else stage for stage in jobs.STAGES]
    )

    began = Job.begin(other, jobs_options(store)).read("began.json")

    assert began["builds_on"] is None
    assert began["because"] == "the recipe is another: stages.length.min_words"


def jobs_options(store: Path, **more: Any) -> Any:
    from flows.job import Options

    return Options(store=str(store), **more)


@pytest.mark.parametrize("alone", [{"fresh": True}, {"limit": 20}])
def test_a_fresh_or_a_limited_run_builds_on_nothing(grown, alone):
    folder, store, _, _ = grown

    began = Job.begin(jobs.recipe(folder), jobs_options(store, **alone)).read("began.json")

    assert (began["builds_on"], began["because"]) == (None, None)


def test_after_a_rollback_the_next_run_builds_on_what_the_name_means(grown, tmp_path):
    folder, store, before, after = grown
    shutil.copytree(store, tmp_path / "store")
    held = Store(tmp_path / "store").library
    held.roll_back("small")

    assert held.open("small").id == before
    assert jobs.publish(jobs.recipe(folder), tmp_path / "store") == after


def test_of_two_runs_that_build_on_one_version_one_gets_the_name(grown, tmp_path):
    folder, store, _, _ = grown
    shutil.copytree(store, tmp_path / "store")
    corpus = tmp_path / "corpus"
    shutil.copytree(folder, corpus)
    runs = []
    for seed in (11, 12):
        jobs.write(corpus / f"more-{seed}", jobs.records(20, seed=seed))
        runs.append(jobs.job(jobs.recipe(corpus), tmp_path / "store"))
    versions = [curate.publish(job) for job in runs]
    library = Store(tmp_path / "store").library
    for version, job in zip(versions[::-1], runs[::-1], strict=True):
        if version == versions[1]:
            library.names.give("small", version, job.read("began.json")["ref"])
        else:
            with pytest.raises(UserError, match="meanwhile"):
                library.names.give("small", version, job.read("began.json")["ref"])

    assert versions[0] != versions[1]
    assert library.open("small").id == versions[1]
    assert not verify(library, versions[0], deep=True)["problems"]


@pytest.mark.parametrize(
    "stages",
    [
        jobs.STAGES,
        [*jobs.STAGES, {"stage": "normalise", "name": "again", "white_space": "keep", "look_alikes": False}],
        [*jobs.STAGES[3:], *jobs.STAGES[:3]],
    ],
    ids=["in order", "rewritten once more", "rewritten behind the judges"],
)
def test_what_is_kept_for_the_next_run_is_what_it_would_measure(tmp_path, stages, monkeypatch):
    folder = jobs.write(tmp_path / "corpus", jobs.records(220))
    recipe = jobs.recipe(folder, stages)
    version = opened(tmp_path / "store", jobs.publish(recipe, tmp_path / "store", part_rows=30))
    job = latest(tmp_path / "store", version.id)

    with job.runner() as work:
        for segment in job.segments:
            contexts = {stage.title: work.context(stage) for stage in segment.corpus_judges}
            of_all = Segment(None, (), segment.corpus_judges)
            for part in Earlier.of(version, []).parts:
                kept = remembered(job.store, part, memo_key(part, of_all, contexts, recipe.seed))
                assert measures.read(kept.features) == pass_over(part.read(), of_all, contexts).features

    measured = []
    monkeypatch.setattr(runner, "run_pass", lambda task: measured.append(task.part) or run_pass(task))
    jobs.write(folder / "more", jobs.records(20, seed=9))
    jobs.publish(recipe, tmp_path / "store", workers=1)

    assert measured
    assert all(part.group is None for part in measured)


# --- records with keys


def keyed(folder: Path, held: list[dict[str, Any]], name: str = "a.jsonl") -> Any:
    """Write records with keys, and return a recipe that reads them."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in held))
    stages = [{"stage": "exact_duplicates"}, {"stage": "split"}]
    return jobs.recipe(folder, stages, sources=[{"name": "small", "uri": f"file:{folder}", "key": "key"}])


def told(number: int, said: str = "as it was") -> dict[str, Any]:
    return {"key": f"k{number}", "text": f"row {number} {said}", "label": "a"}


def test_a_corrected_record_replaces_its_row(tmp_path):
    folder, store = tmp_path / "corpus", tmp_path / "store"
    before = opened(store, jobs.publish(keyed(folder, [told(n) for n in range(40)]), store))
    held = keyed(folder, [told(n, "corrected" if n == 7 else "as it was") for n in range(40)])
    after = opened(store, jobs.publish(held, store))
    old, new = rows(before), rows(after)

    changed = [name for name in old if old[name]["messages"] != new[name]["messages"]]
    assert set(old) == set(new)
    assert [new[name]["messages"][0]["content"] for name in changed] == ["row 7 corrected"]
    found = diff(before, after)
    assert {kind: found[kind]["rows"] for kind in KINDS} == {
        "added": 0,
        "removed": 0,
        "changed": 1,
        "moved": 0,
    }
    assert not verify(Store(store).library, after.id, deep=True)["problems"]
    life = biography.explain(after.id, "k7", store)["events"]
    assert [event["event"] for event in life if event["event"] in ("read", "replaced")] == [
        "read",
        "replaced",
        "read",
    ]
    assert [event["text"] for event in life if event["event"] == "read"] == [
        "row 7 as it was",
        "row 7 corrected",
    ]


def test_a_correction_in_a_later_file_wins_over_the_file_that_still_has_the_old_record(tmp_path):
    folder, store = tmp_path / "corpus", tmp_path / "store"
    jobs.publish(keyed(folder, [told(n) for n in range(10)]), store)
    after = jobs.publish(keyed(folder, [told(3, "corrected")], "b.jsonl"), store)

    assert "row 3 corrected" in [row["messages"][0]["content"] for row in rows(opened(store, after)).values()]
    assert len(rows(opened(store, after))) == 10
    assert jobs.publish(keyed(folder, [told(3, "corrected")], "b.jsonl"), store) == after


def test_a_correction_that_is_taken_back_is_taken_back(tmp_path):
    folder, store = tmp_path / "corpus", tmp_path / "store"
    before = jobs.publish(keyed(folder, [told(n) for n in range(10)]), store)
    jobs.publish(keyed(folder, [told(3, "corrected")], "b.jsonl"), store)
    (folder / "b.jsonl").unlink()
    after = jobs.publish(keyed(folder, [told(n) for n in range(10)]), store)

    assert {name: row["messages"] for name, row in rows(opened(store, after)).items()} == {
        name: row["messages"] for name, row in rows(opened(store, before)).items()
    }


def test_a_correction_that_is_dropped_leaves_no_row(tmp_path):
    folder, store = tmp_path / "corpus", tmp_path / "store"
    jobs.publish(keyed(folder, [told(n) for n in range(10)]), store)
    copy = {**told(3), "text": "row 4 as it was"}
    after = jobs.publish(keyed(folder, [copy if n == 3 else told(n) for n in range(10)]), store)

    assert len(rows(opened(store, after))) == 9


def test_what_grew_of_a_corrected_row_goes_with_it(tmp_path):
    folder, store = tmp_path / "corpus", tmp_path / "store"
    recipe = keyed(folder, [told(n) for n in range(10)])
    first = opened(store, jobs.publish(recipe, store))
    job = latest(store, first.id)
    standing = pa.concat_tables([pq.read_table(file) for split in SPLITS for file in first.files(split)])
    parent = standing.slice(3, 1).to_pylist()[0]
    child = {
        **parent,
        "id": f"{parent['id'][:24]}-x".ljust(32, "0"),
        "parent": parent["id"],
        "operation": "made",
    }
    grandchild = {**child, "id": f"{parent['id'][:24]}-y".ljust(32, "0"), "parent": child["id"]}
    held = pa.concat_tables(
        [standing, pa.Table.from_pylist([child, grandchild], schema=standing.schema)]
    ).sort_by("id")
    version = job.store.library.publish(
        [held],
        curate.identity(job),
        Card("small", {}),
        records=pq.read_table(job.folder / "records.parquet"),
    )
    version.attest("attestations/sources.json", json.dumps(job.read("ingest.json")["files"]).encode())
    job.store.library.names.give("small", version.id, 1)
    number = int(parent["messages"][0]["content"].split()[1])

    after = jobs.publish(
        keyed(folder, [told(n, "corrected" if n == number else "as it was") for n in range(10)]), store
    )
    new = rows(opened(store, after))

    assert new[parent["id"]]["messages"][0]["content"] == f"row {number} corrected"
    assert len(new) == 10
    lines = [line for line in latest(store, after).ledger().to_pylist() if line["action"] == "replace"]
    assert sorted((line["id"], line["reason"]) for line in lines) == sorted(
        [
            (parent["id"], "corrected"),
            (child["id"], "parent_corrected"),
            (grandchild["id"], "parent_corrected"),
        ]
    )


def test_a_file_that_changes_while_it_is_read_is_an_error_and_nothing_is_published(tmp_path, monkeypatch):
    from corpus import ingest

    corpus = jobs.write(tmp_path / "corpus", jobs.records(20))
    read = ingest.read

    def meanwhile(*args: Any, **knobs: Any) -> Any:
        yield from read(*args, **knobs)
        with (corpus / "part-0.jsonl").open("a") as file:
            file.write('{"text": "late", "label": "positive"}\n')

    monkeypatch.setattr(ingest, "read", meanwhile)

    with pytest.raises(UserError, match=r"part-0.jsonl changed while it was read; run again"):
        jobs.job(jobs.recipe(corpus), tmp_path / "store", workers=1)
    assert not (tmp_path / "store" / "versions").exists()


def test_over_files_that_are_as_they_were_no_server_is_started(tmp_path, monkeypatch):
    from flows import server

    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr(server, "_answers", lambda _: False)
    corpus, store = jobs.write(tmp_path / "corpus", jobs.records(40)), tmp_path / "store"
    held, options = jobs.recipe(corpus), jobs_options(store)
    done = jobs.job(held, store)
    assess.audit_data(done)
    version = curate.publish(done)
    finish.finish(done)
    monkeypatch.setattr(server, "_run", lambda *_, **__: {"run": "a flow", "seconds": 1.0})
    (store / "runs" / "a flow").mkdir()

    summary = server.run_flow(held, options, quiet=True)
    assert (summary["version"], summary["unchanged"]) == (version, True)
    gates = jobs.recipe(corpus, gates=[{"axis": "label"}])
    assert server.run_flow(gates, options, quiet=True)["run"] == "a flow"
    (corpus / "part-1.jsonl").write_text('{"text": "one more", "label": "positive"}\n')
    assert server.run_flow(held, options, quiet=True)["run"] == "a flow"
    (corpus / "part-1.jsonl").unlink()
    assert server.run_flow(held, options, quiet=True)["unchanged"]
    (corpus / "part-0.jsonl").unlink()
    assert server.run_flow(held, options, quiet=True)["run"] == "a flow"


def test_stages_in_another_order_are_another_recipe(grown):
    folder, store, _, _ = grown
    swapped = [jobs.STAGES[1], jobs.STAGES[0], *jobs.STAGES[2:]]

    began = Job.begin(jobs.recipe(folder, swapped), jobs_options(store)).read("began.json")

    assert began["because"] == "the recipe is another: stages in order"


def test_a_version_that_cannot_be_read_is_not_passed_over(grown, tmp_path):
    folder, store, _, after = grown
    shutil.copytree(store, tmp_path / "store")
    (tmp_path / "store" / "versions" / after / "manifest.json").write_text("{}")

    with pytest.raises(UserError, match=r"which this run would build on, cannot be used: .*run with --fresh"):
        Job.begin(jobs.recipe(folder), jobs_options(tmp_path / "store"))
    assert Job.begin(jobs.recipe(folder), jobs_options(tmp_path / "store", fresh=True))


@pytest.fixture
def published(tmp_path) -> tuple[Any, Path]:
    """A recipe over keyed records, and a store in which its version stands."""
    folder = jobs.write(
        tmp_path / "keyed", [{"key": f"k{n}", "text": f"row {n} says this"} for n in range(60)]
    )
    sources = [{"name": "small", "uri": f"file:{folder}", "key": "key"}]
    held = jobs.recipe(folder, [{"stage": "length", "min_words": 2}, {"stage": "split"}], sources=sources)
    jobs.publish(held, tmp_path / "store")
    return held, tmp_path / "store"


@pytest.mark.parametrize("corrected", [False, True])
def test_nothing_is_built_on_a_shard_whose_rows_were_swapped(published, tmp_path, corrected):
    recipe, store = published
    version = Store(store).library.open("small")
    rows = pq.read_table(version.files("train")[0])
    said = [[{"role": "user", "content": "another text"}], *rows["messages"].to_pylist()[1:]]
    other = rows.set_column(
        1, rows.schema.field("messages"), pa.array(said, rows.schema.field("messages").type)
    )
    pq.write_table(other, version.files("train")[0])
    line = {"key": "k7" if corrected else "new", "text": "a line that was not there before"}
    (tmp_path / "keyed" / "tomorrow.jsonl").write_text(json.dumps(line) + "\n")

    with pytest.raises(UserError, match=r"would build on, cannot be used: .*not what was published"):
        jobs.publish(recipe, store)
    assert Store(store).library.versions() == [version.id]
    again = opened(store, jobs.publish(recipe, store, fresh=True))
    assert not [row for row in rows_of(again) if "another text" in str(row)]
    assert verify(Store(store).library, again.id, deep=True)["ok"]


def rows_of(version: Version) -> list[dict[str, Any]]:
    return list(rows(version).values())


@pytest.mark.parametrize("name", ["manifest.json", "attestations/ledger.parquet"])
def test_what_an_older_version_cannot_tell_is_said_and_stops_nothing(published, tmp_path, name):
    recipe, store = published
    versions = [Store(store).library.find("small")]
    for number in range(2):
        line = json.dumps({"key": f"new{number}", "text": f"one more row, number {number}"})
        (tmp_path / "keyed" / f"day{number}.jsonl").write_text(line + "\n")
        versions.append(jobs.publish(recipe, store))
        job = max((store / "runs").iterdir())
        opened(store, versions[-1]).attest(
            "attestations/ledger.parquet", (job / "ledger.parquet").read_bytes()
        )
    opened(store, versions[0]).attest("attestations/ledger.parquet", b"PAR1")
    (store / "versions" / versions[0] / name).write_bytes(b"nothing that anybody wrote")
    row = rows_of(opened(store, versions[2]))[0]["id"]

    if name != "manifest.json":
        held = diff(opened(store, versions[2]), opened(store, versions[1]))
        assert [line["rows"] for line in held["why"]["removed"]] == [1]
    held = diff(opened(store, versions[1]), opened(store, versions[2]))
    assert held["why"]["added"] == [
        {"stage": None, "reason": "not told: a version that it builds on cannot be read", "rows": 1}
    ]
    assert biography.explain(versions[2], row, store)["events"][-1]["event"] == "published"


def test_an_object_that_is_gone_is_not_missed_where_the_version_has_it(published, tmp_path):
    recipe, store = published
    for file in (store / "objects").iterdir():
        file.unlink()
    (tmp_path / "keyed" / "tomorrow.jsonl").write_text(
        json.dumps({"key": "new", "text": "one more row"}) + "\n"
    )

    after = jobs.publish(recipe, store)

    assert verify(Store(store).library, after, deep=True)["ok"]
    assert len(rows_of(opened(store, after))) == 61


@pytest.mark.parametrize("name", ["attestations/records.json", "attestations/sources.json", "digests.json"])
@pytest.mark.parametrize("content", [b"{", b"[1]", b"{}"])
def test_a_fresh_run_mends_what_lies_broken_beside_a_version(published, tmp_path, name, content):
    recipe, store = published
    version = Store(store).library.open("small")
    (version.folder / name).write_bytes(content)

    assert jobs.publish(recipe, store, fresh=True) == version.id

    assert verify(Store(store).library, version.id, deep=True)["problems"] == []
    (tmp_path / "keyed" / "tomorrow.jsonl").write_text(
        json.dumps({"key": "new", "text": "one more row"}) + "\n"
    )
    assert len(rows_of(opened(store, jobs.publish(recipe, store)))) == 61


def test_corrected_rows_keep_family_and_split_and_tear_no_family(tmp_path):
    folder, store = tmp_path / "corpus", tmp_path / "store"
    held = [{"key": f"k{n}", "text": f"row {n // 2} of words", "label": "ab"[n % 2]} for n in range(60)]
    before = opened(store, jobs.publish(keyed(folder, held), store))
    changed = [
        {**one, "text": f"{one['text']} corrected"} if n % 4 == 0 else one for n, one in enumerate(held)
    ]
    after = opened(store, jobs.publish(keyed(folder, changed), store))
    old, new = rows(before), rows(after)

    families = {row["family"] for row in old.values()}
    assert len(families) == 30
    assert set(old) == set(new)
    assert {name: (row["family"], row["split"]) for name, row in new.items()} == {
        name: (row["family"], row["split"]) for name, row in old.items()
    }
    names = [shard.number for shard in after.shards if shard.split == "train"]
    assert names == sorted(set(names))


def test_a_source_that_loses_its_keys_is_told_and_nothing_is_doubled(tmp_path):
    folder, store = tmp_path / "corpus", tmp_path / "store"
    stages = [{"stage": "split"}]
    told_of = [{"id": f"k{n}", "text": f"row {n}"} for n in range(12)]
    jobs.write(folder, told_of)
    jobs.publish(jobs.recipe(folder, stages), store)
    jobs.write(folder / "more", [{"text": "without an id"}])

    with pytest.raises(UserError, match="was read with keys before and is read without them now"):
        jobs.job(jobs.recipe(folder, stages), store)


def test_blocks_of_grown_rows_alone_are_kept_for_the_next_run(tmp_path):
    from corpus.carry import carry

    folder = jobs.write(tmp_path / "corpus", jobs.records(40))
    recipe = jobs.recipe(folder)
    version = opened(tmp_path / "store", jobs.publish(recipe, tmp_path / "store"))
    job = latest(tmp_path / "store", version.id)
    part = Earlier.of(version, []).parts[0]
    nobody = job.store.snapshot([part.read().slice(0, 0)], 10)
    with job.runner() as work:
        segment = job.segments[0]
        contexts = {stage.title: work.context(stage) for stage in segment.corpus_judges}
        standing = work.run(segment, nobody).standing
        shutil.rmtree(tmp_path / "store" / "memo")
        carry(
            job.store,
            segment,
            contexts,
            recipe.seed,
            standing,
            job_standing(part, job, work, segment),
            [part],
        )
        of_all = Segment(None, (), segment.corpus_judges)
        kept = remembered(job.store, part, memo_key(part, of_all, contexts, recipe.seed))

    assert measures.read(kept.features) == pass_over(part.read(), of_all, contexts).features


def job_standing(part: Any, job: Job, work: Any, segment: Segment) -> Any:
    return work.run(segment, job.store.snapshot([part.read().sort_by("id")], 1_000)).standing
