"""`action: mark`: a row that is judged stays, and says so wherever it is asked."""

import orjson
import pyarrow as pa
import pytest

from corpus.schema import ROW
from corpus.standing import Standing
from curation.blocklist import Blocklist
from curation.exact_duplicates import ExactDuplicates
from curation.near_duplicates import NearDuplicates
from curation.split import Split
from tests import laws
from tests.corpora import make

TEXTS = ["one and the same row", "one and the same row", "another row of its own", "One and the same row!"]


def marks(kept):
    """Return the marks of each row, by what it says."""
    return sorted(
        (row["messages"][0]["content"], tuple(orjson.loads(row["extra"] or "{}").get("marks", ())))
        for row in kept.to_pylist()
    )


def test_marked_rows_stay_and_name_the_stages_that_marked_them():
    stages = [ExactDuplicates(action="mark"), NearDuplicates(shingle_words=2, action="mark"), Split()]

    outcome = laws.sent(make(TEXTS), stages)

    assert outcome.kept.num_rows == 4
    assert marks(outcome.kept) == [
        ("One and the same row!", ()),
        ("another row of its own", ()),
        ("one and the same row", ("exact_duplicates", "near_duplicates")),
        ("one and the same row", ("near_duplicates",)),
    ] or marks(outcome.kept) == [
        ("One and the same row!", ("near_duplicates",)),
        ("another row of its own", ()),
        ("one and the same row", ()),
        ("one and the same row", ("exact_duplicates", "near_duplicates")),
    ]
    assert set(outcome.ledger["action"].to_pylist()) == {"mark"}
    assert outcome.kept.schema == ROW


def test_what_is_marked_is_what_would_be_dropped():
    rows = make([f"row {number // 3} has words of its own, {number // 3}" for number in range(60)])

    dropped = laws.sent(rows, [NearDuplicates(shingle_words=2)]).ledger.drop_columns("action")
    marked = laws.sent(rows, [NearDuplicates(shingle_words=2, action="mark")]).ledger

    assert dropped.num_rows == 40
    assert set(marked["action"].to_pylist()) == {"mark"}
    assert marked.drop_columns("action").equals(dropped)


def test_a_row_that_is_marked_and_then_dropped_is_dropped_once():
    stages = [ExactDuplicates(action="mark"), Split(), Blocklist(words=("same",))]

    outcome = laws.sent(make(TEXTS), stages)

    fell = outcome.ledger.filter([action == "drop" for action in outcome.ledger["action"].to_pylist()])
    assert outcome.kept.num_rows == 1
    assert fell.num_rows == 3
    assert set(fell["stage"].to_pylist()) == {"blocklist"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, ["exact_duplicates"]),
        ('{"b":1,"a":2}', ["exact_duplicates"]),
        ('{"marks":"A+"}', ["A+", "exact_duplicates"]),
        ('{"marks":["exact_duplicates"]}', ["exact_duplicates"]),
    ],
)
def test_columns_of_the_source_stay_beside_the_marks(before, after):
    rows = make(["the same", "the same"])
    extra = pa.array([before, before], pa.string())
    rows = rows.set_column(rows.schema.get_field_index("extra"), ROW.field("extra"), extra)

    kept = laws.sent(rows, [ExactDuplicates(action="mark")]).kept

    came = orjson.loads(before or "{}")
    unmarked, marked = (orjson.loads(extra or "{}") for extra in kept["extra"].to_pylist())
    assert unmarked == came
    assert marked == came | {"marks": after}


def test_marks_are_there_when_what_stands_is_read_again(tmp_path):
    standing = laws.sent(make(TEXTS), [ExactDuplicates(action="mark")]).standing
    folder = tmp_path / "runs" / "one" / "segments" / "0"

    standing.save(folder)

    assert Standing.load(folder).columns["marks"].equals(standing.columns["marks"])
