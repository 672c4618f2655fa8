"""Behind each gap stand rows that are of the group, went to the stage, and go from the report where they are forgotten."""

import json
import random
from collections import Counter
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit.findings import gaps
from augment.admission import Admission
from corpus import lexicon
from corpus.forgetting.find import Wanted
from corpus.schema import ROW, conform, grown_id
from corpus.stage import Context, Grow
from corpus.store import Store
from corpus.text import contents
from curation.split import Split
from flows import assess, curate, finish, samples
from flows.forget import forget
from tests.embedding import tiny
from tests.flows import jobs
from tests.flows.test_audit import WORDS

STAGES = [
    {"stage": "normalise"},
    {"stage": "length", "min_words": 4},
    {"stage": "blocklist", "words": ["rabbi", "koran"]},
    {"stage": "split"},
]
SPOKEN = {"gender": ("she", "he"), "religion": ("koran", "rabbi", "church")}


def rows(count=2_000):
    """Rows of seven words; women's are short more often, and two words of faiths are blocked."""
    draw = random.Random(8)
    made = []
    for number in range(count):
        said = [*draw.choices(WORDS, k=7), f"n{number}"]
        said[0] = draw.choice([said[0], *SPOKEN["gender"]])
        said[1] = draw.choice([said[1], *SPOKEN["religion"]])
        short = draw.random() < (0.5 if said[0] == "she" else 0.1)
        made.append({"text": " ".join(said[:2] + said[-1:] if short else said), "label": "a"})
    return made


def told_of(done):
    """The gaps of a run, each with its samples."""
    record = done.read("audit.json")
    held = done.read("samples.json")
    return [
        (
            gap,
            [
                one
                for one in held
                if (one["axis"], one["group"]) == (gap["axis"], gap["group"])
                and gap["stage"] in ("total", one["stage"])
            ],
        )
        for gap in gaps(record["findings"], 0.05)
    ]


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    held = jobs.recipe(
        jobs.write(folder / "corpus", rows()), STAGES, audit={"axes": ["gender", "religion"], "min_group": 20}
    )
    done = jobs.job(held, folder / "store", workers=1)
    assess.audit_data(done)
    curate.publish(done)
    finish.candidate(done)
    finish.finish(done)
    return done


def test_each_gap_has_five_rows_of_its_group_that_its_stage_removed(audited):
    """From the ledger, the dropped rows and the lexicon alone; gaps of crossings too."""
    ledger = {line["id"]: line for line in audited.ledger().to_pylist() if line["action"] == "drop"}
    fell = pa.concat_tables(map(pq.read_table, (audited.folder / "dropped").glob("*"))).combine_chunks()
    ids, said = (
        fell["id"].to_pylist(),
        dict(zip(fell["id"].to_pylist(), contents(fell).to_pylist(), strict=True)),
    )
    known = lexicon.load("mentions").mentions(contents(fell))
    spoken = {name: {*fell["id"].filter(known[name]).to_pylist()} for name in known.column_names}

    told = told_of(audited)

    assert len(told) >= 10
    assert {"total", "length", "blocklist"} == {gap["stage"] for gap, _ in told}
    assert any("sides" in gap for gap, _ in told)
    for gap, quoted in told:
        places = gap.get("sides", [[gap["axis"], gap["group"]]])
        mine = {row_id for row_id in ids if gap["stage"] in ("total", ledger[row_id]["stage"])}
        for axis, group in places:
            mine &= spoken[f"{axis}={group}"]
        assert len(quoted) >= min(5, len(mine)) > 0
        assert {one["id"] for one in quoted} <= mine
        for one in quoted:
            line = ledger[one["id"]]
            assert (one["stage"], one["reason"]) == (line["stage"], line["reason"])
            assert one["text"] == said[one["id"]]


def test_rows_that_the_guilty_rule_took_come_first(audited):
    gap, quoted = next(one for one in told_of(audited) if one[0]["group"] == "muslim")

    assert gap["stage"] == "total"
    assert gap["parts"][0]["stage"] == "blocklist"
    assert Counter(one["stage"] for one in quoted)["blocklist"] >= 5


def test_the_page_has_rule_and_rows_of_each_gap(audited):
    page = finish.page(audited, audited.read("audit.json"))

    for gap, quoted in told_of(audited):
        named = gap["group"].replace("_", " ").replace("&", "&amp;")
        start = page.find(f'data-gap="{gap["stage"]}|{gap["axis"].replace("&", "&amp;")}|{named}"')
        if start < 0:  # it is among the worst, at the head
            assert any(one["text"] in page[: page.index('id="rows"')] for one in quoted)
            continue
        block = page[start : page.index("</details>", start)]
        assert block.count("<blockquote") == min(5, len({one["text"] for one in quoted}))
        assert f"Owed most to the stage {gap['parts'][0]['stage']} by its rule" in block


def test_no_row_is_kept_where_no_text_is_to_be_shown(tmp_path):
    held = jobs.recipe(jobs.write(tmp_path / "corpus", rows()), STAGES, audit={"show_text": False})
    done = jobs.job(held, tmp_path / "store", workers=1)
    assess.audit_data(done)
    record = assess.conclude(done)

    page = finish.page(done, record)

    assert done.read("samples.json") == []
    assert page.count("data-gap=") > 5
    assert "<blockquote" not in page


def test_what_is_kept_of_a_long_text_is_short(tmp_path):
    made = [{**row, "text": row["text"] + " long" * 900} for row in rows(400)]
    stages = [{"stage": "blocklist", "words": ["rabbi", "koran"]}]
    done = jobs.job(jobs.recipe(jobs.write(tmp_path / "corpus", made), stages), tmp_path / "store")
    assess.audit_data(done)

    held = done.read("samples.json")

    assert len(held) >= 10
    assert {len(one["text"]) for one in held} == {samples.LONGEST}


@pytest.mark.parametrize("by", ["row", "pattern"])
def test_a_row_behind_a_gap_goes_where_it_is_forgotten(tmp_path, by):
    held = jobs.recipe(jobs.write(tmp_path / "corpus", rows(600)), STAGES, audit={"axes": ["gender"]})
    done = jobs.job(held, tmp_path / "store", workers=1)
    assess.audit_data(done)
    version = curate.publish(done)
    finish.candidate(done)
    finish.finish(done)
    before = done.read("samples.json")
    number = before[-1]["text"].split()[-1]
    wanted = Wanted(row=before[-1]["id"]) if by == "row" else Wanted(pattern=rf"\b{number}\b")

    forget(wanted, tmp_path / "store", "asked to", quiet=True)

    left = [one for one in before if one["id"] != before[-1]["id"]]
    assert done.read("samples.json") == left
    shelved = Store(tmp_path / "store").library.open(version)
    assert shelved.attested(finish.CURATION)["samples"] == left
    assert number not in shelved.said("report.html").decode().split()
    assert number not in json.dumps(done.read("curation.json")).split()


@pytest.fixture
def copied(tmp_path):
    """A run in which women say again what others said, in another order."""
    made = rows(400)
    for row in [row for row in made if row["text"].startswith("she ")][:60]:
        made.append({"text": " ".join(sorted(row["text"].split())), "label": "a"})
    stages = [{"stage": "near_duplicates", "threshold": 1, "shingle_words": 1}, {"stage": "split"}]
    held = jobs.recipe(jobs.write(tmp_path / "corpus", made), stages, audit={"axes": ["gender"]})
    done = jobs.job(held, tmp_path / "store", workers=1)
    assess.audit_data(done)
    curate.publish(done)
    finish.candidate(done)
    finish.finish(done)
    return done


def test_the_row_that_stays_stands_beside_its_copy(copied):
    held = copied.read("samples.json")
    ledger = {line["id"]: line for line in copied.ledger().to_pylist()}

    assert len(held) >= 5
    for one in held:
        assert one["other"] == ledger[one["id"]]["other"]
        assert sorted(one["other_text"].split()) == sorted(one["text"].split())
    page = finish.page(copied, copied.read("audit.json"))
    assert held[0]["other_text"] in page


def test_a_copy_goes_from_the_report_where_the_row_that_stays_is_forgotten(copied, tmp_path):
    before = copied.read("samples.json")
    other = before[0]["other"]

    forget(Wanted(row=other), tmp_path / "store", "asked to", quiet=True)

    assert copied.read("samples.json") == [one for one in before if one["other"] != other]


class Repeats(Grow):
    """Says what women say over again, twice, and of all others the words in two other orders."""

    stage: Literal["repeats"] = "repeats"

    def grow(self, rows: pa.Table, context: Context) -> pa.Table:
        said = zip(rows["id"].to_pylist(), contents(rows).to_pylist(), strict=True)
        made = [
            (
                parent,
                n,
                f"{one}{' anew' * (n + 1)}"
                if "she" in one.split()
                else " ".join(sorted(one.split(), reverse=n > 0)),
            )
            for parent, one in said
            for n in range(2)
        ]
        return conform(
            {
                "id": pa.array([grown_id(parent, "repeats", (), n) for parent, n, _ in made]),
                "messages": pa.array(
                    [[{"role": "text", "content": one}] for *_, one in made], ROW.field("messages").type
                ),
                "parent": pa.array([parent for parent, *_ in made]),
                "operation": pa.array(["repeats"] * len(made)),
                "extra": pa.array(['{"grown": {"masks_lost": false}}'] * len(made)),
            }
        )


@pytest.mark.filterwarnings("ignore:Pydantic serializer")  # of a stage that no recipe knows
def test_candidates_that_were_refused_stand_behind_the_gaps_of_admission(tmp_path):
    wide = {
        "min_chrf": 0,
        "max_chrf": 90,
        "min_similarity": -1,
        "max_similarity": 1,
        "min_word_similarity": None,
        "near_duplicate": 1,
        "kept": (),
    }
    stages = (Split(), Repeats(), Admission(embedding=tiny(tmp_path), **wide))
    held = jobs.recipe(jobs.write(tmp_path / "corpus", rows(400)), stages=[], audit={})
    done = jobs.job(held.model_copy(update={"stages": stages}), tmp_path / "store", workers=1)
    assess.audit_data(done)
    assess.conclude(done)

    ((gap, women),) = [
        (gap, quoted)
        for gap, quoted in told_of(done)
        if (gap["stage"], gap["group"]) == ("admission", "women") and gap["verdict"] == "FAIL"
    ]

    assert len(women) == 5
    assert {one["reason"] for one in women} == {"too_close"}
    assert all(one["text"].endswith("anew") for one in women)
    assert all(one["text"].replace(" anew", "") == one["other_text"] for one in women)  # of the parent
    assert gap["n"] == 2 * gap["families"] == 2 * gap["effective_n"]
