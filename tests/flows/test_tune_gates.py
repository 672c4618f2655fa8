"""Thresholds are chosen by what people read: the sheet is blind, the sums are those of a recount, bad sheets are told."""

import csv
import json
import random
import statistics

import pyarrow as pa
import pytest

from augment.admission import Admission
from corpus.schema import UserError
from flows import gate_candidates, gate_sheet, tune_gates
from flows.cli import winnow
from flows.gate_plants import PLANTS
from flows.recipe import parse
from flows.what_if import only, what_if
from tests.embedding import infers, tiny
from tests.flows import jobs
from tests.flows.words import WORDS


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that made some hundreds of candidates, and refused a part of them."""
    folder = tmp_path_factory.mktemp("gates")
    draw = random.Random(4)
    rows = [
        {"text": f"{' '.join(draw.choices(WORDS, k=9))} {number}", "label": draw.choice(["yes", "no"])}
        for number in range(300)
    ]
    gate = {
        "stage": "admission", "embedding": tiny(folder), "min_chrf": 30, "max_chrf": 92, "min_similarity": 0.5,
        "max_similarity": 1, "min_word_similarity": 0.5, "near_duplicate": 1, "kept": ["numbers"],
        "min_label_margin": None,
    }  # fmt: skip
    stages = [{"stage": "split"}, {"stage": "paraphrase", "engine": "edits", "variants": 2}, gate]
    return jobs.job(jobs.recipe(jobs.write(folder / "corpus", rows), stages), folder / "store", workers=1)


@pytest.fixture
def sheet(run, tmp_path):
    tune_gates.write("latest", run.store.root, tmp_path / "sheet.csv")
    return tmp_path / "sheet.csv"


def lines(file):
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def answered(sheet, name, verdict):
    """Write the sheet of a reader who says `verdict(line, key line)` of each line."""
    key = json.loads(gate_sheet.key_of(sheet).read_text())["lines"]
    said = lines(sheet)
    for line, known in zip(said, key, strict=True):
        line["same_meaning"], line["same_label"] = verdict(line, known)
    file = sheet.with_name(name)
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, list(said[0]))
        writer.writeheader()
        writer.writerows(said)
    return file


def scores(run):
    found: dict[str, dict[str, float]] = {}
    for line in run.scores().to_pylist():
        found.setdefault(line["id"], {})[line["name"]] = line["score"]
    return found


def admitted(run):
    rows = pa.concat_tables(run.standing.tables()).to_pylist()
    return {row["id"]: row for row in rows if row["parent"]}


def originals(run):
    rows = pa.concat_tables(run.standing.tables()).to_pylist()
    return {
        row["id"]: row["messages"][0]["content"]
        for row in rows
        if row["parent"] is None and row["split"] in (None, "train")
    }


def test_the_sheet_holds_what_it_says_and_nothing_that_tells_one_kind_from_another(run, sheet):
    key = json.loads(gate_sheet.key_of(sheet).read_text())
    kinds = [line["kind"] for line in key["lines"]]
    stays = admitted(run)

    counts = {kind: kinds.count(kind) for kind in ("admitted", "refused")}
    assert counts == {"admitted": 150, "refused": 100}
    assert sum(kind in PLANTS for kind in kinds) == len(kinds) - 250 == 30
    assert {line["id"] in stays for line in key["lines"] if line["kind"] == "admitted"} == {True}
    assert {line["id"] in stays for line in key["lines"] if line["kind"] == "refused"} == {False}
    assert key["of"]["admitted"] == len(stays)
    assert [*lines(sheet)[0]] == [
        "line",
        "same_meaning",
        "same_label",
        "fluent",
        "label",
        "original",
        "candidate",
    ]
    assert kinds != sorted(kinds)
    for line, known in zip(lines(sheet), key["lines"], strict=True):
        if known["kind"] == "admitted":
            assert line["candidate"].lstrip("'") == stays[known["id"]]["messages"][0]["content"]
        elif known["kind"] in PLANTS:
            came = {row_id: row["messages"][0]["content"] for row_id, row in stays.items()} | originals(run)
            assert line["candidate"] != came[known["id"]]
            assert line["candidate"] != line["original"]


def test_no_original_of_a_planted_line_stands_on_another(run, sheet):
    key = json.loads(gate_sheet.key_of(sheet).read_text())["lines"]
    planted = [line for line, known in zip(lines(sheet), key, strict=True) if known["kind"] in PLANTS]
    shown = [line["original"] for line in lines(sheet)] + [line["candidate"] for line in lines(sheet)]

    assert len(planted) == 30
    assert {shown.count(line["original"]) for line in planted} == {1}
    assert {shown.count(line["candidate"]) for line in planted} == {1}


def test_the_same_sheet_comes_of_the_same_run(run, sheet, tmp_path):
    tune_gates.write("latest", run.store.root, tmp_path / "again.csv")

    assert (tmp_path / "again.csv").read_bytes() == sheet.read_bytes()


def test_no_sheet_is_written_over(run, sheet):
    with pytest.raises(UserError, match="is there already"):
        tune_gates.write("latest", run.store.root, sheet)


def test_what_readers_found_is_a_recount(run, sheet):
    """One says no where the text has "late"; the other too, and of all that was planted."""
    one = answered(sheet, "one.csv", lambda line, _: ("no" if "late" in line["candidate"] else "yes", "yes"))
    two = answered(
        sheet,
        "two.csv",
        lambda line, known: (
            "no" if "late" in line["candidate"] or known["kind"] in PLANTS else "YES ",
            "1",
        ),
    )

    told = tune_gates.tune("latest", run.store.root, [one, two], gate_sheet.key_of(sheet))

    key = json.loads(gate_sheet.key_of(sheet).read_text())["lines"]
    late = ["late" in line["candidate"] for line in lines(sheet)]
    mine = [not late[line["line"]] for line in key if line["kind"] == "admitted"]
    first, second = told["readers"]
    assert first["admitted"]["same_meaning"]["value"] == sum(mine) / 150
    assert first["admitted"]["same_label"]["value"] == 1
    assert second["planted_caught"]["all"] == {**second["planted_caught"]["all"], "value": 1, "n": 30}
    planted = [late[line["line"]] for line in key if line["kind"] in PLANTS]
    assert first["planted_caught"]["all"]["value"] == sum(planted) / 30
    same = 1 - sum(not one for one in planted) / 280
    assert told["agreement"]["same_meaning"]["n"] == 280
    assert 0 < told["agreement"]["same_meaning"]["kappa"] < same
    assert told["agreement"]["same_label"] is None  # nobody ever said no


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    """A run whose gate asks all that it can, and refuses some by each answer."""
    folder = tmp_path_factory.mktemp("asking")
    draw = random.Random(4)
    rows = [
        {
            "text": f"{number} {' '.join(draw.choices(WORDS[:9], k=4))} {number + 7}",
            "label": draw.choice(["yes", "no"]),
        }
        for number in range(300)
    ]
    gate = {
        "stage": "admission", "embedding": tiny(folder), "min_chrf": 20, "max_chrf": 98, "min_similarity": 0.5,
        "max_similarity": 1, "min_word_similarity": 0.3, "near_duplicate": 1, "kept": [], "min_label_margin": None,
        "max_word_ratio": 2, "min_language_score": 0.2, "overlap": 0.15, "run_words": 2, "min_words": 2,
        "entailment": infers(folder), "min_entailment": 0.002,
    }  # fmt: skip
    stages = [{"stage": "split"}, {"stage": "paraphrase", "engine": "edits", "variants": 2}, gate]
    return jobs.job(jobs.recipe(jobs.write(folder / "corpus", rows), stages), folder / "store", workers=1)


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("run", {"max_word_ratio", "min_chrf", "max_chrf", "min_similarity", "min_word_similarity"}),
        ("asking", {"max_word_ratio", "min_language_score", "overlap", "min_entailment"}),
    ],
)
def test_what_a_threshold_admits_is_what_a_run_with_it_admits(name, knobs, request, tmp_path):
    job = request.getfixturevalue(name)
    tune_gates.write("latest", job.store.root, tmp_path / "sheet.csv")
    read = answered(tmp_path / "sheet.csv", "yes.csv", lambda *_: ("yes", "yes"))

    told = tune_gates.tune("latest", job.store.root, [read], gate_sheet.key_of(tmp_path / "sheet.csv"))

    for trade in told["gates"]:
        for point in trade["points"][::5]:
            again = what_if("latest", [f"admission.{trade['knob']}={point['value']}"], job.store.root)
            made = {"in": 0, "out": 0, **again["stages"][-1]["after"]}
            refused = sum(made["dropped"].values())
            assert point["admitted"] == sum(told["candidates"].values()) - refused, (
                trade["knob"],
                point["value"],
            )
    found = {trade["knob"]: {point["admitted"] for point in trade["points"]} for trade in told["gates"]}
    assert found.keys() >= knobs
    assert {knob for knob in knobs if len(found[knob]) < 2} == set()


@pytest.mark.parametrize(
    "cap",
    [
        {"keep": 20},
        {"max_per_parent": 1},
        {"max_share": 0.05},
        {"targets": {"label": {"yes": 150}}},
        {"keep": 30, "max_share": 0.05},
    ],
)
def test_thresholds_are_traded_without_caps(run, cap, tmp_path, capsys):
    """What passes under the present thresholds is what passed, and what was good and not wanted."""
    held = run.recipe.model_dump(mode="json")
    held["stages"][-1] |= cap
    capped = jobs.job(parse(held, "capped"), tmp_path / "store", workers=1)
    tune_gates.write("latest", capped.store.root, tmp_path / "sheet.csv")
    read = answered(tmp_path / "sheet.csv", "yes.csv", lambda *_: ("yes", "yes"))

    told = tune_gates.tune("latest", capped.store.root, [read], gate_sheet.key_of(tmp_path / "sheet.csv"))
    tune_gates.show(told)

    reasons = [line["reason"] for line in capped.ledger().to_pylist() if line["stage"] == "admission"]
    assert reasons.count("enough") > 20
    assert told["candidates"]["admitted"] == len(admitted(capped)) > 0
    made = {one.id for one in gate_candidates.candidates(capped, *only(capped, Admission, None))}
    uncapped = made & {*admitted(run)}  # of those whom targets do not ask nothing is made
    on = [trade for trade in told["gates"] if trade["now"] is not None]
    assert len(on) >= 5
    for trade in on:
        (now,) = [point for point in trade["points"] if point["value"] == trade["now"]]
        assert now["admitted"] == len(admitted(capped)) + reasons.count("enough") == len(uncapped)
    assert sorted(told["caps"]) == sorted(cap)
    said = capsys.readouterr().out
    assert all(name in said.split("\n\n")[0] for name in cap)


def test_a_run_without_caps_leaves_none_out(run, sheet, capsys):
    told = tune_gates.tune("latest", run.store.root, [sheet])
    tune_gates.show(told)

    assert told["caps"] == []
    assert "is counted without" not in capsys.readouterr().out


def test_precision_is_the_weighted_share_of_right_ones_that_pass(run, sheet):
    known = scores(run)
    cut = statistics.median(one["weakest_word"] for one in known.values() if "weakest_word" in one)
    key = json.loads(gate_sheet.key_of(sheet).read_text())
    read = answered(
        sheet,
        "by.csv",
        lambda _, one: ("yes" if known.get(one["id"], {}).get("weakest_word", 0) > cut else "no", "yes"),
    )

    told = tune_gates.tune("latest", run.store.root, [read], gate_sheet.key_of(sheet), wanted=0.6)

    (trade,) = [one for one in told["gates"] if one["knob"] == "min_word_similarity"]
    for point in trade["points"]:
        passing = [
            one
            for one in key["lines"]
            if one["kind"] in ("admitted", "refused")
            and (one["kind"] == "admitted" or one["reason"] == "word_drift")
            and known[one["id"]]["weakest_word"] >= point["value"]
        ]
        weight = [key["of"][one["kind"]] / (150 if one["kind"] == "admitted" else 100) for one in passing]
        right = [known[one["id"]]["weakest_word"] > cut for one in passing]
        if not passing:
            continue
        assert point["precision"]["n"] == len(passing)
        assert point["precision"]["value"] == pytest.approx(
            sum(w for w, good in zip(weight, right, strict=True) if good) / sum(weight)
        )
    assert told["best"]["precision"]["low"] >= 0.6


def test_what_nobody_answered_counts_for_nothing(run, sheet):
    told = tune_gates.tune("latest", run.store.root, [sheet])

    assert told["readers"][0]["admitted"]["same_meaning"] is None
    assert told["best"] is None
    assert {point["precision"] for trade in told["gates"] for point in trade["points"]} == {None}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.write_text("a,b\n1,2\n"), "has no column 'line'"),
        (lambda file: file.write_text(file.read_text().replace("\n0,,", "\n0,perhaps,", 1)), "line 0: needed yes, no or nothing"),
        (lambda file: file.write_text(file.read_text().replace("\n0,", "\n999,", 1)), "names a line '999'"),
        (lambda file: file.write_bytes(b"\xff\xfe\x00line"), "cannot be read|has no column"),
        (lambda file: file.unlink(), "cannot be read"),
        (lambda file: gate_sheet.key_of(file).write_text("{}"), "needed the key"),
        (lambda file: gate_sheet.key_of(file).unlink(), "needed the key"),
    ],
)  # fmt: skip
def test_a_sheet_that_is_none_is_told(run, sheet, spoil, said):
    spoil(sheet)

    with pytest.raises(UserError, match=said):
        tune_gates.tune("latest", run.store.root, [sheet])


def test_a_sheet_of_another_run_is_told(run, sheet):
    key = json.loads(gate_sheet.key_of(sheet).read_text())
    key["lines"][0]["id"] = "0" * 32
    gate_sheet.key_of(sheet).write_text(json.dumps(key))

    with pytest.raises(UserError, match="the sheet is of another run"):
        tune_gates.tune("latest", run.store.root, [sheet])


def test_a_run_without_a_gate_is_told(tmp_path):
    done = jobs.job(
        jobs.recipe(jobs.write(tmp_path / "corpus", jobs.records(10)), [{"stage": "length"}]),
        tmp_path / "store",
    )

    with pytest.raises(UserError, match="needed one stage admission in the run"):
        tune_gates.write("latest", done.store.root, tmp_path / "sheet.csv")


def test_the_command_writes_a_sheet_and_reads_it(run, tmp_path, capsys):
    sheet = str(tmp_path / "sheet.csv")
    store = ["--store", str(run.store.root)]
    winnow.main(["tune-gates", "latest", "--write", sheet, *store], standalone_mode=False)
    told = capsys.readouterr().out
    assert "280 lines" in told
    assert "150 admitted, 100 refused, 30 planted (" in told
    assert f"winnow tune-gates {run.folder.name} --read {sheet}\n" in told
    yes = answered(tmp_path / "sheet.csv", "yes.csv", lambda *_: ("yes", "yes"))

    winnow.main(
        ["tune-gates", "latest", "--read", str(yes), "--key", str(tmp_path / "sheet.key.json"), *store],
        standalone_mode=False,
    )

    told = capsys.readouterr().out
    assert "min_word_similarity, now 0.5" in told
    assert "winnow what-if" in told


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A run of two gates, the second of which admits few."""
    folder = tmp_path_factory.mktemp("few")
    draw = random.Random(4)
    rows = [
        {"text": f"{' '.join(draw.choices(WORDS, k=9))} {number}", "label": draw.choice(["yes", "no"])}
        for number in range(60)
    ]
    gate = {
        "stage": "admission", "embedding": tiny(folder), "min_chrf": 30, "max_chrf": 92, "min_similarity": 0.5,
        "max_similarity": 1, "min_word_similarity": 0.5, "near_duplicate": 1, "kept": ["numbers"],
        "min_label_margin": None,
    }  # fmt: skip
    growth = {"stage": "paraphrase", "engine": "edits"}
    stages = [
        {"stage": "split"},
        {**growth, "name": "first"},
        {**gate, "name": "loose"},
        {**growth, "name": "second"},
        {**gate, "name": "strict", "min_word_similarity": 0.95},
    ]
    return jobs.job(jobs.recipe(jobs.write(folder / "corpus", rows), stages), folder / "store", workers=1)


def test_a_run_that_admits_few_gets_its_bad_ones_of_originals_and_is_told_so(few, tmp_path, capsys):
    sheet = tmp_path / "a sheet.csv"
    store = ["--store", str(few.store.root), "--stage", "strict"]

    winnow.main(["tune-gates", "latest", "--write", str(sheet), *store], standalone_mode=False)
    told = capsys.readouterr().out
    read = answered(sheet, "read.csv", lambda _, known: ("no" if known["kind"] in PLANTS else "yes", "yes"))
    found = tune_gates.tune("latest", few.store.root, [read], gate_sheet.key_of(sheet), "strict")

    key = json.loads(gate_sheet.key_of(sheet).read_text())
    mine = [line for line in key["lines"] if line["kind"] in PLANTS]
    admitted_, refused = (
        sum(one["kind"] == kind for one in key["lines"]) for kind in ("admitted", "refused")
    )
    assert admitted_ == key["of"]["admitted"] < 20
    assert {line["id"] in originals(few) for line in mine} == {True}
    assert f"{admitted_} admitted, {refused} refused, {len(mine)} planted (" in told
    assert f"{len(mine)} of the planted are made of originals" in told
    assert f"{key['of']['refused'] - refused} refused are left out" in told
    assert f"--read '{sheet}' --stage strict\n" in told
    assert ("30 were to be planted" in told) == (len(mine) < 30)
    assert found["readers"][0]["planted"]["lines"] == len(mine) > 0
    assert found["readers"][0]["planted_caught"]["all"]["n"] == len(mine)


def test_a_fluent_column_is_told_and_moves_no_threshold(run, sheet, capsys):
    verdict = ("yes", "yes")
    plain = answered(sheet, "plain.csv", lambda *_: verdict)
    said = lines(plain)
    for line in said:
        line["fluent"] = "no" if "late" in line["candidate"] else "yes"
    with (sheet.with_name("fluent.csv")).open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, list(said[0]))
        writer.writeheader()
        writer.writerows(said)

    one, two = (
        tune_gates.tune("latest", run.store.root, [sheet.with_name(name)], gate_sheet.key_of(sheet))
        for name in ("plain.csv", "fluent.csv")
    )
    tune_gates.show(two)

    key = json.loads(gate_sheet.key_of(sheet).read_text())["lines"]
    share = [
        "late" not in line["candidate"]
        for line, known in zip(said, key, strict=True)
        if known["kind"] == "admitted"
    ]
    assert two["readers"][0]["admitted"]["fluent"]["value"] == pytest.approx(sum(share) / len(share))
    assert one["readers"][0]["admitted"]["fluent"] is None
    assert (one["gates"], one["best"]) == (two["gates"], two["best"])
    assert "fluent" in capsys.readouterr().out
