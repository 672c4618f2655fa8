"""`decontaminate` against plain sets of word runs, and what is told where a set cannot be compared."""

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from corpus.models import Models
from corpus.schema import MESSAGE, UserError
from corpus.sources import Source
from curation.decontaminate import Decontaminate
from tests import laws
from tests.corpora import make
from tests.embedding import tiny

QUESTION = "How many apples does Ann have when she buys twelve and eats three of them?"
HERE = Models(Path("/"), Path.home() / ".cache" / "winnow")


def evaluation(folder: Path, texts: list[str], name: str = "exam", column: str = "text") -> Source:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps({column: said}) + "\n" for said in texts))
    return Source(name=name, uri=f"file:{file}", text=column)


def runs(said: str, size: int, least: int) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", said.casefold().replace("'", ""))
    span = min(size, len(words))
    if span < least:
        return set()
    return {tuple(words[at : at + span]) for at in range(len(words) - span + 1)}


def all_runs(said: str, length: int) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", said.casefold().replace("'", ""))
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def greatest(said: str, texts: list[str], size: int, least: int) -> float:
    shares = [0.0]
    for text in texts:
        wanted = runs(text, size, least)
        if wanted:
            length = len(next(iter(wanted)))
            shared = len(wanted & all_runs(said, length))
            shares.append(shared / len(wanted) if shared > 1 or len(wanted) == 1 else 0.0)
    return max(shares)


sayings = st.lists(st.sampled_from(["a", "b", "C", "d", "12", "don't"]), max_size=12).map(" ".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(sayings, max_size=8),
    texts=st.lists(sayings, min_size=1, max_size=6),
    size=st.integers(1, 6),
    threshold=st.sampled_from([0.2, 0.5, 1.0]),
)
def test_shares_are_those_of_a_plain_count(tmp_path, rows, texts, size, threshold):
    least = min(2, size)
    stage = Decontaminate(
        against=(evaluation(tmp_path, texts),), run_words=size, min_words=least, threshold=threshold
    )
    held = make(rows)

    outcome = laws.sent(held, [stage], part_rows=3)

    said = {row["id"]: row["messages"][0]["content"] for row in held.to_pylist()}
    expected = {row: greatest(text, texts, size, least) for row, text in said.items()}
    found = {line["id"]: line["score"] for line in outcome.ledger.to_pylist()}
    assert found == pytest.approx({row: share for row, share in expected.items() if share >= threshold})


def test_a_row_that_quotes_a_question_goes_and_says_which(tmp_path):
    sets = (
        evaluation(tmp_path, ["Something that nobody says in training data, ever.", QUESTION]),
        evaluation(tmp_path, ["What else could be asked of such a model one day?"], "other"),
    )
    rows = make([f"Here is a riddle: {QUESTION.upper()} Nine.", "Ann has twelve apples.", "Nothing of it."])

    outcome = laws.sent(rows, [Decontaminate(against=sets)])

    (line,) = outcome.ledger.to_pylist()
    assert (line["reason"], line["score"], line["detail"]) == ("in_evaluation_set", 1.0, "exam/exam.jsonl:1")


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        (QUESTION.replace("twelve", "13"), True),
        (QUESTION.replace("apples", "pears").replace("she", "Bob").replace("eats", "sells"), False),
        ("How many apples does Ann have", False),
        ("How many apples does Ann have when she buys", True),
        (QUESTION.replace(" ", "\n"), True),
    ],
)
def test_edited_questions_go_while_enough_of_their_runs_are_left(tmp_path, said, gone):
    stage = Decontaminate(against=(evaluation(tmp_path, [QUESTION]),))

    assert laws.sent(make([said]), [stage]).ledger.num_rows == gone


def test_short_questions_are_one_run_and_shorter_ones_are_compared_with_nothing(tmp_path):
    stage = Decontaminate(against=(evaluation(tmp_path, ["Who wrote this old book?", "Who knows?"]),))

    outcome = laws.sent(
        make(["Tell me: who wrote this old book", "Who knows? Nobody.", "this old book"]), [stage]
    )

    assert outcome.ledger["detail"].to_pylist() == ["exam/exam.jsonl:0"]


def test_of_chats_each_turn_is_compared(tmp_path):
    file = tmp_path / "exam.jsonl"
    file.write_text(
        json.dumps({"question": QUESTION, "answer": "She has nine of them left, as it turns out."})
    )
    source = Source(name="exam", uri=f"file:{file}", prompt="question", completion="answer")
    turns = [[("user", "Hello there"), ("assistant", QUESTION)], [("user", "Hello"), ("assistant", "Hi")]]
    rows = make(["one", "two"])
    held = [[{"role": role, "content": said} for role, said in one] for one in turns]
    rows = rows.set_column(
        rows.schema.get_field_index("messages"), "messages", pa.array(held, pa.list_(MESSAGE))
    )

    outcome = laws.sent(rows, [Decontaminate(against=(source,))])

    assert outcome.ledger.num_rows == 1


def test_what_nearly_says_a_question_goes_by_its_embedding(tmp_path):
    uri = tiny(tmp_path / "model")
    stage = Decontaminate(
        against=(evaluation(tmp_path, ["who wrote the old book of kings"]),), min_cosine=0.999, embedding=uri
    )

    outcome = laws.sent(make(["who wrote the OLD BOOK, of kings", "zebra 9 9 9 x"]), [stage])

    (line,) = outcome.ledger.to_pylist()
    assert line["reason"] == "in_evaluation_set"
    assert line["score"] == 1.0
    alone = Decontaminate(
        against=(evaluation(tmp_path, ["who wrote"], "short"),), min_cosine=0.999, embedding=uri
    )
    (line,) = laws.sent(make(["who wrote", "zebra 9 9 9 x"]), [alone]).ledger.to_pylist()
    assert (line["reason"], line["detail"]) == ("like_evaluation_set", "short/short.jsonl:0")
    assert line["score"] == pytest.approx(1.0)


def test_a_record_that_cannot_be_read_is_an_error_for_nobody_could_vouch_for_it(tmp_path):
    file = tmp_path / "exam.jsonl"
    file.write_text('{"text": "a whole record"}\n{"text": "a broken')
    stage = Decontaminate(against=(Source(name="exam", uri=f"file:{file}"),))

    with pytest.raises(UserError, match=r"evaluation set 'exam': .*exam.jsonl.*cannot be read"):
        stage.ready(HERE)


def test_a_set_that_is_not_there_and_one_without_rows_are_errors(tmp_path):
    (tmp_path / "empty.jsonl").write_text("")

    for uri, said in (("nowhere.jsonl", "source 'exam'"), ("empty.jsonl", "has no row")):
        stage = Decontaminate(against=(Source(name="exam", uri=f"file:{tmp_path / uri}"),))
        with pytest.raises(UserError, match=said):
            stage.ready(HERE)


def test_knobs_that_cannot_work_are_told():
    exam = {"name": "exam", "uri": "file:exam.jsonl"}

    with pytest.raises(ValidationError, match="two evaluation sets are called the same: exam, exam"):
        Decontaminate(against=[exam, exam])
    with pytest.raises(ValidationError, match="min_words is 9 and run_words 5"):
        Decontaminate(against=[exam], min_words=9)


def test_the_preamble_of_an_evaluation_set_condemns_nobody(tmp_path):
    preamble = "Read the following question with care and answer it with one single word please:"
    asked = [f"{preamble} what did x{number} do on the y{number} day of z{number}?" for number in range(200)]
    stage = Decontaminate(against=(evaluation(tmp_path, asked),))
    rows = [f"{preamble} is it going to rain?", f"As was said: {asked[7]}"]

    outcome = laws.sent(make(rows), [stage])

    assert outcome.ledger["detail"].to_pylist() == ["exam/exam.jsonl:7"]


def test_what_the_system_is_told_is_no_question(tmp_path):
    system = "You are a helpful assistant who answers all questions politely and briefly."
    turns = [{"role": "system", "content": system}, {"role": "user", "content": QUESTION}]
    file = tmp_path / "exam.jsonl"
    file.write_text(json.dumps({"messages": turns}))
    stage = Decontaminate(against=(Source(name="exam", uri=f"file:{file}"),))

    outcome = laws.sent(make([f"{system} What is the weather like?", QUESTION]), [stage])

    assert outcome.ledger.num_rows == 1


def test_a_set_of_which_nothing_can_be_compared_is_an_error(tmp_path):
    stage = Decontaminate(against=(evaluation(tmp_path, ["Who?", "Why not?"]),))

    with pytest.raises(UserError, match="has no text of 5 words and more that is its own"):
        stage.ready(HERE)


class TestLaws(laws.Suite):
    @pytest.fixture
    def stages(self, tmp_path):
        texts = ["good bad phone", "the 12 naïve", "x"]
        return [Decontaminate(against=(evaluation(tmp_path, texts),), run_words=2, min_words=1)]
