"""`corpus.arrays`: the order of pairs is that of numpy's lexsort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpus.arrays import ascending


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 2**63, 2**64 - 1])), max_size=40))
def test_pairs_are_sorted_by_both_columns_and_equal_ones_stay_as_they_came(pairs):
    columns = np.array(pairs, np.uint64).reshape(-1, 2)

    assert ascending(columns).tolist() == np.lexsort((columns[:, 1], columns[:, 0])).tolist()
