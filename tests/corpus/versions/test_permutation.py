"""The order of an epoch: a permutation, another for each key, and without pattern."""

import hashlib

import numpy as np
import pytest
from scipy.stats import chisquare

from corpus.versions.permutation import Permutation


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 4096, 10_007])
def test_every_place_has_one_number(count):
    found = Permutation(count, "key")(np.arange(count))

    assert sorted(found.tolist()) == list(range(count))


def test_a_place_is_the_same_whatever_is_asked_beside_it():
    order = Permutation(1000, "key")
    whole = order(np.arange(1000))

    assert [int(order(np.array([place]))[0]) for place in range(0, 1000, 37)] == whole[::37].tolist()
    assert (order(np.arange(999, -1, -1)) == whole[::-1]).all()


def test_one_number_written_out_in_plain_integers():
    """The definition once more, without numpy."""
    count, key = 1000, "a b 7 0"
    raw = hashlib.shake_256(f"winnow permutation 1\n{count}\n{key}".encode()).digest(64)
    keys = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, 64, 8)]
    limit, mask = 2**64 - 1, 31

    def mixed(number: int) -> int:
        number = (number + 0x9E3779B97F4A7C15) & limit
        number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & limit
        number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & limit
        return number ^ (number >> 31)

    def once(number: int) -> int:
        left, right = number >> 5, number & mask
        for one in keys:
            left, right = right, left ^ (mixed(right ^ one) & mask)
        return (left << 5) | right

    def told(place: int) -> int:
        number = once(place)
        while number >= count:
            number = once(number)
        return number

    assert Permutation(count, key)(np.arange(count)).tolist() == [told(place) for place in range(count)]


def test_nothing_is_stored_for_a_trillion_rows():
    found = Permutation(10**12, "key")(np.arange(5))

    assert len(set(found.tolist())) == 5
    assert (found < 10**12).all()


def test_numbers_and_neighbours_fall_evenly():
    """Over keys each number is as likely at a place as any other; over places the step to the next is, too."""
    count = 20
    firsts = [int(Permutation(count, f"key {number}")(np.array([3]))[0]) for number in range(8000)]
    assert chisquare(np.bincount(firsts, minlength=count)).pvalue > 1e-4
    order = Permutation(100_000, "key")(np.arange(100_000))
    steps = (np.diff(order) % 100_000) * 50 // 100_000
    assert chisquare(np.bincount(steps, minlength=50)).pvalue > 1e-4
    assert abs(np.corrcoef(np.arange(100_000), order)[0, 1]) < 0.02


def test_other_keys_are_other_orders():
    one, two = (Permutation(10_000, key)(np.arange(10_000)) for key in ("a", "b"))

    assert (one == two).sum() < 10
