"""What the peers' own tests say of duplicates, restated as data (`tests/data/peers`), and what our stages say of it.

Groups of rows are compared, not which row of a group stays: most peers keep the first in the order of the files,
ours keep one by what it says (`corpus.survival`). Where a peer chooses by a priority, ours must choose the same rows.
Of what is cut out of rows the texts are compared; there the first rows are the most confident, so that they keep it.
"""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from corpus import nearest
from corpus.nearest import Vectors
from curation.exact_duplicates import ExactDuplicates
from curation.near_duplicates import NearDuplicates
from curation.paragraph_duplicates import ParagraphDuplicates
from curation.substring_duplicates import SubstringDuplicates
from tests import laws
from tests.corpora import Outcome, make

PEERS = Path(__file__).parents[1] / "data" / "peers"
ALL = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(PEERS.glob("*.yaml"))}
CUTS = [*ALL["paragraphs"], *ALL["substrings"]]
STAGES = {
    "exact_duplicates": ExactDuplicates,
    "near_duplicates": NearDuplicates,
    "paragraph_duplicates": ParagraphDuplicates,
    "substring_duplicates": SubstringDuplicates,
}
A_ROW = ("rows", "confidence", "theirs_texts", "theirs_marked", "theirs_slices", "ours_texts")

Case = dict[str, Any]


def named(case: Case) -> str:
    return f"{case['peer']} {case['file']} {case['test']}"


def sent(case: Case, rows: pa.Table, earlier: pa.Table | None) -> Outcome:
    stage = STAGES[case["stage"]](**case["knobs"])
    return laws.sent(rows, [stage], part_rows=case.get("part_rows", 10_000), earlier=earlier)


def held_before(case: Case) -> pa.Table | None:
    texts = case.get("earlier")
    return laws.published(make(texts, source="earlier")) if texts else None


def met(case: Case) -> tuple[list[list[int]], set[int]]:
    """Return the rows that fell, each in a group with the row it fell against, and the rows that stay."""
    earlier, rows = held_before(case), make(case["rows"], confidence=case.get("confidence"))
    before = earlier.num_rows if earlier else 0
    numbers = {row["id"]: row["row"] for row in earlier.to_pylist()} if earlier else {}
    numbers |= {row["id"]: before + row["row"] for row in rows.to_pylist()}

    outcome = sent(case, rows, earlier)

    against: dict[int, list[int]] = defaultdict(list)
    for line in outcome.ledger.to_pylist():
        against[numbers[line["other"]]].append(numbers[line["id"]])
    return (
        sorted(sorted([stays, *fallen]) for stays, fallen in against.items()),
        set(numbers.values()) - {row for fallen in against.values() for row in fallen},
    )


def left(case: Case) -> list[str | None]:
    """Return each row's text after ours, None where the row goes."""
    texts = case["rows"]
    descending = [1 - number / (len(texts) + 1) for number in range(len(texts))]
    rows = make(texts, confidence=case.get("confidence", descending))

    outcome = sent(case, rows, held_before(case))

    said = {row["row"]: row["messages"][0]["content"] for row in outcome.kept.to_pylist()}
    return [said.get(number) for number in range(len(texts))]


def left_by_theirs(case: Case) -> dict[int, str | None]:
    """Return the text after theirs of each row of which their test tells: without what it marks, where it only marks."""
    if "theirs_texts" in case:
        return dict(enumerate(case["theirs_texts"]))
    marks = case["theirs_slices"] if "theirs_slices" in case else case["theirs_marked"]
    taken_out = without_slices if "theirs_slices" in case else without_pieces
    return {
        number: taken_out(text, marked).strip()
        for number, (text, marked) in enumerate(zip(case["rows"], marks, strict=True))
        if marked is not None
    }


def without_slices(text: str, slices: list[list[int]]) -> str:
    gone = {place for start, stop in slices for place in range(start, stop)}
    return "".join(letter for place, letter in enumerate(text) if place not in gone)


def without_pieces(text: str, pieces: list[str]) -> str:
    for piece in pieces:
        assert piece in text
        text = text.replace(piece, "", 1)
    return text


@pytest.mark.parametrize("case", ALL["duplicates"], ids=named)
def test_what_a_peer_calls_duplicates_are_ours_too_but_where_the_case_says_why_not(case):
    expected = case["ours"] if "ours" in case else case["theirs"]
    least, most = case.get("theirs_kept", (0, len(case["rows"])))

    groups, stay = met(case)

    assert groups == expected
    assert stay >= set(case.get("theirs_stay", []))
    assert least <= len(stay - set(range(len(case.get("earlier", []))))) <= most


@pytest.mark.parametrize("case", CUTS, ids=named)
def test_what_a_peer_leaves_of_texts_ours_leave_too_but_where_the_case_says_why_not(case):
    expected = dict(enumerate(case["ours_texts"])) if "ours_texts" in case else left_by_theirs(case)

    found = left(case)

    assert {number: found[number] for number in expected} == expected


@pytest.mark.parametrize("case", ALL["duplicates"], ids=named)
def test_a_case_in_which_we_differ_says_why_and_no_other_does(case):
    differs = "ours" in case

    assert differs == bool(case.get("why"))
    assert differs or "theirs" in case
    assert not differs or case["ours"] != case.get("theirs")


@pytest.mark.parametrize("case", CUTS, ids=named)
def test_a_cut_in_which_we_differ_says_why_and_no_other_does(case):
    theirs, ours = left_by_theirs(case), case.get("ours_texts")

    assert bool(ours) == bool(case.get("why"))
    assert not ours or {number: ours[number] for number in theirs} != theirs


def vectors(case: Case) -> np.ndarray:
    """Return the vectors that a case gives: unit vectors of angles, or what its recipe makes."""
    if "degrees" in case:
        angles = np.radians([*case.get("earlier_degrees", []), *case["degrees"]])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    if case.get("rows_of") == "a thousand copies of one row":
        return np.repeat(np.array([[0.6, 0.8]], np.float32), 1_000, axis=0)
    draw = np.random.default_rng(0)
    near = draw.normal(size=16) + draw.normal(scale=0.05, size=(2_000, 16))
    unit = near / np.linalg.norm(near, axis=1, keepdims=True)
    return np.concatenate([np.zeros((1, 16)), unit]).astype(np.float32)


@pytest.mark.parametrize(
    "case", [case for case in ALL["semantic"] if case["peer"] == "SemHash" and "rows" not in case], ids=named
)
def test_vectors_are_settled_as_a_peer_settles_them(case):
    held = vectors(case)
    fixed = np.arange(len(held)) < len(case.get("earlier_degrees", []))
    for threshold in [float(one) for one in str(case["setting"]["threshold"]).split(", then ")]:
        found = nearest.settle(replace(Vectors.alike(held), fixed=fixed), threshold)

        against: dict[int, list[int]] = defaultdict(list)
        for row in np.flatnonzero(found.other >= 0).tolist():
            against[int(found.other[row])].append(row)
        if "theirs" in case:
            assert [[stays, *gone] for stays, gone in sorted(against.items())] == case["theirs"]
        if "theirs_stay" in case:
            assert np.flatnonzero(found.other < 0).tolist() == case["theirs_stay"]
        if "theirs_gone_count" in case:
            assert int((found.other >= 0).sum()) == case["theirs_gone_count"]


@pytest.mark.parametrize("case", [case for cases in ALL.values() for case in cases], ids=named)
def test_each_case_names_where_it_stands_and_rows_that_it_has(case):
    where = [case[name] for name in ("peer", "repository", "commit", "file", "test")]
    rows = sum(
        len(case.get(name, [])) for name in ("earlier", "earlier_degrees", "rows", "degrees", "vectors")
    )

    grouped = [[row for group in case.get(name, []) for row in group] for name in ("theirs", "ours")]

    assert all(isinstance(name, str) and name for name in where)
    assert any(name.startswith("theirs") for name in case)
    assert all(len(numbers) == len({*numbers} & {*range(rows)}) for numbers in grouped)
    assert len({len(case[name]) for name in A_ROW if name in case}) <= 1
