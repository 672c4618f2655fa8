"""What came of each engine's candidates adds up, and so do its bins."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augment.yields import yields

scores = st.none() | st.floats(0, 100) | st.sampled_from([0.0, 5.0, 50.0, 95.0, 100.0])
candidates = st.lists(
    st.tuples(
        st.sampled_from(["paraphrase", "back_translation"]), st.sampled_from(["edits", "wordnet", None]),
        st.sampled_from([None, "empty", "too_close"]), scores, st.integers(0, 3),
    ),
    max_size=30,
)  # fmt: skip


@settings(deadline=None)
@given(made=candidates)
def test_every_candidate_stands_in_one_line_and_in_its_bin(made):
    columns = [list(column) for column in zip(*made, strict=True)] or [[], [], [], [], []]
    chrf = np.array([np.nan if one is None else one for one in columns[3]], float)
    chunked = [pa.chunked_array([pa.array(column, pa.string())]) for column in columns[:2]]

    parents = np.array(columns[4], int)

    found = yields(*chunked, parents, pa.array(columns[2], pa.string()), chrf, chrf / 100)

    assert sum(line["made"] for line in found) == len(made)
    for line in found:
        mine = [one for one in made if one[:2] == (line["operation"], line["engine"])]
        passed = [one for one in mine if one[2] is None]
        assert (line["made"], line["admitted"]) == (len(mine), len(passed))
        families = Counter(one[4] for one in mine).values()
        assert line["independent"] == pytest.approx(len(mine) ** 2 / sum(size * size for size in families))
        assert line["refused"] == {
            reason: sum(one[2] == reason for one in mine)
            for reason in ("empty", "too_close")
            if any(one[2] == reason for one in mine)
        }
        for name, some in (("all", mine), ("admitted", passed)):
            known = [one[3] for one in some if one[3] is not None]
            assert line["chrf"][name] == [
                sum(low <= one < low + 5 or one == low + 5 == 100 for one in known)
                for low in range(0, 100, 5)
            ]
        assert sum(line["cosine"]["all"]) == sum(one[3] is not None for one in mine)
    assert [(line["operation"], line["engine"] or "") for line in found] == sorted(
        {(operation, engine or "") for operation, engine, *_ in made}
    )


def test_what_lies_outside_counts_in_the_first_bin_or_the_last():
    made = pa.chunked_array([["a", "a", "a"]])

    parents = np.arange(3)

    (line,) = yields(
        made, made, parents, pa.nulls(3, pa.string()), np.full(3, np.nan), np.array([-0.4, 1.0000001, 1])
    )

    assert line["cosine"]["all"] == [1, *[0] * 18, 2]
    assert line["chrf"] == {"low": 0, "high": 100, "all": [0] * 20, "admitted": [0] * 20}
