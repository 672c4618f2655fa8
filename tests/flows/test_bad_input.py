"""Hostile and broken input: a reject with its place, or one line and status 2; nothing published is harmed."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.schema import UserError
from corpus.store import Store
from flows.apply import apply
from flows.job import Job, Options
from flows.prepare import prepare
from tests.flows import jobs

COMMAND = [sys.executable, "-c", "from flows.cli import main; main()"]


def winnow(*words: str, **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2], **more
    )


def told(answer: subprocess.CompletedProcess) -> str:
    assert answer.returncode == 2, answer.stderr
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1, answer.stderr
    return answer.stderr


def test_a_folder_of_mixed_and_broken_files_is_read_as_far_as_it_goes(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    lines = "".join(
        json.dumps({"text": f"row number {number} of the truncated file", "label": "a"}) + "\n"
        for number in range(2_000)
    )
    (corpus / "cut.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:-2_000])
    (corpus / "ragged.csv").write_bytes("text,label\nfine,a\ntoo,many,cells\ncaf\xe9,b\n".encode("latin-1"))
    (corpus / "lines.jsonl").write_text(
        '{"text": "ok"}\n{"text": "a", "text": "b"}\n{"text": 7}\n{"text": null}\n{oops\n'
    )
    (corpus / "empty.jsonl").write_text("")
    (corpus / "picture.png").write_bytes(b"\x89PNG")

    held = apply(
        "length", [str(corpus)], tmp_path / "out", settings=["min_words=0"], store=str(tmp_path / "store")
    )

    ledger = pq.read_table(tmp_path / "out" / "ledger.parquet").to_pylist()
    found = {(Path(line["file"] or line["detail"]).name.split(":")[0], line["reason"]) for line in ledger}
    assert held["rows"]["in"] == held["rows"]["kept"] + held["rows"]["rejected"]
    assert {
        ("ragged.csv", "ragged_row"),
        ("ragged.csv", "bad_encoding"),
        ("cut.jsonl.gz", "truncated"),
    } <= found
    assert {
        ("lines.jsonl", reason)
        for reason in ("repeated_key_in_object", "text_not_a_string", "text_missing", "bad_json")
    } <= found
    assert ("picture.png", "unknown_format") in found
    assert all(":" in line["detail"] for line in ledger)


def test_repeated_and_null_keys_are_rejects_that_name_the_key(tmp_path):
    (tmp_path / "keys.jsonl").write_text(
        '{"id": "1", "text": "first"}\n{"id": "1", "text": "second"}\n{"id": null, "text": "third"}\n{"id": "2", "text": "fourth"}\n'
    )

    held = apply(
        "length",
        [str(tmp_path / "keys.jsonl")],
        tmp_path / "out",
        settings=["min_words=0"],
        store=str(tmp_path / "store"),
    )

    reasons = sorted(pq.read_table(tmp_path / "out" / "ledger.parquet")["reason"].to_pylist())
    assert (held["rows"]["kept"], reasons) == (2, ["null_key", "repeated_key"])


def test_an_empty_file_gives_no_rows_and_no_crash(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")

    held = apply(
        "near_duplicates", [str(tmp_path / "empty.jsonl")], tmp_path / "out", store=str(tmp_path / "store")
    )

    assert held["rows"] == {"in": 0, "rejected": 0, "kept": 0, "dropped": 0, "grown": 0}
    assert pq.read_table(tmp_path / "out" / "kept" / "part-00000.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["apply", "length", "nothing.jsonl", "--output", "{out}"], "nothing.jsonl"),
        (["apply", "length", "--output", "{out}"], "needs files"),
        (["apply", "lenght", "{corpus}", "--output", "{out}"], "did you mean 'length'?"),
        (["apply", "length", "{corpus}", "--output", "{out}", "--set", "min_words=-1"], "min_words"),
        (
            ["apply", "length", "{corpus}", "--output", "{out}", "--set", "minwords=1"],
            "did you mean 'min_words'?",
        ),
        (["apply", "length", "{corpus}", "--output", "{out}", "--text-column", "txt"], "txt"),
        (["apply", "length", "{corpus}", "--output", "{out}", "--store", "/proc/store"], "cannot be written"),
        (["explain", "nothing", "row"], "no version or ref"),
    ],
)
def test_a_command_that_cannot_go_on_says_so_in_one_line(words, what, tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(5))
    places = {"out": str(tmp_path / "out"), "corpus": str(corpus)}
    store = [] if "--store" in words else ["--store", str(tmp_path / "store")]

    answer = winnow(*(word.format(**places) for word in words), *store, "--json")

    assert what in told(answer)


def test_a_missing_model_and_a_wrong_digest_are_told_before_anything_runs(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(5))
    (tmp_path / "model.gguf").write_bytes(b"not a model")
    missing = jobs.recipe(
        corpus, [{"stage": "split"}, {"stage": "diversity", "keep": 2, "embedding": "file:/no/such/model"}]
    )
    changed = jobs.recipe(corpus, tuning={"model": f"file:{tmp_path / 'model.gguf'}#sha256={'0' * 64}"})

    from flows.job import Job, Options
    from flows.prepare import prepare

    for held, what in ((missing, "/no/such/model"), (changed, "0000")):
        with pytest.raises(UserError, match=what):
            prepare(Job.begin(held, Options(store=str(tmp_path / "store"))))


@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/proc/mounts").exists(), reason="mounts a small disk, which takes root"
)
def test_a_full_disk_harms_nothing_that_is_published(tmp_path):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(3_000))
    small = tmp_path / "disk"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("this machine mounts no tmpfs")
    try:
        few = jobs.write(tmp_path / "few", jobs.records(30))
        version = jobs.publish(jobs.recipe(few), small / "store")
        (small / "filler").write_bytes(bytes(shutil.disk_usage(small).free - 100_000))

        answer = winnow(
            "apply",
            "near_duplicates",
            str(corpus),
            "--output",
            str(tmp_path / "out"),
            "--store",
            str(small / "store"),
            "--json",
        )

        assert "No space left" in told(answer)
        assert Store(small / "store").library.open("small").id == version
        assert [entry.name for entry in (small / "store" / "versions").iterdir()] == [version]
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_an_engine_that_is_not_installed_is_told_before_a_row_is_read(tmp_path, monkeypatch):
    corpus = jobs.write(tmp_path / "corpus", jobs.records(5))
    held = jobs.recipe(corpus, [{"stage": "back_translation"}, {"stage": "admission"}])
    monkeypatch.setenv("PATH", str(tmp_path))

    from flows.job import Job, Options
    from flows.prepare import prepare

    with pytest.raises(UserError, match="apt-get install apertium"):
        prepare(Job.begin(held, Options(store=str(tmp_path / "store"))))


@pytest.mark.parametrize(
    "lines",
    [
        ['{"text": 5}'],
        ['{"text": null}'],
        ["{broken"],
        ['{"text": "a row", "split": "fold0"}'],
    ],
)
def test_a_file_of_rejects_alone_is_accounted_for(lines, tmp_path):
    (tmp_path / "all.jsonl").write_text("\n".join(lines * 3) + "\n")

    held = apply("length", [str(tmp_path / "all.jsonl")], tmp_path / "out", store=str(tmp_path / "store"))

    assert held["rows"] == {"in": 3, "rejected": 3, "kept": 0, "dropped": 0, "grown": 0}
    assert pq.read_table(tmp_path / "out" / "ledger.parquet").num_rows == 3


def test_a_limit_may_draw_nothing_from_a_batch(tmp_path):
    lines = "".join(json.dumps({"text": f"row number {number} of many"}) + "\n" for number in range(10_001))
    (tmp_path / "many.jsonl").write_text(lines)

    held = apply(
        "length", [str(tmp_path / "many.jsonl")], tmp_path / "out", store=str(tmp_path / "store"), limit=1
    )

    assert held["rows"]["in"] == held["rows"]["kept"] == 1


def test_a_repeated_key_names_the_line(tmp_path):
    (tmp_path / "keys.csv").write_text('id,text\na,"two\nlines"\nb,other\na,third\n')

    apply("length", [str(tmp_path / "keys.csv")], tmp_path / "out", store=str(tmp_path / "store"))

    details = pq.read_table(tmp_path / "out" / "ledger.parquet")["detail"].drop_null().to_pylist()
    assert len(details) == 1
    assert re.fullmatch(r"keys\.csv:[25]: another record has the key 'a'", details[0]), details


@pytest.mark.parametrize("setting", ["min_words=[", "length.min_words={a"])
def test_a_setting_that_is_no_yaml_is_told(setting, tmp_path):
    (tmp_path / "one.jsonl").write_text('{"text": "a row"}\n')

    answer = winnow(
        "apply", "length", str(tmp_path / "one.jsonl"), "--set", setting, "--output", str(tmp_path / "out")
    )

    assert "the value is not YAML" in told(answer)


def test_a_gate_on_an_axis_that_nothing_knows_is_told_before_a_row_is_read(tmp_path):
    folder = jobs.write(tmp_path / "corpus", jobs.records(5))
    gates = [{"axis": "gendre", "on_fail": "stop"}]

    for audit in ({}, {"audit": {"axes": ["religion"]}}):
        done = Job.begin(jobs.recipe(folder, gates=gates, **audit), Options(store=str(tmp_path / "store")))
        with pytest.raises(UserError, match="gates: 'gendre'"):
            prepare(done)
