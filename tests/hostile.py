"""Corpora that try to break the duplicates stages, and what must hold of every one of them.

Each corpus is sent through a random recipe of those stages by `winnow apply`, read from Parquet whose strings need not be
UTF-8, and again with its rows shuffled, cut into other parts and with next to no memory: every row must be accounted for,
and both ways must tell the same.
"""

import json
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.apply import apply

ALPHABETS = (
    "abcdefghij",
    "ABCäöüßŒĳﬁ",
    "абвгдеёжзи",
    "אבגדהוזחטי",
    "ابتثجحخدذر",
    "कखगघिीुूेै",
    "กขฃคฅฆงัิี",
    "的一是不了人我在有他",
    "あいうえおアイウエオ",
    "가나다라마ᄀ까ᅢᆨ",
    "😂🙂👍🏽👩‍👩‍👧‍👦🏳️‍🌈🇩🇪☠️",
    "a\u0301e\u0300o\u0302\u0323n\u0303",
    "0123456789٠١٢४५",
    "+-*/=<>√≈€$£",
    "\x00\x07\x1b\u200b\u200d\u202e\ufeff\u00ad\ue000\uffff",
    ".,;:!?…。！？\"'()[]{}",
    "𝔘𝔫𝔦𝒸𝓸𝓭𝑒𐍈𒀀🄰",
)
PIECES = (
    "<p class='x'>a</p>",
    "<script>alert(1)</script>",
    "&amp;&#0;&nbsp;",
    "for i in range(10): print(i)",
    "https://example.org/a?b=c#d",
    "12+7",
    "3 + 4",
    "12,5 %",
    "RT @ann:",
    "don't don’t",
    "\n\n",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u2028",
    "the",
    "the the the the",
)
INVALID = (b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xf5\x80\x80\x80", b"\xc0\x80", b"\xed\xb0\x80\xed\xa0\x80")
KNOBS: dict[str, dict[str, tuple[Any, ...]]] = {
    "exact_duplicates": {"match": ("text", "words"), "action": ("drop", "mark")},
    "near_duplicates": {
        "threshold": (0.3, 0.5, 0.8, 0.95, 1.0),
        "shingle_words": (1, 2, 5),
        "keep": (1, 3),
        "numbers": ("prompts", "all", "none"),
        "action": ("drop", "mark"),
        "prefer": ("confidence", "longest"),
    },
    "paragraph_duplicates": {
        "unit": ("paragraph", "line"),
        "min_words": (1, 3),
        "action": ("cut", "mark"),
    },
    "substring_duplicates": {"min_words": (4, 8), "action": ("cut", "mark")},
    "answer_conflicts": {"action": ("drop", "mark")},
}


def word(draw: random.Random) -> str:
    """Return a word of one script, or something that is none."""
    if draw.random() < 0.2:
        return draw.choice(PIECES)
    letters = draw.choice(ALPHABETS)
    return "".join(draw.choices(letters, k=draw.choice((1, 1, 2, 3, 5, 8))))


def corpus(draw: random.Random, rows: int) -> list[bytes]:
    """Return texts as the bytes of a column: a few models, their copies and edits, and rows of their own."""
    words = [word(draw) for _ in range(draw.choice((3, 20, 200)))]
    lengths = draw.choice(((0, 1), (0, 3), (1, 30), (0, 120)))

    def fresh() -> list[str]:
        return draw.choices(words, k=draw.randint(*lengths))

    models = [fresh() for _ in range(draw.choice((1, 3, 30)))]
    if draw.random() < 0.1:
        models.append(draw.choices(words, k=20_000))
    joint = draw.choice((" ", "", "\n", ". ", "\n\n"))
    texts = []
    for _ in range(rows):
        said = list(draw.choice(models)) if draw.random() < 0.7 else fresh()
        for _ in range(draw.choice((0, 0, 1, 3)) if said else 0):
            said[draw.randrange(len(said))] = draw.choice(words)
        raw = joint.join(said).encode()
        if draw.random() < 0.02:
            at = draw.randint(0, len(raw))
            raw = raw[:at] + draw.choice(INVALID) + raw[at:]
        texts.append(raw)
    return texts


def recipe(draw: random.Random) -> list[dict[str, Any]]:
    """Return some of the stages, in any order, with any of their knobs."""
    names = draw.sample(sorted(KNOBS), draw.choice((1, 1, 2, 4)))
    return [
        {
            "stage": name,
            **{knob: draw.choice(values) for knob, values in KNOBS[name].items() if draw.random() < 0.5},
        }
        for name in names
    ]


def table(texts: list[bytes], draw: random.Random) -> pa.Table:
    """Make a table of texts, which may be no UTF-8, half of them with an answer."""
    column = pa.array(texts, pa.binary()).view(pa.string())
    columns = {"key": pa.array([str(number) for number in range(len(texts))]), "text": column}
    if draw.random() < 0.3:
        answers = [draw.choice(("yes", "no", "12", "")) for _ in texts]
        columns = {"key": columns["key"], "prompt": column, "completion": pa.array(answers)}
    if draw.random() < 0.5:
        columns["label"] = pa.array([draw.choice(("a", "b", None)) for _ in texts])
    return pa.table(columns)


def is_utf8(raw: bytes) -> bool:
    """Say whether bytes are text."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def subsequence(short: str, long: str) -> bool:
    """Say whether what is left of a text came from it in its order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def told(
    rows: pa.Table, stages: list[dict[str, Any]], folder: Path, memory: str = "512MiB", **options: Any
) -> dict[str, Any]:
    """Apply the stages; return the account, the ledger, and the kept and dropped texts by key."""
    source = folder / "rows.parquet"
    pq.write_table(rows, source, row_group_size=max(1, len(rows) // 3))
    written = folder / "recipe.yaml"
    held = {
        "name": "hostile",
        "seed": 1,
        "memory": memory,
        "sources": [{"name": "s", "uri": source.name, "key": "key"}],
        "stages": stages,
    }
    written.write_text(json.dumps(held))
    answer = apply(str(written), [], folder / "out", store=str(folder / "store"), **options)
    out = {
        name: pa.concat_tables([pq.read_table(file) for file in sorted((folder / "out" / name).glob("*"))])
        for name in ("kept", "dropped")
    }
    return {"answer": answer, "ledger": pq.read_table(folder / "out" / "ledger.parquet").to_pylist(), **out}


def check(rows: pa.Table, stages: list[dict[str, Any]], found: dict[str, Any]) -> None:
    """Hold what came of a corpus to what must hold of every one."""
    name = "text" if "text" in rows.column_names else "prompt"
    raw = rows[name].combine_chunks().view(pa.binary()).to_pylist()
    count = found["answer"]["rows"]
    lines = Counter(line["action"] for line in found["ledger"])
    assert count["in"] == len(rows) == count["kept"] + count["dropped"] + count["rejected"]
    assert count["kept"] == len(found["kept"])
    assert count["dropped"] == len(found["dropped"]) == lines["drop"]
    assert count["rejected"] == lines["reject"] >= sum(not is_utf8(text) for text in raw)
    ids = [*found["kept"]["id"].to_pylist(), *found["dropped"]["id"].to_pylist()]
    assert len({*ids}) == len(ids)
    assert {line["other"] for line in found["ledger"]} - {None} <= {*ids}
    assert {line["id"] for line in found["ledger"] if line["action"] == "drop"} == {
        *found["dropped"]["id"].to_pylist()
    }
    cuts = any("paragraph" in stage["stage"] or "substring" in stage["stage"] for stage in stages)
    for row in found["kept"].to_pylist():
        said = row["messages"][0]["content"]
        was = raw[row["row"]].decode()
        assert said == was or (cuts and said.strip() and subsequence(said, was)), (said, was)
    for line in found["ledger"]:
        if line["stage"] == "near_duplicates" and line["score"] is not None:
            assert line["threshold"] <= line["score"] <= 1


def same(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Hold two ways of doing the same to each other."""
    for name in ("kept", "dropped"):
        first, second = (found[name].drop_columns(["file", "row"]).to_pylist() for found in (one, two))
        assert first == second, name
    first, second = (
        sorted(
            json.dumps({**line, "file": None, "row": None, "detail": None}, sort_keys=True)
            for line in found["ledger"]
            if line["stage"] != "ingest"
        )
        for found in (one, two)
    )
    assert first == second


def attempt(seed: int, rows: int) -> dict[str, Any]:
    """Send one corpus both ways."""
    draw = random.Random(seed)
    made = table(corpus(draw, rows), draw)
    stages = recipe(draw)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first = told(made, stages, Path(one), workers=1)
        check(made, stages, first)
        order = draw.sample(range(len(made)), len(made))
        again = made.take(pa.array(order, pa.int64()))
        second = told(again, stages, Path(two), "1MiB", workers=1, part_rows=draw.choice((7, 64)))
        same(first, second)
    return {"rows": first["answer"]["rows"], "stages": [stage["stage"] for stage in stages]}
