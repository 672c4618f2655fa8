"""The audit of a whole run, over its folder: who is named, what is never a pass, and that its numbers are the rows'."""

import hashlib
import html
import json
import math
import random
import re
import shlex

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from audit.page.words import cause
from corpus import lexicon, text
from corpus.schema import UserError
from flows import assess, curate, finish, probing, subjects
from flows.cli import winnow
from flows.job import Job, Options
from flows.prepare import prepare
from flows.recipe import load
from tests.flows import jobs

WORDS = [f"{a}{b}{c}" for a in "bdgk" for b in "aeiou" for c in "lmnrst"]


def rows(count=900, seed=5, muslim=0.12):
    """Rows of ten words of which some speak of a group, in two sources' worth of lengths and two labels."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        text = [*draw.choices(WORDS, k=draw.randint(6, 14)), f"n{number}"]
        if draw.random() < muslim:
            text.insert(0, draw.choice(["muslim", "muslims", "mosque"]))
        if draw.random() < 0.2:
            text.insert(1, draw.choice(["she", "woman", "her"]))
        if draw.random() < 0.1:
            text = text[:2]
        made.append({"text": " ".join(text), "label": draw.choice(["yes", "no"])})
    return made


def audited(tmp_path, made, stages, **more):
    """Take rows to an audit; return the run and what `audit.json` holds."""
    done = jobs.job(
        jobs.recipe(jobs.write(tmp_path / "corpus", made), stages=stages, **more), tmp_path / "store"
    )
    assess.audit_data(done)
    return done, assess.conclude(done)


STAGES = [{"stage": "normalise"}, {"stage": "length", "min_words": 3}, {"stage": "exact_duplicates"}]
BLOCKED = {"stage": "blocklist", "words": ["muslim", "muslims", "mosque"]}


def first_worst(page):
    """The sentence and the cause of the first finding that the page shows."""
    section = page[page.index('<section id="worst">') :]
    return re.sub(r"<[^>]+>", " ", section[: section.index("</li>")])


def test_a_blocklist_that_removes_a_groups_words_is_named_first(tmp_path):
    done, record = audited(tmp_path, rows(), [*STAGES[:2], BLOCKED, STAGES[2]])

    told = first_worst(finish.page(done, record))

    assert record["verdict"] == "FAIL"
    assert "rows that mention muslim (religion)" in told
    assert "Owed most to the stage blocklist by its rule blocked word, which removed" in told


def test_without_it_nobody_is(tmp_path):
    done, record = audited(tmp_path, rows(), STAGES)

    assert record["verdict"] != "FAIL"
    assert "blocklist" not in finish.page(done, record)


def test_the_numbers_are_those_of_the_rows_counted_one_by_one(tmp_path):
    """From what was written down of kept and dropped rows, without any of the audit's code."""
    made = rows()
    done, record = audited(tmp_path, made, [*STAGES[:2], {**BLOCKED, "words": ["mosque"]}, STAGES[2]])
    speaks = re.compile(r"\b(muslims?|mosque)\b")
    dropped = {
        line["id"]: line["stage"] for line in pq.read_table(done.folder / "ledger.parquet").to_pylist()
    }
    snapshot = subjects.came(done)
    came = [row for part in snapshot.parts for row in part.read().to_pylist()]
    tally = {True: [0, 0], False: [0, 0]}
    for row in came:
        mine = bool(speaks.search(row["messages"][0]["content"]))
        tally[mine][0] += 1
        tally[mine][1] += row["id"] not in dropped

    found = next(
        each for each in record["findings"]
        if (each["stage"], each["group"], each["rule"]) == ("total", "muslim", "impact_ratio")
    )  # fmt: skip

    (n, kept), (other_n, other_kept) = tally[True], tally[False]
    assert (found["n"], found["kept"], found["other_n"], found["other_kept"]) == (
        n,
        kept,
        other_n,
        other_kept,
    )
    blocked = next(part for part in found["parts"] if part["stage"] == "blocklist")
    assert blocked["removed"] == sum(
        stage == "blocklist" for row_id, stage in dropped.items() if row_id in {row["id"] for row in came}
    )
    assert found["ratio"] == pytest.approx((kept / n) / (other_kept / other_n))
    assert 0 < kept < n


def test_splits_are_those_of_the_rows_that_stand(tmp_path):
    done, record = audited(
        tmp_path, rows(), [*STAGES, {"stage": "split", "train": 0.6, "validation": 0.2, "test": 0.2}]
    )
    standing = [row for table in done.standing.tables() for row in table.to_pylist()]

    for split in record["splits"]:
        mine = [row for row in standing if row["split"] == split["split"]]
        muslim = sum(bool(re.search(r"\b(muslims?|mosque)\b", row["messages"][0]["content"])) for row in mine)
        assert (split["rows"], split["grown"]) == (len(mine), 0)
        assert {"axis": "religion", "group": "muslim", "rows": muslim} in split["groups"]
        assert 0 < muslim < len(mine)
    assert sum(split["rows"] for split in record["splits"]) == len(standing)


def test_shares_are_those_of_the_rows(tmp_path):
    done, record = audited(tmp_path, rows(), STAGES)

    religion = next(axis for axis in record["representation"] if axis["axis"] == "religion")
    muslim = next(group for group in religion["groups"] if group["group"] == "muslim")

    texts = [
        row["messages"][0]["content"] for part in subjects.came(done).parts for row in part.read().to_pylist()
    ]
    assert muslim["came"]["rows"] == sum("muslim" in text or "mosque" in text for text in texts)
    kept = done.standing.stands.sum()
    assert muslim["published"]["of"] == kept
    assert muslim["published"]["share"] == pytest.approx(muslim["published"]["rows"] / kept)


@pytest.mark.parametrize(
    ("made", "stages"),
    [
        ([{"text": "one row"}], STAGES),
        ([{"text": "too"} for _ in range(50)], STAGES),  # all rows are dropped
        (
            [{"text": f"row {n} says this"} for n in range(50)],
            STAGES,
        ),  # no labels, no groups, nothing dropped
        ([{"text": f"row {n} says this", "label": "only"} for n in range(50)], STAGES),  # one class
        ([{"text": f"row {n} says this", "label": n % 2} for n in range(50)], STAGES),  # labels are numbers
        (rows(40), []),  # no stages
        (rows(40), [*STAGES, BLOCKED]),  # groups of a few
    ],
)
def test_what_cannot_be_judged_is_never_a_pass(tmp_path, made, stages):
    done, record = audited(tmp_path, made, stages, gates=[{"axis": "religion"}])

    page = finish.page(done, record)

    assert record["counts"]["PASS"] == 0
    assert record["gates"][0]["verdict"] in ("INSUFFICIENT_DATA", "NOT_APPLICABLE")
    assert "<h1>small</h1>" in page
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("stages", [[], [{"stage": "normalise"}], STAGES, [*STAGES, BLOCKED]])
def test_the_index_of_a_run_leads_to_sections_of_its_page(tmp_path, stages):
    done, record = audited(tmp_path, rows(200), stages)

    page = finish.page(done, record)

    links = set(re.findall(r'<a href="#(\w+)">', page))
    assert {"verdict", "methods", "representation"} <= links
    assert links <= set(re.findall(r'id="(\w+)"', page))
    files = [one for entry in record["index"] for one in entry["evidence"] if one["file"] == "manifest.json"]
    assert [one["says"] for one in files] == [None]


def test_groups_with_markup_stay_text(tmp_path):
    name = "<img src=x onerror=alert(1)>$x^2$"
    made = [{**row, "who": name if n % 3 else None} for n, row in enumerate(rows(300))]
    sources = [{"name": "small", "uri": f"file:{jobs.write(tmp_path / 'corpus', made)}", "groups": ["who"]}]
    done = jobs.job(jobs.recipe(tmp_path / "corpus", stages=STAGES, sources=sources), tmp_path / "store")
    assess.audit_data(done)
    record = assess.conclude(done)

    page = finish.page(done, record)

    assert "<img" not in page
    assert "&lt;img src=x onerror" in page
    who = next(axis for axis in record["representation"] if axis["axis"] == "who")
    assert [group["group"] for group in who["groups"]] == [name, "(missing)"]


def test_a_million_groups_are_told_as_few(tmp_path):
    made = [{**row, "who": f"person {n}"} for n, row in enumerate(rows(600))]
    sources = [{"name": "small", "uri": f"file:{jobs.write(tmp_path / 'corpus', made)}", "groups": ["who"]}]
    done = jobs.job(jobs.recipe(tmp_path / "corpus", stages=STAGES, sources=sources), tmp_path / "store")
    assess.audit_data(done)
    record = assess.conclude(done)

    who = next(axis for axis in record["representation"] if axis["axis"] == "who")

    assert len(who["groups"]) == 51
    assert who["groups"][-1]["group"] == "(other)"
    assert len(finish.page(done, record).encode()) < 5 * 2**20


def test_where_no_text_is_to_be_shown_the_page_has_none(tmp_path):
    made = rows()
    done, record = audited(tmp_path, made, [*STAGES[:2], BLOCKED, STAGES[2]], audit={"show_text": False})

    page = finish.page(done, record)

    assert [row["text"] for row in made if row["text"] in page and len(row["text"]) > 20] == []
    assert "Owed most to the stage blocklist" in page


def test_what_was_measured_quotes_no_row(tmp_path):
    """Samples stand apart, where what is forgotten is taken out; probes changed the fate of rows here, and words go with groups."""
    made = rows()
    done, record = audited(tmp_path, made, [*STAGES[:2], BLOCKED, STAGES[2]], audit={"show_text": False})

    told = (done.folder / "audit-data.json").read_text() + (done.folder / "audit.json").read_text()

    assert any(one["won"] for one in record["probes"])
    assert record["associations"]["words"] == []
    assert [row["text"] for row in made if len(row["text"]) > 20 and row["text"] in told] == []


def test_the_audit_is_the_same_whatever_the_parts(tmp_path):
    made = rows(400)
    held = jobs.recipe(jobs.write(tmp_path / "corpus", made), stages=[*STAGES, BLOCKED])

    records = []
    for number, size in enumerate((1_000, 37)):
        done = jobs.job(held, tmp_path / str(number), part_rows=size)
        assess.audit_data(done)
        records.append(assess.conclude(done))

    assert json.dumps(records[0], sort_keys=True) == json.dumps(records[1], sort_keys=True)


def test_a_short_groups_loss_is_told_from_a_groups(tmp_path):
    """Rows that mention women are short, and `length` drops what is short: among rows of the same length nothing is left."""
    draw = random.Random(2)
    made = []
    for number in range(4_000):
        length = draw.choice([2, 2, 2, 8]) if number % 5 == 0 else draw.choice([2, 8, 9, 10])
        text = [*draw.choices(WORDS, k=length), f"n{number}"]
        text[0] = "woman" if number % 5 == 0 else text[0]
        made.append({"text": " ".join(text)})

    _, record = audited(tmp_path, made, [{"stage": "length", "min_words": 5}])

    found = next(
        each for each in record["findings"]
        if (each["stage"], each["group"], each["rule"]) == ("total", "women", "impact_ratio")
    )  # fmt: skip
    assert found["verdict"] == "FAIL"
    assert found["high"] < 0.5
    assert found["within"]["ratio"] == pytest.approx(1, abs=0.05)
    assert "the stage length by its rule too short" in cause(found)


def test_a_probe_finds_that_other_words_would_have_stayed(tmp_path):
    """The blocklist has words of one faith alone: with those of another the same rows stay."""
    _, record = audited(tmp_path, rows(), [*STAGES[:2], BLOCKED, STAGES[2]])

    found = {(one["group"], one["instead"]): one for one in record["probes"]}

    christian = found["muslim", "christian"]
    assert (christian["kept"], christian["lost"]) == (0, 0)
    assert christian["won"] == christian["kept_instead"] > 20
    assert christian["q"] < 0.001
    assert (
        list(christian["stages"])
        == ["blocklist: blocked_word", "length: too_short"][: len(christian["stages"])]
    )
    assert found["women", "men"]["flips"]["value"] == 0
    assert record["probes"][0]["group"] == "muslim"


def test_a_probes_fates_are_those_of_the_run(tmp_path):
    """Rows that are sent through the stages again as they are meet what they met in the run."""
    done, _ = audited(tmp_path, rows(), [*STAGES[:2], BLOCKED])
    snapshot = subjects.came(done)
    came = pa.concat_tables([part.read() for part in snapshot.parts]).combine_chunks()
    ledger = {
        line["id"]: f"{line['stage']}: {line['reason']}"
        for line in pq.read_table(done.folder / "ledger.parquet").to_pylist()
    }

    fates = probing.fates_of(done, came)(range(len(came)), text.contents(came).to_pylist())

    assert fates == [ledger.get(row_id) for row_id in came["id"].to_pylist()]


def test_what_a_version_builds_on_is_published_too(tmp_path):
    """900 rows without mentions, then 100 that all mention a group: a tenth of what is published, not all."""
    first, then = rows(900, muslim=0), rows(100, seed=9, muslim=2)
    folder = jobs.write(tmp_path / "corpus", first)
    held = jobs.recipe(folder, stages=[STAGES[0]], audit={"reference": {"religion": {"muslim": 0.2}}})
    jobs.publish(held, tmp_path / "store")
    (folder / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in then))

    done = jobs.job(held, tmp_path / "store")
    assess.audit_data(done)
    record = assess.conclude(done)

    assert done.read("began.json")["builds_on"] is not None
    religion = next(axis for axis in record["representation"] if axis["axis"] == "religion")
    muslim = next(group for group in religion["groups"] if group["group"] == "muslim")
    assert (muslim["came"]["rows"], muslim["came"]["of"]) == (100, 100)
    assert (muslim["published"]["rows"], muslim["published"]["of"]) == (100, 1_000)
    found = next(each for each in record["findings"] if each["rule"] == "representation")
    assert (found["verdict"], found["ratio"]) == ("FAIL", 0.5)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"gendr": {"women": 0.5}}, "audit.reference: 'gendr'"),
        ({"gender": {"wimmin": 0.5}}, "'wimmin' is no group of gender"),
    ],
)
def test_a_reference_of_nobody_known_is_told_before_a_row_is_read(tmp_path, reference, said):
    folder = jobs.write(tmp_path / "corpus", rows(5))
    done = Job.begin(
        jobs.recipe(folder, audit={"reference": reference}), Options(store=str(tmp_path / "store"))
    )

    with pytest.raises(UserError, match=said):
        prepare(done)


def test_a_gate_says_the_same_before_and_after_the_models_are_audited(tmp_path):
    """Tests of models change the q values of all findings, and no gate of the data."""
    gates = [{"axis": "religion", "on_fail": "stop"}]
    done, before = audited(tmp_path, rows(), [*STAGES[:2], BLOCKED, STAGES[2]], gates=gates)
    tested = next(each for each in before["findings"] if each["p"] is not None)
    models = [{**tested, "axis": "of models", "p": 1.0}] * 5_000
    done.write("audit-model.json", {"measured": models, "classes": [], "counterfactual": []})

    after = assess.conclude(done)

    assert before["gates"][0]["verdict"] == "FAIL"
    assert after["gates"] == before["gates"]
    assert {each["q"] for each in after["findings"]} != {each["q"] for each in before["findings"]}


def test_attribution_adds_up_over_stages_and_rules(tmp_path):
    _, record = audited(tmp_path, rows(), [*STAGES, {**BLOCKED, "words": ["mosque"]}])

    checked = 0
    for found in record["findings"]:
        logs = [part["log_ratio"] for part in found.get("parts", [])]
        if logs and None not in logs and found["log_ratio"] is not None:
            assert math.fsum(logs) == pytest.approx(found["log_ratio"], abs=1e-9)
            checked += 1
    assert checked >= 10


def test_mentions_are_found_in_what_came_not_in_what_was_cleaned(tmp_path):
    done, _ = audited(tmp_path, rows(), STAGES)
    groups, _ = subjects.groups_of(subjects.came(done), subjects.settings_of(done))

    found = next(group.rows for group in groups if group.group == "muslim")

    texts = [
        row["messages"][0]["content"] for part in subjects.came(done).parts for row in part.read().to_pylist()
    ]
    pattern = lexicon.load("mentions").patterns["religion=muslim"]
    assert found.tolist() == [
        pc.match_substring_regex(text, pattern, ignore_case=True).as_py() for text in texts
    ]


def test_a_gate_on_what_is_not_audited_is_refused(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", rows(20))
    held = jobs.recipe(corpus, STAGES, gates=[{"axis": "length", "on_fail": "stop"}])

    with pytest.raises(UserError, match="length"):
        prepare(Job.begin(held, Options(store=str(tmp_path / "store"))))


def test_predictions_that_match_no_row_are_an_error(tmp_path):
    held = jobs.recipe(jobs.write(tmp_path / "corpus", rows(300)), [{"stage": "split"}])
    done = jobs.job(held, tmp_path / "store")
    assess.audit_data(done)
    done.write("version.json", {"version": curate.publish(done)})
    said = pa.table(
        {"id": ["nobody"], "label": ["yes"], "tuned": ["yes"], "tuned_log_probabilities": [[0.0, -9.0]]}
    )
    pq.write_table(
        said.replace_schema_metadata({"labels": json.dumps(["yes", "no"])}),
        done.folder / "predictions.parquet",
    )

    with pytest.raises(UserError, match="holds 1 predictions, of which 0 are of rows of the test"):
        assess.audit_model(done, lambda _: {})


def test_the_page_has_what_a_run_needs_to_be_done_again(tmp_path):
    done, record = audited(tmp_path, rows(60), STAGES)

    page = finish.page(done, record)

    told = dict(re.findall(r"<dt>([^<]+)</dt><dd><code>([^<]*)</code>", page[page.index('id="reproduce"') :]))
    made = hashlib.sha256((tmp_path / "corpus" / "part-0.jsonl").read_bytes()).hexdigest()
    assert told["inputs (SHA-256)"] == f"small {made}"
    assert told["seed"] == "7"
    copy, command = html.unescape(told["run it again"]).split(" && ")
    name = f"{done.folder.name}.json"
    assert shlex.split(copy) == ["cp", f"{done.folder}/recipe.json", name]
    assert load(done.folder / "recipe.json", (), 7) == done.recipe
    asked = winnow.commands["run"].make_context("run", shlex.split(command)[2:]).params
    assert (asked["recipe"].name, asked["seed"], asked["store"], asked["limit"], asked["fresh"]) == (
        name, 7, str(done.store.root), None, True,
    )  # fmt: skip
