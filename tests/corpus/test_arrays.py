"""`corpus.arrays`: the order of pairs is that of numpy's lexsort; nulls are Arrow's and take no memory."""

import numpy as np
import psutil
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.arrays import ascending, nulls
from corpus.schema import ROW


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2**63, 2**64 - 1])), max_size=40))
def test_pairs_are_sorted_by_both_columns_and_equal_ones_stay_as_they_came(pairs):
    columns = np.array(pairs, np.uint64).reshape(-1, 2)

    assert ascending(columns).tolist() == np.lexsort((columns[:, 1], columns[:, 0])).tolist()


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.float64(), pa.int64(), pa.bool_(), ROW.field("groups").type]
)
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 100_000])
def test_nulls_are_nulls(kind, count):
    held = nulls(count, kind)
    held.validate(full=True)
    assert held.equals(pa.nulls(count, kind))


def test_nulls_take_no_memory():
    before = psutil.Process().memory_info().rss
    held = [nulls(20_000_000, pa.string()) for _ in range(5)]
    assert sum(array.nbytes for array in held) > 400 * 10**6
    assert psutil.Process().memory_info().rss - before < 40 * 2**20
