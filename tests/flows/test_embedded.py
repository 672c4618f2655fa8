"""Where the recipe's audit names a model, clusters, diversity and a probe of the labels are audited too, by draws of the rows."""

import random
import shutil

import numpy as np
import pyarrow as pa
import pytest

from audit.vendi import diversity
from corpus.models import Models
from corpus.schema import UserError
from flows import assess, embedded, finish, gates, staying, subjects
from flows.prepare import prepare
from flows.recipe import Gate
from tests.audit.test_schema import CHECK, plain
from tests.embedding import tiny
from tests.flows import jobs

STAGES = [{"stage": "normalise"}, {"stage": "blocklist", "words": ["qqqq"]}, {"stage": "exact_duplicates"}]


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("model"))


def corpus(count=700, seed=3):
    """Rows of letters; one in eight is of z and q alone, which nobody named, and half of those hold a blocked word.

    What women are spoken of with has letters of its own, and another label more often.
    """
    draw = random.Random(seed)
    made = []
    for number in range(count):
        odd = number % 8 == 0
        letters = "zq" if odd else "swx" if number % 5 == 0 else "abcdefgh"
        words = ["".join(draw.choices(letters, k=6)) for _ in range(8)]
        if odd and number % 16 == 0:
            words[3] = "qqqq"
        if number % 5 == 0:
            words[0] = "she"
        made.append(
            {"text": " ".join(words), "label": "odd" if odd or (number % 5 == 0 and number % 4) else "even"}
        )
    return made


@pytest.fixture(scope="module")
def done(uri, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    recipe = jobs.recipe(
        jobs.write(folder / "corpus", corpus()), STAGES,
        audit={"embedding": uri, "embedded_rows": 500, "axes": ["gender", "length"]},
    )  # fmt: skip
    job = jobs.job(recipe, folder / "store")
    assess.audit_data(job)
    return job, assess.conclude(job)


def test_a_cluster_that_nobody_named_and_a_stage_removed_is_found(done):
    _, record = done

    failed = [each for each in record["findings"] if each["axis"] == "cluster" and each["verdict"] == "FAIL"]

    assert {each["stage"] for each in failed} >= {"blocklist"}
    assert all(
        each["origin"] == "embedding-clusters" and each["n"] + each["other_n"] <= 500 for each in failed
    )


def test_clusters_can_be_gated(done):
    job, record = done
    gate = {"axis": "cluster", "min_impact_ratio": 0.8, "on_fail": "stop"}
    held = job.recipe.model_copy(update={"gates": (Gate.model_validate(gate),)})

    (told,) = gates.outcomes(held, job.read("audit-data.json"), subjects.settings_of(job))

    failed = {
        (one["stage"], one["group"])
        for one in record["findings"]
        if one["axis"] == "cluster" and one["rule"] == "impact_ratio" and one["verdict"] == "FAIL"
    }
    assert told["verdict"] == "FAIL"
    assert failed <= {(one["stage"], one["group"]) for one in told["failed"]}
    assert failed


def test_the_record_is_as_the_schema_says_and_the_page_shows_it(done):
    job, record = done

    CHECK.validate(plain(record))
    page = finish.page(job, record)

    assert record["embedded"]["came"] == record["embedded"]["published"] == 500
    assert 'data-diversity="gender|women"' in page
    quoted = job.read("clusters.json")
    assert {one["cluster"] for one in quoted} == {"1", "2", "3", "4"}
    assert all(one["text"] in page for one in quoted)
    assert "embedding probe, class by class" in page
    assert {(one["axis"], one["group"]) for one in record["mitigation"]} == {("gender", "women")}
    assert "What evening out would cost" in page


def test_diversity_is_of_the_rows_that_were_drawn_of_the_group(done):
    job, record = done
    settings, snapshot = subjects.settings_of(job), subjects.came(job)
    groups, _ = subjects.groups_of(snapshot, settings)
    (women,) = [group for group in groups if group.group == "women"]
    kept = staying.published(job, groups, settings).kept
    with embedded.beside(job, len(kept), settings) as by:
        seen = embedded.embed(job, snapshot, groups, kept, settings, by).embedded()

    rows = seen.ranks.first(women.rows, 100)
    ids = snapshot.narrow(["id"])["id"].combine_chunks()
    texts = [snapshot.take(ids.slice(at, 1))["messages"][0][0]["content"].as_py() for at in rows]
    vectors = Models(job.here, job.here).encode(settings.embedding, pa.array(texts))

    assert np.array_equal(vectors, seen.vectors[seen.of(rows)])
    (told,) = [each for each in record["diversity"] if each["group"] == "women"]
    again = diversity(vectors, np.random.default_rng(0))
    assert told["came"]["low"] < again["value"] < told["came"]["high"]


def test_a_process_of_its_own_finds_the_same(done, monkeypatch):
    job, _ = done
    here = {name: job.read(f"{name}.json") for name in ("audit-data", "clusters", "samples")}
    shutil.rmtree(job.store.replay)
    monkeypatch.setattr(embedded, "_MANY", 1)

    assess.audit_data(job)

    assert {name: job.read(f"{name}.json") for name in here} == here
    assert [*job.store.replay.rglob("*.parquet")], "what was made there is replayed here"


def test_the_probe_is_asked_of_the_rows_that_stay_and_labels_are_no_groups(done):
    _, record = done

    lines = [line for line in record["classes"] if line["stage"] == embedded.STAGE]
    found = [each for each in record["findings"] if each["stage"] == embedded.STAGE]

    assert {line["axis"] for line in lines} == {"gender", "length", "source"}
    assert {(each["rule"], each["baseline"]) for each in found} == {("accuracy", True)}
    (women,) = [each for each in found if each["group"] == "women"]
    assert women["n"] + women["other_n"] <= 600
    assert women["rate"] > 0.6, "letters tell the labels apart"


def test_without_a_model_nothing_is_embedded(tmp_path):
    job = jobs.job(jobs.recipe(jobs.write(tmp_path / "corpus", corpus(80)), STAGES), tmp_path / "store")
    assess.audit_data(job)

    record = assess.conclude(job)

    assert (record["embedded"], record["diversity"], record["classes"]) == (None, [], [])


def test_where_no_text_is_shown_nothing_is_quoted(uri, tmp_path):
    recipe = jobs.recipe(
        jobs.write(tmp_path / "corpus", corpus(400)), STAGES, audit={"embedding": uri, "show_text": False}
    )
    job = jobs.job(recipe, tmp_path / "store")
    assess.audit_data(job)

    assert job.read("clusters.json") == []
    assert job.read("samples.json") == []


def test_few_rows_none_that_stay_and_no_labels_are_no_error(uri, tmp_path):
    for number, (rows, stages) in enumerate(
        [
            ([{"text": "one row"}], STAGES),
            ([{"text": f"qqqq {at}"} for at in range(300)], STAGES),
            ([{"text": f"abc {at}"} for at in range(300)], []),
        ]
    ):
        recipe = jobs.recipe(jobs.write(tmp_path / f"c{number}", rows), stages, audit={"embedding": uri})
        job = jobs.job(recipe, tmp_path / f"store{number}")
        assess.audit_data(job)

        record = assess.conclude(job)

        assert record["classes"] == []
        assert record["embedded"]["came"] == len(rows)


def test_a_model_that_is_not_there_is_found_before_the_run(tmp_path):
    recipe = jobs.recipe(
        jobs.write(tmp_path / "corpus", corpus(20)), STAGES, audit={"embedding": "file:nowhere"}
    )

    with pytest.raises(UserError, match="nowhere"):
        prepare(jobs.job(recipe, tmp_path / "store"))


def test_lengths_and_languages_are_groups_where_they_are_named(tmp_path):
    english = "the crew was great and the food was even better than what we had been promised"
    spanish = "la comida era muy buena y el servicio fue rápido, aunque la habitación era pequeña"
    rows = [{"text": f"{(english, spanish)[number % 4 == 0]} {number}"} for number in range(160)]
    rows += [{"text": f"{number} :)"} for number in range(40)]
    recipe = jobs.recipe(
        jobs.write(tmp_path / "corpus", rows), [{"stage": "language"}], audit={"axes": ["length", "language"]}
    )
    job = jobs.job(recipe, tmp_path / "store")
    assess.audit_data(job)

    record = assess.conclude(job)

    came = {
        (axis["axis"], group["group"]): group["came"]["rows"]
        for axis in record["representation"]
        for group in axis["groups"]
        if axis["axis"] in ("length", "language")
    }
    assert came == {
        ("length", "16 to 31 words"): 160,
        ("length", "under 8 words"): 40,
        ("language", "en"): 120,
        ("language", "es"): 40,
        ("language", "(missing)"): 40,
    }
    failed = {(each["axis"], each["group"]) for each in record["findings"] if each["verdict"] == "FAIL"}
    assert ("language", "es") in failed
