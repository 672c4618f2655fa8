"""What a run is asked: what other knobs would do, and how good its deduplication was."""

import csv
import json
import random

import pyarrow as pa
import pytest

from corpus.schema import UserError
from flows.dedup_quality import dedup_quality
from flows.job import Job, Options, stage_rows, totals
from flows.what_if import what_if
from tests.flows import jobs

STAGES = [
    {"stage": "normalise"},
    {"stage": "length", "min_words": 2},
    {"stage": "near_duplicates", "shingle_words": 2, "threshold": 0.8},
    {"stage": "blocklist", "words": ["forbidden"]},
    {"stage": "exact_duplicates"},
    {"stage": "split"},
]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A run in two segments over rows with copies and near-copies."""
    folder = tmp_path_factory.mktemp("asked")
    jobs.write(folder / "corpus", jobs.records(400))
    return folder, jobs.job(jobs.recipe(folder / "corpus", STAGES), folder / "store", workers=1)


def kept(job) -> pa.Table:
    return pa.concat_tables(list(job.standing.tables())).combine_chunks()


@pytest.mark.parametrize(
    ("setting", "measured"),
    [
        ("near_duplicates.threshold=0.9", False),
        ("near_duplicates.threshold=0.5", True),
        ("length.min_words=6", False),
    ],
)
def test_what_if_decides_as_a_fresh_run_would(done, tmp_path, setting, measured):
    folder, job = done
    name, value = setting.split("=")
    stage, knob = name.split(".")
    stages = [{**one, knob: json.loads(value)} if one["stage"] == stage else one for one in STAGES]
    fresh = jobs.job(jobs.recipe(folder / "corpus", stages), tmp_path / "fresh", workers=1)

    held = what_if(job.folder.name, [setting], folder / "store")

    assert held["rows"] == {"before": totals(job), "after": totals(fresh)}
    assert [one["after"]["dropped"] for one in held["stages"]] == [
        one["dropped"] for one in stage_rows(fresh)
    ]
    before, after = (set(kept(one)["id"].to_pylist()) for one in (job, fresh))
    assert held["dropped_now"]["rows"] == len(before - after)
    assert held["kept_now"]["rows"] == len(after - before)
    assert before != after
    if measured:
        assert held["measured"] >= 400


def test_what_if_leaves_nothing_behind_and_the_run_as_it_was(done):
    folder, job = done
    before = sorted(path.name for path in (folder / "store" / "runs").iterdir())
    ledger = job.ledger()

    what_if("latest", ["near_duplicates.threshold=0.6"], folder / "store")

    assert sorted(path.name for path in (folder / "store" / "runs").iterdir()) == before
    assert job.ledger().equals(ledger)


def test_a_threshold_within_what_the_bands_were_made_for_measures_nothing_in_its_segment(done):
    folder, job = done

    held = what_if(job.folder.name, ["near_duplicates.threshold=0.99"], folder / "store")

    assert held["measured"] == held["stages"][3]["after"]["in"]  # the rows of the second segment are others


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["seed=3"], "what-if changes knobs of stages"),
        (["small.text=body"], "what-if changes knobs of stages"),
        (["near_duplicates.threshhold=0.9"], "threshold"),
        (["near_duplicates.threshold=2"], "threshold"),
    ],
)
def test_what_cannot_be_asked_is_told_and_nothing_is_left(done, settings, said):
    folder, job = done
    before = len(list((folder / "store" / "runs").iterdir()))

    with pytest.raises(UserError, match=said):
        what_if(job.folder.name, settings, folder / "store")

    assert len(list((folder / "store" / "runs").iterdir())) == before


def test_a_run_that_is_not_there_and_one_that_was_broken_off_are_told(done, tmp_path):
    folder, _ = done

    with pytest.raises(UserError, match=r"no run in .* is called 'nobody'"):
        what_if("nobody", ["length.min_words=3"], folder / "store")
    begun = Job.begin(jobs.recipe(folder / "corpus", STAGES), Options(store=str(tmp_path / "store")))
    with pytest.raises(UserError, match="judged no rows to the end"):
        what_if(begun.folder.name, ["length.min_words=3"], tmp_path / "store")


def test_the_last_run_that_judged_is_asked_where_a_later_one_found_nothing_new(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(40))
    jobs.publish(jobs.recipe(corpus, STAGES), tmp_path / "store", workers=1)
    jobs.publish(jobs.recipe(corpus, STAGES), tmp_path / "store", workers=1)

    held = what_if("latest", ["length.min_words=5"], tmp_path / "store")

    assert held["rows"]["before"]["in"] == 40


@pytest.mark.parametrize("name", ["../runs", "*", "/etc", ""])
def test_what_is_no_name_of_a_run_is_told(done, name):
    with pytest.raises(UserError, match="needed the name of a run"):
        what_if(name, ["length.min_words=5"], done[0] / "store")


# --- the quality of deduplication


def planted(seed: int) -> list[dict]:
    """Documents of sixty words, half of them again with up to twelve words changed."""
    generator = random.Random(seed)
    known = [f"w{number}" for number in range(2_000)]
    made = []
    for _ in range(250):
        said = generator.choices(known, k=60)
        made.append({"text": " ".join(said)})
        if generator.random() < 0.6:
            for _ in range(generator.randint(0, 12)):
                said[generator.randrange(60)] = generator.choice(known)
            made.append({"text": " ".join(said)})
    return made


@pytest.fixture(scope="module")
def deduplicated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quality")
    jobs.write(folder / "corpus", planted(5))
    stages = [{"stage": "near_duplicates", "shingle_words": 2}]
    return folder, jobs.job(jobs.recipe(folder / "corpus", stages), folder / "store", workers=1)


def test_a_sound_run_has_its_recall_and_precision_told(deduplicated, tmp_path):
    folder, job = deduplicated

    held = dedup_quality("latest", folder / "store", sheet=tmp_path / "sheet.csv")

    fell = job.ledger().num_rows
    assert held["recall"]["value"] == 1.0
    assert held["recall"]["n"] == fell >= 40
    assert (held["precision"]["value"], held["precision"]["n"]) == (1.0, fell)
    assert held["precision"]["largest_error_of_a_score"] < 1e-12
    assert all(
        line["proposed"]["value"] > 0.97
        for line in held["banding"]
        if line["from"] >= 0.8 and line["proposed"]["n"]
    )
    assert all(0.75 <= pair["alike"] < 0.8 and all(pair["kept"]) for pair in held["margin"]["below"])
    with (tmp_path / "sheet.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == min(fell, 100)
    assert all(line["verdict"] == "" and line["dropped"] and line["stays"] for line in lines)


def judged_by(job, threshold: float) -> None:
    """Let the run's ledger be judged by another threshold than it was made by."""
    recipe = json.loads((job.folder / "recipe.json").read_text())
    recipe["stages"][0]["threshold"] = threshold
    (job.folder / "recipe.json").write_text(json.dumps(recipe))


def test_removals_that_should_not_have_been_are_counted(tmp_path):
    jobs.write(tmp_path / "corpus", planted(7))
    stages = [{"stage": "near_duplicates", "shingle_words": 2}]
    job = jobs.job(jobs.recipe(tmp_path / "corpus", stages), tmp_path / "store", workers=1)
    judged_by(job, 0.95)

    held = dedup_quality("latest", tmp_path / "store")

    scores = job.ledger()["score"].to_pylist()
    assert held["precision"]["value"] == sum(score >= 0.95 for score in scores) / len(scores) < 0.9


def test_pairs_that_were_missed_are_found_by_comparing_all(tmp_path):
    rows = planted(6)
    jobs.write(tmp_path / "corpus", rows)
    stages = [{"stage": "near_duplicates", "shingle_words": 2, "threshold": 0.95}]
    job = jobs.job(jobs.recipe(tmp_path / "corpus", stages), tmp_path / "store", workers=1)
    judged_by(job, 0.8)

    held = dedup_quality("latest", tmp_path / "store")

    grams = [set(zip(row["text"].split(), row["text"].split()[1:], strict=False)) for row in rows]
    pairs = sum(
        len(one & two) / len(one | two) >= 0.8 for at, one in enumerate(grams) for two in grams[at + 1 :]
    )
    assert held["recall"]["n"] == pairs
    assert held["recall"]["value"] == pytest.approx(job.ledger().num_rows / pairs)
    assert 0 < held["recall"]["value"] < 0.7
    assert len(held["recall"]["missed"]) == 5


@pytest.mark.parametrize("knob", [{"action": "mark"}, {"keep": 2}, {"splits": ["train"]}])
def test_a_sound_run_is_told_as_sound_whatever_the_knobs(tmp_path, knob):
    rows = [{**row, "split": "test" if number % 5 == 0 else "train"} for number, row in enumerate(planted(8))]
    jobs.write(tmp_path / "corpus", rows * (2 if "keep" in knob else 1))
    stages = [{"stage": "length"}, {"stage": "near_duplicates", "shingle_words": 2, **knob}]
    job = jobs.job(jobs.recipe(tmp_path / "corpus", stages), tmp_path / "store", workers=1)

    held = dedup_quality("latest", tmp_path / "store")

    assert held["recall"]["value"] == held["precision"]["value"] == 1.0
    assert held["recall"]["n"] == job.ledger().num_rows > 20


def test_a_sheet_with_verdicts_is_not_written_over(deduplicated, tmp_path):
    (tmp_path / "sheet.csv").write_text("wrong")

    with pytest.raises(UserError, match="is there already, and may hold verdicts"):
        dedup_quality("latest", deduplicated[0] / "store", sheet=tmp_path / "sheet.csv")

    assert (tmp_path / "sheet.csv").read_text() == "wrong"


def test_a_run_without_the_stage_says_so(done, tmp_path):
    jobs.write(tmp_path / "corpus", jobs.records(20))
    jobs.job(jobs.recipe(tmp_path / "corpus", [{"stage": "length"}]), tmp_path / "store", workers=1)

    with pytest.raises(UserError, match=r"needed one stage near_duplicates .* there is none"):
        dedup_quality("latest", tmp_path / "store")


def test_nothing_removed_is_told_as_nothing_to_judge(tmp_path):
    jobs.write(
        tmp_path / "corpus", [{"text": f"row {number} of its own words {number * 7}"} for number in range(15)]
    )
    stages = [{"stage": "near_duplicates", "shingle_words": 1, "threshold": 1.0}]
    jobs.job(jobs.recipe(tmp_path / "corpus", stages), tmp_path / "store", workers=1)

    held = dedup_quality("latest", tmp_path / "store")

    assert held["recall"]["value"] is held["precision"]["value"] is None
