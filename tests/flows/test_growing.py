"""What a growth did is counted beside the rows that it read, from what was written down of a run alone."""

import json
import random
import re
from collections import Counter
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from sacrebleu.metrics.chrf import CHRF

from augment import masks
from augment.admission import Admission
from corpus.forgetting.erase import clean
from corpus.forgetting.find import Found, Wanted
from corpus.schema import ROW, conform, grown_id
from corpus.stage import Context, Grow
from corpus.text import contents
from curation.length import Length
from curation.split import Split
from flows import assess, biography, cautions, finish, growing, subjects
from flows import what_if as asking
from flows.grown import grown as shown
from flows.grown import in_short
from flows.job import stage_rows
from tests.audit.test_schema import SCHEMA
from tests.embedding import tiny
from tests.flows import jobs

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer")  # of a stage that no recipe knows

WORDS = [f"{a}{b}{c}" for a in "bdgk" for b in "aeiou" for c in "lmnrst"]


class Turns(Grow):
    """Grows two rows of each row that says "glad", in which he is she, and one of each other row but every third."""

    stage: Literal["turns"] = "turns"

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        made = []
        for row_id, said in zip(rows["id"].to_pylist(), contents(rows).to_pylist(), strict=True):
            times = 2 if "glad" in said else int(int(said.split()[-1]) % 3 > 0)
            turned = re.sub(r"\bhe\b", "she", said)
            made += [(row_id, n, f"{turned} {'again ' * n}anew") for n in range(times)]
        return conform(
            {
                "id": pa.array([grown_id(parent, "turns", (), n) for parent, n, _ in made]),
                "messages": pa.array(
                    [[{"role": "text", "content": said}] for *_, said in made], ROW.field("messages").type
                ),
                "parent": pa.array([parent for parent, *_ in made]),
                "operation": pa.array(["turns"] * len(made)),
                "extra": pa.array(['{"grown": {"masks_lost": false}}'] * len(made)),
            }
        )


def rows(count=300):
    """Rows of eight words and a number; a third says "he", a quarter is glad, and what is glad is labelled so."""
    draw = random.Random(4)
    made = []
    for number in range(count):
        said = draw.choices(WORDS, k=8)
        said[0] = draw.choice(["he", "she", said[0]])
        glad = draw.random() < 0.25
        said[1] = "glad" if glad else said[1]
        made.append({"text": " ".join([*said, str(number)]), "label": "yes" if glad else "no"})
    return made


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A run whose growth is followed by a stage that drops some candidates before the gate, and its audit."""
    folder = tmp_path_factory.mktemp("growing")
    wide = {
        "min_chrf": 0,
        "max_chrf": 100,
        "min_similarity": -1,
        "max_similarity": 1,
        "min_word_similarity": None,
        "near_duplicate": 1,
        "kept": ("numbers", "negations", "names"),
    }
    stages = (
        Split(),
        Turns(),
        Length(name="short", max_words=10),
        Admission(embedding=tiny(folder), **wide),
    )
    held = jobs.recipe(jobs.write(folder / "corpus", rows()), stages=[], audit={})
    done = jobs.job(held.model_copy(update={"stages": stages}), folder / "store", workers=1)
    assess.audit_data(done)
    return done, assess.conclude(done)


def test_candidates_are_audited_at_the_gate_as_their_parents_are(grown):
    """A grown row has no source, and its length is its own: neither says whose candidate was admitted."""
    done, record = grown
    parents = {one for each in subjects.candidates_of(done) for one in each.parents["id"].to_pylist()}

    at_gate = [each for each in record["findings"] if each["stage"] == "admission"]

    assert {each["families"] + each["other_families"] for each in at_gate} == {len(parents)}
    assert {each["group"] for each in at_gate if each["axis"] == "source"} == {"small"}
    assert {each["group"] for each in at_gate if each["axis"] == "label"} == {"yes", "no"}


def test_who_got_rows_is_what_the_rows_say(grown):
    done, record = grown
    standing = pa.concat_tables(done.standing.tables()).to_pylist()
    dropped = [row for file in (done.folder / "dropped").glob("*") for row in pq.read_table(file).to_pylist()]
    every = [*standing, *dropped]
    read = [row for row in every if row["parent"] is None and row["split"] == "train"]
    children = Counter(row["parent"] for row in standing if row["parent"])

    (told,) = record["growth"]

    assert (told["stage"], told["parents"]) == ("turns", len(read))
    assert told["candidates"] == sum(row["parent"] is not None for row in every)
    assert told["grown"] == sum(children.values()) < told["candidates"]
    by_group = {(one["axis"], one["group"]): one for one in told["yields"]}
    he = [row for row in read if row["messages"][0]["content"].startswith("he ")]
    assert by_group["gender", "men"]["parents"] == len(he)
    assert by_group["gender", "men"]["grown"] == sum(children[row["id"]] for row in he)
    glad = by_group["label", "yes"]
    assert glad["rate"] == pytest.approx(
        sum(children[row["id"]] for row in read if row["label"] == "yes") / glad["parents"]
    )


def test_rows_of_which_nothing_grew_are_counted(grown):
    done, record = grown
    standing = pa.concat_tables(done.standing.tables()).to_pylist()
    dropped = [row for file in (done.folder / "dropped").glob("*") for row in pq.read_table(file).to_pylist()]
    with_candidates = {row["parent"] for row in [*standing, *dropped] if row["parent"]}

    (told,) = (stage for stage in stage_rows(done) if stage["stage"] == "turns")

    assert told["ungrown"] == record["growth"][0]["parents"] - len(with_candidates) > 0
    assert told["out"] == told["in"] + told["grown"]


def test_every_he_of_the_parents_is_a_she_of_the_children(grown):
    _, record = grown

    told = record["growth"][0]["pronouns"]

    assert told["table"]["masculine"]["feminine"] == told["to_feminine"]["n"] > 40
    assert told["table"]["feminine"]["feminine"] == told["to_masculine"]["n"] > 40
    assert (told["to_feminine"]["value"], told["to_masculine"]["value"]) == (1.0, 0.0)
    assert told["q"] < 0.001


def test_labels_and_what_goes_with_whom_are_of_what_was_read_and_what_grew(grown):
    done, record = grown
    rows = pa.concat_tables(done.standing.tables()).to_pylist()
    read = [row for row in rows if row["parent"] is None and row["split"] == "train"]
    after = [*read, *(row for row in rows if row["parent"])]
    (told,) = record["growth"]

    yes = next(one for one in told["labels"]["labels"] if one["label"] == "yes")
    women = next(one for one in told["associations"] if (one["group"], one["with"]) == ("women", "yes"))

    for name, some in (("before", read), ("after", after)):
        assert yes[name]["value"] == pytest.approx(sum(row["label"] == "yes" for row in some) / len(some))
        she = [row["label"] for row in some if row["messages"][0]["content"].startswith("she ")]
        assert women["rate"][name] == pytest.approx(she.count("yes") / len(she))
    assert told["labels"]["p"] < 0.05


def test_it_is_as_the_schema_says_and_stands_on_the_page(grown):
    done, record = grown

    page = finish.page(done, record)

    Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(record, allow_nan=False)))
    assert "What growth did" in page
    assert "What came of turns" in page
    assert (
        f"{record['growth'][0]['grown']} of {record['growth'][0]['candidates']} candidates admitted" in page
    )


def test_q_is_over_all_that_was_tested_of_growth(grown):
    from scipy import stats

    _, record = grown
    (told,) = record["growth"]
    tested = [
        one for one in (*told["yields"], *told["associations"], told["pronouns"], told["labels"])
        if one["p"] is not None
    ]  # fmt: skip

    assert len(tested) == 10
    assert [one["q"] for one in tested] == pytest.approx(
        stats.false_discovery_control([one["p"] for one in tested]).tolist()
    )


def test_a_lexicon_without_pronouns_tells_of_none(grown, tmp_path):
    done, _ = grown
    (tmp_path / "own.yaml").write_text(
        "{name: own, licence: x, origin: y, caution: z, axes: {mood: {glad: [glad]}}}"
    )
    settings = subjects.settings_of(done).model_copy(update={"lexicon": str(tmp_path / "own.yaml")})

    (told,) = growing.growth(done, settings)

    assert told["pronouns"] is None
    assert {one["axis"] for one in told["associations"]} == {"mood"}


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """A run whose gate refuses candidates of two words more, wants such alone as are labelled yes, and 20 of these."""
    folder = tmp_path_factory.mktemp("refusing")
    wide = {
        "min_chrf": 0,
        "max_chrf": 100,
        "min_similarity": -1,
        "max_similarity": 1,
        "min_word_similarity": None,
        "near_duplicate": 1,
        "kept": ("numbers", "negations", "names"),
    }
    caps = {"targets": {"yes": 1000, "no": 1}, "keep": 20}
    gate = Admission(embedding=tiny(folder), **wide, max_word_ratio=1.15, **caps)
    held = jobs.recipe(jobs.write(folder / "corpus", rows()), stages=[], audit={})
    stages = (Split(), Turns(), gate)
    return jobs.job(held.model_copy(update={"stages": stages}), folder / "store", workers=1)


def test_some_of_each_reason_are_shown_beside_their_parents(refusing):
    done = refusing
    fell = {
        row["id"]: row
        for file in (done.folder / "dropped").glob("*")
        for row in pq.read_table(file).to_pylist()
    }
    gate = [row for row in fell.values() if row["stage"] == "admission"]
    said = {
        row["id"]: row["messages"][0]["content"]
        for row in [*fell.values(), *pa.concat_tables(done.standing.tables()).to_pylist()]
    }

    told = shown(done)["refused"]

    counts = Counter(row["reason"] for row in gate)
    assert len(counts) > 1
    assert Counter(one["reason"] for one in told) == {why: min(count, 3) for why, count in counts.items()}
    for one in told:
        assert (fell[one["id"]]["reason"], fell[one["id"]]["parent"]) == (one["reason"], one["parent_id"])
        assert (one["grown"], one["parent"]) == (said[one["id"]], said[one["parent_id"]])


def test_a_summary_has_paces_and_the_ids_of_examples_and_no_word(refusing):
    told, stages = shown(refusing), stage_rows(refusing)

    short = in_short(told, stages)

    lines = {line["stage"]: line for line in stages}
    (grower,) = [line for line in stages if "grown" in line]
    assert (short["candidates"], short["admitted"]) == (grower["grown"], told["admitted"])
    assert set(short["rows_a_second"]) == {grower["stage"], "admission"}
    judged = told["admitted"] + sum(lines["admission"]["dropped"].values())
    assert short["rows_a_second"]["admission"] == pytest.approx(judged / lines["admission"]["seconds"])
    reasons = {line["id"]: line["reason"] for line in refusing.ledger().to_pylist()}
    for reason, ids in short["examples"].items():
        assert {reasons.get(row_id, "admitted") for row_id in ids} == {reason}
    assert not any(one["grown"] in str(short) for one in told["refused"])
    assert in_short(None, stages) is None


def test_what_is_good_and_not_wanted_counts_as_no_loss_of_its_group(refusing):
    fell = [
        row for file in (refusing.folder / "dropped").glob("*") for row in pq.read_table(file).to_pylist()
    ]
    standing = pa.concat_tables(refusing.standing.tables()).to_pylist()
    admitted = Counter(row["label"] for row in standing if row["parent"])
    too_long = Counter(row["label"] for row in fell if row["reason"] == "length_changed")

    (told,) = subjects.candidates_of(refusing)

    entered = pa.array(told.gate.entered)
    assert Counter(told.grown["label"].filter(entered).to_pylist()) == admitted + too_long
    assert Counter(told.grown["label"].filter(pa.array(told.gate.kept)).to_pylist()) == admitted
    assert any(row["reason"] == "enough" for row in fell)


@pytest.mark.parametrize("by", ["parent", "pattern"])
def test_who_forgets_a_row_takes_out_what_is_quoted_of_what_it_made(refusing, by):
    curated = {"samples": [], "pairs": None, "growth": shown(refusing)}
    first = curated["growth"]["refused"][0]
    found = (
        Found(Wanted(row=first["parent_id"]), frozenset([first["parent_id"]]), {})
        if by == "parent"
        else Found(Wanted(pattern=re.escape(first["grown"])), frozenset(), {})
    )
    before = list(curated["growth"]["refused"])

    assert clean(curated, found)

    assert curated["growth"]["refused"] == [
        one
        for one in before
        if (one["parent_id"] != first["parent_id"] if by == "parent" else first["grown"] not in one["grown"])
    ]
    assert first not in curated["growth"]["refused"]


def test_a_target_that_is_not_met_is_a_warning(refusing):
    standing = pa.concat_tables(refusing.standing.tables()).to_pylist()
    yes = sum(row["label"] == "yes" and row["split"] == "train" for row in standing)
    told = f"admission was asked for 1,000 training rows labelled 'yes', and there are {yes}"
    assert [one for one in cautions.warnings(refusing) if "admission" in one] == [told]
    assert {row["label"] for row in standing if row["parent"]} == {"yes"}


def test_who_was_not_asked_to_grow_is_counted_and_a_growth_that_nobody_was_asked_for_says_so(
    refusing, tmp_path
):
    standing = pa.concat_tables(refusing.standing.tables()).to_pylist()
    no = [row for row in standing if row["label"] == "no" and row["split"] == "train" and not row["parent"]]
    (told,) = [one for one in stage_rows(refusing) if "grown" in one]
    gate = refusing.recipe.stages[-1].model_copy(update={"targets": {"no": 1}})
    held = jobs.recipe(jobs.write(tmp_path / "corpus", rows(40)), stages=[])
    done = jobs.job(held.model_copy(update={"stages": (Split(), Turns(), gate)}), tmp_path / "store")

    met = [one for one in cautions.warnings(done) if one.startswith("turns")]

    assert told["unasked"] == len(no) > 100
    unasked = sum(row["split"] == "train" for row in pa.concat_tables(done.standing.tables()).to_pylist())
    assert met == [f"turns made no candidate: of {unasked} rows no child is wanted"]


def test_a_target_that_no_row_can_meet_is_a_warning_though_nobody_was_asked(refusing, tmp_path):
    """A misspelling of a label, a source or a group is told as what is wanted and not there."""
    rowed = [{**row, "region": "north" if at % 2 else "south"} for at, row in enumerate(rows(40))]
    folder = jobs.write(tmp_path / "corpus", rowed)
    source = {"name": "small", "uri": f"file:{folder}", "groups": ["region"]}
    targets = {"label": {"yse": 1900}, "source": {"smal": 50}, "region": {"nroth": 3}}
    gate = refusing.recipe.stages[-1].model_copy(update={"targets": targets})
    held = jobs.recipe(folder, stages=[], sources=[source])

    done = jobs.job(held.model_copy(update={"stages": (Split(), Turns(), gate)}), tmp_path / "store")

    assert [one for one in cautions.warnings(done) if "asked for" in one] == [
        "admission was asked for 1,900 training rows labelled 'yse', and there are 0",
        "admission was asked for 3 training rows of region 'nroth', and there are 0",
        "admission was asked for 50 training rows of source 'smal', and there are 0",
    ]


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A run that grew rows by edits, and admitted some of them."""
    folder = tmp_path_factory.mktemp("edited")
    stages = [
        {"stage": "split"},
        {"stage": "paraphrase", "engine": "edits"},
        {
            "stage": "admission",
            "embedding": tiny(folder),
            "min_chrf": 0,
            "min_similarity": -1,
            "min_word_similarity": None,
        },
    ]
    return jobs.job(jobs.recipe(jobs.write(folder / "corpus", rows(60)), stages), folder / "store")


def test_what_if_quotes_candidates_that_another_threshold_would_refuse(edited):
    told = asking.what_if("latest", ["admission.max_chrf=50"], edited.store.root)

    standing = pa.concat_tables(edited.standing.tables()).to_pylist()
    said = {row["id"]: row["messages"][0]["content"] for row in standing}
    samples = told["dropped_now"]["samples"]
    assert told["dropped_now"]["rows"] > 1
    assert [one["text"] for one in samples] == [said[one["id"]] for one in samples]
    assert [one["other_text"] for one in samples] == [said[one["other"]] for one in samples]
    assert {one["reason"] for one in samples} == {"too_close"}


def test_what_the_gate_measured_is_kept_and_told_of_each_candidate(edited):
    measured = {(row["id"], row["name"]): row["score"] for row in edited.scores().to_pylist()}
    standing = pa.concat_tables(edited.standing.tables()).to_pylist()
    said = {row["id"]: row["messages"][0]["content"] for row in standing}
    admitted = [row for row in standing if row["parent"]]

    for row in admitted:
        (scored,) = [
            event
            for event in biography.explain("latest", row["id"], edited.store.root)["events"]
            if event["event"] == "scored"
        ]
        own, other = (masks.said(said[row[name]]) for name in ("id", "parent"))
        chrf = CHRF().sentence_score(own, [other]).score
        assert measured[row["id"], "chrf"] == pytest.approx(chrf)
        assert scored == {
            "stage": "admission",
            "event": "scored",
            **{name: round(score, 4) for (row_id, name), score in measured.items() if row_id == row["id"]},
        }
        assert {"chrf", "cosine"} <= {*scored}
        assert "weakest_word" not in scored  # nobody asked
    assert len(admitted) > 5


def test_without_growth_there_is_nothing_to_tell(tmp_path):
    done = jobs.job(
        jobs.recipe(jobs.write(tmp_path / "corpus", rows(40)), stages=[], audit={}), tmp_path / "store"
    )
    assess.audit_data(done)

    record = assess.conclude(done)

    assert record["growth"] is None
    assert 'id="growth"' not in finish.page(done, record)
