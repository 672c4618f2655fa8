"""Versions for torch: rows by number, and epochs in an order that can be taken up again at any row.

rows = TrainingRows(library.open("tweets"), "train")
epoch = Epoch(rows, seed=7, number=0, batch=32)
for step, batch in enumerate(DataLoader(epoch, batch_size=32, num_workers=2, collate_fn=list), 1):
    ...
    state = epoch.after(step)                        # anywhere, at any time
epoch = Epoch.resume(rows, state, batch=32)          # with other workers, ranks and batches
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from corpus.schema import UserError
from corpus.versions.permutation import Permutation
from corpus.versions.rows import Rows

_AHEAD = 1024
"""Places whose rows are told at once, or a batch where that is more."""


class TrainingRows(Rows, Dataset[dict[str, Any]]):
    """The rows of a split as a map-style dataset: any of them in constant time, in any process."""


class Epoch(IterableDataset[dict[str, Any]]):
    """One epoch over `rows`, in the order that (version, split, seed, number) means, from place `start` on.

    The order is that of the whole epoch: of R ranks rank r has the places start + r, start + r + R, and so on, so
    the first k batches of all ranks are the first k * batch * R places, whatever R is. `batch` is the DataLoader's
    `batch_size`: its workers, however many, then bring the batches of a rank in the order of their places. No row is
    left out or repeated, so the last batch may be smaller and one rank may have one row more than another; with
    `even` the last places that do not go round are left out instead.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        seed: int,
        number: int = 0,
        batch: int,
        start: int = 0,
        rank: int = 0,
        ranks: int = 1,
        shuffle: bool = True,
        even: bool = False,
    ) -> None:
        if not 0 <= rank < ranks or batch < 1 or not 0 <= start <= len(rows):
            raise UserError(
                f"needed 0 <= rank < ranks, batch >= 1 and 0 <= start <= {len(rows)}, "
                f"not rank {rank} of {ranks}, batch {batch}, start {start}"
            )
        self.rows, self.seed, self.number, self.batch = rows, seed, number, batch
        self.start, self.rank, self.ranks = start, rank, ranks
        self.shuffle, self.even = shuffle, even
        key = f"{rows.version} {rows.split} {seed} {number}"
        self._order = Permutation(len(rows), key) if shuffle else None

    def __len__(self) -> int:
        left = len(self.rows) - self.start
        return left // self.ranks if self.even else max(0, math.ceil((left - self.rank) / self.ranks))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        info = get_worker_info()
        worker, workers = (0, 1) if info is None else (info.id, info.num_workers)
        for mine in self._turns(worker, workers):
            places = self.start + self.rank + mine * self.ranks
            yield from self.rows.__getitems__(places if self._order is None else self._order(places))

    def _turns(self, worker: int, workers: int) -> Iterator[np.ndarray]:
        """Yield which of this rank's rows a worker brings, in turn: each batch after the batches of the other workers."""
        count, apart = len(self), self.batch * workers
        several = max(1, _AHEAD // self.batch)
        for first in range(worker * self.batch, count, apart * several):
            begins = first + apart * np.arange(several, dtype=np.int64)
            mine = (begins[:, None] + np.arange(self.batch, dtype=np.int64)).ravel()
            yield mine[mine < count]

    def after(self, batches: int) -> dict[str, Any]:
        """Return the state in which every rank has had so many batches: plain JSON, for `resume`."""
        done = min(self.start + batches * self.batch * self.ranks, len(self.rows))
        return {
            "version": self.rows.version,
            "split": self.rows.split,
            "seed": self.seed,
            "number": self.number,
            "shuffle": self.shuffle,
            "start": done,
        }

    @classmethod
    def resume(cls, rows: Rows, state: dict[str, Any], **how: Any) -> "Epoch":
        """Take an epoch up where `after` left it, under any number of workers, ranks and rows a batch.

        Raises `UserError` for rows of another version or split: their order would be another.
        """
        if (state["version"], state["split"]) != (rows.version, rows.split):
            raise UserError(
                f"the state is of {state['split']} of version {state['version'][:12]}, and these rows are "
                f"{rows.split} of {rows.version[:12]}; open that version, or begin an epoch anew"
            )
        kept = {key: state[key] for key in ("seed", "number", "shuffle", "start")}
        return cls(rows, **kept, **how)
