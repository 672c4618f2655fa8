"""An epoch is taken up at any row, under other workers and ranks: each row comes once, in the one order."""

import tracemalloc
from collections import Counter
from itertools import islice, zip_longest

import numpy as np
import pytest
from torch.utils.data import DataLoader

from corpus.schema import UserError
from corpus.versions import blocks
from corpus.versions.permutation import Permutation
from corpus.versions.training import Epoch, TrainingRows
from tests.corpus.versions.shelves import library, published

COUNT = 203


@pytest.fixture
def rows(tmp_path, monkeypatch) -> TrainingRows:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 300)
    monkeypatch.setenv("WINNOW_CACHE", str(tmp_path / "cache"))
    return TrainingRows(published(library(tmp_path), [f"row {number}" for number in range(COUNT)]), "train")


def batches(epoch: Epoch, workers: int = 0, stop: int | None = None) -> list[list[str]]:
    """Return the ids of the batches that a DataLoader brings, at most `stop` of them."""
    loader = DataLoader(epoch, batch_size=epoch.batch, num_workers=workers, collate_fn=list)
    found = []
    for batch in loader:
        if len(found) == stop:
            break
        found.append([row["id"] for row in batch])
    return found


def in_turn(ranks: list[list[list[str]]]) -> list[str]:
    """Return the rows of all ranks in the order of their places."""
    flat = [[row for batch in rank for row in batch] for rank in ranks]
    return [row for together in zip_longest(*flat) for row in together if row is not None]


def test_the_order_is_the_keyed_permutation_of_version_seed_and_epoch(rows):
    wanted = Permutation(COUNT, f"{rows.version} train 7 2")(np.arange(COUNT))

    assert [row["id"] for row in Epoch(rows, batch=8, seed=7, number=2)] == [
        row["id"] for row in rows.__getitems__(wanted)
    ]


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_workers_bring_the_order_of_one(rows, workers):
    epoch = Epoch(rows, seed=7, batch=8)

    assert [row for batch in batches(epoch, workers) for row in batch] == [row["id"] for row in epoch]
    assert [len(batch) for batch in batches(epoch, workers)] == [8] * 25 + [3]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"ranks": 1, "workers": 0, "batch": 8}, {"ranks": 1, "workers": 2, "batch": 8}),
        ({"ranks": 2, "workers": 2, "batch": 4}, {"ranks": 3, "workers": 0, "batch": 5}),
        ({"ranks": 3, "workers": 1, "batch": 7}, {"ranks": 1, "workers": 3, "batch": 1}),
        ({"ranks": 4, "workers": 0, "batch": 1}, {"ranks": 2, "workers": 1, "batch": 64}),
    ],
)
@pytest.mark.parametrize("stop", [0, 1, 5])
def test_an_epoch_broken_off_goes_on_under_other_workers_and_ranks(rows, first, then, stop):
    whole = [row["id"] for row in Epoch(rows, batch=8, seed=7, number=1)]

    def ranks(held: dict, make) -> list[list[list[str]]]:
        return [
            batches(
                make(rank=rank, ranks=held["ranks"], batch=held["batch"]), held["workers"], held.get("stop")
            )
            for rank in range(held["ranks"])
        ]

    before = in_turn(ranks({**first, "stop": stop}, lambda **how: Epoch(rows, seed=7, number=1, **how)))
    state = Epoch(rows, seed=7, number=1, ranks=first["ranks"], batch=first["batch"]).after(stop)
    after = in_turn(ranks(then, lambda **how: Epoch.resume(rows, state, **how)))

    assert len(before) == stop * first["ranks"] * first["batch"]
    assert before + after == whole
    assert set(Counter(before + after).values()) == {1}


def test_an_epoch_is_taken_up_at_any_row(rows):
    whole = [row["id"] for row in Epoch(rows, batch=8, seed=7)]

    for start in range(0, COUNT + 1, 29):
        assert [row["id"] for row in Epoch(rows, batch=8, seed=7, start=start)] == whole[start:]
    assert list(Epoch(rows, batch=8, seed=7, start=COUNT)) == []


def test_epochs_and_seeds_differ_and_one_without_shuffle_is_in_order(rows):
    orders = [
        tuple(row["id"] for row in Epoch(rows, batch=8, seed=seed, number=number))
        for seed in (1, 2)
        for number in (0, 1)
    ]

    assert len(set(orders)) == 4
    assert [row["id"] for row in Epoch(rows, batch=8, seed=1, shuffle=False)] == [row["id"] for row in rows]


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_ranks_that_must_be_even_have_equally_many_rows(rows, ranks):
    of_ranks = [
        [row["id"] for row in Epoch(rows, seed=7, rank=rank, ranks=ranks, batch=8, even=True)]
        for rank in range(ranks)
    ]

    assert {len(held) for held in of_ranks} == {COUNT // ranks}
    assert len({row for held in of_ranks for row in held}) == COUNT // ranks * ranks
    assert [len(Epoch(rows, batch=8, seed=7, rank=rank, ranks=ranks)) for rank in range(ranks)] == [
        len(list(Epoch(rows, batch=8, seed=7, rank=rank, ranks=ranks))) for rank in range(ranks)
    ]


class Billion:
    """As many rows as nobody can hold, each its number."""

    version, split = "0" * 64, "train"

    def __len__(self) -> int:
        return 10**9

    def __getitems__(self, numbers: np.ndarray) -> list[int]:
        return numbers.tolist()


def test_an_epoch_over_a_billion_rows_costs_what_is_read_of_it():
    tracemalloc.start()
    epoch = Epoch(Billion(), seed=7, batch=32, start=123_456_789, rank=1, ranks=3)
    first = list(islice(epoch, 5000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len({*first}) == 5000
    assert len(epoch) == (10**9 - 123_456_789 - 1 + 2) // 3
    assert peak < 4 * 2**20


def test_a_map_style_dataset_serves_a_data_loader(rows):
    loader = DataLoader(rows, batch_size=10, shuffle=True, num_workers=2, collate_fn=list)

    assert sorted(row["id"] for batch in loader for row in batch) == sorted(row["id"] for row in rows)


def test_a_state_of_another_version_is_refused(rows, tmp_path):
    other = TrainingRows(published(library(tmp_path), ["another"]), "train")

    with pytest.raises(UserError, match="open that version"):
        Epoch.resume(other, Epoch(rows, batch=8, seed=7).after(3), batch=8)


@pytest.mark.parametrize("how", [{"rank": 2, "ranks": 2}, {"batch": 0}, {"start": COUNT + 1}, {"start": -1}])
def test_a_part_that_is_none_is_refused(rows, how):
    with pytest.raises(UserError, match="needed 0 <= rank"):
        Epoch(rows, **{"seed": 7, "batch": 8, **how})
