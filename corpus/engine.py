"""How work is spread: one task a part, in processes on this machine."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

SPREAD_ROWS = 100_000
"""Fewer rows are measured sooner in this process than a worker needs to start (about 2 CPU seconds)."""


class Engine(Protocol):
    """Where tasks run. What a task answers must not depend on it."""

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], rows: int, *, heavy: bool = False
    ) -> Iterator[Result]:
        """Yield the answers in the order of the tasks; `rows` is their size, `heavy` that they ask a model."""


class Local(AbstractContextManager["Local"]):
    """Processes on this machine, started by a fork server (a fork is unsafe beside threads) when first needed.

    `workers` None uses every core, and only for work that is worth it; a number is taken at its word.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._asked = workers
        self._workers = workers or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], rows: int, *, heavy: bool = False
    ) -> Iterator[Result]:
        """Yield the answers in the order of the tasks."""
        worth = heavy or rows >= SPREAD_ROWS or self._asked is not None
        if self._workers == 1 or len(tasks) < 2 or not worth:
            yield from map(function, tasks)
            return
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._workers, multiprocessing.get_context("forkserver"))
        yield from self._pool.map(function, tasks)

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
