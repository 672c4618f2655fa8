"""What a candidate shares with held-out texts beyond its parent, against plain sets of word runs."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from augment.admission import Admission
from corpus.models import Models
from corpus.schema import UserError, grown_id
from corpus.sources import Source
from tests import laws
from tests.augment.says import Says
from tests.augment.wide import WIDE
from tests.corpora import make
from tests.embedding import tiny

ASKED = {**WIDE, "overlap": 0.3}
HELD = "we waited for two hours at the gate and nobody told us why"


@pytest.fixture(scope="module")
def embedding(tmp_path_factory) -> str:
    return tiny(tmp_path_factory.mktemp("model"))


def grown(answers, embedding, held=(), split="test", **knobs):
    rows = make([*answers, *held], splits=["train"] * len(answers) + [split] * len(held))
    return laws.sent(rows, [Says(answers=answers), Admission(embedding=embedding, **{**ASKED, **knobs})])


def exam(folder: Path, texts) -> Source:
    (folder / "exam.jsonl").write_text("".join(json.dumps({"text": said}) + "\n" for said in texts))
    return Source(name="exam", uri=f"file:{folder / 'exam.jsonl'}")


@pytest.mark.parametrize("split", ["test", "validation"])
def test_what_says_a_held_out_row_goes_and_names_it(split, embedding):
    said = "indeed we waited for two hours at the gate"

    (line,) = grown(
        {"they waited at some gate for a long time": said}, embedding, (HELD,), split
    ).ledger.to_pylist()

    assert (line["reason"], line["threshold"]) == ("test_overlap", 0.3)
    assert line["score"] == pytest.approx(4 / 9)  # of 13 words' nine runs of five
    assert line["other"] == make([HELD], splits=[split])["id"][0].as_py()


def test_what_says_a_training_row_is_no_matter_of_this_gate(embedding):
    answers = {"they waited at some gate for a long time": f"indeed {HELD}"}

    assert grown(answers, embedding, (HELD,), "train").ledger.num_rows == 0


def test_what_the_parent_said_already_is_not_the_candidates(embedding):
    answers = {f"well {HELD} then": f"so {HELD} again"}

    assert grown(answers, embedding, (HELD,)).ledger.num_rows == 0


def test_an_evaluation_set_is_held_out_and_its_place_is_told(embedding, tmp_path):
    source = exam(tmp_path, ["something else that is of no matter", HELD])

    (line,) = grown({"they waited": f"indeed {HELD}"}, embedding, against=(source,)).ledger.to_pylist()

    assert (line["reason"], line["score"], line["other"]) == ("test_overlap", 1.0, None)
    assert line["detail"] == "exam/exam.jsonl:1"


def test_off_is_off(embedding, tmp_path):
    answers = {"they waited": f"indeed {HELD}"}

    assert (
        grown(answers, embedding, (HELD,), overlap=None, against=(exam(tmp_path, [HELD]),)).ledger.num_rows
        == 0
    )


def of(said: str, length: int) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", said.casefold())
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def greatest(said: str, parent: str, texts: list[str], size: int, least: int) -> float:
    """The greatest share of a text's runs that is said, and is more than the parent says."""
    shares = [0.0]
    for text in texts:
        words = len(text.split())
        wanted = of(text, min(words, size)) if words >= least else set()
        if wanted:
            length = len(next(iter(wanted)))
            mine, theirs = (
                len(shared) if len(shared := wanted & of(each, length)) > 1 or len(wanted) == 1 else 0
                for each in (said, parent)
            )
            shares += [mine / len(wanted)] if mine > theirs else []
    return max(shares)


sayings = st.lists(st.sampled_from(["a", "b", "C", "d", "ñ"]), min_size=1, max_size=9).map(" ".join)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answers=st.dictionaries(sayings, sayings, min_size=1, max_size=4),
    held=st.lists(sayings, max_size=5),
    outside=st.lists(sayings, max_size=3),
    size=st.integers(1, 5),
)
def test_shares_are_those_of_a_plain_count(embedding, tmp_path, answers, held, outside, size):
    least = min(2, size)
    has_runs = any(len(said.split()) >= least for said in outside)
    against = (exam(tmp_path, outside),) if has_runs else ()
    knobs = {"against": against, "run_words": size, "min_words": least, "overlap": 1e-9}
    rows = make([*answers, *held], splits=["train"] * len(answers) + ["test"] * len(held))

    found = laws.sent(
        rows, [Says(answers=answers), Admission(embedding=embedding, **{**WIDE, **knobs})], part_rows=3
    )

    texts = [*held, *(outside if has_runs else [])]
    expected = {
        grown_id(row["id"], "says", (), 0): greatest(answers[said], said, texts, size, least)
        for row in rows.to_pylist()
        if row["split"] == "train" and (said := row["messages"][0]["content"])
        if answers[said].casefold().split() != said.casefold().split()
    }
    told = {row["id"]: row["score"] for row in found.ledger.to_pylist() if row["reason"] == "test_overlap"}
    assert told == pytest.approx({row: share for row, share in expected.items() if share > 0})


def test_a_set_that_cannot_be_compared_is_told_before_anything_runs(embedding, tmp_path):
    here = Models(tmp_path, tmp_path)

    with pytest.raises(UserError, match="has no text of 5 words and more"):
        Admission(against=(exam(tmp_path, ["too short"]),)).ready(here)
    with pytest.raises(ValidationError, match="a text shorter than a run is compared whole"):
        Admission(min_words=6)
    with pytest.raises(ValidationError, match="two evaluation sets are called the same"):
        Admission(against=(exam(tmp_path, [HELD]), exam(tmp_path, [HELD])))


def test_the_version_knows_what_a_set_holds_and_not_where_it_lies(tmp_path):
    here = Models(tmp_path, tmp_path)
    (tmp_path / "other").mkdir()

    one, two = (
        Admission(against=(exam(folder, [HELD]),)).identity(here) for folder in (tmp_path, tmp_path / "other")
    )

    assert one == two
    assert one != Admission(against=(exam(tmp_path, [HELD + " again"]),)).identity(here)
