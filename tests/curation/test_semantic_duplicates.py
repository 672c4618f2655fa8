"""`semantic_duplicates`: rows that mean what a better row means, by a small model made for the test."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from corpus.models import Models
from corpus.schema import MESSAGE
from curation.exact_duplicates import ExactDuplicates
from curation.semantic_duplicates import SemanticDuplicates
from curation.split import Split
from tests import laws
from tests.corpora import make, send
from tests.embedding import tiny


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("embedding"))


def cosines(uri: str, texts: list[str]) -> np.ndarray:
    vectors = (
        Models(Path(), Path.home() / ".cache" / "winnow").encode(uri, pa.array(texts)).astype(np.float64)
    )
    return vectors @ vectors.T


def test_each_drop_is_as_alike_as_it_says_to_a_row_that_stays(uri):
    texts = [
        f"{word} of the {thing}"
        for word in ("cats", "cat", "dogs", "dot")
        for thing in ("house", "houses", "sea")
    ]
    rows = make(texts, confidence=[1 - number / 20 for number in range(len(texts))])
    table = cosines(uri, texts)
    threshold = float(np.quantile(table[np.triu_indices(len(texts), 1)], 0.7))

    outcome = laws.sent(rows, [SemanticDuplicates(embedding=uri, threshold=threshold)])

    number = {row["id"]: row["row"] for row in rows.to_pylist()}
    stays: list[int] = []
    expected = {}
    for row in range(len(texts)):
        best = max(stays, key=lambda other: table[row, other], default=None)
        if best is not None and table[row, best] >= threshold:
            expected[row] = best
        else:
            stays.append(row)
    found = {number[line["id"]]: number[line["other"]] for line in outcome.ledger.to_pylist()}
    assert found == expected
    assert len(expected) > 3
    for line in outcome.ledger.to_pylist():
        assert line["score"] == pytest.approx(table[number[line["id"]], number[line["other"]]], abs=1e-6)


def test_rows_that_differ_in_a_number_stay_where_numbers_matter(uri):
    rows = make(["what is 12 plus 7", "what is 13 plus 7", "what is 12 plus 7?"])

    minding, not_minding = (
        laws.sent(rows, [SemanticDuplicates(embedding=uri, threshold=0.5, numbers=numbers)]).kept.num_rows
        for numbers in ("all", "none")
    )

    assert (minding, not_minding) == (2, 1)


def test_rows_of_unlike_label_stay_and_share_a_family(uri):
    rows = make(["a good phone", "a good phone!"], ["positive", "negative"])

    outcome = laws.sent(rows, [SemanticDuplicates(embedding=uri, threshold=0.5), Split()])

    assert outcome.ledger.num_rows == 0
    assert len({*outcome.kept["family"].to_pylist()}) == 1


def test_the_same_question_with_another_answer_stays(uri):
    turns = [
        [("user", "which way is it"), ("assistant", said)] for said in ("left", "zzz 999 qqq", "left!")
    ] + [[("user", "which way is it")]]
    held = [[{"role": role, "content": said} for role, said in one] for one in turns]
    rows = make(["a", "b", "c", "d"])
    rows = rows.set_column(
        rows.schema.get_field_index("messages"), "messages", pa.array(held, pa.list_(MESSAGE))
    )
    table = cosines(uri, ["left", "zzz 999 qqq", "left!"])
    threshold = (table[0, 2] + table[0, 1]) / 2

    outcome = laws.sent(rows, [SemanticDuplicates(embedding=uri, threshold=threshold, numbers="none")])

    assert table[0, 1] < threshold < table[0, 2]
    assert outcome.ledger.num_rows == 1


def test_more_vectors_than_memory_holds_are_settled_on_disk_and_the_recall_is_told(uri, tmp_path):
    texts = [
        f"{word} {thing}"
        for word in ("cats", "cat", "dogs", "a dot")
        for thing in ("of it", "of that", "here")
    ]
    turns = [[("user", text), ("assistant", said)] for text in texts for said in ("left", "left!")]
    held = [[{"role": role, "content": said} for role, said in one] for one in turns]
    rows = make([str(number) for number in range(len(turns))])
    rows = rows.set_column(
        rows.schema.get_field_index("messages"), "messages", pa.array(held, pa.list_(MESSAGE))
    )
    stages = [SemanticDuplicates(embedding=uri, threshold=0.8, numbers="none")]

    exact = send(rows, stages, tmp_path / "a")
    on_disk = send(rows, stages, tmp_path / "b", memory=1_000)

    assert on_disk.fates() == exact.fates()
    assert exact.ledger.num_rows > 3
    (told,) = on_disk.stages
    assert told["recall"]["found"] == told["recall"]["of"] == len(on_disk.dropped)
    assert "recall" not in exact.stages[0]


class TestLaws(laws.Suite):
    @pytest.fixture(scope="class")
    def stages(self, uri):
        return [ExactDuplicates(), SemanticDuplicates(embedding=uri, threshold=0.9, numbers="none")]
