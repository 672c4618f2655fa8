"""How rows are put into batches."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuning.examples import IGNORED, Examples, LengthBatches, collate, fixed_batches

LENGTHS = st.lists(st.integers(1, 40), max_size=300).map(lambda lengths: np.array(lengths, dtype=np.int64))


@given(LENGTHS, st.integers(1, 9), st.integers(0, 3))
def test_an_epoch_holds_each_row_once_in_as_many_batches_as_are_told(
    lengths: np.ndarray, rows: int, epoch: int
) -> None:
    batches = LengthBatches(lengths, rows, seed=7)
    batches.set_epoch(epoch)

    drawn = list(batches)

    assert sorted(row for batch in drawn for row in batch) == list(range(len(lengths)))
    assert len(drawn) == len(batches)
    assert max(map(len, drawn), default=0) <= rows


def test_epochs_differ_and_come_again() -> None:
    lengths = np.arange(100) % 30 + 1
    batches = LengthBatches(lengths, 8, seed=7)

    first = list(batches)
    batches.set_epoch(1)
    second = list(batches)
    batches.set_epoch(0)
    again = list(batches)

    assert first != second
    assert first == again


def test_batches_of_rows_alike_in_length_hold_little_padding() -> None:
    lengths = np.random.default_rng(0).integers(10, 60, 2_000)

    widths = [(lengths[batch].max(), len(batch)) for batch in LengthBatches(lengths, 8, seed=7)]

    assert sum(width * rows for width, rows in widths) / lengths.sum() < 1.05


@given(LENGTHS, st.integers(1, 9), st.integers(1, 8))
def test_fixed_batches_hold_each_row_once_within_a_step_of_its_length(
    lengths: np.ndarray, rows: int, step: int
) -> None:
    drawn = list(fixed_batches(lengths, rows, step))

    assert sorted(row for _, batch in drawn for row in batch.tolist()) == list(range(len(lengths)))
    assert all(width - step < length <= width for width, batch in drawn for length in lengths[batch])
    assert all(width % step == 0 and len(batch) <= rows for width, batch in drawn)


def test_a_loss_is_told_by_position_also_where_the_filler_is_the_end_of_sequence() -> None:
    end = 2
    examples = Examples(
        ids=["a", "b"],
        tokens=np.array([5, 6, 7, end, 5, 8, end]),
        begins=np.array([0, 4, 7]),
        completions=np.array([2, 1]),
        truncated=np.array([False, False]),
        reasons=[None, None],
    )

    batch = collate(examples, [0, 1], filler=end)

    assert batch["input_ids"].tolist() == [[5, 6, 7, end], [5, 8, end, end]]
    assert batch["labels"].tolist() == [[IGNORED, IGNORED, 7, end], [IGNORED, 8, end, IGNORED]]
