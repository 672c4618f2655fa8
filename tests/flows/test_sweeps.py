"""A knob that is moved on what a run measured does what a run with that knob would have done."""

import random

import pytest

from flows import finish
from flows.what_if import what_if
from tests.flows.test_audit import BLOCKED, STAGES, WORDS, audited, rows


def short_rows(count=2_000):
    """Rows that mention women are short; all others are of all lengths."""
    draw = random.Random(2)
    made = []
    for number in range(count):
        length = draw.choice([2, 3, 4, 4, 8]) if number % 5 == 0 else draw.choice([2, 8, 9, 10])
        text = [*draw.choices(WORDS, k=length), f"n{number}"]
        text[0] = "woman" if number % 5 == 0 else text[0]
        made.append({"text": " ".join(text)})
    return made


def total(record, group, stage="total"):
    return next(
        one for one in record["findings"]
        if (one["stage"], one["group"], one["rule"]) == (stage, group, "impact_ratio")
    )  # fmt: skip


def test_each_move_is_what_a_run_with_that_knob_does(tmp_path):
    """Copies are dropped behind `length`, and none is there, so that what the move says of the whole is exact too."""
    done, record = audited(
        tmp_path / "strict", short_rows(), [{"stage": "length", "min_words": 6}, STAGES[2]]
    )

    (found,) = record["remedies"]["thresholds"]

    assert (found["by"], found["knob"], found["rule"], found["group"]) == (
        "length",
        "min_words",
        "too_short",
        "women",
    )
    assert found["now"]["ratio"] == pytest.approx(total(record, "women")["ratio"])
    assert found["now"]["verdict"] == "FAIL"
    kept = int(done.standing.stands.sum())
    assert found["front"][-1]["more"] == 2_000 - kept  # the least strict value keeps all
    for point in found["front"]:
        stages = [{"stage": "length", "min_words": point["value"]}, STAGES[2]]
        other, fresh = audited(tmp_path / str(point["value"]), short_rows(), stages)
        women = total(fresh, "women")
        assert int(other.standing.stands.sum()) - kept == point["more"]
        if women["ratio"] is not None:
            assert [point[key] for key in ("ratio", "low", "high")] == pytest.approx(
                [women[key] for key in ("ratio", "low", "high")]
            )
        assert (point["value"] == found["mildest"]) == (
            point is next(one for one in found["front"] if one["verdict"] != "FAIL")
        )


def test_the_command_that_the_page_names_can_be_run(tmp_path):
    done, record = audited(tmp_path, short_rows(), [{"stage": "length", "min_words": 6}, STAGES[2]])
    (found,) = record["remedies"]["thresholds"]
    point = found["front"][0]
    setting = f"length.min_words={point['value']}"

    page = finish.page(done, record)
    told = what_if(done.folder.name, [setting], tmp_path / "store")

    assert f"winnow what-if {done.folder.name} --set {setting}" in page
    assert told["rows"]["after"]["kept"] - told["rows"]["before"]["kept"] == point["more"]
    assert told["measured"] == 0


def test_a_blocklist_is_moved_by_its_hits_and_named_in_whole_numbers(tmp_path):
    made = [{**row, "text": row["text"].replace("mosque", "mosque muslim")} for row in rows()]
    _, record = audited(tmp_path, made, [*STAGES[:2], BLOCKED, STAGES[2]])

    (found,) = record["remedies"]["thresholds"]

    assert (found["by"], found["knob"], found["now"]["value"], found["now"]["ratio"]) == (
        "blocklist",
        "max_hits",
        0,
        0,
    )
    assert [point["value"] for point in found["front"]] == [1, 2]
    assert all(isinstance(point["value"], int) for point in found["front"])


@pytest.mark.parametrize("stages", [STAGES, [{"stage": "normalise"}], []])
def test_where_nobody_fails_nothing_is_moved(tmp_path, stages):
    _, record = audited(tmp_path, rows(300), stages)

    assert record["remedies"]["thresholds"] == []


def test_duplicates_are_not_moved(tmp_path):
    """Rows that mention a group are copies of one another: it is owed to a stage that compares rows."""
    made = [
        {**row, "text": "the mosque is open to all" if n % 5 == 0 else row["text"]}
        for n, row in enumerate(rows(muslim=0))
    ]

    _, record = audited(tmp_path, made, STAGES)

    assert total(record, "muslim")["verdict"] == "FAIL"
    assert record["remedies"]["thresholds"] == []
