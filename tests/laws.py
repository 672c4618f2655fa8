"""What every stage must obey, whatever the corpus. A stage for which a law cannot hold says so in `exempt`."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.schema import ROW
from corpus.stage import Grow, Stage
from tests.corpora import Outcome, make, send

WORDS = (
    "good",
    "Good",
    "bad",
    "phone",
    "the",
    "12",
    "13",
    "don't",
    "http://t.co/a",
    "😂",
    "naïve",
    "日本",
    "thе",
    "@ann",
    "#wow",
    "\u200b",
    "x",
)
ODD = (
    "",
    " ",
    "\n",
    "😂😂",
    "a" * 300,
    "\u202eabc",
    "\x07bell",
    "ends with newline\n",
    "&amp; &lt;",
    "12 34",
    "\ufffd",
)

texts = st.lists(st.sampled_from(WORDS), min_size=0, max_size=9).map(" ".join) | st.sampled_from(ODD)
records = st.tuples(texts, st.sampled_from(["positive", "negative", None]), st.sampled_from([None, 0.5, 0.9]))
corpora = st.lists(records, min_size=0, max_size=18)
splits = st.sampled_from(["train", "train", "validation", "test"])


def built(records: Sequence[tuple[str, str | None, float | None]], side: str | None = None) -> pa.Table:
    """Make rows of records."""
    columns = list(zip(*records, strict=True)) or [(), (), ()]
    return make(columns[0], columns[1], columns[2], [side] * len(records))


def sent(
    rows: pa.Table,
    stages: Sequence[Stage],
    part_rows: int = 10_000,
    workers: int = 1,
    earlier: pa.Table | None = None,
) -> Outcome:
    """Send rows through stages in a store that nobody used before."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = send(rows, stages, Path(folder), part_rows=part_rows, workers=workers, earlier=earlier)
        outcome.fates()
    return outcome


def conservation(stages: Sequence[Stage], rows: pa.Table) -> None:
    """What came in and was grown is kept or dropped, each row once."""
    outcome = sent(rows, stages)

    kept, dropped = outcome.kept["id"].to_pylist(), outcome.dropped

    assert len(rows) + outcome.grown == len(kept) + len(dropped)
    assert len({*kept, *dropped}) == len(kept) + len(dropped)
    assert set(rows["id"].to_pylist()) <= {*kept, *dropped}
    assert outcome.ledger["reason"].null_count == 0


def lineage(stages: Sequence[Stage], rows: pa.Table) -> None:
    """A row that was not there before names its parent, which was and stands; kin share a family, a split and a label."""
    outcome = sent(rows, stages)

    known = {row["id"]: row for row in rows.to_pylist()}
    by_id = {row["id"]: row for row in outcome.kept.to_pylist()}

    for row in outcome.kept.to_pylist():
        if row["id"] not in known:
            assert row["parent"] in known
            assert row["operation"] is not None
            assert row["label"] == known[row["parent"]]["label"]
            parent = by_id[row["parent"]]
            assert (row["family"], row["split"]) == (parent["family"], parent["split"])


def parts(stages: Sequence[Stage], rows: pa.Table) -> None:
    """Parts of 3, of 7 and of 10,000 rows give the same fates."""
    whole = sent(rows, stages).fates()

    assert sent(rows, stages, part_rows=3).fates() == whole
    assert sent(rows, stages, part_rows=7).fates() == whole


def idempotence(stages: Sequence[Stage], rows: pa.Table) -> None:
    """Judges drop nothing from what they kept, and cut nothing from what they left; rewrites change nothing that they wrote."""
    if any(isinstance(stage, Grow) for stage in stages) or any(
        "idempotence" in stage.exempt for stage in stages
    ):
        return
    once = sent(rows, stages)
    again = sent(once.kept, stages)

    assert again.dropped == []
    assert again.texts == once.texts


def copies(
    stages: Sequence[Stage], records: Sequence[tuple[str, str | None, float | None]], side: str | None = None
) -> None:
    """An exact copy of a row changes no other row's fate."""
    if not records or any("copies" in stage.exempt for stage in stages):
        return
    before = sent(built(records, side), stages).fates()
    after = sent(built([*records, records[0]], side), stages).fates()

    assert {row: fate for row, fate in after.items() if row in before} == before


def increments(stages: Sequence[Stage], rows: pa.Table, tomorrow: Sequence[bool]) -> None:
    """Rows of a version that is built on stay as they are; what joins them is what they would bear beside them."""
    late = pa.array([*tomorrow], pa.bool_())
    earlier = published(sent(rows.filter(pc.invert(late)), stages).kept)
    new = rows.filter(late)

    outcome = sent(new, stages, earlier=earlier)

    count = earlier.num_rows
    assert outcome.standing.stands[:count].all()
    stood = outcome.standing.narrow.slice(0, count).sort_by("id")
    for name in ("id", "family", "split", "label"):
        assert stood[name].to_pylist() == earlier[name].to_pylist()
    gone, kept = outcome.dropped, outcome.kept["id"].to_pylist()
    assert len(gone) == len({*gone})
    assert {*gone}.isdisjoint(kept)
    assert {*new["id"].to_pylist()} <= {*gone, *kept}
    assert {*gone}.isdisjoint(earlier["id"].to_pylist())
    assert sent(new, stages, part_rows=3, earlier=earlier).fates() == outcome.fates()
    if not any(isinstance(stage, Grow) or "idempotence" in stage.exempt for stage in stages):
        both = pa.concat_tables([earlier, published(outcome.kept)]).sort_by("id")
        assert sent(both, stages).dropped == []


def published(rows: pa.Table) -> pa.Table:
    """Return rows as they stand in a version, in id order: those without a split are training rows."""
    split = pc.fill_null(rows["split"], "train")
    return rows.set_column(rows.schema.get_field_index("split"), "split", split).cast(ROW).sort_by("id")


def survival(stages: Sequence[Stage], side: str | None = None) -> None:
    """An empty corpus, empty text, null label, emoji and a row of a megabyte are survived."""
    conservation(stages, built([], side))
    conservation(
        stages,
        built(
            [
                ("", None, None),
                ("😂 🏳️‍🌈 👩🏽‍💻", None, None),
                ("word " * 200_000, "positive", 0.5),
                ("a" * 1_000_000, None, None),
            ],
            side,
        ),
    )


few = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,  # the stages are what they were
        HealthCheck.differing_executors,
    ],
)


class Suite:
    """The laws as tests of the stages that a class, which is derived from this one, has as a fixture `stages`."""

    @few
    @given(records=corpora)
    def test_conservation(self, stages, records):
        conservation(stages, built(records))

    @few
    @given(records=corpora)
    def test_parts(self, stages, records):
        parts(stages, built(records))

    @few
    @given(records=corpora)
    def test_idempotence(self, stages, records):
        idempotence(stages, built(records))

    @few
    @given(records=corpora)
    def test_copies(self, stages, records):
        copies(stages, records)

    @few
    @given(data=st.data(), records=corpora)
    def test_the_order_of_rows_does_not_matter(self, stages, data, records):
        shuffled = data.draw(st.permutations(records))

        assert sent(built(shuffled), stages).fates() == sent(built(records), stages).fates()

    @few
    @given(data=st.data(), records=corpora)
    def test_increments(self, stages, data, records):
        tomorrow = data.draw(st.lists(st.booleans(), min_size=len(records), max_size=len(records)))

        increments(stages, built(records), tomorrow)

    def test_odd_rows_are_survived(self, stages):
        survival(stages)
